using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;

namespace Atrium.Core.SignIns;

/// <summary>
/// Decides how a sign-in goes on, for every door. Pure: the same sign-in and facts give the same step, and nothing is read or written.
/// </summary>
public static class SignInEngine
{
    /// <summary>How long ago the password may have been shown when an account gets a second factor: no longer than a sign-in lasts.</summary>
    private static readonly TimeSpan FreshForEnrolment = TimeSpan.FromMinutes(30);

    public static SignInStep Next(SignIn signIn, SignInFacts facts)
    {
        if (facts.Client.Status != ClientStatus.Active)
            return new SignInStep.Refuse(SignInRefusal.ClientDisabled);
        if (!facts.Client.IsTrustedAt(signIn.Door))
            return new SignInStep.Refuse(SignInRefusal.NotFirstParty);
        if (facts.Now >= signIn.ExpiresAt)
            return new SignInStep.Refuse(SignInRefusal.Expired);
        if (signIn.FailedTries >= SignIn.MaxFactorTries)
            return new SignInStep.Refuse(SignInRefusal.TooManyTries);

        TokenProfile profile = facts.Client.ProfileFor(signIn.Door);
        if (signIn.Choice is OrganizationChoice.Chosen && IsUnderChosen(signIn, profile) && !ChosenIsUsable(signIn, facts))
            return new SignInStep.Refuse(SignInRefusal.OrganizationUnavailable);

        if (facts.User is not { } user || !signIn.HasProved(AuthenticationMethod.Password))
            return Identity(Entered(signIn, facts), signIn, facts);
        if (user.Status != UserStatus.Active)
            return new SignInStep.Refuse(SignInRefusal.UserDisabled);
        if (AsksForAccount(signIn, user))
            return new SignInStep.ConfirmAccount(user);
        if (RequiresVerifiedEmail(signIn.Door, facts) && !user.EmailVerified && !HasShownMailbox(signIn))
            return new SignInStep.VerifyEmail(user);
        if (!signIn.HasSecondFactor && AsksSecondFactor(signIn, facts))
        {
            return AsksForLevel(signIn) && EntersWithoutSecondFactor(signIn, facts)
                ? new SignInStep.Refuse(SignInRefusal.RequirementsUnmet)
                : SecondFactor(user, signIn, facts);
        }

        if (signIn.SealedCodes is not null)
            return new SignInStep.KeepRecoveryCodes(user);

        return Choose(signIn, facts, user, profile) switch
        {
            OrganizationChoice.Chosen chosen when PolicyOf(chosen.Organization, facts) is { } organization =>
                UnderPolicyOf(organization, signIn, facts, user) ?? Finish(signIn, facts, user, chosen),
            { } choice when choice != OrganizationChoice.Unchosen => Finish(signIn, facts, user, choice),
            _ => new SignInStep.ChooseOrganization(user, Selectable(facts)) { OffersAll = profile == TokenProfile.MultiOrg, Last = facts.LastChoice },
        };
    }

    /// <summary>Whether the person may go on into this organization. A refused choice leaves the sign-in as it was.</summary>
    public static bool MayChoose(Id<Organization> organization, SignInFacts facts) =>
        Selectable(facts).Any(entry => entry.Organization.Id == organization);

    /// <summary>Whether the person's organizations matter to this sign-in while none is chosen: those of a client that asks which one it is for.</summary>
    public static bool MayAskWhich(SignIn signIn, Client client) =>
        signIn.Choice == OrganizationChoice.Unchosen
        && client.ProfileFor(signIn.Door) switch
        {
            TokenProfile.SingleOrg => true,
            TokenProfile.MultiOrg => signIn.Door == Door.OAuth && client.Settings.OrganizationPicker == OrganizationPicker.Always,
            _ => false,
        };

    /// <summary>
    /// Whether a standing session answers the request without a page: not when the client asks for a fresh sign-in,
    /// nor when the last one is longer ago than it allows (OpenID Connect Core section 3.1.2.1, <c>prompt</c> and <c>max_age</c>; no age at all is
    /// the wish for a fresh one). A session that has shown too little is built on: what it lacks is asked for.
    /// </summary>
    public static bool MayBuildOn(Session session, bool freshSignIn, int? maxAgeSeconds, DateTimeOffset now) =>
        session.IsLive(now)
        && !freshSignIn
        && (maxAgeSeconds is not { } maxAge || (maxAge > 0 && (now - session.AuthenticatedAt).TotalSeconds <= maxAge));

    /// <summary>Organizations that can be picked, in the one order of the house: oldest membership first.</summary>
    public static IReadOnlyList<MembershipInOrganization> Selectable(SignInFacts facts) =>
    [
        .. facts.Memberships
            .Where(entry => entry.IsEffective && facts.Client.Settings.Restrictions.Organizations.Allows(entry.Organization.Id))
            .OrderBy(static entry => entry.Membership.JoinedAt)
            .ThenBy(static entry => entry.Organization.Id.Value),
    ];

    private static OrganizationChoice Choose(SignIn signIn, SignInFacts facts, User user, TokenProfile profile)
    {
        if (signIn.Choice != OrganizationChoice.Unchosen)
            return signIn.Choice;
        switch (profile)
        {
            // One organization, and all of one, are no choice to be asked for.
            case TokenProfile.MultiOrg:
                return MayAskWhich(signIn, facts.Client) && Selectable(facts).Count > 1 ? OrganizationChoice.Unchosen : OrganizationChoice.AllMemberships;
            case TokenProfile.Organization:
                return OrganizationChoice.NoOrganization;
            default:
                IReadOnlyList<MembershipInOrganization> selectable = Selectable(facts);
                return selectable.Count switch
                {
                    0 => OrganizationChoice.NoOrganization,
                    1 => new OrganizationChoice.Chosen(selectable[0].Organization.Id),
                    _ => OrganizationChoice.Unchosen,
                };
        }
    }

    /// <summary>Everything is shown and chosen. What is left is to be asked whether the client may have it.</summary>
    private static SignInStep Finish(SignIn signIn, SignInFacts facts, User user, OrganizationChoice choice)
    {
        ConsentTerms asked = ConsentTerms.Of(signIn, facts.Client, choice);
        Organization? organization = asked.Choice.Selected is { } selected ? PolicyOf(selected, facts) : null;
        if (ConsentRules.Asks(signIn, facts, asked))
            return new SignInStep.Consent(user, choice, asked, organization, ConsentRules.NewsIn(asked, facts.Consents));

        // What is allowed for an organization that the person is not in is for nothing that could be shown to them later.
        bool isGiven = signIn.Allowed == asked && (asked.Choice.Selected is null || organization is not null);
        return new SignInStep.Complete(user, choice)
        {
            Given = isGiven ? ConsentRules.Given(asked, facts.Consents) : null,
            RestsOn = signIn.Allowed is null && !facts.Client.Settings.FirstParty ? ConsentRules.CoveringOf(asked, facts.Consents)?.Id : null,
        };
    }

    /// <summary>
    /// The organization whose policy the sign-in is under, if it is the person's. In a multi-org token a selection is checked when the token
    /// is issued (<c>invalid_grant</c> there), and a stranger's policy must not show who exists.
    /// </summary>
    private static Organization? PolicyOf(Id<Organization> chosen, SignInFacts facts) =>
        facts.Memberships.FirstOrDefault(entry => entry.IsEffective && entry.Organization.Id == chosen)?.Organization;

    /// <summary>The organization that the sign-in itself is of, before anybody is known to be in it.</summary>
    private static Organization? Entered(SignIn signIn, SignInFacts facts) =>
        IsUnderChosen(signIn, facts.Client.ProfileFor(signIn.Door)) ? facts.ChosenOrganization : null;

    private static SignInStep? UnderPolicyOf(Organization organization, SignIn signIn, SignInFacts facts, User user) =>
        SignInPolicy.GapOf(organization.Settings, new ShownProofs(signIn.Proofs, facts.Now)) switch
        {
            PolicyGap.Nothing => null,
            PolicyGap.Connection => new SignInStep.UseConnection(user, organization),
            PolicyGap.Identity => Identity(organization, signIn, facts),
            PolicyGap.SecondFactor when SignInPolicy.MethodsFor(PolicyGap.SecondFactor, organization.Settings) is [] =>
                new SignInStep.Refuse(SignInRefusal.MethodNotAllowed),
            _ => SecondFactor(user, signIn, facts),
        };

    /// <summary>Asks who it is, by what the organization that is entered allows; one that takes only a connection says so once it is known who asks.</summary>
    private static SignInStep Identity(Organization? entered, SignIn signIn, SignInFacts facts)
    {
        IReadOnlyList<AuthenticationMethod> methods = SignInPolicy.MethodsFor(PolicyGap.Identity, entered?.Settings ?? new OrganizationSettings());
        return methods is []
            ? new SignInStep.Refuse(SignInRefusal.MethodNotAllowed)
            : new SignInStep.Prove(methods, OffersOrganizationOption(signIn, facts.Client));
    }

    /// <summary>
    /// Asks for a factor that there is, or for a new one. An old session alone gives an account no second factor: who has nothing but its cookie would
    /// lock the person out (OWASP ASVS 7.5.1).
    /// </summary>
    private static SignInStep SecondFactor(User user, SignIn signIn, SignInFacts facts)
    {
        IReadOnlyList<Factor> confirmed = [.. facts.Factors.Where(static factor => factor.Confirmed)];
        if (confirmed.Count > 0)
            return new SignInStep.ProveFactor(user, confirmed);
        return signIn.Proofs.Any(proof => SignInPolicy.IsIdentity(proof.Method) && facts.Now - proof.At <= FreshForEnrolment)
            ? new SignInStep.EnrolFactor(user)
            : Identity(Entered(signIn, facts), signIn, facts);
    }

    /// <summary>
    /// The client's steps, the level that this request asks for, and a factor that the person has enrolled; the organization's policy joins when it
    /// is chosen.
    /// </summary>
    private static bool AsksSecondFactor(SignIn signIn, SignInFacts facts) =>
        facts.Factors.Any(static factor => factor.Confirmed)
        || AsksForLevel(signIn)
        || (facts.Client.Settings.AppNative.Enabled && facts.Client.Settings.AppNative.Steps.Any(static step => step.Contains("totp")));

    private static bool AsksForLevel(SignIn signIn) => AuthenticationLevels.AskedBy(signIn.Request) == AuthenticationLevel.MultiFactor;

    /// <summary>Whether the person has no second factor, and enters an organization that would let none count.</summary>
    private static bool EntersWithoutSecondFactor(SignIn signIn, SignInFacts facts) =>
        !facts.Factors.Any(static factor => factor.Confirmed)
        && signIn.Choice.Selected is { } chosen
        && PolicyOf(chosen, facts) is { } entered
        && SignInPolicy.MethodsFor(PolicyGap.SecondFactor, entered.Settings) is [];

    /// <summary>
    /// Where a standing session would be built on: when the client wants the person to select, and when it hints at somebody else. A hint is
    /// somebody else's when it is an address, and neither the person's address nor their username.
    /// </summary>
    private static bool AsksForAccount(SignIn signIn, User user) =>
        signIn is { SessionId: not null, AccountConfirmed: false }
        && (signIn.Request.SelectAccount || (signIn.Request.LoginHint is { } hint && hint.Contains('@') && !IsNameOf(user, hint)));

    private static bool IsNameOf(User user, string hint) =>
        EmailAddress.Normalize(hint) is var name
        && (name == EmailAddress.Normalize(user.Email) || (user.Username is { } username && name == EmailAddress.Normalize(username)));

    /// <summary>
    /// In this very sign-in. What an earlier one showed stands with the account, as long as the address is the same: a session knows of no address.
    /// </summary>
    private static bool HasShownMailbox(SignIn signIn) =>
        signIn.Proofs.Any(proof => proof.Method == AuthenticationMethod.EmailCode && proof.At >= signIn.CreatedAt);

    /// <summary>AuthKit's own rule: a password opens nothing before the address is verified. A realm may make it the rule of every door.</summary>
    private static bool RequiresVerifiedEmail(Door door, SignInFacts facts) => door == Door.AuthKit || facts.Realm.EmailVerificationRequired;

    /// <summary>
    /// Whether the sign-in itself is the chosen organization's. In a multi-org token a selection is judged when the token is issued; at the
    /// app-native door the person signs in to the organization, whatever the token says later.
    /// </summary>
    private static bool IsUnderChosen(SignIn signIn, TokenProfile profile) => profile != TokenProfile.MultiOrg || signIn.Door == Door.AppNative;

    private static bool OffersOrganizationOption(SignIn signIn, Client client) =>
        signIn.Door == Door.AppNative
        && signIn.Choice == OrganizationChoice.Unchosen
        && client.Settings.AppNative.EnhancedOrganizationAuthentication;

    /// <summary>A token of one organization that its client may not speak of could never be issued: better said before a password is typed.</summary>
    private static bool ChosenIsUsable(SignIn signIn, SignInFacts facts) =>
        !OrganizationAccess.OfClient(facts.ChosenOrganization, facts.Client, signIn.Door, facts.ChosenIsShared).Any()
        && (facts.User is null || !OrganizationAccess.OfPerson(MembershipIn(facts.ChosenOrganization!.Id, facts)).Any());

    private static Membership? MembershipIn(Id<Organization> organization, SignInFacts facts) =>
        facts.Memberships.FirstOrDefault(entry => entry.Organization.Id == organization)?.Membership;
}
