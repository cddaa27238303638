using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Atrium.Storage.Sqlite;

namespace Atrium.Storage;

/// <summary>
/// The last line of a backup: what it holds, and the hash by which a backup that was cut off or changed is known. The rest of the file is the
/// SQLite database itself, which does not mind the line.
/// </summary>
public sealed record BackupLabel
{
    /// <summary>Bytes of the database before the line.</summary>
    public required long Bytes { get; init; }

    /// <summary>Of those bytes, in hexadecimal.</summary>
    public required string Sha256 { get; init; }

    public required DateTimeOffset TakenAt { get; init; }

    /// <summary>The version of Atrium that took it.</summary>
    public required string Version { get; init; }

    public required long Schema { get; init; }

    /// <summary>The fingerprints of the keys that its secrets are sealed under; the keys themselves are never in it.</summary>
    public required IReadOnlyList<string> Keys { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BackupLabel))]
internal sealed partial class BackupJson : JsonSerializerContext;

/// <summary>A file that is no whole backup, or can't be restored here; the message says what is wrong and what to do.</summary>
public sealed class BackupException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Backups of a SQLite database: taken from it while it serves, checked, and put in its place.</summary>
public static class Backups
{
    private const string LabelStart = "\natrium-backup-1 ";
    private const int LongestLabel = 4096;
    private const int HeaderLength = 100;

    /// <summary>Writes a backup of the database as it is at one moment; changes go on meanwhile.</summary>
    /// <exception cref="BackupException">It could not be written; no file of that name is left behind.</exception>
    /// <exception cref="DatabaseConfigurationException">The database can't be opened.</exception>
    public static async Task<BackupLabel> TakeAsync(string connectionString, string path, string version, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (Database.IsPostgres(connectionString))
            throw new BackupException("A PostgreSQL is backed up with its own tools: pg_dump --format=custom --file=atrium.dump DATABASE, or pg_basebackup for the whole server.");
        await using SqliteDatabase database = new(connectionString, asItIs: true);
        string full = Path.GetFullPath(path);
        RefuseTaken(full);
        string temporary = DurableFiles.TemporaryBeside(full);
        try
        {
            await DurableFiles.CreateNew(temporary).DisposeAsync();
            database.CopyTo(temporary);
            BackupLabel label;
            await using (Database copy = await Database.OpenAsItIsAsync($"Data Source={temporary};Pooling=false", cancellationToken))
            {
                long schema = await copy.SchemaAsync(cancellationToken);
                label = new BackupLabel
                {
                    Bytes = 0,
                    Sha256 = "",
                    TakenAt = now,
                    Version = version,
                    Schema = schema,
                    Keys = schema >= StorageKeyStore.Since && await new StorageKeyStore(copy).FindAsync(cancellationToken) is { } keys ? [.. keys.All] : [],
                };
            }

            await using (FileStream file = new(temporary, FileMode.Open, FileAccess.ReadWrite))
            {
                label = label with { Bytes = file.Length, Sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken)) };
                await file.WriteAsync(Encoding.UTF8.GetBytes($"{LabelStart}{JsonSerializer.Serialize(label, BackupJson.Default.BackupLabel)}\n"), cancellationToken);
                file.Flush(flushToDisk: true);
            }

            DurableFiles.GiveName(temporary, full);
            return label;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Data.Common.DbException)
        {
            throw new BackupException($"The backup {full} could not be written: {e.Message} Nothing was left behind.", e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Copies the database out of a backup into a new file and checks both; the new file is not in anyone's place yet.</summary>
    /// <exception cref="BackupException">The file is no backup, or not all of it, or damaged.</exception>
    public static async Task<BackupLabel> UnpackAsync(string path, string into, CancellationToken cancellationToken)
    {
        string full = Path.GetFullPath(path);
        try
        {
            await using FileStream file = new(full, FileMode.Open, FileAccess.Read, FileShare.Read);
            BackupLabel label = await LabelOfAsync(file, full, cancellationToken);
            await using (FileStream copy = DurableFiles.CreateNew(into))
            {
                using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                byte[] buffer = new byte[1 << 16];
                file.Position = 0;
                for (long left = label.Bytes; left > 0;)
                {
                    int read = await file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellationToken);
                    if (read == 0)
                        throw new BackupException($"The backup {full} is cut off: it ends at byte {file.Position}. {UseAnother}");
                    hash.AppendData(buffer, 0, read);
                    await copy.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                    left -= read;
                }

                if (Convert.ToHexStringLower(hash.GetHashAndReset()) != label.Sha256)
                    throw new BackupException($"The backup {full} is damaged: its {label.Bytes} bytes are not those that were written (SHA-256). {UseAnother}");
                copy.Flush(flushToDisk: true);
            }

            if (await SqliteFiles.ProblemsAsync(into) is [string problem, ..])
                throw new BackupException($"The database in {full} is damaged: {problem}. {UseAnother}");
            return label;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException($"{full} can't be restored: {e.Message}", e);
        }
    }

    /// <summary>
    /// Puts a database that was unpacked in the place of the one that the connection string names, in one step. What was there is kept under
    /// another name, which is the answer; null when nothing was there.
    /// </summary>
    /// <exception cref="BackupException">There is a database and it is not to be replaced, or a server has it open.</exception>
    public static string? Install(string unpacked, string connectionString, bool replace, DateTimeOffset now)
    {
        string target = SqliteDatabase.FileOf(connectionString);
        try
        {
            return SqliteFiles.Install(unpacked, target, replace, now);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BackupException($"{target} can't be replaced: {e.Message} It was left as it was.", e);
        }
    }

    /// <summary>Where to unpack: beside the database, so that it gets its place by a rename.</summary>
    /// <exception cref="BackupException">The connection string names a PostgreSQL, or a folder that is not there.</exception>
    public static string UnpackBeside(string connectionString)
    {
        if (Database.IsPostgres(connectionString))
            throw new BackupException("A PostgreSQL is restored with its own tools: pg_restore --exit-on-error --no-owner --dbname=DATABASE atrium.dump, into an empty database.");
        string target = SqliteDatabase.FileOf(connectionString);
        RefuseMissingFolder(target);
        return DurableFiles.TemporaryBeside(target);
    }

    private const string UseAnother = "Nothing was changed. Use another backup, or copy this one again from where it was taken.";

    private static void RefuseTaken(string path)
    {
        if (Path.Exists(path))
            throw new BackupException($"There is a file {path} already, and a backup is never written over one. Choose another name.");
        RefuseMissingFolder(path);
    }

    private static void RefuseMissingFolder(string path)
    {
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            throw new BackupException($"There is no folder {Path.GetDirectoryName(path)}. Make it first.");
    }

    private static async Task<BackupLabel> LabelOfAsync(FileStream file, string path, CancellationToken cancellationToken)
    {
        byte[] head = new byte[HeaderLength];
        if (await file.ReadAtLeastAsync(head, HeaderLength, throwOnEndOfStream: false, cancellationToken) < HeaderLength || SqliteFiles.LengthByHeader(head) is not { } whole)
        {
            throw new BackupException(head.AsSpan().StartsWith("PGDMP"u8)
                ? $"{path} is a dump of PostgreSQL: restore it with pg_restore."
                : $"{path} is no backup of Atrium: it does not begin as one. Nothing was changed. Name a file that atrium backup wrote.");
        }

        byte[] tail = new byte[(int)Math.Min(LongestLabel, file.Length)];
        file.Position = file.Length - tail.Length;
        await file.ReadExactlyAsync(tail, cancellationToken);
        string text = Encoding.Latin1.GetString(tail);
        int start = text.LastIndexOf(LabelStart, StringComparison.Ordinal);
        try
        {
            if (start >= 0 && text[^1] == '\n' && JsonSerializer.Deserialize(text.AsSpan(start + LabelStart.Length), BackupJson.Default.BackupLabel) is { } label)
                return label;
        }
        catch (JsonException)
        {
            // A line that is not whole is as good as none.
        }

        throw new BackupException(file.Length < whole
            ? $"The backup {path} is cut off: it ends at byte {file.Length}, and the database in it alone has {whole}. {UseAnother}"
            : $"The backup {path} has no closing line: it was cut off at byte {file.Length}, or atrium backup did not write it. {UseAnother}");
    }
}
