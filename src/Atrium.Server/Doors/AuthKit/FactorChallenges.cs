using Atrium.Core.Realms;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Users;
using Atrium.Server.Doors.AuthKit.Authenticate;
using Atrium.Server.Http;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>Questions for a code: asked of a factor, answered in a sign-in or on their own.</summary>
public sealed class FactorChallenges(FactorStore factors, SignInDesk desk, GuessLimiter limiter, TimeProvider clock)
{
    private static readonly AuthKitError VerifiedBefore = AuthKitError.Plain(
        "authentication_challenge_previously_verified", "The authentication challenge has been verified before.", StatusCodes.Status422UnprocessableEntity);

    private static readonly AuthKitError ChallengeExpired = AuthKitError.Plain(
        "authentication_challenge_expired", "The authentication challenge has expired.", StatusCodes.Status422UnprocessableEntity);

    public static void Map(RouteGroupBuilder api)
    {
        api.MapPost("/auth/factors/{id}/challenge", ChallengeAsync).Needs(ApiScopes.SignIn);
        api.MapPost("/auth/challenges/{id}/verify", VerifyAsync).Needs(ApiScopes.SignIn);
    }

    /// <summary>What a sign-in says about a challenge that can no longer be answered.</summary>
    public static AuthKitError? Refuse(FactorChallenge challenge, DateTimeOffset now) =>
        Refuse(challenge, now, AuthenticateErrors.CodeUsed, AuthenticateErrors.CodeExpired);

    /// <summary>A challenge to this factor, to be stored.</summary>
    public FactorChallenge New(Factor factor)
    {
        DateTimeOffset now = clock.GetUtcNow();
        return new FactorChallenge
        {
            RealmId = factor.RealmId,
            Id = Id<FactorChallenge>.New(clock),
            FactorId = factor.Id,
            CreatedAt = now,
            ExpiresAt = now + FactorChallenge.Lifetime,
        };
    }

    private static async Task<IResult> ChallengeAsync(
        string id, HttpContext context, FactorStore factors, FactorChallenges challenges, CancellationToken cancellationToken)
    {
        // The body holds an SMS template for other kinds of factors; it only has to be one.
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? unreadable, out _))
            return unreadable;
        if (Id<Factor>.Parse(id) is not { } parsed || await factors.FindAsync(context.Caller().Realm, parsed, cancellationToken) is not { } factor)
            return FactorsEndpoints.NotFound(id);
        FactorChallenge challenge = challenges.New(factor);
        if (!await factors.CreateChallengeAsync(challenge, cancellationToken))
            return FactorsEndpoints.NotFound(id);
        return new JsonAnswer<ChallengeJson>(ChallengeJson.From(challenge), AuthKitJson.Default.ChallengeJson, StatusCodes.Status201Created);
    }

    private static async Task<IResult> VerifyAsync(string id, HttpContext context, FactorChallenges challenges, CancellationToken cancellationToken)
    {
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? unreadable, out Fields? fields))
            return unreadable;
        string code = fields.RequiredText("code");
        return fields.Error as IResult ?? await challenges.AnswerAsync(context, id, code, cancellationToken);
    }

    private async Task<IResult> AnswerAsync(HttpContext context, string id, string code, CancellationToken cancellationToken)
    {
        Caller caller = context.Caller();
        if (Id<FactorChallenge>.Parse(id) is not { } parsed)
            return NotFound(id);
        for (int round = 0; round <= FactorChallenge.MaxTries; round++)
        {
            if (await factors.FindChallengeAsync(caller.Realm, parsed, cancellationToken) is not { } challenge
                || await factors.FindAsync(caller.Realm, challenge.FactorId, cancellationToken) is not { } factor)
            {
                return NotFound(id);
            }

            if (Refuse(challenge, clock.GetUtcNow(), VerifiedBefore, ChallengeExpired) is { } refused)
                return refused;
            string account = SignInDesk.TotpAccountOf(factor.UserId);
            if (await limiter.WaitAsync(caller.Realm, account, address: null, cancellationToken) is { } wait)
                return AuthKitError.TooManyRequests(wait);

            // The try is counted before its code is looked at; whoever loses the race for the count looks again.
            if (!await factors.FailChallengeAsync(challenge, cancellationToken))
                continue;
            DateTimeOffset now = clock.GetUtcNow();
            bool valid = desk.MatchTotp(factor, code) is { } step
                && await factors.SpendAsync(caller.Realm, SpentProof.Of(factor, step, challenge.Id, now), now, context.Origin<bool>(Answer), cancellationToken);
            if (!valid)
                await limiter.FailedAsync(caller.Realm, account, Origin.System, told: null, cancellationToken);
            return Answer(valid);

            JsonAnswer<VerifiedChallengeJson> Answer(bool valid) => new(
                new(ChallengeJson.From(challenge with { SpentAt = valid ? now : null }), valid),
                AuthKitJson.Default.VerifiedChallengeJson,
                StatusCodes.Status201Created);
        }

        return AuthenticateErrors.TooManyTries;
    }

    private static AuthKitError? Refuse(FactorChallenge challenge, DateTimeOffset now, AuthKitError spent, AuthKitError expired) => challenge switch
    {
        { SpentAt: not null } => spent,
        { FailedTries: >= FactorChallenge.MaxTries } => AuthenticateErrors.TooManyTries,
        _ when now >= challenge.ExpiresAt => expired,
        _ => null,
    };

    internal static AuthKitError NotFound(string id) => AuthKitError.EntityNotFound("Authentication Challenge", id);
}
