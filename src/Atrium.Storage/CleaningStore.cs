using Atrium.Core;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>Something that comes to an end by itself, and how long it is still kept then.</summary>
/// <param name="Table">Where it is.</param>
/// <param name="Key">What names it within its realm.</param>
/// <param name="End">When it ended, as an index of the table has it.</param>
/// <param name="KeptFor">How long after that it goes.</param>
public sealed record Ending(string Table, string Key, string End, TimeSpan KeptFor);

/// <summary>
/// Deletes what has ended, a few rows at a time. Nothing depends on it: whoever reads a thing that ends checks its end. What is gone answers
/// like what never was, and it is kept until that makes no difference any more.
/// </summary>
public sealed class CleaningStore(Database database)
{
    /// <summary>Few enough that nobody notices the transaction they are deleted in.</summary>
    public const int BatchSize = 50;

    /// <summary>A session that has ended, with everything that came from it.</summary>
    private static readonly Ending Sessions = new("sessions", "id", "coalesce(ended_at, expires_at)", TimeSpan.FromDays(7));

    /// <summary>What hangs on a session, in the order in which it goes: by cascade, one session could take thousands of rows with it at once.</summary>
    private static readonly (string Table, string Key, string OfSessions)[] Parts =
    [
        ("refresh_tokens", "token_hash", "realm_id = @realm AND grant_id IN (SELECT id FROM grants WHERE realm_id = @realm AND session_id IN (SELECT id FROM due))"),
        ("authorization_codes", "code_hash", "realm_id = @realm AND grant_id IN (SELECT id FROM grants WHERE realm_id = @realm AND session_id IN (SELECT id FROM due))"),
        ("grants", "id", "realm_id = @realm AND session_id IN (SELECT id FROM due)"),
        ("sessions", "id", "realm_id = @realm AND id IN (SELECT id FROM due)"),
    ];

    /// <summary>
    /// What ends. A refresh token, spent or not, gives nothing once it has expired; until then a second use ends its family, so it stays. A
    /// code tells of a second use for a day beyond its life.
    /// </summary>
    public static IReadOnlyList<Ending> Endings { get; } =
    [
        new("sign_ins", "id", "expires_at", TimeSpan.FromHours(1)),
        new("pushed_requests", "uri_hash", "expires_at", TimeSpan.FromHours(1)),
        new("authorization_codes", "code_hash", "expires_at", TimeSpan.FromDays(1)),
        new("refresh_tokens", "token_hash", "expires_at", TimeSpan.FromHours(1)),
        new("factor_challenges", "id", "expires_at", TimeSpan.FromDays(1)),
        new("email_verifications", "id", "expires_at", TimeSpan.FromDays(1)),
        new("guesses", "target_hash, window_start", "window_start", TimeSpan.FromHours(1)),
        new("idempotent_answers", "key_hash", "created_at", TimeSpan.FromHours(25)),
        new("client_assertions", "client_id, jti_hash", "expires_at", TimeSpan.Zero),
        new("webhook_secrets", "id", "expires_at", TimeSpan.Zero),
        new("webhook_deliveries", "id", "created_at", TimeSpan.FromDays(30)),
        new("dpop_proofs", "proof_hash", "expires_at", TimeSpan.FromMinutes(10)),
        new("mail_failures", "id", "failed_at", TimeSpan.FromDays(7)),
        new("invitations", "id", "coalesce(accepted_at, revoked_at, expires_at)", TimeSpan.FromDays(90)),
        new("organization_budget_notices", "client_id, day", "day", TimeSpan.FromDays(2)),
        Sessions,
    ];

    /// <summary>The realms that have some of it due.</summary>
    public Task<IReadOnlyList<Id<Realm>>> RealmsWithDueAsync(Ending ending, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<Id<Realm>>>(
            async connection =>
            [
                .. await connection.QueryAsync<Id<Realm>>(
                    $"SELECT id FROM realms WHERE EXISTS (SELECT 1 FROM {ending.Table} WHERE realm_id = realms.id AND {ending.End} < @due)",
                    new { due = now - ending.KeptFor }),
            ],
            cancellationToken);

    /// <summary>
    /// Deletes the oldest of it that is due, at most <see cref="BatchSize"/> rows: how many. Rows that somebody else is at, such as the cleaner
    /// of another node, are left to them.
    /// </summary>
    public Task<int> DeleteAsync(Id<Realm> realm, Ending ending, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                // Materialized, so that it is found once, whatever the plan of the statement around it.
                string due =
                    $"""
                    WITH due AS MATERIALIZED (
                        SELECT {ending.Key} FROM {ending.Table} WHERE realm_id = @realm AND {ending.End} < @due
                        ORDER BY {ending.End} LIMIT {BatchSize}{database.SkipLocked})
                    """;
                var parameters = new { realm, due = now - ending.KeptFor };
                if (ending != Sessions)
                    return await connection.ExecuteAsync($"{due} DELETE FROM {ending.Table} WHERE realm_id = @realm AND ({ending.Key}) IN (SELECT * FROM due)", parameters);

                int deleted = 0;
                foreach ((string table, string key, string ofSessions) in Parts)
                {
                    if (deleted < BatchSize)
                    {
                        deleted += await connection.ExecuteAsync(
                            $"""
                            {due}, part AS MATERIALIZED (SELECT {key} FROM {table} WHERE {ofSessions} LIMIT @rest)
                            DELETE FROM {table} WHERE realm_id = @realm AND {key} IN (SELECT {key} FROM part)
                            """,
                            new { realm, parameters.due, rest = BatchSize - deleted });
                    }
                }

                return deleted;
            },
            cancellationToken);
}
