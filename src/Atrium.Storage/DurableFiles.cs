using System.Runtime.InteropServices;

namespace Atrium.Storage;

/// <summary>What a file needs so that it is whole or not there at all, whenever the machine stops; .NET has no call for these.</summary>
public static partial class DurableFiles
{
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const int ReadOnlyFolder = 0x10000;

    /// <summary>A new file that only its owner can read.</summary>
    public static FileStream CreateNew(string path)
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        return new FileStream(path, options);
    }

    /// <summary>A name in the same folder that nobody else takes.</summary>
    public static string TemporaryBeside(string path) =>
        Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}");

    /// <summary>
    /// Gives a file a second name unless that is taken. Except on Windows, File.Move looks whether the name is taken and then renames, which
    /// replaces what came in between; link(2) does both in one step.
    /// </summary>
    /// <exception cref="IOException">The name is taken, or can't be given.</exception>
    public static void GiveName(string file, string name)
    {
        if (OperatingSystem.IsWindows())
            File.Copy(file, name, overwrite: false);
        else if (Link(file, name) != 0)
            throw new IOException(Marshal.GetLastPInvokeErrorMessage() + ".");
        FlushFolderOf(name);
    }

    /// <summary>Puts a file in the place of another in one step: who looks finds the one or the other.</summary>
    public static void Replace(string temporary, string path)
    {
        File.Move(temporary, path, overwrite: true);
        FlushFolderOf(path);
    }

    /// <summary>
    /// Gives a file the owner that another file or folder has: an administrator who replaces a file must not take it away from the user that
    /// the server runs as.
    /// </summary>
    /// <exception cref="IOException">This user may not; the owner itself, or root, may.</exception>
    public static void KeepOwner(string from, string to)
    {
        if (OperatingSystem.IsLinux()
            && (StatX(CurrentFolder, from, 0, OwnerWanted, out Status status) != 0 || ChangeOwner(to, status.User, status.Group) != 0))
        {
            throw new IOException($"its owner can't be kept ({Marshal.GetLastPInvokeErrorMessage()}).");
        }
    }

    /// <summary>A name survives a crash once its folder is on the disk too.</summary>
    private static void FlushFolderOf(string path)
    {
        if (!OperatingSystem.IsLinux())
            return;
        int folder = Open(Path.GetDirectoryName(Path.GetFullPath(path))!, ReadOnlyFolder);
        if (folder < 0)
            return;
        _ = Synchronize(folder);
        _ = Close(folder);
    }

    private const int CurrentFolder = -100;

    /// <summary>STATX_UID and STATX_GID.</summary>
    private const uint OwnerWanted = 0x18;

    /// <summary>The first members of <c>struct statx</c>, which is the same on every architecture.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        [FieldOffset(20)]
        public uint User;

        [FieldOffset(24)]
        public uint Group;
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Link(string existing, string name);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Synchronize(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int StatX(int folder, string path, int flags, uint wanted, out Status status);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int ChangeOwner(string path, uint user, uint group);
}
