using System.Diagnostics;
using System.Security.Cryptography;
using Atrium.Storage;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Atrium.Bench;

/// <summary>
/// Rows that Atrium's one SQLite writer makes durable for many callers, each of which waits for its own, against the same rows by one plain
/// connection with the same settings and a prepared statement: a commit a row, and ten and a hundred rows a commit, which no caller waits for.
/// </summary>
internal static class WriterLimit
{
    private const string Table = "CREATE TABLE rows (hash bytea NOT NULL PRIMARY KEY, realm_id bytea NOT NULL, expires_at bigint NOT NULL); CREATE INDEX rows_by_end ON rows (realm_id, expires_at)";
    private const string Insert = "INSERT INTO rows (hash, realm_id, expires_at) VALUES (@hash, @realm, @end)";

    private static readonly byte[] Realm = RandomNumberGenerator.GetBytes(16);

    public static async Task<int> RunAsync(Settings settings)
    {
        await using Database database = await Database.OpenAsync($"Data Source={Path.Combine(settings.Folder, "writer.db")}", CancellationToken.None);
        await database.WriteAsync(static connection => connection.ExecuteAsync(Table), CancellationToken.None);
        await using SqliteConnection plain = new($"Data Source={Path.Combine(settings.Folder, "plain.db")};Pooling=false");
        plain.Open();
        plain.Execute($"PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; {Table}");

        (string Work, Func<Task<double>> Measure)[] works =
        [
            ("plain, a commit a row", () => Task.FromResult(Plain(plain, rowsACommit: 1, settings.Duration))),
            ("plain, 10 rows a commit", () => Task.FromResult(Plain(plain, rowsACommit: 10, settings.Duration))),
            ("plain, 100 rows a commit", () => Task.FromResult(Plain(plain, rowsACommit: 100, settings.Duration))),
            ("ours, 1 caller", () => OursAsync(database, callers: 1, settings.Duration)),
            ("ours, 16 callers", () => OursAsync(database, callers: 16, settings.Duration)),
            ("ours, 256 callers", () => OursAsync(database, callers: 256, settings.Duration)),
        ];
        List<double>[] rounds = [.. works.Select(static _ => new List<double>())];
        for (int round = 0; round <= settings.Rounds; round++)
        {
            for (int i = 0; i < works.Length; i++)
            {
                double perSecond = await works[i].Measure();
                if (round > 0)
                    rounds[i].Add(perSecond);
            }
        }

        Console.WriteLine("\nRows made durable by SQLite, write-ahead log, synchronous=FULL: a key, an index, 60 bytes.");
        Console.WriteLine($"{"work",-28} {"rows/s",9} {"against a commit a row",24}");
        for (int i = 0; i < works.Length; i++)
            Console.WriteLine($"{works[i].Work,-28} {rounds[i].Median(),9:F0} {rounds[i].Zip(rounds[0], static (rows, single) => rows / single).Median(),24:F2}");
        return 0;
    }

    /// <summary>Whatever a caller's row fails of is thrown, and ends the run.</summary>
    private static async Task<double> OursAsync(Database database, int callers, TimeSpan duration)
    {
        Stopwatch watch = Stopwatch.StartNew();
        int[] written = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            int rows = 0;
            for (; watch.Elapsed < duration; rows++)
            {
                var row = new { hash = RandomNumberGenerator.GetBytes(32), realm = Realm, end = watch.ElapsedMilliseconds };
                await database.WriteAsync(connection => connection.ExecuteAsync(Insert, row), CancellationToken.None);
            }

            return rows;
        })));
        return written.Sum() / watch.Elapsed.TotalSeconds;
    }

    private static double Plain(SqliteConnection connection, int rowsACommit, TimeSpan duration)
    {
        using SqliteCommand insert = connection.CreateCommand();
        insert.CommandText = Insert;
        SqliteParameter hash = insert.Parameters.Add("@hash", SqliteType.Blob);
        insert.Parameters.AddWithValue("@realm", Realm);
        SqliteParameter end = insert.Parameters.Add("@end", SqliteType.Integer);
        using SqliteCommand begin = Command(connection, "BEGIN IMMEDIATE"), commit = Command(connection, "COMMIT");
        Stopwatch watch = Stopwatch.StartNew();
        int rows = 0;
        while (watch.Elapsed < duration)
        {
            if (rowsACommit > 1)
                begin.ExecuteNonQuery();
            for (int i = 0; i < rowsACommit; i++, rows++)
            {
                hash.Value = RandomNumberGenerator.GetBytes(32);
                end.Value = watch.ElapsedMilliseconds;
                insert.ExecuteNonQuery();
            }

            if (rowsACommit > 1)
                commit.ExecuteNonQuery();
        }

        return rows / watch.Elapsed.TotalSeconds;
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql)
    {
        SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }
}
