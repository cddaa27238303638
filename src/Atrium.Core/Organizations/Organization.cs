using Atrium.Core.Realms;
using Atrium.Core.SignIns;

namespace Atrium.Core.Organizations;

/// <summary>A customer of the product: it has members, domains and a sign-in policy.</summary>
public sealed record Organization : IIdentified
{
    public static string IdPrefix => "org_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<Organization> Id { get; init; }

    public required string Handle { get; init; }

    public required string Name { get; init; }

    public required OrganizationStatus Status { get; init; }

    /// <summary>Why it has the status it has, in the operator's words; nobody else reads it.</summary>
    public string? StatusReason { get; init; }

    /// <summary>The organization that this one belongs to. It says where it stands and gives nobody anything: a parent's members are no members here.</summary>
    public Id<Organization>? ParentId { get; init; }

    /// <summary>The product's own id of this organization; unique in the realm.</summary>
    public string? ExternalId { get; init; }

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public OrganizationSettings Settings { get; init; } = new();

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}

public enum OrganizationStatus
{
    Active,

    /// <summary>Can't be selected and enters no new token; reversible.</summary>
    Suspended,

    /// <summary>On its way out; already not found on every door.</summary>
    Deleting,
}

/// <summary>What an organization asks of those who sign in to it.</summary>
public sealed record OrganizationSettings
{
    /// <summary>Scopes that a new member gets when none are named.</summary>
    public IReadOnlyList<string> DefaultMemberScopes { get; init; } = [];

    /// <summary>Everybody who enters must show a second factor.</summary>
    public bool MfaRequired { get; init; }

    /// <summary>What may prove who somebody is; null for every method there is. What is not among them counts for nothing here.</summary>
    public IReadOnlyList<AuthenticationMethod>? AllowedMethods { get; init; }

    /// <summary>Only the organization's own identity provider may vouch for its people.</summary>
    public bool SsoOnly { get; init; }

    /// <summary>How many members it may have, of whatever status; null for as many as there are.</summary>
    public int? MaxMembers { get; init; }

    /// <summary>Seconds for which what somebody showed counts here; null for as long as the session lasts.</summary>
    public int? SessionMaxAge { get; init; }

    /// <summary>Whether people whose e-mail is of another domain may be members.</summary>
    public bool AllowProfilesOutside { get; init; } = true;
}
