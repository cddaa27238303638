using System.Globalization;
using System.Text;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Core.Resources;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Keys;
using Atrium.Server.Mail;
using Atrium.Storage;

namespace Atrium.Server.SignIns;

/// <summary>
/// Gives people a second factor in the middle of a sign-in, with recovery codes beside it, and takes these codes where the app is gone. Every try,
/// of whichever code, is counted before it is looked at: five a sign-in, and the soft limits of the account.
/// </summary>
public sealed class SecondFactorDesk(
    SignInStore signIns,
    FactorEnrolmentStore enrolments,
    RecoveryCodeStore codes,
    FactorEnrolment enrolment,
    SignInDesk desk,
    GuessLimiter limiter,
    SecretBox box,
    MailDesk mail,
    MailDispatcher dispatcher,
    IMailTransport transport,
    TimeProvider clock)
{
    /// <summary>The factor that the person is setting up in this sign-in, the same however often it is asked for; null when the sign-in is gone.</summary>
    public async Task<EnrolledFactor?> PreparedAsync(SignIn signIn, User user, CancellationToken cancellationToken)
    {
        Factor? prepared = await enrolments.FindAsync(signIn.RealmId, signIn.Id, user.Id, cancellationToken);
        if (prepared is null)
        {
            EnrolledFactor made = await enrolment.PrepareAsync(user, issuer: null, account: null, secret: null, cancellationToken);
            await enrolments.PrepareAsync(signIn.Id, made.Factor, cancellationToken);
            prepared = await enrolments.FindAsync(signIn.RealmId, signIn.Id, user.Id, cancellationToken);
        }

        return prepared is null ? null : enrolment.Show(prepared);
    }

    /// <summary>
    /// Checks the first code of the factor that was prepared. A right one is stored at once, with what the sign-in becomes: the factor is the
    /// person's, it is shown in this sign-in, and new recovery codes wait to be kept.
    /// </summary>
    public async Task<ProofResult> ConfirmAsync(SignInProgress progress, User user, string code, CancellationToken cancellationToken)
    {
        SignIn signIn = progress.SignIn;
        (int tries, ProofResult? refused) = await CountTryAsync(progress, user, cancellationToken);
        if (refused is not null)
            return refused;
        if (await enrolments.FindAsync(signIn.RealmId, signIn.Id, user.Id, cancellationToken) is not { } prepared)
            return new ProofResult.NoTriesLeft();
        if (desk.MatchTotp(prepared, code) is not { } step)
            return await WrongAsync(progress, user, tries, SignInFailure.WrongTotp, cancellationToken);

        DateTimeOffset now = clock.GetUtcNow();
        IReadOnlyList<string> made = RecoveryCode.NewSet();
        SignIn proved = signIn with
        {
            Proofs = [.. signIn.Proofs, new Proof(AuthenticationMethod.Totp, now)],
            SealedCodes = box.Seal(Encoding.ASCII.GetBytes(string.Join('\n', made)), SecretPlaces.Of(signIn.RealmId, signIn.Id)),
        };
        bool confirmed = await enrolments.ConfirmAsync(
            proved,
            prepared with { Confirmed = true, LastUsedStep = step, UpdatedAt = now },
            HashesOf(made),
            transport.Sends ? await LetterAsync(user, now, cancellationToken) : null,
            SignInEvents.OriginOf(progress, user.Id),
            cancellationToken);
        dispatcher.Wake();
        return confirmed ? new ProofResult.Proved(progress with { SignIn = proved }) : new ProofResult.NoTriesLeft();
    }

    /// <summary>The recovery codes that the person has yet to keep.</summary>
    public IReadOnlyList<string> CodesToKeep(SignIn signIn) =>
        signIn.SealedCodes is { } codes && box.Open(codes, SecretPlaces.Of(signIn.RealmId, signIn.Id)) is { } plain
            ? Encoding.ASCII.GetString(plain).Split('\n')
            : [];

    /// <summary>Checks a recovery code in the place of a code of the app. It is used up together with what the sign-in becomes.</summary>
    public async Task<ProofResult> ProveRecoveryCodeAsync(SignInProgress progress, User user, string code, CancellationToken cancellationToken)
    {
        SignIn signIn = progress.SignIn;
        (int tries, ProofResult? refused) = await CountTryAsync(progress, user, cancellationToken);
        if (refused is not null)
            return refused;
        if (await MatchRecoveryCodeAsync(user, code, cancellationToken) is not { } spent)
            return await WrongAsync(progress, user, tries, SignInFailure.WrongRecoveryCode, cancellationToken);
        return new ProofResult.Proved(progress with
        {
            SignIn = signIn with { Proofs = [.. signIn.Proofs, new Proof(AuthenticationMethod.RecoveryCode, clock.GetUtcNow())] },
            Proof = new SpentProof(RecoveryCode: spent),
        });
    }

    /// <summary>What a right recovery code spends; null for a wrong one. The try is counted before.</summary>
    public async Task<SpentRecoveryCode?> MatchRecoveryCodeAsync(User user, string code, CancellationToken cancellationToken)
    {
        RecoveryCodes left = await codes.FindAsync(user.RealmId, user.Id, cancellationToken);
        return RecoveryCode.HashOf(code) is { } hash && left.Contains(hash)
            ? new SpentRecoveryCode(user.Id, hash, RecoveryCodesResource.Of(user.Id, left.Unused.Count - 1, left.MadeAt))
            : null;
    }

    public static IReadOnlyList<SecretHash> HashesOf(IReadOnlyList<string> codes) => [.. codes.Select(static code => RecoveryCode.HashOf(code)!.Value)];

    /// <summary>Tells of the new factor: whoever knew the password could have set it up (OWASP ASVS 6.3.7).</summary>
    private Task<QueuedMail> LetterAsync(User user, DateTimeOffset now, CancellationToken cancellationToken) => mail.WriteAsync(
        user.RealmId,
        MailKind.FactorAdded,
        organization: null,
        user.Email,
        user.Id.ToString(),
        now + QueuedMail.Patience,
        new Dictionary<string, string>
        {
            ["user.email"] = user.Email,
            ["user.name"] = user.DisplayName ?? "",
            ["added_at"] = now.UtcDateTime.ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture),
        },
        cancellationToken);

    private async Task<(int Tries, ProofResult? Refused)> CountTryAsync(SignInProgress progress, User user, CancellationToken cancellationToken)
    {
        SignIn signIn = progress.SignIn;
        if (await limiter.WaitAsync(signIn.RealmId, SignInDesk.TotpAccountOf(user.Id), progress.Origin.IpAddress, cancellationToken) is { } wait)
            return (0, new ProofResult.Limited(wait));
        return await signIns.CountTryAsItIsAsync(signIn, cancellationToken) is { } tries ? (tries, null) : (0, new ProofResult.NoTriesLeft());
    }

    private async Task<ProofResult> WrongAsync(
        SignInProgress progress, User user, int tries, SignInFailure reason, CancellationToken cancellationToken)
    {
        await limiter.FailedAsync(
            progress.SignIn.RealmId,
            SignInDesk.TotpAccountOf(user.Id),
            SignInEvents.OriginOf(progress, user.Id),
            SignInEvents.Failed(progress, user.Id, reason),
            cancellationToken);
        return new ProofResult.Wrong(progress with { SignIn = progress.SignIn with { FailedTries = tries } });
    }
}
