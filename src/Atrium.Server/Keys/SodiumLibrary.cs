using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Atrium.Server.Keys;

/// <summary>
/// Ed25519 (RFC 8032 section 5.1) of libsodium, a library of the operating system: .NET has none of its own. A secret key is the seed with the public
/// key behind it, 64 bytes.
/// </summary>
internal static partial class SodiumLibrary
{
    public const string Name = "libsodium.so.23";
    public const int SeedSize = 32, PublicKeySize = 32, SecretKeySize = SeedSize + PublicKeySize, SignatureSize = 64;

    private const int Ok = 0;

    private static readonly Lazy<bool> Found = new(static () =>
        NativeLibrary.TryLoad(Name, typeof(SodiumLibrary).Assembly, DllImportSearchPath.System32, out _) && Init() >= Ok && PassesTest());

    /// <summary>Whether the machine has the library and it calculates rightly; looked up once.</summary>
    public static bool IsAvailable => Found.Value;

    /// <summary>The secret key of a seed.</summary>
    public static void Expand(ReadOnlySpan<byte> seed, Span<byte> secretKey)
    {
        Span<byte> publicKey = stackalloc byte[PublicKeySize];
        if (seed.Length != SeedSize || secretKey.Length != SecretKeySize || SeedKeyPair(publicKey, secretKey, seed) != Ok)
            throw new CryptographicException("No Ed25519 key can be made of this seed.");
    }

    public static void Sign(ReadOnlySpan<byte> data, ReadOnlySpan<byte> secretKey, Span<byte> signature)
    {
        if (secretKey.Length != SecretKeySize || signature.Length < SignatureSize || SignDetached(signature, 0, data, (ulong)data.Length, secretKey) != Ok)
            throw new CryptographicException("The data could not be signed.");
    }

    public static bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> publicKey) =>
        signature.Length == SignatureSize && publicKey.Length == PublicKeySize && VerifyDetached(signature, data, (ulong)data.Length, publicKey) == Ok;

    /// <summary>RFC 8032 section 7.1, test 2: what is loaded under that name is what it should be.</summary>
    private static bool PassesTest()
    {
        byte[] seed = Convert.FromHexString("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        byte[] known = Convert.FromHexString(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
        byte[] secretKey = new byte[SecretKeySize], signature = new byte[SignatureSize];
        Expand(seed, secretKey);
        Sign([0x72], secretKey, signature);
        return signature.AsSpan().SequenceEqual(known)
            && Verify([0x72], signature, secretKey.AsSpan(SeedSize))
            && !Verify([0x73], signature, secretKey.AsSpan(SeedSize));
    }

    [LibraryImport(Name, EntryPoint = "sodium_init")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Init();

    [LibraryImport(Name, EntryPoint = "crypto_sign_seed_keypair")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int SeedKeyPair(Span<byte> publicKey, Span<byte> secretKey, ReadOnlySpan<byte> seed);

    [LibraryImport(Name, EntryPoint = "crypto_sign_detached")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int SignDetached(Span<byte> signature, nint noLength, ReadOnlySpan<byte> data, ulong dataLength, ReadOnlySpan<byte> secretKey);

    [LibraryImport(Name, EntryPoint = "crypto_sign_verify_detached")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int VerifyDetached(ReadOnlySpan<byte> signature, ReadOnlySpan<byte> data, ulong dataLength, ReadOnlySpan<byte> publicKey);
}
