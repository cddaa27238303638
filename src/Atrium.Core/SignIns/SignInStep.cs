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
    public sealed record ChooseOrganization(User User, IReadOnlyList<MembershipInOrganization> Organizations) : SignInStep;

    /// <summary>The organization lets in only whom its own identity provider vouches for.</summary>
    public sealed record UseConnection(User User, Organization Organization) : SignInStep;

    /// <summary>Everything is shown: this person, for these organizations.</summary>
    public sealed record Complete(User User, OrganizationChoice Choice) : SignInStep;

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

    /// <summary>The organization allows no method by which this server could let the person in.</summary>
    MethodNotAllowed,

    /// <summary>The client asks for more than can be shown where the person goes.</summary>
    RequirementsUnmet,
}
