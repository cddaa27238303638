using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Atrium.Core.Tokens;

/// <summary>Proof key for code exchange (RFC 7636) with S256, the one method that keeps the verifier secret (RFC 9700 section 2.1.1).</summary>
public static class Pkce
{
    public const string Method = "S256";

    /// <summary>The base64url of a SHA-256 without padding.</summary>
    private const int ChallengeLength = 43;

    private const int MinVerifierLength = 43;
    private const int MaxVerifierLength = 128;

    /// <summary>RFC 7636 section 4.2.</summary>
    public static bool IsChallenge(string text) =>
        text.Length == ChallengeLength && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    /// <summary>RFC 7636 section 4.1.</summary>
    public static bool IsVerifier(string text) =>
        text.Length is >= MinVerifierLength and <= MaxVerifierLength
        && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_' or '~');

    /// <summary>RFC 7636 section 4.2.</summary>
    public static string ChallengeOf(string verifier) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));

    /// <summary>RFC 7636 section 4.6.</summary>
    public static bool Matches(string challenge, string? verifier) =>
        verifier is not null
        && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(challenge), Encoding.ASCII.GetBytes(ChallengeOf(verifier)));
}
