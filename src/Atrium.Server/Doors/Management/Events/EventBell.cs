using System.Threading.Channels;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Events;

/// <summary>Rings when a realm's log grows, here or by another node; it has been listening since it was made.</summary>
internal sealed class EventBell : IDisposable
{
    /// <summary>However often it rang, it is heard once.</summary>
    private readonly Channel<bool> rung = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private readonly IDisposable subscription;

    public EventBell(ChangeFeed changes, Id<Realm> realm)
    {
        string name = realm.ToString();
        subscription = changes.Subscribe(change =>
        {
            if (change.Kind == ChangeKind.Everything || (change.Kind is ChangeKind.Events or ChangeKind.FreshEvents && change.Name == name))
                rung.Writer.TryWrite(true);
        });
    }

    /// <summary>Whether it rings in this time.</summary>
    public async Task<bool> RingsAsync(TimeSpan within, TimeProvider clock, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = new(within, clock);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await rung.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose() => subscription.Dispose();
}
