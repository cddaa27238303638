using System.ComponentModel;
using Atrium.Core.Organizations;

namespace Atrium.Core.Resources;

/// <summary>One person in one organization.</summary>
public sealed record MembershipResource
{
    [Description("`mem_` and 25 digits.")]
    public required string Id { get; init; }

    public required string UserId { get; init; }

    public required string OrganizationId { get; init; }

    [Description("What the person may do there. One that names a role brings the role's permissions.")]
    public required IReadOnlyList<string> Scopes { get; init; }

    public required string? Title { get; init; }

    [Description("Only an active one is in tokens.")]
    public required MembershipStatus Status { get; init; }

    [Description("Unix milliseconds; of a pending one, when it was made.")]
    public required long JoinedAt { get; init; }

    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static MembershipResource Of(Membership membership) => new()
    {
        Id = membership.Id.ToString(),
        UserId = membership.UserId.ToString(),
        OrganizationId = membership.OrganizationId.ToString(),
        Scopes = membership.Scopes,
        Title = membership.Title,
        Status = membership.Status,
        JoinedAt = membership.JoinedAt.ToUnixTimeMilliseconds(),
        Metadata = membership.Metadata,
        CreatedAt = membership.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = membership.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}
