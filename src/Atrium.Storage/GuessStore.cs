using Atrium.Core;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>Counts of wrong guesses, per target and window of time. Nodes share them.</summary>
public sealed class GuessStore(Database database)
{
    /// <summary>How many wrong guesses each of these targets has had since <paramref name="since"/>; one that has had none is left out.</summary>
    public Task<IReadOnlyDictionary<SecretHash, long>> CountAsync(
        Id<Realm> realm, IReadOnlyList<SecretHash> targets, DateTimeOffset since, CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyDictionary<SecretHash, long>>(
            async connection =>
            {
                DynamicParameters parameters = new(new { realm, since });
                IEnumerable<Count> found = await connection.QueryAsync<Count>(
                    $"""
                    SELECT target_hash, sum(failures) AS failures FROM guesses
                    WHERE realm_id = @realm AND target_hash IN {parameters.AddHashes("target", targets)} AND window_start >= @since
                    GROUP BY target_hash
                    """,
                    parameters);
                return found.ToDictionary(static count => count.TargetHash, static count => (long)count.Failures);
            },
            cancellationToken);

    /// <summary>Counts one wrong guess against each target.</summary>
    public Task AddAsync(Id<Realm> realm, IReadOnlyList<SecretHash> targets, DateTimeOffset window, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            connection =>
            {
                DynamicParameters parameters = new(new { realm, window });
                parameters.AddHashes("target", targets);
                return connection.ExecuteAsync(
                    $"""
                    INSERT INTO guesses (realm_id, target_hash, window_start, failures)
                    VALUES {string.Join(", ", targets.Select(static (_, i) => $"(@realm, @target{i}, @window, 1)"))}
                    ON CONFLICT (realm_id, target_hash, window_start) DO UPDATE SET failures = guesses.failures + 1
                    """,
                    parameters);
            },
            cancellationToken);

    private sealed record Count
    {
        public SecretHash TargetHash { get; init; }

        public decimal Failures { get; init; }
    }
}
