using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Doors;
using Atrium.Server.Http;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Invitations;

/// <summary>How far somebody has come who signs in to accept.</summary>
public abstract record InvitationProof
{
    private InvitationProof()
    {
    }

    /// <summary>All was shown that is asked for.</summary>
    public sealed record Done(SignInProgress Progress) : InvitationProof;

    public sealed record NeedsCode(ShownPassword Password, Id<FactorChallenge> Challenge) : InvitationProof;

    public sealed record Refused(SignInRefusal Reason) : InvitationProof;

    public sealed record Wrong : InvitationProof;

    public sealed record Limited(TimeSpan Wait) : InvitationProof;

    public sealed record Busy : InvitationProof;
}

/// <summary>A password that was shown a page before the code.</summary>
/// <param name="Mark">Which one it was (<see cref="VerifiedPassword.Mark"/>): the person's may be another one by then.</param>
public sealed record ShownPassword(DateTimeOffset At, string Mark);

/// <summary>
/// Signs somebody in at the realm's own pages, where there is no application to sign in to: by the checks, limits and engine of every sign-in,
/// with the pages themselves as the client. It ends in a session and no grant.
/// </summary>
public sealed class InvitationSignIn(
    SignInDesk desk, SecondFactorDesk secondFactors, FactorStore factors, UserStore users, GuessLimiter limiter, TimeProvider clock)
{
    /// <summary>What the pages are called where a sign-in tells its client.</summary>
    public const string ClientId = "atrium";

    public async Task<InvitationProof> ProvePasswordAsync(HttpContext context, Realm realm, User user, string password, CancellationToken cancellationToken)
    {
        if (password.Length == 0 || !PasswordPolicy.CanExist(password))
            return new InvitationProof.Wrong();
        SignInProgress progress = Begin(context, realm, user: null, []);
        switch (await desk.ProvePasswordAsync(progress, user.Email, password, cancellationToken))
        {
            // Under this address somebody else may have a username; theirs is no proof here.
            case ProofResult.Proved proved when proved.Progress.SignIn.UserId != user.Id:
                return new InvitationProof.Wrong();
            case ProofResult.Proved proved:
                (SignInProgress known, SignInStep next) = await NextAsync(proved.Progress, cancellationToken);
                return next switch
                {
                    SignInStep.Complete => new InvitationProof.Done(known),
                    SignInStep.ProveFactor factor => new InvitationProof.NeedsCode(
                        new ShownPassword(known.SignIn.Proofs[0].At, known.Proof!.Password!.Mark), await ChallengeAsync(factor.Factors[0], cancellationToken)),
                    SignInStep.Refuse refuse => new InvitationProof.Refused(refuse.Reason),
                    var step => throw new InvalidOperationException($"{step.GetType().Name} is asked of nobody who signs in to no application."),
                };
            case ProofResult.Limited limited:
                return new InvitationProof.Limited(limited.Wait);
            case ProofResult.Busy:
                return new InvitationProof.Busy();
            default:
                return new InvitationProof.Wrong();
        }
    }

    /// <summary>
    /// Checks a code of the app, or a recovery code, behind a password that was shown before and is the person's still. The challenge has a few tries,
    /// and each is counted before the code is looked at.
    /// </summary>
    public async Task<InvitationProof> ProveCodeAsync(
        HttpContext context, Realm realm, User user, ShownPassword shown, Id<FactorChallenge> challenge, string code, CancellationToken cancellationToken)
    {
        if (await users.FindPasswordHashAsync(realm.Id, user.Id, cancellationToken) is not { } hash)
            return new InvitationProof.Refused(SignInRefusal.Expired);
        VerifiedPassword password = new(user.Id, hash);
        if (password.Mark != shown.Mark)
            return new InvitationProof.Refused(SignInRefusal.Expired);
        (SignInProgress progress, SignInStep next) = await NextAsync(
            Begin(context, realm, user, [new Proof(AuthenticationMethod.Password, shown.At)]) with { Proof = new SpentProof { Password = password } }, cancellationToken);
        switch (next)
        {
            case SignInStep.Complete:
                // The factor was taken off meanwhile.
                return new InvitationProof.Done(progress);
            case SignInStep.Refuse refuse:
                return new InvitationProof.Refused(refuse.Reason);
            case SignInStep.ProveFactor step:
                string account = SignInDesk.TotpAccountOf(user.Id);
                if (await limiter.WaitAsync(realm.Id, account, context.RemoteAddress(), cancellationToken) is { } wait)
                    return new InvitationProof.Limited(wait);
                if (await CountTryAsync(realm, challenge, cancellationToken) is { } over)
                    return new InvitationProof.Refused(over);
                if (RecoveryCode.HashOf(code) is not null)
                {
                    return await secondFactors.MatchRecoveryCodeAsync(user, code, cancellationToken) is { } spent
                        ? Proved(AuthenticationMethod.RecoveryCode, new SpentProof(Challenge: challenge, RecoveryCode: spent))
                        : await WrongAsync(SignInFailure.WrongRecoveryCode);
                }

                foreach (Factor factor in step.Factors)
                {
                    if (desk.MatchTotp(factor, code) is { } at)
                        return Proved(AuthenticationMethod.Totp, new SpentProof(factor.Id, at, challenge));
                }

                return await WrongAsync(SignInFailure.WrongTotp);

                async Task<InvitationProof> WrongAsync(SignInFailure reason)
                {
                    await limiter.FailedAsync(
                        realm.Id, account, SignInEvents.OriginOf(progress, user.Id), SignInEvents.Failed(progress, user.Id, reason), cancellationToken);
                    return new InvitationProof.Wrong();
                }

                InvitationProof.Done Proved(AuthenticationMethod method, SpentProof proof) => new(progress with
                {
                    SignIn = progress.SignIn with { Proofs = [.. progress.SignIn.Proofs, new Proof(method, clock.GetUtcNow())] },
                    Proof = proof with { Password = password },
                });
            case var step:
                throw new InvalidOperationException($"{step.GetType().Name} is asked of nobody who signs in to no application.");
        }
    }

    /// <summary>What must come next. The link came to the mailbox, so where the realm wants it verified, it is.</summary>
    private async Task<(SignInProgress Progress, SignInStep Step)> NextAsync(SignInProgress progress, CancellationToken cancellationToken)
    {
        SignInStep step = await desk.NextAsync(progress, cancellationToken);
        if (step is not SignInStep.VerifyEmail)
            return (progress, step);
        SignInProgress verified = progress with
        {
            SignIn = progress.SignIn with { Proofs = [.. progress.SignIn.Proofs, new Proof(AuthenticationMethod.EmailCode, clock.GetUtcNow())] },
        };
        return (verified, await desk.NextAsync(verified, cancellationToken));
    }

    private async Task<Id<FactorChallenge>> ChallengeAsync(Factor factor, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        FactorChallenge challenge = new()
        {
            RealmId = factor.RealmId, Id = Id<FactorChallenge>.New(clock), FactorId = factor.Id, CreatedAt = now, ExpiresAt = now + FactorChallenge.Lifetime,
        };
        await factors.CreateChallengeAsync(challenge, cancellationToken);
        return challenge.Id;
    }

    /// <summary>Why no code is heard any more; null where this one is.</summary>
    private async Task<SignInRefusal?> CountTryAsync(Realm realm, Id<FactorChallenge> id, CancellationToken cancellationToken)
    {
        while (true)
        {
            FactorChallenge? challenge = await factors.FindChallengeAsync(realm.Id, id, cancellationToken);
            if (challenge is null or { SpentAt: not null } || clock.GetUtcNow() >= challenge.ExpiresAt)
                return SignInRefusal.Expired;
            if (challenge.FailedTries >= FactorChallenge.MaxTries)
                return SignInRefusal.TooManyTries;

            // Whoever loses the race for the count looks again; each round somebody's try was counted.
            if (await factors.FailChallengeAsync(challenge, cancellationToken))
                return null;
        }
    }

    /// <summary>A sign-in that is stored nowhere.</summary>
    public SignInProgress Begin(HttpContext context, Realm realm, User? user, IReadOnlyList<Proof> proofs)
    {
        DateTimeOffset now = clock.GetUtcNow();
        Client pages = new()
        {
            RealmId = realm.Id, Id = default, ClientId = ClientId, Name = realm.Name, Type = ClientType.Web, GrantTypes = [], CreatedAt = now, UpdatedAt = now,
        };
        return new SignInProgress
        {
            Client = pages,
            Origin = context.Origin(),
            SignIn = new SignIn
            {
                RealmId = realm.Id,
                Id = Id<SignIn>.New(clock),
                ClientId = pages.Id,
                Door = Door.OAuth,
                Request = new AuthorizationRequest(),
                Choice = OrganizationChoice.NoOrganization,
                UserId = user?.Id,
                Proofs = proofs,
                CreatedAt = now,
                ExpiresAt = now + SignInDesk.SignInLifetime,
            },
        };
    }
}
