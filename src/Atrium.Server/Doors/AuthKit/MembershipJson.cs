using System.Text.Json.Serialization;
using Atrium.Core.Organizations;
using Atrium.Core.Tokens;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>A membership (<c>UserlandUserOrganizationMembership</c>).</summary>
public sealed record MembershipJson
{
    [JsonPropertyName("object")]
    public string Kind => "organization_membership";

    public required string Id { get; init; }

    public required string UserId { get; init; }

    public required string OrganizationId { get; init; }

    public required string OrganizationName { get; init; }

    public required string Status { get; init; }

    /// <summary>No directory manages memberships here.</summary>
    public bool DirectoryManaged => false;

    /// <summary>What an identity provider says of the member; none does.</summary>
    public IReadOnlyDictionary<string, string> CustomAttributes { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The primary role. SDKs need the key, so a membership without any scope has a role without a name, which no check lets in.</summary>
    public required SlimRole Role { get; init; }

    public required IReadOnlyList<SlimRole> Roles { get; init; }

    public required UserJson User { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public static MembershipJson From(MembershipDetails details)
    {
        Membership membership = details.Membership;
        SlimRole[] roles = [.. OrganizationClaims.SplitScopes(membership.OrganizationId, membership.Scopes, details.Roles).Roles.Select(static slug => new SlimRole(slug))];
        return new()
        {
            Id = membership.Id.ToString(),
            UserId = membership.UserId.ToString(),
            OrganizationId = membership.OrganizationId.ToString(),
            OrganizationName = details.Organization.Name,
            Status = WordOf(membership.Status),
            Role = roles is [var primary, ..] ? primary : new SlimRole(""),
            Roles = roles,
            User = UserJson.From(details.User),
            CreatedAt = membership.CreatedAt,
            UpdatedAt = membership.UpdatedAt,
        };
    }

    /// <summary>Null for a word that is no status of this door.</summary>
    public static MembershipStatus? StatusOf(string word) => word switch
    {
        "active" => MembershipStatus.Active,
        "inactive" => MembershipStatus.Suspended,
        "pending" => MembershipStatus.Pending,
        _ => null,
    };

    private static string WordOf(MembershipStatus status) => status switch
    {
        MembershipStatus.Active => "active",
        MembershipStatus.Suspended => "inactive",
        _ => "pending",
    };
}

/// <summary>A role as memberships name it.</summary>
public sealed record SlimRole(string Slug);
