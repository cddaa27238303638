using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>The targets whose wrong guesses are looked at before another is heard, and since when.</summary>
public sealed record GuessWatch(Id<Realm> RealmId, IReadOnlyList<SecretHash> Targets, DateTimeOffset Since)
{
    /// <summary>How many wrong guesses each target has had; for one query of several that run together.</summary>
    /// <param name="parameters">Takes what the query needs beside the realm.</param>
    internal string CountSql(DynamicParameters parameters)
    {
        parameters.Add("since", Since);
        return
            $"""
            SELECT target_hash, sum(failures) AS failures FROM guesses
            WHERE realm_id = @realm AND target_hash IN {parameters.AddHashes("target", Targets)} AND window_start >= @since
            GROUP BY target_hash
            """;
    }

    internal static async Task<IReadOnlyDictionary<SecretHash, long>> ReadAsync(SqlMapper.GridReader results) =>
        (await results.ReadAsync<Count>()).ToDictionary(static count => count.TargetHash, static count => (long)count.Failures);

    private sealed record Count
    {
        public SecretHash TargetHash { get; init; }

        public decimal Failures { get; init; }
    }
}

/// <summary>Counts of wrong guesses, per target and window of time. Nodes share them.</summary>
public sealed class GuessStore(Database database)
{
    /// <summary>How many wrong guesses each of these targets has had; one that has had none is left out.</summary>
    public Task<IReadOnlyDictionary<SecretHash, long>> CountAsync(GuessWatch watch, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(new { realm = watch.RealmId });
        return database.ReadTogetherAsync(watch.CountSql(parameters), parameters, GuessWatch.ReadAsync, cancellationToken);
    }

    /// <summary>Counts one wrong guess against each target, and tells the log of it.</summary>
    public Task AddAsync(
        Id<Realm> realm, IReadOnlyList<SecretHash> targets, DateTimeOffset window, EventDraft? told, Origin origin, CancellationToken cancellationToken) =>
        database.RecordAsync(
            realm,
            origin,
            (connection, log) =>
            {
                if (told is not null)
                    log.Add(told);
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
}
