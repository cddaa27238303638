using Atrium.Core;
using Dapper;

namespace Atrium.Storage;

/// <summary>A server that runs, as it tells of itself.</summary>
public sealed record Node : IIdentified
{
    public static string IdPrefix => "node_";

    public required Id<Node> Id { get; init; }

    /// <summary>The name of its machine and the number of its process.</summary>
    public required string Host { get; init; }

    public required string Version { get; init; }

    /// <summary>Empty until it listens.</summary>
    public required string PublicUrl { get; init; }

    /// <summary>Fingerprints of the keys it has, the one that it seals with first.</summary>
    public required IReadOnlyList<string> Keys { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The node's own clock when it was seen last.</summary>
    public required DateTimeOffset Clock { get; init; }

    /// <summary>The database's clock at that moment.</summary>
    public DateTimeOffset SeenAt { get; init; }
}

/// <summary>Which nodes run. Who is there is judged by the database's clock alone, so that a node's wrong clock hides nobody.</summary>
public sealed class NodeStore(Database database)
{
    private const string Columns = "id, host, version, public_url, keys, started_at, clock, seen_at";

    /// <summary>A node that was not seen for this long is gone.</summary>
    public static readonly TimeSpan Absence = TimeSpan.FromMinutes(1);

    /// <summary>Says that a node is there, and forgets those that are gone.</summary>
    public Task SayAsync(Node node, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync($"DELETE FROM nodes WHERE seen_at < {database.Clock} - @absence", new { absence = Milliseconds(Absence) });
                return await connection.ExecuteAsync(
                    $"""
                    INSERT INTO nodes ({Columns})
                    VALUES (@Id, @Host, @Version, @PublicUrl, @Keys, @StartedAt, @Clock, {database.Clock})
                    ON CONFLICT (id) DO UPDATE SET public_url = excluded.public_url, keys = excluded.keys, clock = excluded.clock, seen_at = excluded.seen_at
                    """,
                    node);
            },
            cancellationToken);

    public Task LeaveAsync(Id<Node> node, CancellationToken cancellationToken) =>
        database.WriteAsync(connection => connection.ExecuteAsync("DELETE FROM nodes WHERE id = @node", new { node }), cancellationToken);

    /// <summary>Those that are there, by host.</summary>
    public Task<IReadOnlyList<Node>> ListAsync(CancellationToken cancellationToken) =>
        database.QueryAsync<IReadOnlyList<Node>>(
            async connection =>
            [
                .. await connection.QueryAsync<Node>(
                    $"SELECT {Columns} FROM nodes WHERE seen_at >= {database.Clock} - @absence ORDER BY host, id", new { absence = Milliseconds(Absence) }),
            ],
            cancellationToken);

    /// <summary>What the database takes for now.</summary>
    public Task<DateTimeOffset> ClockAsync(CancellationToken cancellationToken) =>
        database.QueryAsync(
            async connection => DateTimeOffset.FromUnixTimeMilliseconds(await connection.ExecuteScalarAsync<long>($"SELECT {database.Clock}")), cancellationToken);

    private static long Milliseconds(TimeSpan span) => (long)span.TotalMilliseconds;
}
