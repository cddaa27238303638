using Atrium.Core;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>Counts of wrong guesses, per target and window of time. Nodes share them.</summary>
public sealed class GuessStore(Database database)
{
    /// <summary>How many wrong guesses each of these targets has had since <paramref name="since"/>.</summary>
    public Task<IReadOnlyDictionary<SecretHash, long>> CountAsync(
        Id<Realm> realm, IReadOnlyList<SecretHash> targets, DateTimeOffset since, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyDictionary<SecretHash, long>>(
            async connection =>
            {
                Dictionary<SecretHash, long> counts = [];
                foreach (SecretHash target in targets)
                {
                    counts[target] = await connection.ExecuteScalarAsync<long>(
                        """
                        SELECT coalesce(sum(failures), 0) FROM guesses
                        WHERE realm_id = @realm AND target_hash = @target AND window_start >= @since
                        """,
                        new { realm, target, since });
                }

                return counts;
            },
            cancellationToken);

    /// <summary>Counts one wrong guess against each target.</summary>
    public Task AddAsync(Id<Realm> realm, IReadOnlyList<SecretHash> targets, DateTimeOffset window, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                foreach (SecretHash target in targets)
                {
                    await connection.ExecuteAsync(
                        """
                        INSERT INTO guesses (realm_id, target_hash, window_start, failures) VALUES (@realm, @target, @window, 1)
                        ON CONFLICT (realm_id, target_hash, window_start) DO UPDATE SET failures = guesses.failures + 1
                        """,
                        new { realm, target, window });
                }

                return true;
            },
            cancellationToken);
}
