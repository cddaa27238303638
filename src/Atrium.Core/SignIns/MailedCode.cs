using System.Security.Cryptography;
using System.Text;
using Atrium.Core.Realms;
using Atrium.Core.Users;

namespace Atrium.Core.SignIns;

/// <summary>What a code that was mailed within a sign-in leads to.</summary>
public enum MailedCodePurpose
{
    /// <summary>An account.</summary>
    SignUp,

    /// <summary>A new password.</summary>
    PasswordReset,
}

/// <summary>
/// A code that was mailed so that somebody who can't sign in yet shows that a mailbox is theirs. It belongs to one sign-in, which has one of them
/// at a time (OWASP ASVS 6.6.2). There is one whether or not the address has an account: what is stored, and shown, is the same.
/// </summary>
public sealed record MailedCode
{
    /// <summary>Codes heard before another must be asked for.</summary>
    public const int MaxTries = 5;

    /// <summary>Easily told apart, whoever reads them aloud; without vowels no word is made by chance.</summary>
    private const string Letters = "BCDFGHJKMNPQRSTVWXZ23456789";

    private const int LettersAtATime = 4;

    /// <summary>OWASP ASVS 6.5.5: a code sent out of band lives ten minutes at most.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    /// <summary>How long no second letter goes to the same address: a form that is sent twice sends one.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    public required Id<Realm> RealmId { get; init; }

    public required Id<SignIn> SignInId { get; init; }

    public required MailedCodePurpose Purpose { get; init; }

    public required string Email { get; init; }

    /// <summary>Whose new password it is about; null for nobody's.</summary>
    public Id<User>? UserId { get; init; }

    /// <summary>See <see cref="HashOf"/>. Where no code was mailed, of something that nobody knows.</summary>
    public required SecretHash CodeHash { get; init; }

    public long FailedTries { get; init; }

    /// <summary>When the right code came; nothing hears it a second time.</summary>
    public DateTimeOffset? ShownAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From then on the code is not heard; what was shown before holds as long as its sign-in.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    public int TriesLeft => (int)Math.Max(0, MaxTries - FailedTries);

    /// <summary>
    /// A new code, of 38 bits: a new password is worth guessing for, and so is an account where the address alone, by its domain, lets somebody in.
    /// </summary>
    public static string New() =>
        $"{RandomNumberGenerator.GetString(Letters, LettersAtATime)}-{RandomNumberGenerator.GetString(Letters, LettersAtATime)}";

    /// <summary>
    /// How a code is stored. The key is the handle of the sign-in, which only its browser has: whoever reads the database can't try all codes,
    /// and a code means nothing with another handle.
    /// </summary>
    public static SecretHash HashOf(Secret handle, string code) =>
        new(HMACSHA256.HashData(Encoding.UTF8.GetBytes(handle.Reveal()), Encoding.UTF8.GetBytes(Plain(code))));

    /// <summary>As it was meant, however it was typed.</summary>
    private static string Plain(string code) => string.Concat(code.Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
}

/// <summary>How far somebody has come in showing a mailbox.</summary>
public abstract record MailboxStep
{
    private MailboxStep()
    {
    }

    /// <summary>Say which address it is.</summary>
    public sealed record AskAddress : MailboxStep;

    /// <summary>Enter the code that was mailed.</summary>
    public sealed record AskCode(MailedCode Code) : MailboxStep;

    /// <summary>That code is not heard any more; another may be sent.</summary>
    public sealed record Over(MailedCode Code, bool IsExpired) : MailboxStep;

    /// <summary>The mailbox was shown: what it was shown for can be done, once.</summary>
    public sealed record Shown(MailedCode Code) : MailboxStep;

    /// <summary>What comes next, of what the sign-in's code is. Pure.</summary>
    public static MailboxStep Next(MailedCode? code, MailedCodePurpose purpose, DateTimeOffset now) => code switch
    {
        null => new AskAddress(),
        _ when code.Purpose != purpose => new AskAddress(),
        { ShownAt: not null } => new Shown(code),
        _ when now >= code.ExpiresAt => new Over(code, IsExpired: true),
        { FailedTries: >= MailedCode.MaxTries } => new Over(code, IsExpired: false),
        _ => new AskCode(code),
    };
}
