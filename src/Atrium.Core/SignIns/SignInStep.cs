using Atrium.Core.Organizations;
using Atrium.Core.Users;

namespace Atrium.Core.SignIns;

/// <summary>What must happen next. Every door renders each of these in its own words.</summary>
public abstract record SignInStep
{
    private SignInStep()
    {
    }

    /// <summary>Show who you are by one of these methods; where <paramref name="OrganizationOption"/> is true, or name your organization first.</summary>
    public sealed record Prove(IReadOnlyList<AuthenticationMethod> Methods, bool OrganizationOption) : SignInStep;

    /// <summary>Say whether to go on as this person, whom the browser is signed in as.</summary>
    public sealed record ConfirmAccount(User User) : SignInStep;

    /// <summary>Show that the mailbox is yours.</summary>
    public sealed record VerifyEmail(User User) : SignInStep;

    /// <summary>A second factor is asked for and there is none yet.</summary>
    public sealed record EnrolFactor(User User) : SignInStep;

    /// <summary>Keep the recovery codes that came with the new factor.</summary>
    public sealed record KeepRecoveryCodes(User User) : SignInStep;

    /// <summary>Show a second factor.</summary>
    public sealed record ProveFactor(User User, IReadOnlyList<Factor> Factors) : SignInStep;

    /// <summary>Say which of these it is for.</summary>
    public sealed record ChooseOrganization(User User, IReadOnlyList<MembershipInOrganization> Organizations) : SignInStep
    {
        /// <summary>Whether it may be for all of them at once.</summary>
        public bool OffersAll { get; init; }

        /// <summary>What the person chose the last time, for this client; it may be nothing that can be chosen now.</summary>
        public OrganizationChoice Last { get; init; } = OrganizationChoice.Unchosen;
    }

    /// <summary>The organization lets in only whom its own identity provider vouches for.</summary>
    public sealed record UseConnection(User User, Organization Organization) : SignInStep;

    /// <summary>Say whether the client may have this.</summary>
    /// <param name="Asked">What it gets.</param>
    /// <param name="Organization">The organization that it is for, where there is one that the person is active in.</param>
    /// <param name="News">What of it goes beyond what it was given before; null where that was nothing.</param>
    public sealed record Consent(User User, OrganizationChoice Choice, ConsentTerms Asked, Organization? Organization, ConsentNews? News) : SignInStep;

    /// <summary>Everything is shown: this person, for these organizations.</summary>
    public sealed record Complete(User User, OrganizationChoice Choice) : SignInStep
    {
        /// <summary>What the person has allowed in this sign-in, to be remembered with what it ends in.</summary>
        public GivenConsent? Given { get; init; }

        /// <summary>The consent, given before, by which a third party's client gets this without asking.</summary>
        public Id<SignIns.Consent>? RestsOn { get; init; }
    }

    /// <summary>It cannot go on.</summary>
    public sealed record Refuse(SignInRefusal Reason) : SignInStep;
}

/// <summary>Why a sign-in cannot go on; the same reasons for every door.</summary>
public enum SignInRefusal
{
    Expired,
    ClientDisabled,
    UserDisabled,
    TooManyTries,

    /// <summary>Unknown, not active, not for this client, or not the person's: nobody outside can tell which.</summary>
    OrganizationUnavailable,

    /// <summary>The door shows people a sign-in of the client's own making, which only the realm's owner's applications may (first_party).</summary>
    NotFirstParty,

    /// <summary>The organization allows no method by which this server could let the person in.</summary>
    MethodNotAllowed,

    /// <summary>The client asks for more than can be shown where the person goes.</summary>
    RequirementsUnmet,
}
