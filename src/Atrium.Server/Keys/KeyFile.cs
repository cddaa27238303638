using Atrium.Storage;

namespace Atrium.Server.Keys;

/// <summary>The key file cannot be used. The message names the file and says what to do.</summary>
public sealed class KeyFileException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>
/// The file with the keys under which secrets are encrypted in the database, one a line: <c>atrium-key-1:</c> and 256 bits in base64. There is
/// one key, and a second while the first is exchanged for it; the newest is last. The file lies outside the database, so that a copy of the
/// database alone gives no secret away.
/// </summary>
public sealed class KeyFile
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private KeyFile(string path, IReadOnlyList<StorageKey> keys, bool wasCreated)
    {
        Path = path;
        Keys = keys;
        WasCreated = wasCreated;
        Warning = WarningFor(path);
    }

    /// <summary>The whole path.</summary>
    public string Path { get; }

    /// <summary>At least one, the newest last.</summary>
    public IReadOnlyList<StorageKey> Keys { get; }

    /// <summary>True when there was no file before: with an existing database, that is a key that opens nothing in it.</summary>
    public bool WasCreated { get; }

    /// <summary>Why the file is not as safe as it should be, for the log; null when it is.</summary>
    public string? Warning { get; }

    /// <summary>Reads the keys, or makes one. Processes that start at the same time end with the same key.</summary>
    /// <exception cref="KeyFileException">The file can neither be read nor made, or is not a key file.</exception>
    public static KeyFile LoadOrCreate(string path) => Load(path, make: true);

    /// <summary>Reads the keys of a file that must be there.</summary>
    /// <exception cref="KeyFileException">The file can't be read, or is not a key file.</exception>
    public static KeyFile Load(string path) => Load(path, make: false);

    /// <summary>The file as it is now.</summary>
    public KeyFile Reload() => Load(Path);

    public StorageKey? Find(string fingerprint) => Keys.FirstOrDefault(key => key.Fingerprint == fingerprint);

    /// <summary>Writes the file anew with these keys, in one step and for the same owner.</summary>
    public KeyFile With(IReadOnlyList<StorageKey> keys)
    {
        string temporary = DurableFiles.TemporaryBeside(Path);
        try
        {
            Write(temporary, keys);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(temporary, File.GetUnixFileMode(Path));
            DurableFiles.KeepOwner(Path, temporary);
            DurableFiles.Replace(temporary, Path);
            return new KeyFile(Path, keys, wasCreated: false);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new KeyFileException($"The key file {Path} can't be written: {cause.Message} Run this as the user that owns it, or as root.", cause);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static KeyFile Load(string path, bool make)
    {
        string full = System.IO.Path.GetFullPath(path);
        try
        {
            bool wasCreated = make && !File.Exists(full) && TryCreate(full);
            return new KeyFile(full, ReadKeys(full), wasCreated);
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new KeyFileException(
                $"The key file {full} cannot be read or created: {cause.Message} Give the user that runs Atrium read access "
                + "to the file, or, for the first start, write access to its directory.", cause);
        }
    }

    private static StorageKey[] ReadKeys(string path)
    {
        string[] lines = File.ReadAllText(path).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        StorageKey[] keys = [.. lines.Select(StorageKey.Parse).OfType<StorageKey>()];
        return keys.Length > 0 && keys.Length == lines.Length
            ? keys
            : throw new KeyFileException(
                $"The key file {path} does not hold a key of the form {StorageKey.Prefix}<base64 of {SecretBox.KeyLength} bytes> in each line. Restore it "
                + "from a backup: without its key, the secrets in the database cannot be decrypted. Only where there is no "
                + "database yet, delete the file, and a new key is made.");
    }

    // The key is written whole to a file beside it, which then gets the name unless it is taken: then another process was
    // faster, and its key is everybody's.
    private static bool TryCreate(string path)
    {
        string directory = System.IO.Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
            CreateDirectory(directory);
        string temporary = DurableFiles.TemporaryBeside(path);
        try
        {
            Write(temporary, [StorageKey.New()]);
            DurableFiles.GiveName(temporary, path);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static void CreateDirectory(string directory)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(directory);
        else
            Directory.CreateDirectory(directory, DurableFiles.OwnerOnly | UnixFileMode.UserExecute);
    }

    private static void Write(string path, IEnumerable<StorageKey> keys)
    {
        using FileStream file = DurableFiles.CreateNew(path);
        using (StreamWriter writer = new(file, leaveOpen: true))
        {
            foreach (StorageKey key in keys)
                writer.Write($"{key.Line}\n");
        }

        // Secrets must not reach the disk before the key that opens them.
        file.Flush(flushToDisk: true);
    }

    private static string? WarningFor(string path) =>
        !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != UnixFileMode.None
            ? $"The key file {path} is open to other users of this machine. Run: chmod 600 {path}"
            : null;
}
