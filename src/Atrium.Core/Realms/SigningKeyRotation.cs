namespace Atrium.Core.Realms;

/// <summary>
/// Lets the next key of each algorithm take the active one's place, and publishes a new next one.
/// </summary>
/// <param name="Changed">Keys of the realm that are not any more as they were.</param>
/// <param name="Added">Keys that are new.</param>
public sealed record SigningKeyRotation(IReadOnlyList<SigningKey> Changed, IReadOnlyList<SigningKey> Added)
{
    /// <summary>The keys that sign from now on.</summary>
    public IEnumerable<SigningKey> Activated => Changed.Concat(Added).Where(static key => key is { ActivatedAt: not null, ReplacedAt: null });

    /// <summary>What somebody asked for: every algorithm, at once.</summary>
    /// <param name="keys">The keys of the realm that no other has replaced.</param>
    /// <param name="made">
    /// Keys of each algorithm that is to be rotated. The first becomes the next one; where no next one was published before, it signs at once, and
    /// the second becomes the next. Of an algorithm that the realm has no key of yet, the first is published and does not sign: nothing waits for it.
    /// </param>
    public static SigningKeyRotation Of(IReadOnlyList<SigningKey> keys, IReadOnlyList<SigningKey> made, DateTimeOffset now)
    {
        List<SigningKey> changed = [], added = [];
        foreach ((SigningKey[] current, SigningKey[] fresh) in ByAlgorithm(keys, made))
        {
            if (current.Length == 0)
                added.Add(fresh[0]);
            else
                Rotate(current, fresh, now, changed, added);
        }

        return new(changed, added);
    }

    /// <summary>What time asks for: only what is due, so that of two who see it at once, the second changes nothing.</summary>
    /// <param name="keys">The keys of the realm that no other has replaced.</param>
    /// <param name="made">A key of each algorithm that may be due.</param>
    /// <param name="period">How long a key signs; null for ever.</param>
    public static SigningKeyRotation Due(IReadOnlyList<SigningKey> keys, IReadOnlyList<SigningKey> made, TimeSpan? period, DateTimeOffset now)
    {
        List<SigningKey> changed = [], added = [];
        foreach ((SigningKey[] current, SigningKey[] fresh) in ByAlgorithm(keys, made))
        {
            if (LacksNext(current))
                added.Add(fresh[0]);
            else if (IsOver(current, period, now))
                Rotate(current, fresh, now, changed, added);
        }

        return new(changed, added);
    }

    /// <summary>The algorithms of which a new key is due.</summary>
    public static IReadOnlyList<string> DueAlgorithms(
        IReadOnlyList<SigningKey> keys, IReadOnlyList<string> algorithms, TimeSpan? period, DateTimeOffset now) =>
    [
        .. algorithms.Where(algorithm =>
        {
            SigningKey[] current = [.. keys.Where(key => key.Algorithm == algorithm)];
            return LacksNext(current) || IsOver(current, period, now);
        }),
    ];

    private static IEnumerable<(SigningKey[] Current, SigningKey[] Fresh)> ByAlgorithm(IReadOnlyList<SigningKey> keys, IReadOnlyList<SigningKey> made) =>
        made.GroupBy(static key => key.Algorithm).Select(fresh => (keys.Where(key => key.Algorithm == fresh.Key).ToArray(), fresh.ToArray()));

    private static bool LacksNext(SigningKey[] current) => current.All(static key => key.ActivatedAt is not null);

    /// <summary>The next key has been published for long enough, and the active one has signed for long enough, or there is none.</summary>
    private static bool IsOver(SigningKey[] current, TimeSpan? period, DateTimeOffset now) =>
        current.Where(static key => key.ActivatedAt is null).Min(static key => key.CreatedAt) + SigningKey.Notice <= now
        && current.Where(static key => key.ActivatedAt is not null).All(active => active.ActivatedAt + period <= now);

    private static void Rotate(SigningKey[] current, SigningKey[] fresh, DateTimeOffset now, List<SigningKey> changed, List<SigningKey> added)
    {
        changed.AddRange(current.Where(static key => key.ActivatedAt is not null).Select(key => key with { ReplacedAt = now }));
        SigningKey[] next = [.. current.Where(static key => key.ActivatedAt is null), .. fresh];
        SigningKey activated = next[0] with { ActivatedAt = now };
        (current.Contains(next[0]) ? changed : added).Add(activated);
        if (next.Length > 1 && !current.Contains(next[1]))
            added.Add(next[1]);
    }
}
