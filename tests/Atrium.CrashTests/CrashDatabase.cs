using System.Data.Common;
using Atrium.Testing;
using Dapper;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Atrium.CrashTests;

/// <summary>The database under test, looked at from beside the server.</summary>
internal abstract class CrashDatabase
{
    /// <summary>What must find nothing while nobody writes, and what it means if it does.</summary>
    private static readonly (Promise Promise, string Meaning, string Sql)[] Faults =
    [
        (Promise.OneSuccessor, "grants with two live refresh tokens",
            "SELECT grant_id FROM refresh_tokens GROUP BY realm_id, grant_id HAVING SUM(CASE WHEN spent_at IS NULL THEN 1 ELSE 0 END) > 1"),
        (Promise.DatabaseWhole, "refresh tokens spent for no successor",
            "SELECT grant_id FROM refresh_tokens GROUP BY realm_id, grant_id HAVING SUM(CASE WHEN spent_at IS NULL THEN 1 ELSE 0 END) = 0"),
        (Promise.DatabaseWhole, "codes spent without a refresh token, or unspent with one",
            """
            SELECT c.grant_id FROM authorization_codes c LEFT JOIN refresh_tokens t ON t.realm_id = c.realm_id AND t.grant_id = c.grant_id
            GROUP BY c.realm_id, c.code_hash HAVING (MAX(c.spent_at) IS NULL) <> (COUNT(t.token_hash) = 0)
            """),
    ];

    /// <summary>What the server is told.</summary>
    public abstract string ConnectionString { get; }

    public abstract Task<DbConnection> OpenAsync();

    public async Task AuditAsync(Verdict verdict)
    {
        await using DbConnection connection = await OpenAsync();
        foreach ((Promise promise, string meaning, string sql) in Faults)
            Judge(verdict, promise, meaning, await connection.ExecuteScalarAsync<long>($"SELECT COUNT(*) FROM ({sql}) AS found"));
        foreach (string fault in await FindDamageAsync(connection))
            verdict.Broken(Promise.DatabaseWhole, fault);
        verdict.Kept(Promise.DatabaseWhole);
    }

    /// <summary>What the database itself finds wrong with its files.</summary>
    protected abstract Task<IEnumerable<string>> FindDamageAsync(DbConnection connection);

    private static void Judge(Verdict verdict, Promise promise, string meaning, long found)
    {
        if (found == 0)
            verdict.Kept(promise);
        else
            verdict.Broken(promise, $"{found} {meaning}");
    }
}

internal sealed class CrashSqlite(string file) : CrashDatabase
{
    public override string ConnectionString => $"Data Source={file}";

    public override async Task<DbConnection> OpenAsync()
    {
        SqliteConnection connection = new($"{ConnectionString};Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    protected override async Task<IEnumerable<string>> FindDamageAsync(DbConnection connection) =>
    [
        .. (await connection.QueryAsync<string>("PRAGMA integrity_check")).Where(static line => line != "ok"),
        .. (await connection.QueryAsync("PRAGMA foreign_key_check")).Select(static row => $"a row without its parent: {row}"),
    ];
}

/// <param name="hosts">The connection string that the server is told, where it names more than the one cluster.</param>
internal sealed class CrashPostgres(PostgresCluster cluster, string? hosts = null) : CrashDatabase
{
    private const string Name = "postgres";

    /// <summary>The cluster that is written to.</summary>
    public PostgresCluster Cluster { get; set; } = cluster;

    public override string ConnectionString => hosts ?? Cluster.ConnectionString(Name);

    public override async Task<DbConnection> OpenAsync()
    {
        NpgsqlConnection connection = new($"{Cluster.ConnectionString(Name)};Pooling=false;Command Timeout=60");
        await connection.OpenAsync();
        return connection;
    }

    protected override async Task<IEnumerable<string>> FindDamageAsync(DbConnection connection)
    {
        try
        {
            await connection.ExecuteAsync(
                """
                CREATE EXTENSION IF NOT EXISTS amcheck;
                SELECT bt_index_check(c.oid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
                WHERE a.amname = 'btree' AND c.relpersistence = 'p' AND i.indisready AND i.indisvalid;
                """);
        }
        catch (PostgresException e)
        {
            return [e.MessageText];
        }

        return await connection.QueryAsync<string>(
            "SELECT c.relname || ': ' || v.msg FROM pg_class c, verify_heapam(c.oid) v WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace");
    }
}
