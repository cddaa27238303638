using System.Collections.Concurrent;
using System.Threading.Channels;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Webhooks;
using Atrium.Server.Hosting;
using Atrium.Storage;

namespace Atrium.Server.Webhooks;

/// <summary>
/// Sends events to endpoints: when the log of a realm has grown, when an attempt is due, and now and then for what a node that died left behind.
/// Every node runs one; the database gives each piece of work to one of them. A single loop decides what begins, so that nothing here is locked.
/// </summary>
public sealed partial class WebhookDispatcher : BackgroundService
{
    /// <summary>Endpoints that are asked for their due deliveries side by side.</summary>
    private const int ClaimsAtOnce = 4;

    /// <summary>Work that another node left behind is found this late.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(15);

    /// <summary>What is due by the clock alone is looked for no more often than this.</summary>
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan AfterTrouble = TimeSpan.FromSeconds(2);

    /// <summary>After a stop, attempts under way have this long to end.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    private readonly WebhookFanOut fanOut;
    private readonly DeliveryStore deliveries;
    private readonly WebhookSender sender;
    private readonly PublicUrl publicUrl;
    private readonly TimeProvider clock;
    private readonly ILogger<WebhookDispatcher> log;

    private readonly Channel<Message> inbox = Channel.CreateUnbounded<Message>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource attempts = new();

    // What follows is the loop's alone.
    private readonly HashSet<Id<Realm>> grown = [];
    private readonly DeliveryLines lines = new();
    private bool looksEverywhere = true;
    private DateTimeOffset nextLook;

    public WebhookDispatcher(
        Database database, WebhookFanOut fanOut, DeliveryStore deliveries, WebhookSender sender, PublicUrl publicUrl, TimeProvider clock, ILogger<WebhookDispatcher> log)
    {
        this.fanOut = fanOut;
        this.deliveries = deliveries;
        this.sender = sender;
        this.publicUrl = publicUrl;
        this.clock = clock;
        this.log = log;
        database.Changes.Subscribe(Hear);
    }

    /// <summary>Looks at a realm now: something in it became due.</summary>
    public void Wake(Id<Realm> realm) => inbox.Writer.TryWrite(new Grown(realm));

    /// <summary>Looks at everything now.</summary>
    public void Wake() => inbox.Writer.TryWrite(new LookEverywhere());

    public override void Dispose()
    {
        attempts.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Messages name the realm by its address.
        await publicUrl.Known.WaitAsync(stoppingToken);
        try
        {
            while (true)
            {
                TimeSpan wait = await RoundAsync(stoppingToken);
                using CancellationTokenSource timer = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                timer.CancelAfter(wait);
                try
                {
                    Read(await inbox.Reader.ReadAsync(timer.Token));
                }
                catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
                {
                    // Time to look again.
                }

                while (inbox.Reader.TryRead(out Message? message))
                    Read(message);
            }
        }
        finally
        {
            attempts.CancelAfter(Farewell);
            while (lines.UnderWay > 0)
                Read(await inbox.Reader.ReadAsync(CancellationToken.None));
        }
    }

    /// <summary>Begins what can begin now; how long to wait then, unless there is news.</summary>
    private async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (looksEverywhere || clock.GetUtcNow() >= nextLook)
            {
                grown.UnionWith(await deliveries.RealmsBehindAsync(cancellationToken));
                await FanOutAsync(cancellationToken);
                nextLook = clock.GetUtcNow() + LongestWait;
                Note(await deliveries.DueAsync(realm: null, cancellationToken));
                looksEverywhere = false;
            }
            else
            {
                foreach (Id<Realm> realm in await FanOutAsync(cancellationToken))
                    Note(await deliveries.DueAsync(realm, cancellationToken));
            }

            await BeginAsync(cancellationToken);
        }
#pragma warning disable CA1031 // Whatever it was, it is tried again: what a background service throws ends the server.
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogFailed(e.Message);
            looksEverywhere = true;
            return AfterTrouble;
        }

        TimeSpan wait = nextLook - clock.GetUtcNow();
        return wait > ShortestWait ? wait : ShortestWait;
    }

    /// <summary>The realms whose log has grown, read to its end.</summary>
    private async Task<IReadOnlyList<Id<Realm>>> FanOutAsync(CancellationToken cancellationToken)
    {
        Id<Realm>[] realms = [.. grown];
        grown.Clear();
        foreach (Id<Realm> realm in realms)
        {
            try
            {
                await fanOut.RunAsync(realm, cancellationToken);
            }
#pragma warning disable CA1031 // What is wrong with one realm is not the others' matter; that it is behind is found again.
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogBehind(realm, e.Message);
            }
        }

        return realms;
    }

    /// <summary>Remembers which endpoints have something due, and when the next becomes due.</summary>
    private void Note(IReadOnlyList<DueDelivery> found)
    {
        DateTimeOffset now = clock.GetUtcNow();
        foreach (DueDelivery one in found)
        {
            if (one.At <= now)
                lines.AddDue(new EndpointKey(one.RealmId, one.WebhookId));
            else if (one.At < nextLook)
                nextLook = one.At;
        }
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        ConcurrentQueue<(EndpointKey Endpoint, ClaimedDeliveries Claimed)> taken = [];
        try
        {
            await Parallel.ForEachAsync(
                lines.Take(),
                new ParallelOptions { MaxDegreeOfParallelism = ClaimsAtOnce, CancellationToken = cancellationToken },
                async (one, cancellationToken) =>
                {
                    if (await ClaimAsync(one.Endpoint, one.Room, cancellationToken) is { } claimed)
                        taken.Enqueue((one.Endpoint, claimed));
                });
        }
        finally
        {
            // What is claimed is attempted, or nobody would for as long as the claim lasts.
            foreach ((EndpointKey endpoint, ClaimedDeliveries claimed) in taken)
                Begin(endpoint, claimed);
        }
    }

    private Task<ClaimedDeliveries?> ClaimAsync(EndpointKey endpoint, int count, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        return deliveries.ClaimAsync(
            endpoint.Realm, endpoint.Webhook, count, now, now + WebhookSender.Lease, Id<DeliveryClaim>.New(clock), cancellationToken);
    }

    private void Read(Message message)
    {
        switch (message)
        {
            case Grown one:
                grown.Add(one.Realm);
                break;
            case LookEverywhere:
                looksEverywhere = true;
                break;
            case Ended ended:
                lines.End(ended.Endpoint, ended.HasFailed);
                if (ended.Next < nextLook)
                    nextLook = ended.Next.Value;
                break;
        }
    }

    private void Begin(EndpointKey endpoint, ClaimedDeliveries claimed)
    {
        foreach (Delivery delivery in claimed.Deliveries)
        {
            lines.Begin(endpoint);
            _ = AttemptAsync(endpoint, claimed, delivery);
        }
    }

    private async Task AttemptAsync(EndpointKey endpoint, ClaimedDeliveries claimed, Delivery delivery)
    {
        DateTimeOffset? next = null;
        bool hasFailed = true;
        try
        {
            DeliveryDecision decision = await sender.SendAsync(claimed, delivery, attempts.Token);
            hasFailed = decision.Status != DeliveryStatus.Delivered;
            next = clock.GetUtcNow() + decision.Wait;
        }
        catch (OperationCanceledException)
        {
            await GiveBackAsync(claimed, delivery);
        }
#pragma warning disable CA1031 // The attempt was made and can't be written down: it is made again once the claim has ended, by whichever node.
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogNotWritten(delivery.Id, e.Message);
            next = clock.GetUtcNow() + WebhookSender.Lease;
        }

        inbox.Writer.TryWrite(new Ended(endpoint, hasFailed, next));
    }

    /// <summary>A server that stops leaves the attempt to the next, at once.</summary>
    private async Task GiveBackAsync(ClaimedDeliveries claimed, Delivery delivery)
    {
        try
        {
            await deliveries.GiveBackAsync(delivery, claimed.Claim, clock.GetUtcNow(), CancellationToken.None);
        }
        catch (DatabaseUnavailableException e)
        {
            LogNotWritten(delivery.Id, e.Message);
        }
    }

    private void Hear(Change change)
    {
        if (change.Kind == ChangeKind.Everything)
            Wake();
        else if (change.Kind == ChangeKind.Events && Id<Realm>.TryParse(change.Name, out Id<Realm> realm))
            Wake(realm);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Webhooks could not be looked after, and will be again soon: {Problem}")]
    private partial void LogFailed(string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The endpoints of realm {Realm} could not be told what happened, and will be soon: {Problem}")]
    private partial void LogBehind(Id<Realm> realm, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What came of an attempt of delivery {Delivery} could not be written down, and it will be sent again: {Problem}")]
    private partial void LogNotWritten(Id<Delivery> delivery, string problem);

    /// <summary>What the loop is told.</summary>
    private abstract record Message;

    private sealed record Grown(Id<Realm> Realm) : Message;

    private sealed record LookEverywhere : Message;

    private sealed record Ended(EndpointKey Endpoint, bool HasFailed, DateTimeOffset? Next) : Message;
}
