using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Server.SignIns;

/// <summary>
/// Keeps strangers from filling a mailbox with codes, and from sending many people one. Letters are counted in a sliding window, to whomever they
/// went or not: a mailbox from one address, a mailbox from everywhere, an address over all mailboxes.
/// </summary>
public sealed class MailLimiter(GuessStore counts, TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(30);
    private static readonly TimeSpan Bucket = TimeSpan.FromMinutes(1);

    /// <summary>Of a mailbox from everywhere, of a mailbox from one address, of an address over all mailboxes.</summary>
    private static readonly int[] Limits = [15, 6, 150];

    /// <summary>Counts a letter that is about to be written; how long to wait where there were too many, and nothing is counted then.</summary>
    public async Task<TimeSpan?> TakeAsync(Id<Realm> realm, string mailbox, string? address, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        GuessWatch watch = new(realm, [.. GuessLimiter.Watched($"mail to {mailbox}", address, "mail from")], now - Window);
        if (Exceeds(await counts.CountAsync(watch, cancellationToken), allowed: 0))
            return Window;
        await counts.AddAsync(realm, watch.Targets, now.AddTicks(-(now.Ticks % Bucket.Ticks)), told: null, Origin.System, cancellationToken);

        // Those who ask at once were all let in before any of them counted; those that are too many write no letter.
        return Exceeds(await counts.CountAsync(watch, cancellationToken), allowed: 1) ? Window : null;

        bool Exceeds(IReadOnlyDictionary<SecretHash, long> had, int allowed) =>
            watch.Targets.Zip(Limits).Any(entry => had.GetValueOrDefault(entry.First) >= entry.Second + allowed);
    }
}
