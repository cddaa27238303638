using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Atrium.Server.Keys;

/// <summary>
/// Encrypts secrets for storage with AES-256-GCM. Associated data binds each secret to its place, so that who can write
/// to the database still cannot move one account's secret to another.
/// </summary>
/// <remarks>
/// A sealed secret is one byte of format version, the nonce, the ciphertext and the tag. Random nonces are safe for 2^32
/// secrets under one key (NIST SP 800-38D section 8.3).
/// </remarks>
public sealed class SecretBox
{
    public const int KeyLength = 32;

    private const byte Version = 1;
    private const int NonceStart = 1, NonceLength = 12, TextStart = NonceStart + NonceLength, TagLength = 16;

    /// <summary>The first seals, all open.</summary>
    private volatile byte[][] keys;

    /// <param name="key">256 random bits; the box keeps a copy of its own.</param>
    public SecretBox(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeyLength)
            throw new ArgumentException($"A key has {KeyLength} bytes.", nameof(key));
        keys = [key.ToArray()];
    }

    /// <param name="keys">The first seals, all open.</param>
    public SecretBox(IReadOnlyList<StorageKey> keys) => this.keys = BytesOf(keys);

    /// <summary>Exchanges the keys, while others use the box.</summary>
    public void Use(IReadOnlyList<StorageKey> exchanged) => keys = BytesOf(exchanged);

    /// <summary>
    /// A box that only the holder of a secret can open: its key is derived by HKDF-SHA256 (RFC 5869). The secret must be
    /// random and long, such as a token, for HKDF is fast; never a password.
    /// </summary>
    /// <param name="purpose">What the box is for: boxes for different purposes do not open each other's secrets.</param>
    public static SecretBox DerivedFrom(ReadOnlySpan<byte> secret, string purpose)
    {
        Span<byte> derived = stackalloc byte[KeyLength];
        var info = Encoding.UTF8.GetBytes($"atrium secret box: {purpose}");
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, derived, salt: [], info);
        var box = new SecretBox(derived);
        CryptographicOperations.ZeroMemory(derived);
        return box;
    }

    /// <summary>
    /// What only a holder of the keys can tell of a place: one mark for each key, that of the sealing one first. Nothing leads from there to the key.
    /// </summary>
    public IReadOnlyList<byte[]> MarksOf(byte[] place, int length)
    {
        byte[] info = [.. "atrium mark: "u8, .. place];
        return [.. keys.Select(key => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, length, salt: [], info))];
    }

    /// <summary>
    /// Associated data for a secret that lies in one place, such as realm, kind and id. Each part is preceded by its length:
    /// joined plainly, ("ab", "c") and ("a", "bc") would be one place.
    /// </summary>
    public static byte[] Place(params ReadOnlySpan<string> parts)
    {
        using var place = new MemoryStream();
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var part in parts)
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32BigEndian(length, bytes.Length);
            place.Write(length);
            place.Write(bytes);
        }
        return place.ToArray();
    }

    public byte[] Seal(ReadOnlySpan<byte> plain, ReadOnlySpan<byte> associatedData)
    {
        var sealedSecret = new byte[TextStart + plain.Length + TagLength];
        sealedSecret[0] = Version;
        var nonce = sealedSecret.AsSpan(NonceStart, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        var text = sealedSecret.AsSpan(TextStart, plain.Length);
        var tag = sealedSecret.AsSpan(TextStart + plain.Length);
        using var aes = new AesGcm(keys[0], TagLength);
        aes.Encrypt(nonce, plain, text, tag, associatedData);
        return sealedSecret;
    }

    /// <summary>
    /// Null when the secret was not sealed by this box, not for this place, or was changed since: which of them, nothing tells.
    /// </summary>
    public byte[]? Open(ReadOnlySpan<byte> sealedSecret, ReadOnlySpan<byte> associatedData)
    {
        if (sealedSecret.Length < TextStart + TagLength || sealedSecret[0] != Version)
            return null;
        foreach (byte[] key in keys)
        {
            if (Open(key, sealedSecret, associatedData) is { } plain)
                return plain;
        }

        return null;
    }

    private static byte[][] BytesOf(IReadOnlyList<StorageKey> keys) => [.. keys.Select(static key => key.Bytes)];

    private static byte[]? Open(byte[] key, ReadOnlySpan<byte> sealedSecret, ReadOnlySpan<byte> associatedData)
    {
        var nonce = sealedSecret[NonceStart..TextStart];
        var text = sealedSecret[TextStart..^TagLength];
        var tag = sealedSecret[^TagLength..];
        var plain = new byte[text.Length];
        // An instance is not safe for several threads at a time; making one costs less than a lock.
        using var aes = new AesGcm(key, TagLength);
        try
        {
            aes.Decrypt(nonce, text, tag, plain, associatedData);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
