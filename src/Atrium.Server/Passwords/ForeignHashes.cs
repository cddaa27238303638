using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Atrium.Server.Passwords;

/// <summary>
/// How other products write hashes, where it is not the PHC string format. Costs have ceilings here as there: a hash that somebody made up
/// must not take the machine with the first sign-in.
/// </summary>
internal static partial class ForeignHashes
{
    // Four seconds of one thread; the products that make hashes of this kind choose 10 to 13.
    private const int MaximumBcryptCost = 16;

    /// <summary>Null for what is in none of these forms.</summary>
    public static PasswordHash? Parse(string text) =>
        Bcrypt(text) ?? CryptScrypt(text) ?? Yescrypt(text) ?? Passlib(text) ?? Django(text) ?? AspNetIdentity(text);

    /// <summary>Bcrypt, <c>$2b$12$</c> with 22 digits of salt and 31 of hash; <c>$2a$</c> and <c>$2y$</c> are the same of other ages.</summary>
    private static PasswordHash? Bcrypt(string text) =>
        BcryptForm().Match(text) is { Success: true } match && int.Parse(match.Groups["cost"].Value) is >= 4 and <= MaximumBcryptCost
            ? OfCrypt(PasswordAlgorithm.CryptMethod.Bcrypt, text)
            : null;

    /// <summary>Scrypt as <c>crypt</c> writes it: <c>$7$</c>, one digit for the power of two, five each for block size and lanes.</summary>
    private static PasswordHash? CryptScrypt(string text) =>
        CryptScryptForm().Match(text) is { Success: true } match
        && PasswordAlgorithm.Scrypt.IsBearable(
            DigitsOf(match.Groups["cost"].Value), DigitsOf(match.Groups["block"].Value), DigitsOf(match.Groups["lanes"].Value))
            ? OfCrypt(PasswordAlgorithm.CryptMethod.Scrypt, text)
            : null;

    /// <summary>Yescrypt with its usual flavour <c>j</c> and one digit each for the power of two and the block size, both counted from one.</summary>
    private static PasswordHash? Yescrypt(string text) =>
        YescryptForm().Match(text) is { Success: true } match
        && PasswordAlgorithm.Scrypt.IsBearable(DigitsOf(match.Groups["cost"].Value) + 1, DigitsOf(match.Groups["block"].Value) + 1, lanes: 1)
            ? OfCrypt(PasswordAlgorithm.CryptMethod.Yescrypt, text)
            : null;

    /// <summary>Passlib's PBKDF2: <c>$pbkdf2-sha256$29000$salt$hash</c>, in a base64 that has a dot for the plus.</summary>
    private static PasswordHash? Passlib(string text) =>
        text.Split('$') is ["", var name, var iterations, var salt, var tag]
            ? PasswordHash.From(
                name switch
                {
                    "pbkdf2" => PasswordAlgorithm.Pbkdf2.From(HashAlgorithmName.SHA1, $"i={iterations}"),
                    "pbkdf2-sha256" => PasswordAlgorithm.Pbkdf2.From(HashAlgorithmName.SHA256, $"i={iterations}"),
                    "pbkdf2-sha512" => PasswordAlgorithm.Pbkdf2.From(HashAlgorithmName.SHA512, $"i={iterations}"),
                    _ => null,
                },
                PasswordHash.Decode(salt.Replace('.', '+')),
                PasswordHash.Decode(tag.Replace('.', '+')))
            : null;

    /// <summary>Django's PBKDF2: <c>pbkdf2_sha256$600000$salt$hash</c>; the salt is the text itself.</summary>
    private static PasswordHash? Django(string text) =>
        text.Split('$') is ["pbkdf2_sha256" or "pbkdf2_sha1", var iterations, var salt, var tag]
            ? PasswordHash.From(
                PasswordAlgorithm.Pbkdf2.From(text.StartsWith("pbkdf2_sha256", StringComparison.Ordinal) ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1, $"i={iterations}"),
                Encoding.UTF8.GetBytes(salt),
                PasswordHash.Decode(tag))
            : null;

    /// <summary>
    /// ASP.NET Core Identity, in base64. Version 3: a one, then which HMAC, how many iterations and how long the salt, four bytes each, then
    /// salt and hash. Version 2: a zero, 16 bytes of salt and 32 of hash, made with SHA-1 and 1000 iterations.
    /// </summary>
    private static PasswordHash? AspNetIdentity(string text)
    {
        const int header = 13, oldSalt = 16, oldTag = 32;
        if (text.Contains('$', StringComparison.Ordinal) || PasswordHash.Decode(text) is not { } bytes)
            return null;
        if (bytes is [0, ..] && bytes.Length == 1 + oldSalt + oldTag)
            return PasswordHash.From(new PasswordAlgorithm.Pbkdf2(HashAlgorithmName.SHA1, 1000), bytes[1..(1 + oldSalt)], bytes[(1 + oldSalt)..]);
        if (bytes is not [1, ..] || bytes.Length <= header)
            return null;

        uint saltLength = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(9));
        if (saltLength > bytes.Length - header)
            return null;
        HashAlgorithmName? hash = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(1)) switch
        {
            0 => HashAlgorithmName.SHA1,
            1 => HashAlgorithmName.SHA256,
            2 => HashAlgorithmName.SHA512,
            _ => null,
        };
        return hash is { } known
            ? PasswordHash.From(
                PasswordAlgorithm.Pbkdf2.From(known, $"i={BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(5))}"),
                bytes[header..(header + (int)saltLength)],
                bytes[(header + (int)saltLength)..])
            : null;
    }

    /// <summary>What <c>crypt</c> makes of a password holds the salt too: the whole text is compared.</summary>
    private static PasswordHash OfCrypt(PasswordAlgorithm.CryptMethod method, string text) =>
        new(new PasswordAlgorithm.Crypt(method, text), [], Encoding.ASCII.GetBytes(text));

    /// <summary>Digits of <c>crypt</c>'s own alphabet, six bits each, the lowest first.</summary>
    private static long DigitsOf(string digits) =>
        digits.Reverse().Aggregate(0L, static (value, digit) => (value << 6) | (uint)"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".IndexOf(digit, StringComparison.Ordinal));

    [GeneratedRegex(@"^\$2[aby]\$(?<cost>[0-9]{2})\$[./0-9A-Za-z]{53}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex BcryptForm();

    [GeneratedRegex(@"^\$7\$(?<cost>[./0-9A-Za-z])(?<block>[./0-9A-Za-z]{5})(?<lanes>[./0-9A-Za-z]{5})[./0-9A-Za-z]{11,86}\$[./0-9A-Za-z]{43}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex CryptScryptForm();

    [GeneratedRegex(@"^\$y\$j(?<cost>[./0-9A-Za-j])(?<block>[./0-9A-Za-j])\$[./0-9A-Za-z]{11,86}\$[./0-9A-Za-z]{43}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex YescryptForm();
}
