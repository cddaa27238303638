using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Atrium.Server.Passwords;

/// <summary>The C library's <c>crypt</c> (libxcrypt): bcrypt, scrypt and yescrypt as Unix systems write them, which .NET has none of.</summary>
internal static partial class CryptLibrary
{
    public const string Name = "libcrypt.so.1";

    /// <summary>The size of <c>struct crypt_data</c>; a call keeps everything in a buffer of its own, so that threads don't meet.</summary>
    private const int DataSize = 32_768;

    private const int OutOfMemory = 12;

    private static readonly Lazy<bool> Found = new(() =>
        NativeLibrary.TryLoad(Name, typeof(CryptLibrary).Assembly, DllImportSearchPath.System32, out _));

    /// <summary>Whether the machine has the library; looked up once.</summary>
    public static bool IsAvailable => Found.Value;

    /// <summary>
    /// Hashes with the method, cost and salt that <paramref name="setting"/>, itself a hash, begins with. The tag stays as it is, zeros, where
    /// there is no such hash: the password holds a NUL, at which C would stop reading, or is longer than the library takes. False when the
    /// machine has no memory for it now.
    /// </summary>
    public static bool TryHash(ReadOnlySpan<byte> password, string setting, Span<byte> tag)
    {
        if (password.Contains((byte)0))
            return true;

        byte[] phrase = GC.AllocateArray<byte>(password.Length + 1, pinned: true);
        byte[] data = GC.AllocateArray<byte>(DataSize, pinned: true);
        try
        {
            password.CopyTo(phrase);
            nint text = CryptRn(phrase, Encoding.ASCII.GetBytes(setting + '\0'), data, data.Length);
            if (text == 0)
                return Marshal.GetLastPInvokeError() != OutOfMemory;
            byte[] made = Encoding.ASCII.GetBytes(Marshal.PtrToStringAnsi(text)!);
            if (made.Length == tag.Length)
                made.CopyTo(tag);
            return true;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(phrase);
            CryptographicOperations.ZeroMemory(data);
        }
    }

    [LibraryImport(Name, EntryPoint = "crypt_rn", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint CryptRn(ReadOnlySpan<byte> phrase, ReadOnlySpan<byte> setting, Span<byte> data, int size);
}
