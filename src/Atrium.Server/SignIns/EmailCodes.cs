using System.Security.Cryptography;
using System.Text;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Keys;
using Atrium.Server.Mail;
using Atrium.Storage;

namespace Atrium.Server.SignIns;

/// <summary>How the check of a mailed code ended.</summary>
public abstract record EmailCodeCheck
{
    private EmailCodeCheck()
    {
    }

    /// <summary>The verification is to be spent with what the sign-in becomes.</summary>
    public sealed record Right(EmailVerification Verification) : EmailCodeCheck;

    public sealed record Wrong : EmailCodeCheck;

    public sealed record Expired : EmailCodeCheck;

    public sealed record Used : EmailCodeCheck;

    public sealed record TooManyTries : EmailCodeCheck;

    public sealed record Limited(TimeSpan Wait) : EmailCodeCheck;
}

/// <summary>Codes of six digits that show whether a mailbox is the person's.</summary>
public sealed class EmailCodes(
    FactorStore store,
    SecretBox box,
    GuessLimiter limiter,
    MailLimiter mailings,
    MailDesk mail,
    IMailTransport transport,
    MailDispatcher dispatcher,
    TimeProvider clock)
{
    /// <summary>
    /// The person's open verification, so that signing in again makes no second set of guesses; a new one where there is none, whose code is
    /// mailed if this server sends mail.
    /// </summary>
    public async Task<EmailVerification> ForAsync(User user, CancellationToken cancellationToken) =>
        await FindOpenAsync(user, cancellationToken) ?? await MakeAsync(user, cancellationToken);

    /// <summary>The same for a page that anybody can load often: how long to wait where too many letters were written lately.</summary>
    /// <param name="again">Makes a new one in the place of one that is open, unless that was made just now.</param>
    public async Task<TimeSpan?> SendAsync(User user, bool again, string? address, CancellationToken cancellationToken)
    {
        if (await FindOpenAsync(user, cancellationToken) is { } open && (!again || clock.GetUtcNow() < open.CreatedAt + MailedCode.Pause))
            return null;
        if (await mailings.TakeAsync(user.RealmId, user.Email, address, cancellationToken) is { } wait)
            return wait;
        await MakeAsync(user, cancellationToken);
        return null;
    }

    /// <summary>Checks a code against the verification that was made last. The try is counted before the code is looked at.</summary>
    public async Task<EmailCodeCheck> CheckAsync(SignInProgress progress, User user, string code, CancellationToken cancellationToken)
    {
        string account = $"email code {user.Id}";
        if (await limiter.WaitAsync(user.RealmId, account, progress.Origin.IpAddress, cancellationToken) is { } wait)
            return new EmailCodeCheck.Limited(wait);

        for (int round = 0; round <= EmailVerification.MaxTries; round++)
        {
            EmailVerification? verification = await store.FindLatestVerificationAsync(user.RealmId, user.Id, cancellationToken);
            if (verification is null || verification.Email != user.Email)
                return new EmailCodeCheck.Wrong();
            if (verification.SpentAt is not null)
                return new EmailCodeCheck.Used();
            if (clock.GetUtcNow() >= verification.ExpiresAt)
                return new EmailCodeCheck.Expired();
            if (verification.FailedTries >= EmailVerification.MaxTries)
                return new EmailCodeCheck.TooManyTries();
            if (!await store.FailVerificationAsync(verification, cancellationToken))
                continue;
            if (Open(verification) is { } expected && CryptographicOperations.FixedTimeEquals(expected, Encoding.UTF8.GetBytes(code.Trim())))
                return new EmailCodeCheck.Right(verification);
            await limiter.FailedAsync(
                user.RealmId, account, SignInEvents.OriginOf(progress, user.Id), SignInEvents.Failed(progress, user.Id, SignInFailure.WrongEmailCode), cancellationToken);
            return new EmailCodeCheck.Wrong();
        }

        return new EmailCodeCheck.TooManyTries();
    }

    /// <summary>The code itself, for whoever sends the mail; null when it can't be decrypted.</summary>
    public string? Reveal(EmailVerification verification) => Open(verification) is { } code ? Encoding.ASCII.GetString(code) : null;

    private async Task<EmailVerification?> FindOpenAsync(User user, CancellationToken cancellationToken) =>
        await store.FindLatestVerificationAsync(user.RealmId, user.Id, cancellationToken) is { SpentAt: null, FailedTries: < EmailVerification.MaxTries } open
        && open.Email == user.Email
        && clock.GetUtcNow() < open.ExpiresAt
            ? open
            : null;

    private async Task<EmailVerification> MakeAsync(User user, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        Id<EmailVerification> id = Id<EmailVerification>.New(clock);
        string code = RandomNumberGenerator.GetInt32(1_000_000).ToString("D6");
        EmailVerification made = new()
        {
            RealmId = user.RealmId,
            Id = id,
            UserId = user.Id,
            Email = user.Email,
            SealedCode = box.Seal(Encoding.ASCII.GetBytes(code), SecretPlaces.Of(user.RealmId, id)),
            CreatedAt = now,
            ExpiresAt = now + EmailVerification.Lifetime,
        };
        await store.CreateVerificationAsync(made, transport.Sends ? await LetterAsync(user, made, code, cancellationToken) : null, cancellationToken);
        dispatcher.Wake();
        return made;
    }

    private Task<QueuedMail> LetterAsync(User user, EmailVerification verification, string code, CancellationToken cancellationToken) => mail.WriteAsync(
        user.RealmId,
        MailKind.EmailVerification,
        organization: null,
        user.Email,
        verification.Id.ToString(),
        verification.ExpiresAt,
        new Dictionary<string, string>
        {
            ["user.email"] = user.Email,
            ["user.name"] = user.DisplayName ?? "",
            ["code"] = code,
            ["minutes"] = $"{EmailVerification.Lifetime.TotalMinutes:0}",
        },
        cancellationToken);

    private byte[]? Open(EmailVerification verification) => box.Open(verification.SealedCode, SecretPlaces.Of(verification.RealmId, verification.Id));
}
