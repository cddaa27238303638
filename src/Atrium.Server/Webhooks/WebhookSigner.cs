using System.Security.Cryptography;
using System.Text;
using Atrium.Core;
using Atrium.Core.Webhooks;

namespace Atrium.Server.Webhooks;

/// <summary>Signs messages, in the way of each dialect.</summary>
public static class WebhookSigner
{
    private const string Prefix = "whsec_";

    /// <summary>Standard Webhooks 1.0 wants 24 to 64 bytes, in base64 behind the prefix.</summary>
    public static Secret NewSecret() => new(Prefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));

    /// <summary>The headers that an attempt is sent with.</summary>
    /// <param name="secrets">Those that are valid, the newest first; one at least.</param>
    public static IEnumerable<(string Name, string Value)> Headers(Delivery delivery, IReadOnlyList<string> secrets, DateTimeOffset now) =>
        delivery.Dialect == WebhookDialect.Authkit ? AuthKit(delivery, secrets, now) : Standard(delivery, secrets, now);

    /// <summary>Standard Webhooks 1.0, "signature scheme": one signature for each secret, so that the receiver may know either.</summary>
    private static IEnumerable<(string Name, string Value)> Standard(Delivery delivery, IReadOnlyList<string> secrets, DateTimeOffset now)
    {
        long timestamp = now.ToUnixTimeSeconds();
        byte[] signed = Encoding.UTF8.GetBytes($"{delivery.EventId}.{timestamp}.{delivery.Body}");
        yield return ("webhook-id", delivery.EventId.ToString());
        yield return ("webhook-timestamp", $"{timestamp}");
        yield return ("webhook-signature", string.Join(' ', secrets.Select(secret =>
            "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret[Prefix.Length..]), signed)))));
    }

    /// <summary>
    /// WorkOS's header has room for one signature, and its SDKs refuse more. Where two secrets are valid, the attempts take turns: a receiver that
    /// still knows the old one refuses the first attempt, and takes the second a few seconds later.
    /// </summary>
    private static IEnumerable<(string Name, string Value)> AuthKit(Delivery delivery, IReadOnlyList<string> secrets, DateTimeOffset now)
    {
        long timestamp = now.ToUnixTimeMilliseconds();
        string secret = secrets[delivery.Tries % secrets.Count];
        byte[] signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{timestamp}.{delivery.Body}"));
        yield return ("WorkOS-Signature", $"t={timestamp}, v1={Convert.ToHexStringLower(signature)}");
    }
}
