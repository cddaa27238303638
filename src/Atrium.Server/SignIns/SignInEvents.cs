using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Resources;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Storage;

namespace Atrium.Server.SignIns;

/// <summary>What the log says of sign-ins.</summary>
internal static class SignInEvents
{
    public static EventDraft Failed(SignInProgress progress, Id<User>? user, SignInFailure reason) =>
        Draft(EventTypes.SignInFailed, progress, user, progress.SignIn.Choice, session: null, reason);

    public static EventDraft Failed(SignInProgress progress, SignInRefusal refusal) => Failed(progress, progress.SignIn.UserId, refusal switch
    {
        SignInRefusal.ClientDisabled => SignInFailure.ClientDisabled,
        SignInRefusal.UserDisabled => SignInFailure.UserDisabled,
        SignInRefusal.TooManyTries => SignInFailure.TooManyTries,
        SignInRefusal.OrganizationUnavailable => SignInFailure.OrganizationUnavailable,
        SignInRefusal.MethodNotAllowed => SignInFailure.MethodNotAllowed,
        SignInRefusal.RequirementsUnmet => SignInFailure.RequirementsUnmet,
        SignInRefusal.NotFirstParty => SignInFailure.NotFirstParty,
        _ => SignInFailure.Expired,
    });

    /// <summary>What a sign-in ends in: who is in, since when, and for which organization where one was chosen.</summary>
    public static IReadOnlyList<EventDraft> Completed(SignInProgress progress, SignInStep.Complete step, Session session, bool isNewSession)
    {
        List<EventDraft> happened = [];
        if (progress.Proof?.Verification is not null && !step.User.EmailVerified)
            happened.Add(UserStore.UpdateOf(step.User, step.User with { EmailVerified = true, UpdatedAt = progress.SignIn.Proofs[^1].At }));

        if (progress.Proof?.Confirmed is { } confirmed)
            happened.Add(FactorStore.EventOf(EventTypes.UserFactorConfirmed, confirmed));
        if (progress.Proof?.RecoveryCode is { } code)
            happened.Add(RecoveryCodeStore.UseOf(code));
        if (isNewSession)
        {
            happened.Add(EventDraft.Of(
                EventTypes.SessionCreated, session.Id.ToString(), SessionResource.Of(session), ResourceJson.Default.SessionResource) with { UserId = session.UserId });
        }

        EventDraft succeeded = Draft(EventTypes.SignInSucceeded, progress, step.User.Id, step.Choice, session, reason: null);
        if (step.Choice.Selected is not null)
            happened.Add(succeeded with { Type = EventTypes.SignInOrganizationChosen });
        happened.Add(succeeded);
        return happened;
    }

    /// <summary>The person acts once it is known who it is; until then, the application that asks.</summary>
    public static Origin OriginOf(SignInProgress progress, Id<User>? user) => user is { } known
        ? progress.Origin with { Actor = ActorType.User, ActorId = known.ToString(), ClientId = progress.Client.ClientId }
        : progress.Origin with { Actor = ActorType.Client, ActorId = progress.Client.ClientId, ClientId = progress.Client.ClientId };

    private static EventDraft Draft(
        string type, SignInProgress progress, Id<User>? user, OrganizationChoice choice, Session? session, SignInFailure? reason)
    {
        SignIn signIn = progress.SignIn;
        SignInResource shown = new()
        {
            Id = signIn.Id.ToString(),
            Door = signIn.Door,
            ClientId = progress.Client.ClientId,
            UserId = user?.ToString(),
            Methods = [.. (session?.Proofs ?? signIn.Proofs).Select(static proof => proof.Method)],
            Choice = choice.Word,
            OrganizationId = choice.Selected?.ToString(),
            SessionId = session?.Id.ToString(),
            Reason = reason,
        };
        Id<Organization>? organization = choice.Selected;
        return EventDraft.Of(type, user?.ToString() ?? shown.Id, shown, ResourceJson.Default.SignInResource) with { UserId = user, OrganizationId = organization };
    }
}
