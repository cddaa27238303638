using System.Security.Cryptography;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Core.Realms;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Mail;

/// <summary>Sends what is queued, a few letters of each realm in turn.</summary>
public sealed partial class MailDispatcher(
    MailStore store, IMailTransport transport, SecretBox box, TimeProvider clock, ILogger<MailDispatcher> log) : QueueDispatcher
{
    private const int AtATime = 4;

    /// <summary>Longer than all the letters that are taken together can take.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    protected override async Task<int> RoundAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        int took = 0;
        foreach (Id<Realm> realm in await store.RealmsWithDueAsync(now, cancellationToken))
        {
            IReadOnlyList<QueuedMail> taken = await store.TakeAsync(realm, AtATime, now, now + Lease, cancellationToken);
            await Task.WhenAll(taken.Select(mail => DeliverAsync(mail, cancellationToken)));
            took += taken.Count;
        }

        return took;
    }

    protected override void Failed(string reason) => LogFailed(reason);

    private async Task DeliverAsync(QueuedMail mail, CancellationToken cancellationToken)
    {
        if (clock.GetUtcNow() >= mail.ExpiresAt)
        {
            await GiveUpAsync(mail, mail.LastError ?? "It could not be sent in time.", cancellationToken);
            return;
        }

        try
        {
            await transport.SendAsync(mail.Id, LetterOf(mail), cancellationToken);
            await store.SentAsync(mail, cancellationToken);
        }
        catch (MailException e)
        {
            DateTimeOffset now = clock.GetUtcNow();
            double chance = RandomNumberGenerator.GetInt32(1000) / 1000.0;
            if (!e.IsFinal && mail.NextTry(now, chance) is { } next)
            {
                LogRetry(mail.Id, mail.Attempts, next, e.Message);
                await store.RetryAsync(mail, e.Message, next, cancellationToken);
            }
            else
            {
                await GiveUpAsync(mail, e.Message, cancellationToken);
            }
        }
    }

    private Letter LetterOf(QueuedMail mail) =>
        box.Open(mail.SealedLetter, SecretPlaces.Of(mail.RealmId, mail.Id)) is { } plain
            ? JsonSerializer.Deserialize(plain, LetterJson.Default.Letter)!
            : throw new MailException("It can't be decrypted with the key file.", isFinal: false);

    private async Task GiveUpAsync(QueuedMail mail, string error, CancellationToken cancellationToken)
    {
        LogGivenUp(mail.Id, mail.Kind, mail.Attempts, error);
        await store.GiveUpAsync(mail, error, clock.GetUtcNow(), cancellationToken);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Mail} was not taken at try {Attempt}, and is tried again at {Next:u}: {Reason}")]
    private partial void LogRetry(Id<QueuedMail> mail, int attempt, DateTimeOffset next, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Mail} ({Kind}) was given up after {Attempts} tries: {Reason}")]
    private partial void LogGivenUp(Id<QueuedMail> mail, MailKind kind, int attempts, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Mail waits for a while: {Reason}")]
    private partial void LogFailed(string reason);
}
