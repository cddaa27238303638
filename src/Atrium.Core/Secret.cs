using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Atrium.Core;

/// <summary>
/// Something a caller must present to be believed: a code, a handle, a refresh token, an API key.
/// It is shown once, to its owner; the store only ever sees its <see cref="Hash"/>.
/// </summary>
public readonly struct Secret : IEquatable<Secret>
{
    private readonly string? text;

    public Secret(string text) => this.text = text;

    /// <summary>256 bits from the system's generator, base64url, after an optional prefix that tells what it is.</summary>
    public static Secret New(string prefix = "") =>
        new(prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)));

    /// <summary>The text itself, to be sent to its owner and nowhere else.</summary>
    public string Reveal() => text ?? "";

    /// <summary>SHA-256 is enough for 256 random bits: there is nothing to guess that a slow hash would protect.</summary>
    public SecretHash Hash() => new(SHA256.HashData(Encoding.UTF8.GetBytes(text ?? "")));

    public bool Equals(Secret other) => Hash().Equals(other.Hash());

    public override bool Equals(object? obj) => obj is Secret other && Equals(other);

    public override int GetHashCode() => Hash().GetHashCode();

    /// <summary>Never the secret: what is printed ends in a log.</summary>
    public override string ToString() => "(secret)";

    public static bool operator ==(Secret left, Secret right) => left.Equals(right);

    public static bool operator !=(Secret left, Secret right) => !left.Equals(right);
}

/// <summary>The SHA-256 of a <see cref="Secret"/>, which is how it is stored and looked up.</summary>
public readonly struct SecretHash(byte[] bytes) : IEquatable<SecretHash>
{
    public byte[] Bytes => bytes ?? [];

    /// <summary>In constant time, so that an answer's delay tells nothing about the stored value.</summary>
    public bool Equals(SecretHash other) => CryptographicOperations.FixedTimeEquals(Bytes, other.Bytes);

    public override bool Equals(object? obj) => obj is SecretHash other && Equals(other);

    public override int GetHashCode() => Bytes.Length < 4 ? 0 : BitConverter.ToInt32(Bytes, 0);

    public override string ToString() => "(hash)";

    public static bool operator ==(SecretHash left, SecretHash right) => left.Equals(right);

    public static bool operator !=(SecretHash left, SecretHash right) => !left.Equals(right);
}
