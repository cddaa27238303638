using Atrium.Core;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>Proofs of possession that were shown, so that none counts twice, whichever node it is shown to.</summary>
public sealed class DpopProofStore(Database database)
{
    /// <summary>Spends a proof. False when it was spent before: of however many that try at once, one succeeds.</summary>
    /// <param name="expiresAt">From when on the proof is too old for everybody.</param>
    public Task<bool> SpendAsync(Id<Realm> realm, SecretHash proof, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            async connection => await connection.ExecuteAsync(
                """
                INSERT INTO dpop_proofs (realm_id, proof_hash, expires_at) VALUES (@realm, @proof, @expiresAt)
                ON CONFLICT (realm_id, proof_hash) DO NOTHING
                """,
                new { realm, proof, expiresAt }) == 1,
            cancellationToken);
}
