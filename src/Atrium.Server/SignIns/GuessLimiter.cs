using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Storage;

namespace Atrium.Server.SignIns;

/// <summary>
/// Slows down guessing, and nothing else: only wrong answers count, in a sliding window, so nobody can lock a person out for good
/// (OWASP ASVS 6.1.1). An account is watched from one address, from everywhere together, and an address over all accounts.
/// </summary>
public sealed class GuessLimiter(GuessStore guesses, TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Bucket = TimeSpan.FromMinutes(1);

    /// <summary>Of an account from everywhere, of an account from one address, of an address over all accounts.</summary>
    private static readonly int[] Limits = [100, 30, 500];

    /// <summary>What to look at before a guess is heard.</summary>
    /// <param name="account">What was typed, known or not: the answer must not tell which.</param>
    /// <param name="address">The person's address; null when only the product's back end is known.</param>
    public GuessWatch WatchOf(Id<Realm> realm, string account, string? address) =>
        new(realm, [.. Watched(account, address)], clock.GetUtcNow() - Window);

    /// <summary>How long to wait before another guess is heard, after so many wrong ones; null when one may be made now.</summary>
    public static TimeSpan? WaitAfter(GuessWatch watch, IReadOnlyDictionary<SecretHash, long> counts) =>
        watch.Targets.Zip(Limits).Any(entry => counts.GetValueOrDefault(entry.First) >= entry.Second) ? Bucket : null;

    /// <summary>The same for a guess that nothing else is loaded for.</summary>
    public async Task<TimeSpan?> WaitAsync(Id<Realm> realm, string account, string? address, CancellationToken cancellationToken)
    {
        GuessWatch watch = WatchOf(realm, account, address);
        return WaitAfter(watch, await guesses.CountAsync(watch, cancellationToken));
    }

    /// <param name="told">What the log says of it; null where it says nothing.</param>
    public Task FailedAsync(Id<Realm> realm, string account, Origin origin, EventDraft? told, CancellationToken cancellationToken)
    {
        long now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        DateTimeOffset bucket = DateTimeOffset.FromUnixTimeMilliseconds(now - (now % (long)Bucket.TotalMilliseconds));
        return guesses.AddAsync(realm, [.. Watched(account, origin.IpAddress)], bucket, told, origin, cancellationToken);
    }

    /// <summary>In the order of the <see cref="Limits"/>.</summary>
    /// <param name="ofAddress">What is counted of an address over all accounts.</param>
    internal static IEnumerable<SecretHash> Watched(string account, string? address, string ofAddress = "address")
    {
        string key = EmailAddress.Normalize(account);
        yield return TargetOf("account", key);
        if (address is null)
            yield break;
        string network = NetworkOf(address);
        yield return TargetOf("account+address", $"{key}\n{network}");
        yield return TargetOf(ofAddress, network);
    }

    /// <summary>What is counted as one address: of IPv6 the first 64 bits, since everybody is given at least so many to choose the rest from (RFC 6177).</summary>
    private static string NetworkOf(string address)
    {
        if (!IPAddress.TryParse(address, out IPAddress? parsed) || parsed.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        return parsed.IsIPv4MappedToIPv6
            ? parsed.MapToIPv4().ToString()
            : new IPAddress([.. parsed.GetAddressBytes().Take(8), .. new byte[8]]).ToString();
    }

    /// <summary>Hashed, so that what people typed by mistake, often a password, is stored nowhere.</summary>
    private static SecretHash TargetOf(string kind, string value) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}\n{value}")));
}
