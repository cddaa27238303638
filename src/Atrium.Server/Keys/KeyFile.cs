using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Atrium.Server.Keys;

/// <summary>The key file cannot be used. The message names the file and says what to do.</summary>
public sealed class KeyFileException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>
/// The file with the key under which secrets are encrypted in the database: one line, <c>atrium-key-1:</c> and 256 bits in
/// base64. It lies outside the database, so that a copy of the database alone gives no secret away.
/// </summary>
public sealed partial class KeyFile
{
    private const string Prefix = "atrium-key-1:";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private KeyFile(SecretBox box, bool wasCreated, string? warning)
    {
        Box = box;
        WasCreated = wasCreated;
        Warning = warning;
    }

    /// <summary>Seals and opens secrets with the key of the file.</summary>
    public SecretBox Box { get; }

    /// <summary>True when there was no file before: with an existing database, that is a key that opens nothing in it.</summary>
    public bool WasCreated { get; }

    /// <summary>Why the file is not as safe as it should be, for the log; null when it is.</summary>
    public string? Warning { get; }

    /// <summary>Reads the key, or makes one. Processes that start at the same time end with the same key.</summary>
    /// <exception cref="KeyFileException">The file can neither be read nor made, or is not a key file.</exception>
    public static KeyFile LoadOrCreate(string path)
    {
        var full = Path.GetFullPath(path);
        try
        {
            var wasCreated = !File.Exists(full) && TryCreate(full);
            return new(new(ReadKey(full)), wasCreated, WarningFor(full));
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            throw new KeyFileException(
                $"The key file {full} cannot be read or created: {cause.Message} Give the user that runs Atrium read access "
                + "to the file, or, for the first start, write access to its directory.", cause);
        }
    }

    private static byte[] ReadKey(string path)
    {
        var line = File.ReadAllText(path).Trim();
        var key = new byte[SecretBox.KeyLength];
        if (line.StartsWith(Prefix, StringComparison.Ordinal)
            && Convert.TryFromBase64String(line[Prefix.Length..], key, out var length) && length == key.Length)
            return key;
        throw new KeyFileException(
            $"The key file {path} does not hold a key of the form {Prefix}<base64 of {SecretBox.KeyLength} bytes>. Restore it "
            + "from a backup: without its key, the secrets in the database cannot be decrypted. Only where there is no "
            + "database yet, delete the file, and a new key is made.");
    }

    // The key is written whole to a file beside it, which then gets the name unless it is taken: then another process was
    // faster, and its key is everybody's.
    private static bool TryCreate(string path)
    {
        var directory = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
            CreateDirectory(directory);
        var temporary = Path.Combine(directory, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}");
        try
        {
            WriteNewKey(temporary);
            GiveName(temporary, path);
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
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
    }

    private static void WriteNewKey(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using var file = new FileStream(path, options);
        using (var writer = new StreamWriter(file, leaveOpen: true))
            writer.Write($"{Prefix}{Convert.ToBase64String(RandomNumberGenerator.GetBytes(SecretBox.KeyLength))}\n");
        // Secrets must not reach the disk before the key that opens them.
        file.Flush(flushToDisk: true);
    }

    // Except on Windows, File.Move looks whether the name is taken and then renames, which replaces what came in between:
    // a key that the other process already uses. link(2) does both in one step.
    private static void GiveName(string temporary, string path)
    {
        if (OperatingSystem.IsWindows())
            File.Move(temporary, path, overwrite: false);
        else if (Link(temporary, path) != 0)
            throw new IOException(Marshal.GetLastPInvokeErrorMessage() + ".");
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Link(string existing, string name);

    private static string? WarningFor(string path) =>
        !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != UnixFileMode.None
            ? $"The key file {path} is open to other users of this machine. Run: chmod 600 {path}"
            : null;
}
