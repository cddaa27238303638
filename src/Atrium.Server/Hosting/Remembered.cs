using System.Collections.Concurrent;
using Atrium.Storage;

namespace Atrium.Server.Hosting;

/// <summary>
/// What the database said under a name, remembered until it is told that this changed, and never for longer than
/// <see cref="ChangeFeed.MaxAge"/>. Only what was found is remembered: a name that does not exist yet must work the moment it does.
/// </summary>
public sealed class Remembered<TName, T>(ChangeFeed changes, TimeProvider clock, Func<TName, CancellationToken, Task<T?>> find)
    where TName : notnull
    where T : class
{
    /// <summary>Names that exist are few; beyond this many the oldest knowledge is dropped whole.</summary>
    private const int Capacity = 10_000;

    private readonly ConcurrentDictionary<TName, (T Value, long At)> known = new();
    private long forgotten;

    public ValueTask<T?> GetAsync(TName name, CancellationToken cancellationToken) =>
        known.TryGetValue(name, out (T Value, long At) entry) && clock.GetElapsedTime(entry.At) < changes.MaxAge
            ? new(entry.Value)
            : new(FindAsync(name, cancellationToken));

    public void Forget(TName name)
    {
        Interlocked.Increment(ref forgotten);
        known.TryRemove(name, out _);
    }

    public void ForgetAll()
    {
        Interlocked.Increment(ref forgotten);
        known.Clear();
    }

    private async Task<T?> FindAsync(TName name, CancellationToken cancellationToken)
    {
        long before = Interlocked.Read(ref forgotten);
        long now = clock.GetTimestamp();
        T? found = await find(name, cancellationToken);
        if (found is null)
        {
            known.TryRemove(name, out _);
            return null;
        }

        if (known.Count >= Capacity)
            known.Clear();
        known[name] = (found, now);

        // Something changed while we looked, and it may be this: what was found is good for this once.
        if (Interlocked.Read(ref forgotten) != before)
            known.TryRemove(name, out _);
        return found;
    }
}
