using System.Data.Common;
using Dapper;

namespace Atrium.Storage.Postgres;

/// <summary>What an operator should know of a PostgreSQL server.</summary>
internal static class PostgresExamination
{
    private const string ServerSql =
        """
        SELECT current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,
            current_setting('synchronous_commit') AS synchronous_commit, current_setting('fsync') AS fsync,
            current_setting('max_connections') AS max_connections, current_setting('synchronous_standby_names') AS standby_names,
            pg_is_in_recovery() AS is_standby, pg_database_size(current_database()) AS size
        """;

    public static async Task<IReadOnlyList<Finding>> RunAsync(DbConnection connection, int poolSize)
    {
        Server server = await connection.QuerySingleAsync<Server>(ServerSql);
        return
        [
            Finding.Good("server", $"PostgreSQL {server.Version}, {server.Size >> 20} MiB"),
            server.Encoding == "UTF8"
                ? Finding.Good("encoding", "UTF8")
                : Finding.Bad("encoding", $"text is kept as {server.Encoding}", "Make a database with ENCODING 'UTF8'."),
            server is { SynchronousCommit: not "off", Fsync: "on" }
                ? Finding.Good("commits", $"reach the disk before they are answered (synchronous_commit = {server.SynchronousCommit})")
                : Finding.Bad(
                    "commits",
                    $"a crash of the server takes back what was acknowledged (synchronous_commit = {server.SynchronousCommit}, fsync = {server.Fsync})",
                    "Turn both on."),
            server.IsStandby
                ? Finding.Bad("role", "this server is a standby and takes no changes", "Name the primary in the connection string, or both with Target Session Attributes=primary.")
                : Finding.Good("role", "primary"),
            await ConnectionsAsync(connection, server, poolSize),
            await StandbysAsync(connection, server),
        ];
    }

    private static async Task<Finding> ConnectionsAsync(DbConnection connection, Server server, int poolSize)
    {
        long used = await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'");
        string text = $"{used} of {server.MaxConnections} in use; this pool may open {poolSize}, as may each node with the same connection string";
        return used > server.MaxConnections * 9 / 10
            ? Finding.Warning("connections", text, "Raise max_connections of the server, or lower Maximum Pool Size of every node.")
            : Finding.Good("connections", text);
    }

    /// <summary>Who may not see the standbys sees rows without a state.</summary>
    private static async Task<Finding> StandbysAsync(DbConnection connection, Server server)
    {
        string[] standbys =
        [
            .. (await connection.QueryAsync<(string Name, string? State, string? Sync)>(
                "SELECT application_name AS name, state, sync_state AS sync FROM pg_stat_replication")).Select(static one => $"{one.Name} ({one.State ?? "state hidden"}, {one.Sync ?? "?"})"),
        ];
        if (standbys.Length > 0)
            return Finding.Good("standbys", string.Join(", ", standbys));
        return server.StandbyNames.Length > 0
            ? Finding.Bad(
                "standbys",
                $"none is connected, but synchronous_standby_names = {server.StandbyNames}: every commit waits for one",
                "Start the standby, or empty synchronous_standby_names and reload until it is back.")
            : Finding.Good("standbys", "none: what this server acknowledged is as safe as its disk");
    }

    private sealed class Server
    {
        public string Version { get; init; } = "";

        public string Encoding { get; init; } = "";

        public string SynchronousCommit { get; init; } = "";

        public string Fsync { get; init; } = "";

        public int MaxConnections { get; init; }

        public string StandbyNames { get; init; } = "";

        public bool IsStandby { get; init; }

        public long Size { get; init; }
    }
}
