using System.Collections.Concurrent;
using System.Threading.Channels;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Server.Events;

/// <summary>
/// Gives what happened its place in the log, right after the commit: of this node's changes it hears at once, and it looks after those that
/// another node left behind.
/// </summary>
public sealed partial class EventSequencer : BackgroundService
{
    private static readonly TimeSpan LookAfterOthers = TimeSpan.FromSeconds(2);

    private readonly EventStore events;
    private readonly TimeProvider clock;
    private readonly ILogger<EventSequencer> logger;
    private readonly ConcurrentDictionary<Id<Realm>, bool> fresh = new();
    private readonly Channel<bool> heard = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public EventSequencer(EventStore events, Database database, TimeProvider clock, ILogger<EventSequencer> logger)
    {
        this.events = events;
        this.clock = clock;
        this.logger = logger;
        database.Changes.Subscribe(change =>
        {
            if (change.Kind == ChangeKind.FreshEvents && Id<Realm>.Parse(change.Name) is { } realm && fresh.TryAdd(realm, true))
                heard.Writer.TryWrite(true);
        });
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            bool isOwn = await HeardAsync(stoppingToken);
            try
            {
                foreach (Id<Realm> realm in isOwn ? [.. fresh.Keys] : await events.RealmsWithFreshAsync(stoppingToken))
                {
                    fresh.TryRemove(realm, out _);
                    await events.SequenceAsync(realm, stoppingToken);
                }
            }
            catch (DatabaseUnavailableException e)
            {
                // What happened is written down: it gets its place when the database is back.
                LogUnavailable(logger, e.Message);
            }
        }
    }

    /// <summary>Whether something of this node's is fresh; false once it is time to look after the others.</summary>
    private async Task<bool> HeardAsync(CancellationToken cancellationToken)
    {
        try
        {
            await heard.Reader.WaitToReadAsync(cancellationToken).AsTask().WaitAsync(LookAfterOthers, clock, cancellationToken);
            return heard.Reader.TryRead(out _);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What happened waits for its place in the log: {Reason}")]
    private static partial void LogUnavailable(ILogger logger, string reason);
}
