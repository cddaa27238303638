using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Atrium.Core.Users;

/// <summary>
/// Time-based one-time passwords (RFC 6238) in the one form that every authenticator app speaks: HMAC-SHA-1, six digits,
/// a new code every 30 seconds.
/// </summary>
public static class Totp
{
    /// <summary>The length of a new secret in bytes: the output of SHA-1, as RFC 4226 section 4 recommends.</summary>
    public const int SecretLength = 20;

    private const int Digits = 6;
    private const int Modulus = 1_000_000;
    private const int StepSeconds = 30;

    // RFC 6238 section 5.2: one step either way for a slow person or a clock that is a little off.
    private const int Window = 1;

    /// <summary>
    /// The step whose code this is, or null. A step is good for one sign-in (RFC 6238 section 5.2, OWASP ASVS 6.5.1): the
    /// caller keeps the answer and passes it as <paramref name="lastUsedStep"/> the next time.
    /// </summary>
    /// <param name="code">Six ASCII digits; spaces between them are fine, since apps show the code in two groups.</param>
    public static long? Match(ReadOnlySpan<byte> secret, string code, DateTimeOffset now, long? lastUsedStep)
    {
        var typed = code.Replace(" ", "");
        if (typed.Length != Digits || !typed.All(char.IsAsciiDigit))
            return null;

        var given = Encoding.ASCII.GetBytes(typed);
        long? matched = null;
        // Every candidate is computed and compared, so that the time tells nothing. Should two steps have the same code,
        // the later one counts: spending the earlier one would leave the code good for a second use.
        for (var step = StepAt(now) - Window; step <= StepAt(now) + Window; step++)
        {
            var equal = CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(CodeOf(secret, step)), given);
            if (equal && step > (lastUsedStep ?? long.MinValue))
                matched = step;
        }
        return matched;
    }

    /// <summary>The code that an authenticator shows at this moment.</summary>
    public static string Code(ReadOnlySpan<byte> secret, DateTimeOffset now) => CodeOf(secret, StepAt(now));

    /// <summary>
    /// What the QR code says: <c>otpauth://totp/issuer:account?secret=...</c>. The first colon ends the issuer, so the
    /// names themselves lose theirs.
    /// </summary>
    public static string Uri(string issuer, string account, ReadOnlySpan<byte> secret)
    {
        var escapedIssuer = Escape(issuer);
        return $"otpauth://totp/{escapedIssuer}:{Escape(account)}?secret={Base32.Encode(secret)}&issuer={escapedIssuer}"
            + $"&algorithm=SHA1&digits={Digits}&period={StepSeconds}";

        static string Escape(string name) => System.Uri.EscapeDataString(name.Replace(":", ""));
    }

    private static long StepAt(DateTimeOffset now) => now.ToUnixTimeSeconds() / StepSeconds;

    [SuppressMessage("Security", "CA5350", Justification = "RFC 4226 is defined over HMAC-SHA-1, which collisions of SHA-1 do not weaken.")]
    private static string CodeOf(ReadOnlySpan<byte> secret, long step)
    {
        Span<byte> counter = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> mac = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(secret, counter, mac);

        // Dynamic truncation, RFC 4226 section 5.3.
        var offset = mac[^1] & 0x0F;
        var number = BinaryPrimitives.ReadInt32BigEndian(mac[offset..]) & int.MaxValue;
        return (number % Modulus).ToString("D6");
    }
}
