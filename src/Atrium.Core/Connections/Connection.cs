using Atrium.Core.Organizations;
using Atrium.Core.Realms;

namespace Atrium.Core.Connections;

/// <summary>
/// An identity provider that may vouch for people: those of one organization, or everybody of the realm. What the provider knows us by in
/// secret is sealed beside it and in none of these properties.
/// </summary>
public sealed record Connection : IIdentified
{
    public static string IdPrefix => "conn_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<Connection> Id { get; init; }

    /// <summary>Whose people it vouches for; null for the whole realm.</summary>
    public Id<Organization>? OrganizationId { get; init; }

    /// <summary>Decides what the settings are, and never changes.</summary>
    public required ConnectionType Type { get; init; }

    public required string Name { get; init; }

    public required ConnectionStatus Status { get; init; }

    public required ConnectionSettings Settings { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}

public enum ConnectionType
{
    Oidc,
    Saml,
    Google,
    Microsoft,
    Github,
    Apple,
}

public enum ConnectionStatus
{
    Active,

    /// <summary>Vouches for nobody until it is enabled again.</summary>
    Disabled,
}
