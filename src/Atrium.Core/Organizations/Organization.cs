using Atrium.Core.Realms;

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

    /// <summary>Only the organization's own identity provider may vouch for its people.</summary>
    public bool SsoOnly { get; init; }

    /// <summary>Whether people whose e-mail is of another domain may be members.</summary>
    public bool AllowProfilesOutside { get; init; } = true;
}

/// <summary>A domain that an organization says is its own; an address of a verified one leads to it.</summary>
public sealed record OrganizationDomain : IIdentified
{
    public static string IdPrefix => "dom_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<OrganizationDomain> Id { get; init; }

    public required Id<Organization> OrganizationId { get; init; }

    /// <summary>Lower case, without a trailing dot.</summary>
    public required string Domain { get; init; }

    public required bool Verified { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}
