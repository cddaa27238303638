using System.Buffers.Binary;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Atrium.Storage.Sqlite;

/// <summary>Database files that are not in use: what they hold, and how one takes another's place.</summary>
internal static class SqliteFiles
{
    private const int Busy = 5, Locked = 6;

    /// <summary>What SQLite keeps beside a database that is in use; an orphan of another database would be taken for this one's.</summary>
    private static readonly string[] Companions = ["-wal", "-shm", "-journal"];

    /// <summary>How long the database is by its own header (SQLite's file format, section 1.3); null for what is no database.</summary>
    public static long? LengthByHeader(ReadOnlySpan<byte> header)
    {
        if (!header.StartsWith("SQLite format 3\0"u8))
            return null;
        int page = BinaryPrimitives.ReadUInt16BigEndian(header[16..]);
        return (page == 1 ? 65536L : page) * BinaryPrimitives.ReadUInt32BigEndian(header[28..]);
    }

    /// <summary>What is wrong with a file, every index and every parent checked.</summary>
    public static async Task<string[]> ProblemsAsync(string file)
    {
        try
        {
            await using SqliteConnection connection = Open(file);
            return await SqliteExamination.ProblemsAsync(connection, "integrity_check");
        }
        catch (SqliteException e)
        {
            return [e.Message];
        }
    }

    public static string? Install(string unpacked, string target, bool replace, DateTimeOffset now)
    {
        string aside = $"{target}.before-restore-{now:yyyyMMdd'T'HHmmss'Z'}";
        bool exists = File.Exists(target) && new FileInfo(target).Length > 0;
        if (exists && !replace)
            throw new BackupException($"There is a database {target} already. Stop the server and say --replace to put the backup in its place; the old one is kept beside it.");
        using SqliteConnection? held = File.Exists(target) ? Hold(target) : null;
        if (File.Exists(target))
            DurableFiles.KeepOwner(target, unpacked);
        else if (Environment.IsPrivilegedProcess)
            DurableFiles.KeepOwner(Path.GetDirectoryName(target)!, unpacked);

        // Both names at first, so that there is a database under its name at every moment.
        if (exists)
            DurableFiles.GiveName(target, aside);
        try
        {
            foreach (string companion in Companions.Where(companion => File.Exists(target + companion) && (held is null || companion != "-journal")))
                File.Move(target + companion, aside + companion);
            DurableFiles.Replace(unpacked, target);
            return exists ? aside : null;
        }
        catch
        {
            File.Delete(aside);
            throw;
        }
    }

    /// <summary>
    /// Takes a database for oneself alone: its log is folded into it, which only works while nobody else has it open, and then nobody else gets
    /// in. Null where the file is too damaged to be opened, by a server too.
    /// </summary>
    private static SqliteConnection? Hold(string file)
    {
        SqliteConnection connection = Open(file);
        try
        {
            connection.Execute("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE;");
            return connection;
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            return e.SqliteErrorCode is Busy or Locked
                ? throw new BackupException($"A server or another program has {file} open. Stop it first: what it writes from now on would be lost. Nothing was changed.", e)
                : null;
        }
    }

    private static SqliteConnection Open(string file)
    {
        SqliteConnection connection = new(
            new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadWrite, Pooling = false, DefaultTimeout = 1 }.ConnectionString);
        connection.Open();
        return connection;
    }
}
