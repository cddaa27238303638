using System.Security.Cryptography;
using System.Text;
using Atrium.Core;
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

    private const int PerAccountAndAddress = 30;
    private const int PerAccount = 100;
    private const int PerAddress = 500;

    /// <summary>How long to wait before another guess is heard; null when one may be made now.</summary>
    /// <param name="account">What was typed, known or not: the answer must not tell which.</param>
    /// <param name="address">The person's address; null when only the product's back end is known.</param>
    public async Task<TimeSpan?> WaitAsync(Id<Realm> realm, string account, string? address, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        (SecretHash Target, int Limit)[] watched = [.. Watched(account, address)];
        IReadOnlyDictionary<SecretHash, long> counts = await guesses.CountAsync(
            realm, [.. watched.Select(static entry => entry.Target)], now - Window, cancellationToken);
        return watched.Any(entry => counts.GetValueOrDefault(entry.Target) >= entry.Limit) ? Bucket : null;
    }

    public Task FailedAsync(Id<Realm> realm, string account, string? address, CancellationToken cancellationToken)
    {
        long now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        DateTimeOffset bucket = DateTimeOffset.FromUnixTimeMilliseconds(now - (now % (long)Bucket.TotalMilliseconds));
        return guesses.AddAsync(realm, [.. Watched(account, address).Select(static entry => entry.Target)], bucket, cancellationToken);
    }

    private static IEnumerable<(SecretHash Target, int Limit)> Watched(string account, string? address)
    {
        string key = EmailAddress.Normalize(account);
        yield return (TargetOf("account", key), PerAccount);
        if (address is null)
            yield break;
        yield return (TargetOf("account+address", $"{key}\n{address}"), PerAccountAndAddress);
        yield return (TargetOf("address", address), PerAddress);
    }

    /// <summary>Hashed, so that what people typed by mistake, often a password, is stored nowhere.</summary>
    private static SecretHash TargetOf(string kind, string value) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}\n{value}")));
}
