namespace Atrium.Server.Keys;

/// <summary>
/// What this server can do with Ed25519 keys: everything where libsodium is there, otherwise nothing but show public ones. It is one of a server, so
/// that tests can have a machine without the library.
/// </summary>
public sealed class Ed25519(bool isWanted)
{
    public const string Missing = $"EdDSA needs {SodiumLibrary.Name} (Debian: libsodium23), which this machine lacks.";

    public bool IsAvailable { get; } = isWanted && SodiumLibrary.IsAvailable;

    /// <exception cref="MissingLibraryException">The library is not there.</exception>
    public byte[] SecretKeyOf(ReadOnlySpan<byte> seed)
    {
        Require();
        byte[] secretKey = GC.AllocateUninitializedArray<byte>(SodiumLibrary.SecretKeySize, pinned: true);
        SodiumLibrary.Expand(seed, secretKey);
        return secretKey;
    }

    /// <exception cref="MissingLibraryException">The library is not there.</exception>
    public void Sign(ReadOnlySpan<byte> data, ReadOnlySpan<byte> secretKey, Span<byte> signature)
    {
        Require();
        SodiumLibrary.Sign(data, secretKey, signature);
    }

    /// <exception cref="MissingLibraryException">The library is not there, so nobody can tell.</exception>
    public bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> publicKey)
    {
        Require();
        return SodiumLibrary.Verify(data, signature, publicKey);
    }

    private void Require()
    {
        if (!IsAvailable)
            throw new MissingLibraryException(Missing);
    }
}

/// <summary>Another node may do it; this one can't, until somebody installs what it lacks.</summary>
public sealed class MissingLibraryException(string message) : Exception(message);
