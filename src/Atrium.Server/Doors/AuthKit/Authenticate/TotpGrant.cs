using Atrium.Core;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Doors.AuthKit.Authenticate;

/// <summary>
/// <c>urn:workos:oauth:grant-type:mfa-totp</c>: the second factor. A wrong code leaves the pending token good until the tries are used up.
/// Where the person was asked to enrol, the first right code also confirms the new factor.
/// </summary>
public sealed class TotpGrant(SignInDesk desk, FactorStore factors, SignInAnswers answers, TimeProvider clock) : AuthKitGrant
{
    public override string GrantType => "urn:workos:oauth:grant-type:mfa-totp";

    public override IReadOnlyList<string> RequiredKeys { get; } = ["code", "pending_authentication_token", "authentication_challenge_id"];

    public override async Task<IResult> AnswerAsync(AuthenticateCall call, CancellationToken cancellationToken)
    {
        Secret pendingToken = new(call.Fields.RequiredText("pending_authentication_token"));
        string challengeId = call.Fields.RequiredText("authentication_challenge_id");

        // Each try is counted before its code is looked at. Whoever loses the race for the count looks again; the tries bound the rounds.
        for (int round = 0; round <= SignIn.MaxFactorTries; round++)
        {
            if (await desk.FindAsync(call.Client, Door.AuthKit, pendingToken, cancellationToken) is not { } progress)
                return AuthenticateErrors.InvalidPendingToken;
            SignInFacts facts = await desk.FactsAsync(progress, cancellationToken);
            SignInStep open = SignInEngine.Next(progress.SignIn, facts);
            (User User, IReadOnlyList<Factor> Factors)? asked = open switch
            {
                SignInStep.ProveFactor prove => (prove.User, prove.Factors),
                SignInStep.EnrolFactor enrol => (enrol.User, facts.Factors),
                _ => null,
            };
            if (asked is not var (user, candidates))
                return await answers.StillOpenAsync(open, pendingToken, cancellationToken);

            if (await ChallengeAsync(progress, challengeId, cancellationToken) is not { } challenge
                || candidates.FirstOrDefault(factor => factor.Id == challenge.FactorId) is not { } factor)
            {
                return AuthKitError.EntityNotFound("Authentication Challenge", challengeId);
            }

            if (FactorChallenges.Refuse(challenge, clock.GetUtcNow()) is { } refused)
                return refused;
            if (await desk.ReserveTryAsync(progress, cancellationToken) is { } reserved)
                return await CheckAsync(call, reserved, user, factor, challenge, cancellationToken);
        }

        return AuthenticateErrors.TooManyTries;
    }

    private async Task<IResult> CheckAsync(
        AuthenticateCall call, SignInProgress reserved, User user, Factor factor, FactorChallenge challenge, CancellationToken cancellationToken)
    {
        string code = call.Fields.RequiredText("code");
        switch (await desk.ProveTotpAsync(reserved, user, [factor], code, challenge.Id, call.IpAddress, cancellationToken))
        {
            case ProofResult.Proved proved:
                SignInProgress right = SignInDesk.GiveBackTry(proved.Progress);
                return await answers.StepAsync(
                    right, await desk.NextAsync(right, cancellationToken), AuthenticateErrors.InvalidPendingToken, cancellationToken);
            case ProofResult.Limited limited:
                await desk.SaveAsync(SignInDesk.GiveBackTry(reserved), newHandle: false, cancellationToken);
                return AuthKitError.TooManyRequests(limited.Wait);
            case ProofResult.Busy:
                return AuthKitError.Busy();
            default:
                return AuthenticateErrors.InvalidCode;
        }
    }

    private async Task<FactorChallenge?> ChallengeAsync(SignInProgress progress, string id, CancellationToken cancellationToken) =>
        Id<FactorChallenge>.Parse(id) is { } challenge
            ? await factors.FindChallengeAsync(progress.SignIn.RealmId, challenge, cancellationToken)
            : null;
}
