namespace Atrium.Server.Keys;

/// <summary>
/// An Ed25519 key pair as RFC 8410 section 7 writes it, in DER: PKCS #8 of version 2, with the public key (RFC 5958 section 2). All its lengths are
/// fixed, so that there is nothing to parse.
/// </summary>
internal static class Ed25519Pkcs8
{
    private const int Size = 83;

    private static ReadOnlySpan<byte> BeforeSeed => [0x30, 0x51, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

    private static ReadOnlySpan<byte> BeforePublicKey => [0x81, 0x21, 0x00];

    /// <param name="secretKey">The seed with the public key behind it.</param>
    public static byte[] Write(ReadOnlySpan<byte> secretKey)
    {
        byte[] pkcs8 = new byte[Size];
        BeforeSeed.CopyTo(pkcs8);
        secretKey[..SodiumLibrary.SeedSize].CopyTo(pkcs8.AsSpan(BeforeSeed.Length));
        BeforePublicKey.CopyTo(pkcs8.AsSpan(BeforeSeed.Length + SodiumLibrary.SeedSize));
        secretKey[SodiumLibrary.SeedSize..].CopyTo(pkcs8.AsSpan(Size - SodiumLibrary.PublicKeySize));
        return pkcs8;
    }

    /// <summary>The seed with the public key behind it.</summary>
    public static byte[] Read(ReadOnlySpan<byte> pkcs8)
    {
        if (pkcs8.Length != Size || !pkcs8.StartsWith(BeforeSeed) || !pkcs8[(BeforeSeed.Length + SodiumLibrary.SeedSize)..].StartsWith(BeforePublicKey))
            throw new FormatException("This is no Ed25519 key of ours.");
        byte[] secretKey = GC.AllocateUninitializedArray<byte>(SodiumLibrary.SecretKeySize, pinned: true);
        pkcs8.Slice(BeforeSeed.Length, SodiumLibrary.SeedSize).CopyTo(secretKey);
        pkcs8[^SodiumLibrary.PublicKeySize..].CopyTo(secretKey.AsSpan(SodiumLibrary.SeedSize));
        return secretKey;
    }
}
