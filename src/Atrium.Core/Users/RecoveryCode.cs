using System.Security.Cryptography;

namespace Atrium.Core.Users;

/// <summary>
/// Codes that a person keeps apart from the authenticator app, for the day on which it is gone; each works once. They are as random as secrets are,
/// so a fast hash is enough (OWASP ASVS 6.5.2).
/// </summary>
public static class RecoveryCode
{
    /// <summary>How many there are at a time.</summary>
    public const int Count = 10;

    /// <summary>80 bits: more than anybody guesses, still short enough to be typed from paper.</summary>
    private const int Length = 10;

    private const int Group = 4;

    /// <summary>New ones, as they are shown: <c>abcd-efgh-2345-mnop</c>.</summary>
    public static IReadOnlyList<string> NewSet() => [.. Enumerable.Range(0, Count).Select(static _ => New())];

    /// <summary>What a code is stored as, whichever way it is typed: either case, with or without spaces and dashes. Null for what is no code.</summary>
    public static SecretHash? HashOf(string text) =>
        Base32.TryDecode(text.Replace("-", ""), out byte[]? bytes) && bytes.Length == Length ? new Secret(Base32.Encode(bytes)).Hash() : null;

    private static string New() =>
        string.Join('-', Base32.Encode(RandomNumberGenerator.GetBytes(Length)).ToLowerInvariant().Chunk(Group).Select(static group => new string(group)));
}

/// <summary>The codes that a person has left.</summary>
/// <param name="Unused">Those that were not used yet.</param>
/// <param name="MadeAt">When they were made; null where there are none.</param>
public sealed record RecoveryCodes(IReadOnlyList<SecretHash> Unused, DateTimeOffset? MadeAt)
{
    /// <summary>Whether this is one of them; each is compared, so that the time tells nothing.</summary>
    public bool Contains(SecretHash code) => Unused.Aggregate(false, (found, unused) => unused == code | found);
}
