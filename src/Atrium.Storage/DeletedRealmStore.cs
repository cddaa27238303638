using Atrium.Core;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>
/// What deleted realms leave behind, removed a few rows at a time: nobody finds it any more, and however much it is, no transaction is long.
/// </summary>
public sealed class DeletedRealmStore(Database database)
{
    /// <summary>
    /// Every table of a realm with what names a row within it. What refers to something stands before it, so that no row takes others with it.
    /// </summary>
    public static IReadOnlyList<(string Table, string Key)> Tables { get; } =
    [
        ("refresh_tokens", "token_hash"),
        ("authorization_codes", "code_hash"),
        ("grants", "id"),
        ("factor_enrolments", "factor_id"),
        ("mailed_codes", "sign_in_id"),
        ("sign_ins", "id"),
        ("sessions", "id"),
        ("factor_challenges", "id"),
        ("factors", "id"),
        ("recovery_codes", "user_id, code_hash"),
        ("email_verifications", "id"),
        ("memberships", "id"),
        ("consents", "id"),
        ("organization_choices", "user_id, client_id"),
        ("users", "id"),
        ("connections", "id"),
        ("pushed_requests", "uri_hash"),
        ("logout_notices", "session_id, client_id, door"),
        ("client_organizations", "client_id, organization_id"),
        ("client_origins", "client_id, origin"),
        ("client_assertions", "client_id, jti_hash"),
        ("organization_budget_notices", "client_id, day"),
        ("clients", "id"),
        ("webhook_attempts", "delivery_id, number"),
        ("webhook_deliveries", "id"),
        ("webhook_secrets", "id"),
        ("webhooks", "id"),
        ("mails", "id"),
        ("mail_failures", "id"),
        ("mail_templates", "owner_id, kind"),
        ("invitations", "id"),
        ("organization_domains", "id"),
        ("organization_roles", "organization_id, slug"),
        ("organizations", "id"),
        ("roles", "slug"),
        ("guesses", "target_hash, window_start"),
        ("dpop_proofs", "proof_hash"),
        ("idempotent_answers", "key_hash"),
        ("fresh_events", "id"),
        ("events", "position"),
        ("event_positions", "reader"),
        ("api_keys", "id"),
        ("signing_keys", "kid"),
    ];

    public Task<IReadOnlyList<Id<Realm>>> ListAsync(CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<Id<Realm>>>(
            static async connection => [.. await connection.QueryAsync<Id<Realm>>("SELECT id FROM realms WHERE deleted_at IS NOT NULL ORDER BY deleted_at")],
            cancellationToken);

    /// <summary>
    /// Deletes at most <see cref="CleaningStore.BatchSize"/> rows of a table: how many. Rows that somebody else is at, such as the cleaner of another node, are
    /// left to them.
    /// </summary>
    public Task<int> DeleteAsync(Id<Realm> realm, (string Table, string Key) rows, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            connection => connection.ExecuteAsync(
                $"""
                WITH next AS MATERIALIZED (SELECT {rows.Key} FROM {rows.Table} WHERE realm_id = @realm LIMIT {CleaningStore.BatchSize}{database.SkipLocked})
                DELETE FROM {rows.Table} WHERE realm_id = @realm AND ({rows.Key}) IN (SELECT * FROM next)
                """,
                new { realm }),
            cancellationToken);

    /// <summary>Deletes the realm itself, and with it the little that came in while its tables were emptied.</summary>
    public Task<int> ForgetAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        database.WriteAndTellAsync(
            Change.OfSigningKeys(realm),
            connection => connection.ExecuteAsync("DELETE FROM realms WHERE id = @realm AND deleted_at IS NOT NULL", new { realm }),
            cancellationToken);
}
