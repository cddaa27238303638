using System.ComponentModel;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;

namespace Atrium.Core.Resources;

/// <summary>A customer of the product: it has members, domains, roles of its own and a sign-in policy.</summary>
public sealed record OrganizationResource
{
    [Description("`org_` and 25 digits, the same on every door.")]
    public required string Id { get; init; }

    [Description("Unique in the realm; made from the name where none is given.")]
    public required string Handle { get; init; }

    public required string Name { get; init; }

    [Description("The organization that it belongs to. A parent's members are no members of it.")]
    public required string? ParentId { get; init; }

    [Description("A suspended one can't be signed in to and is in no new token; its members and settings stay.")]
    public required OrganizationStatus Status { get; init; }

    [Description("Why it has that status, for operators.")]
    public required string? StatusReason { get; init; }

    [Description("The product's own id of it; unique in the realm.")]
    public required string? ExternalId { get; init; }

    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    public required OrganizationSettingsResource Settings { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static OrganizationResource Of(Organization organization) => new()
    {
        Id = organization.Id.ToString(),
        Handle = organization.Handle,
        Name = organization.Name,
        ParentId = organization.ParentId?.ToString(),
        Status = organization.Status,
        StatusReason = organization.StatusReason,
        ExternalId = organization.ExternalId,
        Metadata = organization.Metadata,
        Settings = OrganizationSettingsResource.Of(organization.Settings),
        CreatedAt = organization.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = organization.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}

/// <summary>What an organization asks of those who sign in to it, and how it takes members.</summary>
public sealed record OrganizationSettingsResource
{
    [Description("Scopes that a new member gets when none are named.")]
    public required IReadOnlyList<string> DefaultMemberScopes { get; init; }

    [Description("Everybody who enters must show a second factor.")]
    public required bool MfaRequired { get; init; }

    [Description("The methods that count here; null for all.")]
    public required IReadOnlyList<AuthenticationMethod>? AllowedMethods { get; init; }

    [Description("Only the organization's own identity provider may vouch for its people; as long as none is connected, nobody enters.")]
    public required bool SsoOnly { get; init; }

    [Description("How many members there may be, of whatever status; null for no maximum.")]
    public required int? MaxMembers { get; init; }

    [Description("Seconds for which what somebody showed counts here; null for as long as the session lasts.")]
    public required int? SessionMaxAge { get; init; }

    [Description("Whether people whose e-mail is of another domain may be members. It is kept for AuthKit's clients, who show and change it.")]
    public required bool AllowProfilesOutside { get; init; }

    public static OrganizationSettingsResource Of(OrganizationSettings settings) => new()
    {
        DefaultMemberScopes = settings.DefaultMemberScopes,
        MfaRequired = settings.MfaRequired,
        AllowedMethods = settings.AllowedMethods,
        SsoOnly = settings.SsoOnly,
        MaxMembers = settings.MaxMembers,
        SessionMaxAge = settings.SessionMaxAge,
        AllowProfilesOutside = settings.AllowProfilesOutside,
    };
}
