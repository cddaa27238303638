using System.Globalization;
using System.Security.Cryptography;

namespace Atrium.Server.Passwords;

/// <summary>A slow hash function with its parameters. Two of them are equal when they cost the same.</summary>
public abstract record PasswordAlgorithm
{
    private PasswordAlgorithm()
    {
    }

    /// <summary>What new passwords are hashed with (OWASP Password Storage Cheat Sheet): 19 MiB, two passes, one lane.</summary>
    public static PasswordAlgorithm Preferred { get; } = new Argon2id(19_456, 2, 1);

    /// <summary>What new passwords are hashed with where Argon2 is missing.</summary>
    public static PasswordAlgorithm Fallback { get; } = new Pbkdf2(HashAlgorithmName.SHA256, 600_000);

    /// <summary>The algorithm as the PHC string format writes it, without the dollar signs around it.</summary>
    public abstract string Phc { get; }

    /// <summary>The library that this algorithm needs and the machine does not have; null where nothing is missing.</summary>
    public virtual string? MissingLibrary => null;

    /// <summary>Fills the tag. False when the machine has no memory for it now.</summary>
    public abstract bool TryDerive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, Span<byte> tag);

    /// <summary>
    /// Reads the segments of a PHC string that come before the salt. Null for an algorithm not known here, and for
    /// parameters that no sane hash has: the ceilings keep an imported hash from taking the machine.
    /// </summary>
    public static PasswordAlgorithm? Parse(ReadOnlySpan<string> segments) => segments switch
    {
        ["argon2id", "v=19", var parameters] => Argon2id.From(parameters),
        ["scrypt", var parameters] => Scrypt.From(parameters),
        ["pbkdf2-sha1", var parameters] => Pbkdf2.From(HashAlgorithmName.SHA1, parameters),
        ["pbkdf2-sha256", var parameters] => Pbkdf2.From(HashAlgorithmName.SHA256, parameters),
        ["pbkdf2-sha512", var parameters] => Pbkdf2.From(HashAlgorithmName.SHA512, parameters),
        _ => null,
    };

    // "m=19456,t=2,p=1" as names and values, in the order written; a value that is no number is -1.
    private static (string Name, int Value)[] Pairs(string parameters) =>
    [
        .. parameters.Split(',').Select(pair => pair.Split('=')).Select(pair =>
            (pair[0], pair.Length == 2 && int.TryParse(pair[1], NumberStyles.None, null, out var value) ? value : -1)),
    ];

    /// <summary>Argon2id version 1.3 (RFC 9106).</summary>
    public sealed record Argon2id(int MemoryKiB, int Passes, int Lanes) : PasswordAlgorithm
    {
        private const int MaximumMemoryKiB = 256 * 1024, MaximumPasses = 32, MaximumLanes = 16;

        public override string? MissingLibrary => Argon2Library.IsAvailable ? null : Argon2Library.Name;

        public override string Phc => $"argon2id$v=19$m={MemoryKiB},t={Passes},p={Lanes}";

        public override bool TryDerive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, Span<byte> tag) =>
            Argon2Library.TryHash(password, salt, MemoryKiB, Passes, Lanes, tag);

        // RFC 9106 section 3.1: at least 8 KiB for each lane.
        internal static Argon2id? From(string parameters) =>
            Pairs(parameters) is [("m", <= MaximumMemoryKiB and var memory),
                                  ("t", >= 1 and <= MaximumPasses and var passes),
                                  ("p", >= 1 and <= MaximumLanes and var lanes)]
            && memory >= 8 * lanes
                ? new(memory, passes, lanes)
                : null;
    }

    /// <summary>PBKDF2 with HMAC (RFC 8018 section 5.2).</summary>
    public sealed record Pbkdf2(HashAlgorithmName Hash, int Iterations) : PasswordAlgorithm
    {
        private const int MaximumIterations = 10_000_000;

        public override string Phc => $"pbkdf2-{Hash.Name!.ToLowerInvariant()}$i={Iterations}";

        public override bool TryDerive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, Span<byte> tag)
        {
            Rfc2898DeriveBytes.Pbkdf2(password, salt, tag, Iterations, Hash);
            return true;
        }

        // Some writers add the length of the tag, "l=32", which the tag itself tells.
        internal static Pbkdf2? From(HashAlgorithmName hash, string parameters) =>
            Pairs(parameters) is [("i", >= 1 and <= MaximumIterations and var iterations), .. var others]
            && others is [] or [("l", _)]
                ? new(hash, iterations)
                : null;
    }

    /// <summary>Scrypt (RFC 7914); the cost is two to the power of <paramref name="LogCost"/>.</summary>
    public sealed record Scrypt(int LogCost, int BlockSize, int Lanes) : PasswordAlgorithm
    {
        private const long MaximumMemory = 256L * 1024 * 1024;

        // As much work as four times the costliest setting that OWASP's cheat sheet has.
        private const long MaximumWork = 1 << 22;

        public override string? MissingLibrary => ScryptLibrary.IsAvailable ? null : ScryptLibrary.Name;

        public override string Phc => $"scrypt$ln={LogCost},r={BlockSize},p={Lanes}";

        public override bool TryDerive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, Span<byte> tag) =>
            ScryptLibrary.TryHash(password, salt, 1UL << LogCost, (ulong)BlockSize, (ulong)Lanes, tag);

        /// <summary>RFC 7914 section 2 bounds the cost by the block size; the libraries refuse what is beyond.</summary>
        internal static bool IsBearable(long logCost, long blockSize, long lanes) =>
            logCost is >= 1 and <= 22
            && blockSize is >= 1 and <= 256
            && lanes is >= 1 and <= 256
            && logCost < 16 * blockSize
            && 128 * blockSize * (1L << (int)logCost) <= MaximumMemory
            && blockSize * lanes * (1L << (int)logCost) <= MaximumWork;

        internal static Scrypt? From(string parameters) =>
            Pairs(parameters) is [("ln", var logCost), ("r", var blockSize), ("p", var lanes)] && IsBearable(logCost, blockSize, lanes)
                ? new(logCost, blockSize, lanes)
                : null;
    }

    /// <summary>The kinds of hash that are left to the C library.</summary>
    public enum CryptMethod
    {
        Bcrypt,
        Scrypt,
        Yescrypt,
    }

    /// <summary>A hash of the C library's <c>crypt</c>, which takes method, cost and salt from the hash itself.</summary>
    public sealed record Crypt(CryptMethod Method, string Setting) : PasswordAlgorithm
    {
        public override string? MissingLibrary => CryptLibrary.IsAvailable ? null : CryptLibrary.Name;

        /// <summary>There is no such form of it.</summary>
        public override string Phc => throw new NotSupportedException();

        public override bool TryDerive(ReadOnlySpan<byte> password, ReadOnlySpan<byte> salt, Span<byte> tag) =>
            CryptLibrary.TryHash(password, Setting, tag);

        /// <summary>Not the setting: it is the hash.</summary>
        public override string ToString() => $"crypt ({Method})";
    }
}
