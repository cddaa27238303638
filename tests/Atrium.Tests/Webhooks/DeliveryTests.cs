using System.Diagnostics;
using System.Text.Json;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;
using static Atrium.Tests.Webhooks.WebhookCalls;

namespace Atrium.Tests.Webhooks;

/// <summary>What happens is told to whoever wants to know it: soon, in order, again until it is taken, and signed.</summary>
public abstract class DeliveryTests(DemoServer server) : IAsyncLifetime
{
    private readonly WebhookCalls webhooks = new(server);
    private WebhookReceiver receiver = null!;

    public async ValueTask InitializeAsync() => receiver = await WebhookReceiver.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await webhooks.DisposeAsync();
        await receiver.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task The_first_attempt_comes_within_a_second_of_the_change_and_is_signed()
    {
        (string id, string secret) = await webhooks.EndpointAsync(receiver.Url, events: "api_key.created");
        TimeSpan fastest = TimeSpan.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            ManagementAnswer key = (await webhooks.Api.PostAsync("/api-keys", new { name = $"Told {i}", scopes = new[] { "events:read" } })).Expect(201);
            long answered = Stopwatch.GetTimestamp();
            ReceivedMessage message = await receiver.NextAsync();
            TimeSpan took = Stopwatch.GetElapsedTime(answered);
            fastest = took < fastest ? took : fastest;
            IsSigned(message, secret).ShouldBeTrue();
            message.Headers["Content-Type"].ShouldBe("application/json");
            message.Headers["webhook-id"].ShouldBe(message.EventId);
            message.Json.GetProperty("type").GetString().ShouldBe("api_key.created");
            message.Json.GetProperty("timestamp").GetDateTimeOffset().ShouldBe(server.Clock.GetUtcNow());
            message.Json.GetProperty("data").GetProperty("id").GetString().ShouldBe(key.Id);
            message.Json.GetProperty("actor").GetProperty("type").GetString().ShouldBe("api_key");
            message.Body.ShouldNotContain(key["secret"]!);
            message.Body.ShouldNotContain("127.0.0.1");
        }

        fastest.ShouldBeLessThan(TimeSpan.FromSeconds(1));
        IReadOnlyList<JsonElement> log = await webhooks.DeliveriesAsync(id, static all => all.Count == 5 && all.All(Is("delivered")));
        JsonElement attempt = log[0].GetProperty("attempts")[0];
        attempt.GetProperty("status_code").GetInt32().ShouldBe(204);
        log[0].GetProperty("request_body").GetString().ShouldBe(receiver.All.Last().Body);
    }

    [Fact]
    public async Task An_endpoint_is_told_what_it_asked_for_and_only_of_its_organization()
    {
        Organization northwind = await new World(server).OrganizationAsync("northwind");
        Organization contoso = await new World(server).OrganizationAsync("contoso");
        (string _, string _) = await webhooks.EndpointAsync(receiver.Url + "/one", organization: northwind.Id.ToString(), events: ["organization.*"]);
        await webhooks.HappenAsync(EventTypes.OrganizationUpdated, "org_contoso", organization: contoso.Id);
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_x", organization: northwind.Id);
        await webhooks.HappenAsync(EventTypes.OrganizationUpdated, "org_nobody");
        await webhooks.HappenAsync(EventTypes.MembershipUpdated, "mem_northwind", organization: northwind.Id);
        (await receiver.NextAsync()).Json.GetProperty("data").GetProperty("id").GetString().ShouldBe("mem_northwind");
        receiver.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_endpoint_hears_of_its_own_making_and_of_nothing_before()
    {
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_before");
        (string id, string secret) = await webhooks.EndpointAsync(receiver.Url);
        ReceivedMessage first = await receiver.NextAsync();
        first.Json.GetProperty("type").GetString().ShouldBe("webhook.created");
        first.Json.GetProperty("data").GetProperty("id").GetString().ShouldBe(id);
        first.Body.ShouldNotContain(secret);
    }

    [Fact]
    public async Task A_cloud_event_says_what_happened_where()
    {
        Organization northwind = await new World(server).OrganizationAsync("northwind");
        (string _, string secret) = await webhooks.EndpointAsync(receiver.Url, "cloudevents", events: "organization.membership.*");
        await webhooks.HappenAsync(EventTypes.MembershipCreated, "mem_1", organization: northwind.Id);
        ReceivedMessage message = await receiver.NextAsync();
        message.Headers["Content-Type"].ShouldBe("application/cloudevents+json");
        IsSigned(message, secret).ShouldBeTrue();
        JsonElement body = message.Json;
        Text("specversion").ShouldBe("1.0");
        Text("type").ShouldBe("organization.membership.created");
        Text("subject").ShouldBe("mem_1");
        Text("source").ShouldBe($"{server.Url}/t/acme");
        Text("datacontenttype").ShouldBe("application/json");
        Text("organizationid").ShouldBe(northwind.Id.ToString());
        body.TryGetProperty("userid", out _).ShouldBeFalse("an attribute is never null");
        body.GetProperty("data").GetProperty("id").GetString().ShouldBe("mem_1");
        body.EnumerateObject().ShouldAllBe(static attribute => attribute.Name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c)));

        string? Text(string name) => body.GetProperty(name).GetString();
    }

    [Fact]
    public async Task WorkOS_events_have_its_names_its_shapes_and_its_signature()
    {
        Organization northwind = await new World(server).OrganizationAsync("northwind");
        (string _, string secret) = await webhooks.EndpointAsync(receiver.Url, "authkit", events: "organization_membership.*");
        await webhooks.HappenAsync(
            EventTypes.MembershipUpdated,
            "mem_1",
            new { id = "mem_1", user_id = "usr_1", organization_id = "org_1", status = "suspended", scopes = new[] { "billing:write", "admin" }, created_at = 1780000000000, updated_at = 1780000001000 },
            northwind.Id);
        ReceivedMessage message = await receiver.NextAsync();
        IsSignedForAuthKit(message, secret).ShouldBeTrue();
        message.Headers.ShouldNotContainKey("webhook-id");
        message.Json.GetProperty("object").GetString().ShouldBe("event");
        message.Json.GetProperty("event").GetString().ShouldBe("organization_membership.updated");
        JsonElement data = message.Json.GetProperty("data");
        data.GetProperty("object").GetString().ShouldBe("organization_membership");
        data.GetProperty("status").GetString().ShouldBe("inactive");
        data.GetProperty("role").GetProperty("slug").GetString().ShouldBe("admin", "billing:write names no role");
        data.GetProperty("created_at").GetString().ShouldBe("2026-05-28T20:26:40.000Z");
    }

    [Fact]
    public async Task An_organization_of_WorkOS_has_its_domains_in_it()
    {
        Organization northwind = await new World(server).OrganizationAsync("northwind");
        (string _, string _) = await webhooks.EndpointAsync(receiver.Url, "authkit", events: "organization.updated");
        await webhooks.HappenAsync(
            EventTypes.OrganizationSuspended, $"{northwind.Id}", new { id = $"{northwind.Id}", name = "Northwind", metadata = new { plan = "pro" } }, northwind.Id);
        JsonElement data = (await receiver.NextAsync()).Json.GetProperty("data");
        data.GetProperty("object").GetString().ShouldBe("organization");
        data.GetProperty("domains")[0].GetProperty("domain").GetString().ShouldBe("northwind.test");
        data.GetProperty("domains")[0].GetProperty("state").GetString().ShouldBe("verified");
        data.GetProperty("metadata").GetProperty("plan").GetString().ShouldBe("pro");
        data.GetProperty("external_id").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task What_WorkOS_has_no_event_for_is_not_sent_there()
    {
        (string id, string _) = await webhooks.EndpointAsync(receiver.Url, "authkit");
        await webhooks.HappenAsync(EventTypes.SignInOrganizationChosen, "usr_1");
        await webhooks.HappenAsync(EventTypes.UserDeleted, "usr_1", new { id = "usr_1", email = "x@example.test" });
        (await receiver.NextAsync()).Json.GetProperty("event").GetString().ShouldBe("user.deleted");
        (await webhooks.DeliveriesAsync(id, static all => all.Count == 1)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_message_that_is_not_taken_comes_again_on_the_schedule_until_it_is_given_up()
    {
        receiver.AnswerWith(500);
        (string id, string secret) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1");
        ReceivedMessage first = await receiver.NextAsync();
        TimeSpan[] waits =
        [
            TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5), TimeSpan.FromHours(10),
            TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
        ];
        foreach ((int index, TimeSpan wait) in waits.Index())
        {
            JsonElement waiting = await webhooks.DeliveryAsync(id, Tried(index + 1));
            long next = waiting.GetProperty("next_attempt_at").GetInt64() - server.Clock.GetUtcNow().ToUnixTimeMilliseconds();
            next.ShouldBeInRange((long)wait.TotalMilliseconds, (long)(wait * 1.2).TotalMilliseconds);
            webhooks.Pass(TimeSpan.FromMilliseconds(next));
            ReceivedMessage again = await receiver.NextAsync();
            again.Body.ShouldBe(first.Body);
            again.Headers["webhook-id"].ShouldBe(first.Headers["webhook-id"]);
            again.Headers["webhook-timestamp"].ShouldBe($"{server.Clock.GetUtcNow().ToUnixTimeSeconds()}");
            IsSigned(again, secret).ShouldBeTrue();
        }

        JsonElement given = await webhooks.DeliveryAsync(id, Is("failed"));
        given.GetProperty("attempts").GetArrayLength().ShouldBe(10);
        given.GetProperty("attempts")[9].GetProperty("answer_body").GetString().ShouldBe("status 500");
        given.GetProperty("next_attempt_at").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_redirect_is_a_failure_and_is_not_followed()
    {
        receiver.AnswerWith(302, ("Location", receiver.Url + "/elsewhere"));
        (string id, string _) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1");
        JsonElement delivery = await webhooks.DeliveryAsync(id, Tried(1));
        delivery.GetProperty("status").GetString().ShouldBe("pending");
        delivery.GetProperty("attempts")[0].GetProperty("status_code").GetInt32().ShouldBe(302);
        receiver.All.ShouldHaveSingleItem().Path.ShouldBe("/hooks");
    }

    [Fact]
    public async Task An_endpoint_that_is_gone_is_disabled_and_told_of_nothing_until_it_is_active_again()
    {
        await using WebhookReceiver other = await WebhookReceiver.StartAsync();
        (string _, string _) = await webhooks.EndpointAsync(other.Url, events: "webhook.disabled");
        receiver.AnswerWith(410);
        (string id, string _) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1");
        ReceivedMessage told = await other.NextAsync();
        told.Json.GetProperty("data").GetProperty("id").GetString().ShouldBe(id);
        ManagementAnswer disabled = (await webhooks.Api.GetAsync($"/webhooks/{id}")).Expect(200);
        disabled["status"].ShouldBe("disabled");
        disabled["status_reason"].ShouldBe("The endpoint answered 410 Gone.");
        JsonElement failed = await webhooks.DeliveryAsync(id, Is("failed"));
        string delivery = failed.GetProperty("id").GetString()!;
        (await webhooks.Api.PostAsync($"/deliveries/{delivery}/redeliver")).Expect(409, "conflict");

        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_meanwhile");
        receiver.AnswerWith(200);
        ManagementAnswer active = (await webhooks.Api.PatchAsync($"/webhooks/{id}", new { status = "active" })).Expect(200);
        active.Data.GetProperty("status_reason").ValueKind.ShouldBe(JsonValueKind.Null);
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_later");
        await receiver.NextAsync();
        (await receiver.NextAsync()).Json.GetProperty("data").GetProperty("id").GetString().ShouldBe("usr_later", "what happened meanwhile is not told later");
    }

    [Fact]
    public async Task An_endpoint_that_asks_to_wait_is_left_alone_and_nobody_else_is()
    {
        await using WebhookReceiver other = await WebhookReceiver.StartAsync();
        receiver.AnswerWith(503, ("Retry-After", "120"));
        (string id, string _) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        (string _, string _) = await webhooks.EndpointAsync(other.Url, events: "user.*");
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1");
        await other.NextAsync();
        JsonElement delivery = await webhooks.DeliveryAsync(id, Tried(1));
        (delivery.GetProperty("next_attempt_at").GetInt64() - server.Clock.GetUtcNow().ToUnixTimeMilliseconds()).ShouldBe(120_000);

        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_2");
        await other.NextAsync();
        (await webhooks.DeliveriesAsync(id, static all => all.Count == 2)).Count(Tried(0)).ShouldBe(1, "it waits too");
        receiver.All.Count.ShouldBe(1);
        receiver.AnswerWith(200);
        webhooks.Pass(TimeSpan.FromSeconds(120));
        await webhooks.DeliveriesAsync(id, static all => all.All(Is("delivered")));
    }

    [Fact]
    public async Task Deliveries_of_one_subject_go_one_after_the_other_and_hold_up_no_other_subject()
    {
        TaskCompletionSource answer = new();
        receiver.Answer = (message, _) => SubjectOf(message) == "usr_slow" ? answer.Task : Task.CompletedTask;
        (string id, string _) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        for (int i = 0; i < 3; i++)
            await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_slow", new { id = "usr_slow", number = i });
        (await receiver.NextAsync()).Json.GetProperty("data").GetProperty("number").GetInt32().ShouldBe(0);
        for (int i = 0; i < 3; i++)
            await webhooks.HappenAsync(EventTypes.UserUpdated, $"usr_{i}");
        for (int i = 0; i < 3; i++)
            SubjectOf(await receiver.NextAsync()).ShouldStartWith("usr_");
        receiver.All.Count(static message => SubjectOf(message) == "usr_slow").ShouldBe(1);
        answer.SetResult();
        await webhooks.DeliveriesAsync(id, static all => all.Count == 6 && all.All(Is("delivered")));
        receiver.All.Where(static message => SubjectOf(message) == "usr_slow").Select(static message => message.Json.GetProperty("data").GetProperty("number").GetInt32()).ShouldBe([0, 1, 2]);
    }

    [Fact]
    public async Task After_four_attempts_later_deliveries_of_the_subject_overtake()
    {
        receiver.Answer = static (message, context) =>
        {
            context.Response.StatusCode = message.Body.Contains("poison", StringComparison.Ordinal) ? 500 : 204;
            return Task.CompletedTask;
        };
        (string id, string _) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1", new { id = "usr_1", name = "poison" });
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1", new { id = "usr_1", name = "second" });
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1", new { id = "usr_1", name = "third" });
        for (int tries = 1; tries < 4; tries++)
        {
            IReadOnlyList<JsonElement> waiting = await webhooks.DeliveriesAsync(id, all => all.Count == 3 && Tried(tries)(all[2]));
            waiting.Take(2).ShouldAllBe(static delivery => delivery.GetProperty("next_attempt_at").ValueKind == JsonValueKind.Null);
            webhooks.Pass(TimeSpan.FromMinutes(40));
        }

        await webhooks.DeliveriesAsync(id, static all => Is("delivered")(all[0]) && Is("delivered")(all[1]) && Is("pending")(all[2]) && Tried(4)(all[2]));
        receiver.All.Select(static message => message.Json.GetProperty("data").GetProperty("name").GetString()).ShouldBe(["poison", "poison", "poison", "poison", "second", "third"]);
    }

    [Fact]
    public async Task An_endpoint_that_never_answers_holds_up_no_other()
    {
        await using WebhookReceiver other = await WebhookReceiver.StartAsync();
        receiver.Answer = static (_, context) => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        (string _, string _) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        (string id, string _) = await webhooks.EndpointAsync(other.Url, events: "user.*");
        for (int i = 0; i < 40; i++)
            await webhooks.HappenAsync(EventTypes.UserUpdated, $"usr_{i}");
        for (int i = 0; i < 40; i++)
            await other.NextAsync();
        await webhooks.DeliveriesAsync(id, static all => all.Count == 40 && all.All(Is("delivered")));
        receiver.All.Count.ShouldBeLessThanOrEqualTo(8);
    }

    [Fact]
    public async Task After_a_rotation_messages_are_signed_with_both_secrets_until_the_old_one_ends()
    {
        (string id, string old) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        ManagementAnswer rotated = (await webhooks.Api.PostAsync($"/webhooks/{id}/rotate-secret")).Expect(200);
        string fresh = rotated["secret"]!;
        fresh.ShouldNotBe(old);
        rotated.Data.GetProperty("old_secret_ends_at").GetInt64().ShouldBe(server.Clock.GetUtcNow().AddDays(1).ToUnixTimeMilliseconds());
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1");
        ReceivedMessage both = await receiver.NextAsync();
        IsSigned(both, old).ShouldBeTrue();
        IsSigned(both, fresh).ShouldBeTrue();
        both.Headers["webhook-signature"].Split(' ').Length.ShouldBe(2);

        string freshest = (await webhooks.Api.PostAsync($"/webhooks/{id}/rotate-secret")).Expect(200)["secret"]!;
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_2");
        ReceivedMessage later = await receiver.NextAsync();
        (IsSigned(later, old), IsSigned(later, fresh), IsSigned(later, freshest)).ShouldBe((false, true, true), "never more than two");
        await webhooks.DeliveriesAsync(id, static all => all.Count == 2 && all.All(Is("delivered")));

        server.Clock.Advance(TimeSpan.FromDays(1));
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_3");
        ReceivedMessage last = await receiver.NextAsync();
        (IsSigned(last, fresh), IsSigned(last, freshest)).ShouldBe((false, true));
        string only = (await webhooks.Api.PostAsync($"/webhooks/{id}/rotate-secret", new { overlap_seconds = 0 })).Expect(200)["secret"]!;
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_4");
        ReceivedMessage now = await receiver.NextAsync();
        (IsSigned(now, freshest), IsSigned(now, only)).ShouldBe((false, true), "an overlap of nothing ends the old one at once");
    }

    [Fact]
    public async Task In_the_dialect_with_one_signature_the_attempts_take_turns_while_two_secrets_are_valid()
    {
        (string id, string old) = await webhooks.EndpointAsync(receiver.Url, "authkit", events: "user.*");
        string fresh = (await webhooks.Api.PostAsync($"/webhooks/{id}/rotate-secret")).Expect(200)["secret"]!;
        receiver.Answer = (message, context) =>
        {
            context.Response.StatusCode = IsSignedForAuthKit(message, old) ? 200 : 400;
            return Task.CompletedTask;
        };
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1");
        IsSignedForAuthKit(await receiver.NextAsync(), fresh).ShouldBeTrue();
        await webhooks.DeliveryAsync(id, Tried(1));
        webhooks.Pass(TimeSpan.FromSeconds(6));
        await webhooks.DeliveryAsync(id, Is("delivered"));
    }

    [Fact]
    public async Task A_delivery_can_be_sent_again_with_the_same_id()
    {
        (string id, string _) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1");
        ReceivedMessage first = await receiver.NextAsync();
        string delivery = (await webhooks.DeliveryAsync(id, Is("delivered"))).GetProperty("id").GetString()!;
        (string, string) key = ("Idempotency-Key", Guid.NewGuid().ToString());
        ManagementAnswer accepted = (await webhooks.Api.PostAsync($"/deliveries/{delivery}/redeliver", null, key)).Expect(202);
        accepted["status"].ShouldBe("pending");
        (await webhooks.Api.PostAsync($"/deliveries/{delivery}/redeliver", null, key)).Expect(202).Text.ShouldBe(accepted.Text);
        ReceivedMessage again = await receiver.NextAsync();
        again.Body.ShouldBe(first.Body);
        again.Headers["webhook-id"].ShouldBe(first.Headers["webhook-id"]);
        await webhooks.DeliveryAsync(id, static one => Is("delivered")(one) && Tried(2)(one));
        receiver.All.Count.ShouldBe(2, "the second asking was answered and not done");
    }

    [Fact]
    public async Task A_delivery_that_is_under_way_is_not_doubled()
    {
        TaskCompletionSource answer = new();
        receiver.Answer = (_, _) => answer.Task;
        (string id, string _) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1");
        await receiver.NextAsync();
        string delivery = (await webhooks.DeliveryAsync(id, Tried(0))).GetProperty("id").GetString()!;
        (await webhooks.Api.PostAsync($"/deliveries/{delivery}/redeliver")).Expect(409, "conflict");
        answer.SetResult();
        await webhooks.DeliveryAsync(id, Is("delivered"));
    }

    private static string SubjectOf(ReceivedMessage message) => message.Json.GetProperty("data").GetProperty("id").GetString()!;
}

public sealed class SqliteDeliveryTests(DemoServer server) : DeliveryTests(server), IClassFixture<DemoServer>;

public sealed class PostgresDeliveryTests(PostgresDemoServer server) : DeliveryTests(server), IClassFixture<PostgresDemoServer>;
