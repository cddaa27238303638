using System.Collections.Concurrent;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.Webhooks;
using Atrium.Storage;
using Dapper;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>Deliveries are made once, claimed by one, and go in the order of their subject.</summary>
public abstract partial class StoreContract
{
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private long lastPosition;

    private WebhookStore Webhooks => new(Database);

    private DeliveryStore Deliveries => new(Database);

    [Fact]
    public async Task What_was_read_of_the_log_is_read_once()
    {
        Webhook webhook = await MakeWebhook();
        bool[] moved = await AtOnce(_ => Deliveries.FanOutAsync(Realm.Id, 0, 1, [NewDelivery(webhook, "usr_1")], Now, None));
        moved.Count(static one => one).ShouldBe(1);
        (await CountAsync("webhook_deliveries")).ShouldBe(1);
        (await Deliveries.FanOutFactsAsync(Realm.Id, None))!.Position.ShouldBe(1);
        (await Deliveries.FanOutFactsAsync(Other.Id, None)).ShouldBeNull("it never had an endpoint");
    }

    [Fact]
    public async Task A_delivery_is_claimed_by_one()
    {
        Webhook webhook = await MakeWebhook();
        await FanOut([.. Enumerable.Range(0, 30).Select(i => NewDelivery(webhook, $"usr_{i}"))]);
        ClaimedDeliveries?[] claims = await AtOnce(_ => Claim(webhook, 3));
        Id<Delivery>[] claimed = [.. claims.SelectMany(static claim => claim?.Deliveries ?? []).Select(static delivery => delivery.Id)];
        claimed.Distinct().Count().ShouldBe(claimed.Length);
        claims.ShouldAllBe(static claim => claim == null || claim.Deliveries.Count <= 3);
        while (await Claim(webhook, 3) is { } more)
            claimed = [.. claimed, .. more.Deliveries.Select(static delivery => delivery.Id)];
        claimed.Distinct().Count().ShouldBe(30);
    }

    [Fact]
    public async Task What_a_node_had_claimed_that_died_is_claimed_again_and_the_dead_decide_nothing()
    {
        Webhook webhook = await MakeWebhook();
        await FanOut(NewDelivery(webhook, "usr_1"));
        ClaimedDeliveries dead = (await Claim(webhook, 8))!;
        Clock.Advance(Lease - TimeSpan.FromMilliseconds(1));
        (await Claim(webhook, 8)).ShouldBeNull();
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        ClaimedDeliveries alive = (await Claim(webhook, 8))!;
        alive.Deliveries.ShouldHaveSingleItem().Id.ShouldBe(dead.Deliveries[0].Id);

        await Record(dead, new DeliveryDecision(DeliveryStatus.Failed));
        await Deliveries.GiveBackAsync(dead.Deliveries[0], dead.Claim, Now, None);
        (await Find(alive)).Status.ShouldBe(DeliveryStatus.Pending);
        (await Claim(webhook, 8)).ShouldBeNull();
        await Record(alive, new DeliveryDecision(DeliveryStatus.Delivered));
        (await Find(alive)).Status.ShouldBe(DeliveryStatus.Delivered);
        (await new DeliveryLogStore(Database).FindAsync(Realm.Id, webhook.Id, alive.Deliveries[0].Id, None))!.Value.Attempts.Count.ShouldBe(2, "both attempts were made");
    }

    [Fact]
    public async Task What_is_given_back_is_due_at_once()
    {
        Webhook webhook = await MakeWebhook();
        await FanOut(NewDelivery(webhook, "usr_1"));
        ClaimedDeliveries claimed = (await Claim(webhook, 8))!;
        await Deliveries.GiveBackAsync(claimed.Deliveries[0], claimed.Claim, Now, None);
        (await Claim(webhook, 8)).ShouldNotBeNull();
    }

    [Fact]
    public async Task However_many_nodes_are_at_it_no_delivery_overtakes_another_of_its_subject_and_none_is_left_waiting()
    {
        const int subjects = 3, each = 12;
        Webhook webhook = await MakeWebhook();
        ConcurrentQueue<(string Subject, long Position)> sent = [];
        bool allAreThere = false;
        Task nodes = AtOnce(
            async _ =>
            {
                while (!Volatile.Read(ref allAreThere) || await CountPending() > 0)
                {
                    if (await Claim(webhook, 2) is not { } claimed)
                        continue;
                    foreach (Delivery delivery in claimed.Deliveries)
                    {
                        sent.Enqueue((delivery.Subject, delivery.Position));
                        await Record(claimed, delivery, new DeliveryDecision(DeliveryStatus.Delivered));
                    }
                }

                return true;
            },
            times: 4);
        for (int i = 0; i < each; i++)
            await FanOut([.. Enumerable.Range(0, subjects).Select(subject => NewDelivery(webhook, $"usr_{subject}"))]);
        Volatile.Write(ref allAreThere, true);
        await nodes.WaitAsync(TimeSpan.FromMinutes(1));
        sent.Count.ShouldBe(subjects * each);
        foreach (IGrouping<string, (string Subject, long Position)> subject in sent.GroupBy(static one => one.Subject))
            subject.Select(static one => one.Position).ShouldBeInOrder();
    }

    [Fact]
    public async Task A_disabled_endpoint_gets_nothing_and_makes_nobody_look()
    {
        Webhook webhook = await MakeWebhook();
        await FanOut(NewDelivery(webhook, "usr_1"));
        (await Deliveries.DueAsync(realm: null, None)).ShouldHaveSingleItem().At.ShouldBe(Now);
        (await Deliveries.DueAsync(Other.Id, None)).ShouldBeEmpty();
        await Webhooks.ChangeAsync(Realm.Id, webhook.Id, static current => current with { Status = WebhookStatus.Disabled }, Origin.System, None);
        (await Deliveries.DueAsync(realm: null, None)).ShouldBeEmpty();
        (await Claim(webhook, 8)).ShouldBeNull();
        await FanOut(NewDelivery(webhook, "usr_2"));
        (await CountAsync("webhook_deliveries")).ShouldBe(1);
        await Webhooks.ChangeAsync(Realm.Id, webhook.Id, static current => current with { Status = WebhookStatus.Active }, Origin.System, None);
        (await Claim(webhook, 8)).ShouldNotBeNull("what was on its way before goes on");
    }

    [Fact]
    public async Task A_paused_endpoint_is_due_when_the_pause_is_over()
    {
        Webhook webhook = await MakeWebhook();
        await FanOut(NewDelivery(webhook, "usr_1"), NewDelivery(webhook, "usr_2"));
        ClaimedDeliveries claimed = (await Claim(webhook, 1))!;
        await Record(claimed, new DeliveryDecision(DeliveryStatus.Pending, TimeSpan.FromHours(1), TimeSpan.FromMinutes(2)));
        (await Claim(webhook, 8)).ShouldBeNull();
        (await Deliveries.DueAsync(Realm.Id, None)).ShouldHaveSingleItem().At.ShouldBe(Now.AddMinutes(2));
        Clock.Advance(TimeSpan.FromMinutes(2));
        (await Claim(webhook, 8)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_realm_is_behind_while_its_log_has_more_than_its_active_endpoints_were_told()
    {
        Webhook webhook = await MakeWebhook();
        (await Deliveries.RealmsBehindAsync(None)).ShouldBeEmpty();
        await new EventStore(Database).SequenceAsync(Realm.Id, None);
        (await Deliveries.RealmsBehindAsync(None)).ShouldBe([Realm.Id]);
        long end = (await Events.ReadAsync(Realm.Id, after: 0, limit: 100, None))[^1].Position;
        (await Deliveries.FanOutAsync(Realm.Id, 0, end, [], Now, None)).ShouldBeTrue();
        (await Deliveries.RealmsBehindAsync(None)).ShouldBeEmpty();
        await Webhooks.RotateSecretAsync(NewSecret(webhook, endsAt: null), Now, Origin.System, None);
        await new EventStore(Database).SequenceAsync(Realm.Id, None);
        (await Deliveries.RealmsBehindAsync(None)).ShouldBe([Realm.Id]);
        await Webhooks.DeleteAsync(Realm.Id, webhook.Id, static _ => true, Origin.System, None);
        (await Deliveries.RealmsBehindAsync(None)).ShouldBeEmpty("nobody is left to be told");
    }

    private async Task<Webhook> MakeWebhook(DateTimeOffset? secretEndsAt = null)
    {
        Webhook webhook = new()
        {
            RealmId = Realm.Id,
            Id = Id<Webhook>.New(Clock),
            Name = "Test",
            Url = "https://hooks.example.com/",
            Events = ["*"],
            Dialect = WebhookDialect.Cloudevents,
            Status = WebhookStatus.Active,
            CreatedAt = Now,
            UpdatedAt = Now,
        };
        await Webhooks.CreateAsync(webhook, NewSecret(webhook, secretEndsAt), Origin.System, None);
        (await Webhooks.FindAsync(Other.Id, webhook.Id, None)).ShouldBeNull();
        Webhook found = (await Webhooks.FindAsync(Realm.Id, webhook.Id, None)).ShouldNotBeNull();
        (found with { Events = webhook.Events }).ShouldBe(webhook);
        return found;
    }

    private WebhookSecret NewSecret(Webhook webhook, DateTimeOffset? endsAt) => new()
    {
        RealmId = webhook.RealmId, Id = Id<WebhookSecret>.New(Clock), WebhookId = webhook.Id, SealedSecret = [1, 2, 3], CreatedAt = Now, ExpiresAt = endsAt,
    };

    private Delivery NewDelivery(Webhook webhook, string subject) => new()
    {
        RealmId = webhook.RealmId,
        Id = Id<Delivery>.New(Clock),
        WebhookId = webhook.Id,
        EventId = Id<Event>.New(Clock),
        Position = Interlocked.Increment(ref lastPosition),
        Type = EventTypes.UserUpdated,
        Subject = subject,
        Dialect = webhook.Dialect,
        Body = "{\"é\":1}",
        CreatedAt = Now,
    };

    private async Task FanOut(params Delivery[] deliveries)
    {
        long from = (await Deliveries.FanOutFactsAsync(Realm.Id, None))!.Position;
        (await Deliveries.FanOutAsync(Realm.Id, from, from + 1, deliveries, Now, None)).ShouldBeTrue();
    }

    private Task<ClaimedDeliveries?> Claim(Webhook webhook, int count) =>
        Deliveries.ClaimAsync(Realm.Id, webhook.Id, count, Now, Now + Lease, Id<DeliveryClaim>.New(Clock), None);

    private Task Record(ClaimedDeliveries claimed, DeliveryDecision decision) => Record(claimed, claimed.Deliveries[0], decision);

    private Task Record(ClaimedDeliveries claimed, Delivery delivery, DeliveryDecision decision) => Deliveries.RecordAsync(
        delivery, claimed.Claim, new DeliveryAttempt { StartedAt = Now, DurationMs = 1, StatusCode = 500, Answer = "é" }, decision, "Gone.", Now, None);

    private async Task<Delivery> Find(ClaimedDeliveries claimed) =>
        (await new DeliveryLogStore(Database).FindAsync(Realm.Id, claimed.Webhook.Id, claimed.Deliveries[0].Id, None))!.Value.Delivery;

    private Task<long> CountPending() => Database.QueryAsync(
        static connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM webhook_deliveries WHERE status = 'Pending'"), None);
}
