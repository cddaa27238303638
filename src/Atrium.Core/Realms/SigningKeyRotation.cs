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

    /// <param name="keys">The keys of the realm that no other has replaced.</param>
    /// <param name="made">
    /// Keys of each algorithm that is to be rotated. The first becomes the next one; where no next one was published before, it signs at once, and
    /// the second becomes the next.
    /// </param>
    public static SigningKeyRotation Of(IReadOnlyList<SigningKey> keys, IReadOnlyList<SigningKey> made, DateTimeOffset now)
    {
        List<SigningKey> changed = [], added = [];
        foreach (IGrouping<string, SigningKey> ofAlgorithm in made.GroupBy(static key => key.Algorithm))
        {
            SigningKey[] current = [.. keys.Where(key => key.Algorithm == ofAlgorithm.Key)];
            changed.AddRange(current.Where(static key => key.ActivatedAt is not null).Select(key => key with { ReplacedAt = now }));
            SigningKey[] next = [.. current.Where(static key => key.ActivatedAt is null), .. ofAlgorithm];
            SigningKey activated = next[0] with { ActivatedAt = now };
            (current.Contains(next[0]) ? changed : added).Add(activated);
            if (next.Length > 1 && !current.Contains(next[1]))
                added.Add(next[1]);
        }

        return new(changed, added);
    }
}
