using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Mail;
using Atrium.Storage;

namespace Atrium.Server.SignIns;

/// <summary>How the sending of a code ended, as the person may know it.</summary>
public abstract record CodeMailing
{
    private CodeMailing()
    {
    }

    /// <summary>A letter is on its way, or would be if anybody were to get it.</summary>
    public sealed record Sent : CodeMailing;

    /// <summary>One went to that address a moment ago.</summary>
    public sealed record JustSent : CodeMailing;

    public sealed record Limited(TimeSpan Wait) : CodeMailing;
}

/// <summary>How the check of a mailed code ended.</summary>
public abstract record CodeEntry
{
    private CodeEntry()
    {
    }

    public sealed record Right : CodeEntry;

    /// <summary>The try is counted.</summary>
    public sealed record Wrong(MailedCode Code) : CodeEntry;

    /// <summary>No code is heard; the sign-in tells how it stands.</summary>
    public sealed record NotHeard : CodeEntry;

    public sealed record Limited(TimeSpan Wait) : CodeEntry;
}

/// <summary>
/// Codes for those who can't sign in yet. Whether the address has an account changes only what the letter says, and whether it goes out:
/// neither the answer nor the work it takes (OWASP ASVS 6.3.8).
/// </summary>
public sealed class MailedCodes(
    MailedCodeStore store,
    UserStore users,
    MailDesk mail,
    MailDispatcher dispatcher,
    MailLimiter mailings,
    GuessLimiter guesses,
    TimeProvider clock)
{
    public Task<MailedCode?> FindAsync(SignInProgress progress, CancellationToken cancellationToken) =>
        store.FindAsync(progress.SignIn.RealmId, progress.SignIn.Id, cancellationToken);

    /// <param name="handle">The sign-in's, to which the code is bound.</param>
    public async Task<CodeMailing> SendAsync(SignInProgress progress, Secret handle, MailedCodePurpose purpose, string email, CancellationToken cancellationToken)
    {
        SignIn signIn = progress.SignIn;
        DateTimeOffset now = clock.GetUtcNow();
        if (await store.FindAsync(signIn.RealmId, signIn.Id, cancellationToken) is { } last && last.Purpose == purpose && last.Email == email && now < last.CreatedAt + MailedCode.Pause)
            return new CodeMailing.JustSent();
        if (await mailings.TakeAsync(signIn.RealmId, email, progress.Origin.IpAddress, cancellationToken) is { } wait)
            return new CodeMailing.Limited(wait);

        User? user = await users.FindByEmailAsync(signIn.RealmId, email, cancellationToken);
        string code = MailedCode.New();
        bool opens = purpose == MailedCodePurpose.SignUp ? user is null : user is { Status: UserStatus.Active };
        MailedCode made = new()
        {
            RealmId = signIn.RealmId,
            SignInId = signIn.Id,
            Purpose = purpose,
            Email = email,
            UserId = purpose == MailedCodePurpose.PasswordReset && opens ? user!.Id : null,
            CodeHash = opens ? MailedCode.HashOf(handle, code) : Secret.New().Hash(),
            CreatedAt = now,
            ExpiresAt = now + MailedCode.Lifetime,
        };
        MailKind kind = purpose == MailedCodePurpose.PasswordReset ? MailKind.PasswordReset : user is null ? MailKind.SignUp : MailKind.SignUpExisting;

        // The account's own address, not one that is only spelled alike, whose mailbox may be somebody else's.
        string to = user?.Email ?? email;
        QueuedMail letter = await mail.WriteAsync(
            signIn.RealmId,
            kind,
            organization: null,
            to,
            signIn.Id.ToString(),
            made.ExpiresAt,
            new Dictionary<string, string>
            {
                ["user.email"] = to,
                ["user.name"] = user?.DisplayName ?? "",
                ["client.name"] = progress.Client.Name,
                ["code"] = code,
                ["minutes"] = $"{MailedCode.Lifetime.TotalMinutes:0}",
            },
            cancellationToken);
        bool isSent = opens || purpose == MailedCodePurpose.SignUp;
        bool stored = await store.ReplaceAsync(made, letter, isSent, now - MailedCode.Pause, cancellationToken);
        dispatcher.Wake();
        return stored ? new CodeMailing.Sent() : new CodeMailing.JustSent();
    }

    /// <summary>Checks a code. The try is counted before the code is looked at.</summary>
    public async Task<CodeEntry> EnterAsync(SignInProgress progress, Secret handle, MailedCode sent, string code, CancellationToken cancellationToken)
    {
        SignIn signIn = progress.SignIn;
        string account = $"{sent.Purpose} {sent.Email}";
        if (await guesses.WaitAsync(signIn.RealmId, account, progress.Origin.IpAddress, cancellationToken) is { } wait)
            return new CodeEntry.Limited(wait);
        DateTimeOffset now = clock.GetUtcNow();
        if (await store.CountTryAsync(sent, now, cancellationToken) is not { } counted)
            return new CodeEntry.NotHeard();
        if (MailedCode.HashOf(handle, code) == counted.CodeHash)
            return await store.ShowAsync(counted, now, cancellationToken) ? new CodeEntry.Right() : new CodeEntry.NotHeard();
        await guesses.FailedAsync(
            signIn.RealmId,
            account,
            SignInEvents.OriginOf(progress, user: null),
            SignInEvents.Failed(progress, counted.UserId, SignInFailure.WrongEmailCode),
            cancellationToken);
        return new CodeEntry.Wrong(counted);
    }
}
