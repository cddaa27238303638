using System.Security.Cryptography;

namespace Atrium.Server.Keys;

/// <summary>One key of the key file. Its fingerprint may be shown; nothing leads from there to the key.</summary>
public sealed class StorageKey
{
    /// <summary>What a line of the key file begins with.</summary>
    public const string Prefix = "atrium-key-1:";

    private const int FingerprintLength = 8;

    private StorageKey(byte[] bytes)
    {
        Bytes = bytes;
        Fingerprint = Convert.ToHexStringLower(HKDF.DeriveKey(HashAlgorithmName.SHA256, bytes, FingerprintLength, salt: [], "atrium key fingerprint"u8.ToArray()));
    }

    /// <summary>16 hexadecimal digits.</summary>
    public string Fingerprint { get; }

    internal byte[] Bytes { get; }

    public static StorageKey New() => new(RandomNumberGenerator.GetBytes(SecretBox.KeyLength));

    /// <summary>Null for a line that is no key.</summary>
    public static StorageKey? Parse(string line)
    {
        byte[] key = new byte[SecretBox.KeyLength];
        return line.StartsWith(Prefix, StringComparison.Ordinal)
            && Convert.TryFromBase64String(line[Prefix.Length..], key, out int length) && length == key.Length
                ? new StorageKey(key)
                : null;
    }

    /// <summary>The line that it is in the key file.</summary>
    internal string Line => $"{Prefix}{Convert.ToBase64String(Bytes)}";
}
