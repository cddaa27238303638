using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;

namespace Atrium.Core.SignIns;

/// <summary>Everything that a decision about a sign-in may depend on, loaded before it is taken.</summary>
public sealed record SignInFacts
{
    public required DateTimeOffset Now { get; init; }

    public required Client Client { get; init; }

    /// <summary>What holds for the whole realm.</summary>
    public RealmSettings Realm { get; init; } = new();

    /// <summary>Null until the person is known.</summary>
    public User? User { get; init; }

    public IReadOnlyList<Factor> Factors { get; init; } = [];

    /// <summary>The person's memberships: all of them where a choice is open, the chosen one where it is not.</summary>
    public IReadOnlyList<MembershipInOrganization> Memberships { get; init; } = [];

    /// <summary>The organization that the sign-in is for, when one is chosen and exists.</summary>
    public Organization? ChosenOrganization { get; init; }

    /// <summary>Whether the client may be used by that organization at the app-native door.</summary>
    public bool ChosenIsShared { get; init; } = true;

    /// <summary>What the person has let the client have before.</summary>
    public IReadOnlyList<Consent> Consents { get; init; } = [];

    /// <summary>What the person chose the last time that the client's sign-in asked.</summary>
    public OrganizationChoice LastChoice { get; init; } = OrganizationChoice.Unchosen;

    /// <summary>The facts for one of the organizations that the person may choose among.</summary>
    public SignInFacts Choosing(Id<Organization> organization)
    {
        MembershipInOrganization? chosen = Memberships.FirstOrDefault(entry => entry.Organization.Id == organization);
        return this with { Memberships = chosen is null ? [] : [chosen], ChosenOrganization = chosen?.Organization };
    }
}
