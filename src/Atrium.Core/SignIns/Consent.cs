using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.Users;

namespace Atrium.Core.SignIns;

/// <summary>What a person has let an application of somebody else's have. It stands until the person, or whoever runs the realm, takes it away.</summary>
public sealed record Consent : IIdentified
{
    public static string IdPrefix => "con_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<Consent> Id { get; init; }

    public required Id<User> UserId { get; init; }

    public required Id<Client> ClientId { get; init; }

    public required ConsentTerms Terms { get; init; }

    public required DateTimeOffset GrantedAt { get; init; }
}

/// <summary>What is asked for, and then given: these scopes, for these organizations, at this resource.</summary>
/// <param name="Choice">All of the person's organizations, one of them, or none.</param>
/// <param name="Resource">The audience of the access token (RFC 8707); null where the client named none.</param>
public sealed record ConsentTerms(IReadOnlyList<string> Scopes, OrganizationChoice Choice, string? Resource)
{
    /// <summary>What a sign-in would give its client, were it completed with this choice.</summary>
    public static ConsentTerms Of(SignIn signIn, Client client, OrganizationChoice choice) => new(
        [.. signIn.Request.Scopes.Distinct(StringComparer.Ordinal)],
        client.Settings.Restrictions.Organizations.Policy == OrganizationPolicy.None ? OrganizationChoice.NoOrganization : choice,
        signIn.Request.Resource);

    /// <summary>Whether these reach at least as many organizations, at the same resource.</summary>
    public bool ReachAsFarAs(ConsentTerms other) => Resource == other.Resource && SpeakOfAsMany(other);

    /// <summary>Whether these are for at least as many organizations.</summary>
    public bool SpeakOfAsMany(ConsentTerms other) =>
        Choice == other.Choice || Choice == OrganizationChoice.AllMemberships || other.Choice == OrganizationChoice.NoOrganization;

    /// <summary>Whether these are for the same organizations and resource: then one consent holds the scopes of both.</summary>
    public bool AreForTheSameAs(ConsentTerms other) => Resource == other.Resource && Choice == other.Choice;

    public bool Equals(ConsentTerms? other) => other is not null && AreForTheSameAs(other) && Scopes.SequenceEqual(other.Scopes, StringComparer.Ordinal);

    public override int GetHashCode() => HashCode.Combine(Choice, Resource, Scopes.Count);
}
