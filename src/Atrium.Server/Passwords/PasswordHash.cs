using System.Security.Cryptography;

namespace Atrium.Server.Passwords;

/// <summary>
/// A stored hash. Those made here are in the PHC string format, <c>$algorithm$parameters$salt$tag</c>; those that other products made stay
/// as they wrote them (see <see cref="ForeignHashes"/>). Each carries its own parameters, so that it verifies whatever today's are.
/// </summary>
public sealed class PasswordHash
{
    private const int SaltLength = 16, TagLength = 32;

    // What is read from elsewhere: a salt that differs from one person to the next, a tag that cannot be guessed, and neither endless.
    private const int MinimumSalt = 8, MinimumTag = 16, MaximumBytes = 64;

    /// <summary>The longest text that is looked at.</summary>
    public const int MaximumText = 512;

    private readonly byte[] salt;
    private readonly byte[] tag;

    internal PasswordHash(PasswordAlgorithm algorithm, byte[] salt, byte[] tag)
    {
        Algorithm = algorithm;
        this.salt = salt;
        this.tag = tag;
    }

    public PasswordAlgorithm Algorithm { get; }

    /// <summary>Hashes a password with a salt of its own. Null when the machine has no memory for it now.</summary>
    public static PasswordHash? TryCreate(PasswordAlgorithm algorithm, ReadOnlySpan<byte> password)
    {
        var hash = new PasswordHash(algorithm, RandomNumberGenerator.GetBytes(SaltLength), new byte[TagLength]);
        return algorithm.TryDerive(password, hash.salt, hash.tag) ? hash : null;
    }

    /// <summary>A hash that no password has and that costs as much to verify as a real one.</summary>
    public static PasswordHash Unmatchable(PasswordAlgorithm algorithm) =>
        new(algorithm, RandomNumberGenerator.GetBytes(SaltLength), RandomNumberGenerator.GetBytes(TagLength));

    /// <summary>Null for anything that is not a well-formed hash of an algorithm known here, with parameters that the machine can bear.</summary>
    public static PasswordHash? Parse(string text) =>
        text.Length <= MaximumText ? ForeignHashes.Parse(text) ?? ParsePhc(text) : null;

    /// <summary>Whether it is the password's hash, in constant time; null when the machine has no memory to find out now.</summary>
    public bool? Matches(ReadOnlySpan<byte> password)
    {
        Span<byte> derived = stackalloc byte[tag.Length];
        if (!Algorithm.TryDerive(password, salt, derived))
            return null;
        return CryptographicOperations.FixedTimeEquals(derived, tag);
    }

    /// <summary>Whether a hash made today would be another kind: other parameters, or other lengths.</summary>
    public bool IsOutdated(PasswordAlgorithm today) =>
        Algorithm != today || salt.Length != SaltLength || tag.Length != TagLength;

    /// <summary>The text to store. It is not <c>ToString</c>, so that no log shows a hash by accident.</summary>
    public string Encode() => $"${Algorithm.Phc}${Encode(salt)}${Encode(tag)}";

    /// <summary>A hash of these parts; null where one of them is missing or too short to protect anything.</summary>
    internal static PasswordHash? From(PasswordAlgorithm? algorithm, byte[]? salt, byte[]? tag) =>
        algorithm is not null
        && salt is { Length: >= MinimumSalt and <= MaximumBytes }
        && tag is { Length: >= MinimumTag and <= MaximumBytes }
            ? new(algorithm, salt, tag)
            : null;

    /// <summary>Base64 with or without its padding; null for what is none.</summary>
    internal static byte[]? Decode(string text)
    {
        var digits = text.TrimEnd('=');
        var bytes = new byte[digits.Length];
        return Convert.TryFromBase64String(digits.PadRight((digits.Length + 3) / 4 * 4, '='), bytes, out var length)
            ? bytes[..length]
            : null;
    }

    private static PasswordHash? ParsePhc(string text) =>
        text.Split('$') is ["", .. var algorithmSegments, var salt, var tag]
            ? From(PasswordAlgorithm.Parse(algorithmSegments), Decode(salt), Decode(tag))
            : null;

    // The PHC string format has base64 of the usual alphabet without padding.
    private static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');
}
