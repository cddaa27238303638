using System.Runtime.InteropServices;

namespace Atrium.Server.Passwords;

/// <summary>The reference implementation of Argon2 (RFC 9106), a library of the operating system: .NET has none of its own.</summary>
internal static partial class Argon2Library
{
    public const string Name = "libargon2.so.1";
    private const int Ok = 0;

    private static readonly Lazy<bool> Found = new(() =>
        NativeLibrary.TryLoad(Name, typeof(Argon2Library).Assembly, DllImportSearchPath.System32, out _));

    /// <summary>Whether the machine has the library; looked up once.</summary>
    public static bool IsAvailable => Found.Value;

    /// <summary>
    /// Argon2id, version 1.3. The caller keeps the parameters within what RFC 9106 section 3.1 allows; what can then still
    /// fail is the memory, and false says so.
    /// </summary>
    public static bool TryHash(
        ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, int memoryKiB, int passes, int lanes, Span<byte> tag) =>
        HashRaw((uint)passes, (uint)memoryKiB, (uint)lanes, password, (nuint)password.Length, salt, (nuint)salt.Length,
            tag, (nuint)tag.Length) == Ok;

    [LibraryImport(Name, EntryPoint = "argon2id_hash_raw")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int HashRaw(
        uint passes, uint memoryKiB, uint lanes,
        ReadOnlySpan<byte> password, nuint passwordLength,
        ReadOnlySpan<byte> salt, nuint saltLength,
        Span<byte> tag, nuint tagLength);
}
