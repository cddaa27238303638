using Atrium.Core.Resources;
using Atrium.Core.SignIns;

namespace Atrium.Server.SignIns;

/// <summary>What the engine decides, in words for whoever runs the product.</summary>
internal static class ExplanationTexts
{
    public static string SummaryOf(ExplainedOutcome outcome, IReadOnlyList<SignInStep> steps, IReadOnlyList<OrganizationObstacle> obstacles) => outcome switch
    {
        ExplainedOutcome.SignsIn => "The person signs in, once everything that is asked for is shown.",
        ExplainedOutcome.MustChoose => "The person signs in, and must say which organization it is for. Name one to see how it goes on.",
        ExplainedOutcome.NeedsConnection => "The organization lets in only whom its own identity provider vouches for.",
        _ when obstacles.Count > 0 => $"The client gets no token. {string.Join(' ', obstacles.Select(static obstacle => ObstacleOf(obstacle).Message))}",
        _ => $"The person does not get in. {StepOf(steps[^1], isIssued: false).Message}",
    };

    /// <param name="isIssued">Whether a token comes of it; a selection is judged when the code is exchanged, and the person may be signed in all the same.</param>
    public static ExplainedStep StepOf(SignInStep step, bool isIssued) => step switch
    {
        SignInStep.Prove prove => Step(ExplainedStepKind.Prove, $"Shows who they are: {string.Join(" or ", prove.Methods.Select(WordOf))}."),
        SignInStep.VerifyEmail verify => Step(ExplainedStepKind.VerifyEmail, $"Shows that the mailbox {verify.User.Email} is theirs, by a code that is mailed there."),
        SignInStep.EnrolFactor => Step(ExplainedStepKind.EnrolFactor, "Must enrol a second factor: one is asked for, and there is none."),
        SignInStep.ProveFactor => Step(ExplainedStepKind.ProveFactor, "Shows a second factor."),
        SignInStep.ChooseOrganization choose =>
            Step(ExplainedStepKind.ChooseOrganization, $"Chooses among {string.Join(", ", choose.Organizations.Select(static entry => entry.Organization.Name))}."),
        SignInStep.UseConnection use => Step(ExplainedStepKind.UseConnection, $"Must come through the identity provider of {use.Organization.Name}."),
        SignInStep.Consent => Step(ExplainedStepKind.Consent, "Says whether the application, a third party's, may have what it asks for."),
        SignInStep.Complete when !isIssued => Step(ExplainedStepKind.Complete, "Has a session then, but the exchange of the code is refused (invalid_grant): the client gets no token."),
        SignInStep.Complete complete => Step(ExplainedStepKind.Complete, complete.Choice switch
        {
            OrganizationChoice.Chosen => "Is signed in, for the organization chosen.",
            _ when complete.Choice == OrganizationChoice.AllMemberships => "Is signed in, for all organizations that the token may speak of.",
            _ => "Is signed in, for no organization.",
        }),
        SignInStep.Refuse refuse => Step(ExplainedStepKind.Refuse, refuse.Reason switch
        {
            SignInRefusal.ClientDisabled => "The client is disabled. Enable it (status: active).",
            SignInRefusal.NotFirstParty => "The client is a third party's: only first-party applications may use this door (settings.first_party).",
            SignInRefusal.UserDisabled => "The person is disabled. Enable them (status: active).",
            SignInRefusal.OrganizationUnavailable => "The organization can't be entered by this person with this client.",
            SignInRefusal.MethodNotAllowed => "The organization allows no method that this server has. Change its settings.allowed_methods.",
            SignInRefusal.RequirementsUnmet => "The organization allows no second factor, and the client asks for one (acr_values).",
            SignInRefusal.TooManyTries => "Too many wrong codes; the sign-in begins anew.",
            _ => "The sign-in took too long; it begins anew.",
        }),
        _ => throw new ArgumentOutOfRangeException(nameof(step)),
    };

    public static ExplainedObstacle ObstacleOf(OrganizationObstacle obstacle) => new()
    {
        Code = obstacle,
        Message = obstacle switch
        {
            OrganizationObstacle.Unknown => "There is no such organization in this realm.",
            OrganizationObstacle.Suspended => "The organization is suspended. Set its status to active.",
            OrganizationObstacle.NotForClient => "The client's tokens may not speak of it. Change the client's settings.restrictions.organizations.",
            OrganizationObstacle.NotShared => "The client is not shared with it. Share it: PUT /clients/{id}/organizations/{organization}.",
            OrganizationObstacle.NotMember => "The person is no member of it. Add a membership, or invite them.",
            OrganizationObstacle.MembershipPending => "The membership is pending. It begins when the invitation is accepted, or its status is set to active.",
            OrganizationObstacle.MembershipSuspended => "The membership is suspended. Set its status to active.",
            OrganizationObstacle.ConnectionNeeded => "It is sso_only: only its own identity provider may vouch for its people.",
            OrganizationObstacle.IdentityNeeded => "It asks for another method, or a fresher sign-in (settings.allowed_methods, settings.session_max_age).",
            _ => "It asks for a second factor (settings.mfa_required).",
        },
    };

    private static ExplainedStep Step(ExplainedStepKind kind, string message) => new() { Step = kind, Message = message };

    private static string WordOf(AuthenticationMethod method) => method switch
    {
        AuthenticationMethod.Password => "a password",
        AuthenticationMethod.Totp => "a code of an authenticator app",
        AuthenticationMethod.RecoveryCode => "a recovery code",
        _ => "a mailed code",
    };
}
