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
                    await SequenceAsync(realm, stoppingToken);
            }
#pragma warning disable CA1031 // Whatever it was, what happened is written down and gets its place later: what a background service throws ends the server.
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogFailed(logger, e.Message);
            }
        }
    }

    private async Task SequenceAsync(Id<Realm> realm, CancellationToken cancellationToken)
    {
        fresh.TryRemove(realm, out _);
        try
        {
            await events.SequenceAsync(realm, cancellationToken);
        }
#pragma warning disable CA1031 // What is wrong with one realm is not the others' matter; that it waits is found again.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogWaiting(logger, realm, e.Message);
        }
    }

    /// <summary>Whether something of this node's is fresh; false once it is time to look after the others.</summary>
    private async Task<bool> HeardAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = new(LookAfterOthers, clock);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await heard.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What happened waits for its place in the log, in every realm: {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What happened in realm {Realm} waits for its place in the log: {Reason}")]
    private static partial void LogWaiting(ILogger logger, Id<Realm> realm, string reason);
}
