using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Atrium.Storage.Sqlite;

/// <summary>What an operator should know of a SQLite file.</summary>
internal static class SqliteExamination
{
    private const long LittleRoom = 256L << 20;

    /// <summary>Less than what one group of commits may need.</summary>
    private const long NoRoom = 1L << 20;

    public static async Task<IReadOnlyList<Finding>> RunAsync(DbConnection connection, string file, bool isReadOnly) =>
    [
        await JournalAsync(connection),
        await IntegrityAsync(connection),
        await CanWriteAsync(file, isReadOnly),
        Room(file),
    ];

    private static async Task<Finding> JournalAsync(DbConnection connection)
    {
        string? mode = await connection.ExecuteScalarAsync<string>("PRAGMA journal_mode");
        return mode == "wal"
            ? Finding.Good("journal", $"write-ahead log, SQLite {connection.ServerVersion}; commits are flushed to the disk (synchronous=FULL)")
            : Finding.Good("journal", $"{mode}, as a restore or a copy leaves it; the next start turns the write-ahead log on");
    }

    private static async Task<Finding> IntegrityAsync(DbConnection connection)
    {
        string[] problems = await ProblemsAsync(connection, "quick_check");
        return problems.Length == 0
            ? Finding.Good("integrity", "quick_check finds nothing wrong")
            : Finding.Bad("integrity", $"the file is damaged: {problems[0]}", "Stop the server, keep a copy of the file, and restore the last backup: atrium restore FILE --replace");
    }

    /// <summary>What SQLite finds wrong with the file, and rows whose parent is missing; the first few of each.</summary>
    /// <param name="check"><c>quick_check</c>, or <c>integrity_check</c>, which compares every index too.</param>
    public static async Task<string[]> ProblemsAsync(DbConnection connection, string check)
    {
        List<string> problems = [.. (await connection.QueryAsync<string>($"PRAGMA {check}(5)")).Where(static line => line != "ok")];
        foreach ((string table, long? row, string parent, long _) in await connection.QueryAsync<(string, long?, string, long)>("PRAGMA foreign_key_check"))
            problems.Add($"a row of {table} ({row}) has no parent in {parent}");
        return [.. problems.Take(5)];
    }

    /// <summary>
    /// Asked of SQLite, and not of the file system: to open the file by other means and close it would let go of every lock that this process
    /// has on it.
    /// </summary>
    private static async Task<Finding> CanWriteAsync(string file, bool isReadOnly)
    {
        if (isReadOnly)
            return Finding.Bad("writable", $"{file} can only be read", "Give the user that runs Atrium write access to the file and its folder, or mount the disk for writing.");
        try
        {
            // A server holds the file for moments only.
            await using SqliteConnection writer = new(
                new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadWrite, Pooling = false, DefaultTimeout = 2 }.ConnectionString);
            await writer.OpenAsync();
            await writer.ExecuteAsync("BEGIN IMMEDIATE; ROLLBACK;");
            return Finding.Good("writable", "this user may write the file, and nobody else holds it");
        }
        catch (SqliteException e)
        {
            return Finding.Bad("writable", $"{file} can't be written now: {e.Message}", SqliteTroubles.AdviceFor(e));
        }
    }

    private static Finding Room(string file)
    {
        DriveInfo drive = new(Path.GetDirectoryName(file)!);
        long size = new FileInfo(file).Length;
        string text = $"the database has {Bytes(size)}, its disk {Bytes(drive.AvailableFreeSpace)} free";
        return drive.AvailableFreeSpace switch
        {
            < NoRoom => Finding.Bad("disk space", text, "Make room: nobody can sign in."),
            var free when free < Math.Max(size / 10, LittleRoom) => Finding.Warning("disk space", text, "Make room: when the disk is full, nobody can sign in."),
            _ => Finding.Good("disk space", text),
        };
    }

    internal static string Bytes(long count) => count switch
    {
        < 10L << 10 => $"{count} bytes",
        < 10L << 20 => $"{count >> 10} KiB",
        < 10L << 30 => $"{count >> 20} MiB",
        _ => $"{count >> 30} GiB",
    };
}
