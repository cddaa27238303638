namespace Atrium.Storage;

/// <summary>
/// Tells whoever remembers something of the database when it was changed: by this process, and by others as long as the database passes on
/// what they say. It may stay silent, so nothing is remembered for longer than <see cref="MaxAge"/>.
/// </summary>
public sealed class ChangeFeed
{
    /// <summary>While others are heard: what remains is a connection that died without a sign.</summary>
    private static readonly TimeSpan WhileHearing = TimeSpan.FromSeconds(30);

    /// <summary>While they are not: a verb of the command line in another process, or another node, is noticed this late.</summary>
    private static readonly TimeSpan WhileDeaf = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private Action<Change>[] listeners = [];
    private volatile bool hearsOthers;

    /// <summary>How long a change made elsewhere may go unnoticed at most; what was remembered for longer is looked up again.</summary>
    public TimeSpan MaxAge => hearsOthers ? WhileHearing : WhileDeaf;

    /// <summary>Until what it returns is disposed of; a call that is under way then may still come.</summary>
    public IDisposable Subscribe(Action<Change> listener)
    {
        lock (gate)
            listeners = [.. listeners, listener];
        return new Subscription(this, listener);
    }

    internal void Tell(Change change)
    {
        foreach (Action<Change> listener in listeners)
            listener(change);
    }

    /// <summary>From now on others are heard. What they said before was missed, so nothing that is remembered can be relied on.</summary>
    internal void BeginHearing()
    {
        Tell(Change.OfEverything);
        hearsOthers = true;
    }

    internal void EndHearing() => hearsOthers = false;

    private sealed class Subscription(ChangeFeed feed, Action<Change> listener) : IDisposable
    {
        public void Dispose()
        {
            lock (feed.gate)
                feed.listeners = [.. feed.listeners.Where(other => !ReferenceEquals(other, listener))];
        }
    }
}
