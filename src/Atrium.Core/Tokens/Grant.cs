using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;

namespace Atrium.Core.Tokens;

/// <summary>What one client got from a session. Its refresh tokens are one family and end together.</summary>
public sealed record Grant : IIdentified
{
    public static string IdPrefix => "gr_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<Grant> Id { get; init; }

    public required Id<Session> SessionId { get; init; }

    public required Id<Client> ClientId { get; init; }

    public required Id<User> UserId { get; init; }

    public required Door Door { get; init; }

    public required TokenProfile Profile { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required OrganizationChoice Choice { get; init; }

    /// <summary>Whether the sign-in was made on the organization's own path of the app-native door.</summary>
    public bool OnOrganizationPath { get; init; }

    /// <summary>RFC 8707; null means the client itself.</summary>
    public string? Resource { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }
}

/// <summary>Everything that issuing from a grant may depend on, read afresh each time: tokens are snapshots, grants are not.</summary>
public sealed record GrantFacts
{
    public required Grant Grant { get; init; }

    public required Session Session { get; init; }

    public required Client Client { get; init; }

    public required User User { get; init; }

    /// <summary>All memberships, or the chosen one alone where the grant has chosen.</summary>
    public required IReadOnlyList<MembershipFacts> Memberships { get; init; }

    /// <summary>
    /// Whether there may be memberships beyond these, because as many were read as are too large for a token anyway. Then it takes all of them to
    /// write the array.
    /// </summary>
    public bool HasMoreMemberships { get; init; }

    /// <summary>The roles that the memberships' scopes name, of the realm and of the organization, where the profile looks into them.</summary>
    public IReadOnlyList<Role> Roles { get; init; } = [];

    /// <summary>The realm itself, which is the organization of a sign-in at its root.</summary>
    public required Realm Realm { get; init; }

    /// <summary>What a token of this grant says about organizations at that moment.</summary>
    public OrganizationClaims OrganizationsAt(DateTimeOffset now) => OrganizationClaims.Resolve(
        Grant.Profile,
        Grant.Choice,
        Grant.OnOrganizationPath,
        Client.Settings.Restrictions.Organizations,
        new ShownProofs(Session.Proofs, now),
        Memberships,
        Roles,
        Realm);

    /// <summary>Whether the person may still be spoken for at all.</summary>
    public bool IsLive(DateTimeOffset now) =>
        Grant.EndedAt is null && Session.IsLive(now) && User.Status == UserStatus.Active && Client.Status == ClientStatus.Active;
}
