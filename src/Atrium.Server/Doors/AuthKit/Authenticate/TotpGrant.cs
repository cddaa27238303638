using Atrium.Core;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Http;
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

        if (await desk.FindAsync(call.Client, Door.AuthKit, pendingToken, call.Origin, cancellationToken) is not { } progress)
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
            return FactorChallenges.NotFound(challengeId);
        }

        if (FactorChallenges.Refuse(challenge, clock.GetUtcNow()) is { } refused)
            return refused;
        string code = call.Fields.RequiredText("code");
        return await desk.ProveTotpAsync(progress, user, [factor], code, challenge.Id, cancellationToken) switch
        {
            ProofResult.Proved proved => await answers.StepAsync(
                proved.Progress, await desk.NextAsync(proved.Progress, cancellationToken), AuthenticateErrors.InvalidPendingToken, cancellationToken),
            ProofResult.Limited limited => AuthKitError.TooManyRequests(limited.Wait),
            ProofResult.NoTriesLeft => AuthenticateErrors.TooManyTries,
            ProofResult.Busy => AuthKitError.Unavailable(Unavailable.Hashing),
            _ => AuthenticateErrors.InvalidCode,
        };
    }

    private async Task<FactorChallenge?> ChallengeAsync(SignInProgress progress, string id, CancellationToken cancellationToken) =>
        Id<FactorChallenge>.Parse(id) is { } challenge
            ? await factors.FindChallengeAsync(progress.SignIn.RealmId, challenge, cancellationToken)
            : null;
}
