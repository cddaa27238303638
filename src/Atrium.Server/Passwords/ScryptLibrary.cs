using System.Runtime.InteropServices;

namespace Atrium.Server.Passwords;

/// <summary>OpenSSL's scrypt (RFC 7914): the framework rests on the same library and does not show it.</summary>
internal static partial class ScryptLibrary
{
    public const string Name = "libcrypto.so.3";
    private const int Ok = 1;

    private static readonly Lazy<bool> Found = new(() =>
        NativeLibrary.TryLoad(Name, typeof(ScryptLibrary).Assembly, DllImportSearchPath.System32, out _));

    /// <summary>Whether the machine has the library; looked up once.</summary>
    public static bool IsAvailable => Found.Value;

    /// <summary>The caller keeps the parameters within bounds; what can then still fail is the memory, and false says so.</summary>
    public static bool TryHash(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, ulong cost, ulong blockSize, ulong lanes, Span<byte> tag)
    {
        // RFC 7914 section 2: 128 r N for the table and 128 r p beside it; OpenSSL refuses what would need more than it is told.
        ulong memory = 128 * blockSize * (cost + lanes + 32);
        return Scrypt(password, (nuint)password.Length, salt, (nuint)salt.Length, cost, blockSize, lanes, memory, tag, (nuint)tag.Length) == Ok;
    }

    [LibraryImport(Name, EntryPoint = "EVP_PBE_scrypt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Scrypt(
        ReadOnlySpan<byte> password, nuint passwordLength,
        ReadOnlySpan<byte> salt, nuint saltLength,
        ulong cost, ulong blockSize, ulong lanes, ulong maximumMemory,
        Span<byte> tag, nuint tagLength);
}
