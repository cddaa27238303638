using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>How a realm's mail is doing.</summary>
public sealed record MailState
{
    public long Waiting { get; init; }

    /// <summary>Since when the oldest of them waits.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Why the last try of one that waits failed.</summary>
    public string? WaitingError { get; init; }

    /// <summary>How many were given up and are remembered still.</summary>
    public long GivenUp { get; init; }

    /// <summary>Why the last of them was.</summary>
    public string? GivenUpError { get; init; }
}

/// <summary>
/// The letters that wait to be sent. One is queued by the transaction of the change that wants it, taken by one node at a time, and gone once it
/// is sent; see <see cref="LeasedQueue"/>.
/// </summary>
public sealed class MailStore(Database database)
{
    private const string Columns =
        "realm_id, id, organization_id, kind, about, recipient, sealed_letter, attempts, last_error, created_at, expires_at";

    private readonly LeasedQueue queue = new(database, "mails", "id", "id = @Id", Columns);

    /// <summary>Queues a letter with the change that this connection's transaction makes.</summary>
    /// <param name="isSent">False for a letter that nobody gets, where it must not take another time than one that somebody gets.</param>
    internal static Task QueueAsync(DbConnection connection, QueuedMail mail, bool isSent = true) =>
        connection.ExecuteAsync(
            $"""
            INSERT INTO mails ({Columns}, due_at)
            SELECT @RealmId, @Id, @OrganizationId, @Kind, @About, @Recipient, @SealedLetter, @Attempts, @LastError, @CreatedAt, @ExpiresAt, @CreatedAt
            WHERE @isSent
            """,
            new
            {
                mail.RealmId, mail.Id, mail.OrganizationId, Kind = mail.Kind.ToString(), mail.About, mail.Recipient, mail.SealedLetter, mail.Attempts,
                mail.LastError, mail.CreatedAt, mail.ExpiresAt, isSent,
            });

    /// <summary>What waits to be sent about this is not sent any more.</summary>
    internal static Task WithdrawAsync(DbConnection connection, Id<Realm> realm, string about) =>
        connection.ExecuteAsync("DELETE FROM mails WHERE realm_id = @realm AND about = @about", new { realm, about });

    /// <summary>The realms that have letters to send now.</summary>
    public Task<IReadOnlyList<Id<Realm>>> RealmsWithDueAsync(DateTimeOffset now, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<Id<Realm>>>(
            async connection =>
            [
                .. await connection.QueryAsync<Id<Realm>>(
                    "SELECT id FROM realms WHERE EXISTS (SELECT 1 FROM mails WHERE realm_id = realms.id AND due_at <= @now)", new { now }),
            ],
            cancellationToken);

    /// <summary>Takes letters that are due; nobody else gets them until <paramref name="until"/>.</summary>
    public Task<IReadOnlyList<QueuedMail>> TakeAsync(
        Id<Realm> realm, int count, DateTimeOffset now, DateTimeOffset until, CancellationToken cancellationToken) =>
        queue.TakeAsync<QueuedMail>(realm, which: "", new DynamicParameters(), count, now, until, cancellationToken);

    /// <summary>A letter is sent, and what it said is gone.</summary>
    public Task SentAsync(QueuedMail mail, CancellationToken cancellationToken) => queue.DoneAsync(Row(mail), cancellationToken);

    /// <summary>Sending failed and is tried again.</summary>
    public Task RetryAsync(QueuedMail mail, string error, DateTimeOffset dueAt, CancellationToken cancellationToken) =>
        queue.RetryAsync(Row(mail), error, dueAt, cancellationToken);

    /// <summary>Sending failed for good: what the letter said is gone, and that it failed is remembered.</summary>
    public Task GiveUpAsync(QueuedMail mail, string error, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                var parameters = new { mail.RealmId, mail.Id, mail.Attempts, error, now };
                await connection.ExecuteAsync(
                    """
                    INSERT INTO mail_failures (realm_id, id, kind, recipient, attempts, error, failed_at)
                    SELECT realm_id, id, kind, recipient, attempts, @error, @now FROM mails WHERE realm_id = @RealmId AND id = @Id AND attempts = @Attempts
                    """,
                    parameters);
                return await queue.RemoveAsync(connection, Row(mail));
            },
            cancellationToken);

    /// <summary>How the realm's mail is doing, for the operator.</summary>
    public Task<MailState> StateAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        database.QueryAsync(
            connection => connection.QuerySingleAsync<MailState>(
                """
                SELECT (SELECT count(*) FROM mails WHERE realm_id = @realm) AS waiting,
                    (SELECT min(created_at) FROM mails WHERE realm_id = @realm) AS since,
                    (SELECT last_error FROM mails WHERE realm_id = @realm AND last_error IS NOT NULL ORDER BY due_at DESC LIMIT 1) AS waiting_error,
                    (SELECT count(*) FROM mail_failures WHERE realm_id = @realm) AS given_up,
                    (SELECT error FROM mail_failures WHERE realm_id = @realm ORDER BY failed_at DESC LIMIT 1) AS given_up_error
                """,
                new { realm }),
            cancellationToken);

    private static object Row(QueuedMail mail) => new { mail.RealmId, mail.Id, mail.Attempts };
}
