using System.Text.Json;
using Atrium.Core.Events;
using Atrium.Server.Cli;
using Atrium.Tests.Harness;
using Atrium.Tests.Webhooks;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

/// <summary>Endpoints and their deliveries, with a back end that really receives.</summary>
public sealed class WebhookVerbTests(DemoServer server) : IClassFixture<DemoServer>, IAsyncLifetime
{
    private readonly Typist typist = new(server);
    private WebhookReceiver receiver = null!;

    public async ValueTask InitializeAsync() => receiver = await WebhookReceiver.StartAsync();

    public ValueTask DisposeAsync() => receiver.DisposeAsync();

    [Fact]
    public async Task An_endpoint_is_made_with_its_secret_and_changed_disabled_rotated_and_deleted_by_its_name()
    {
        string made = await typist.DoAsync(
            "webhooks", "create", "--name", "CRM", "--url", "https://hooks.example.com/crm", "--event", "user.*", "--event", "organization.created", "--dialect", "cloudevents");
        made.ShouldContain("The secret, shown this once:\nwhsec_");
        JsonElement shown = await typist.JsonAsync("webhooks", "show", "CRM");
        shown.GetProperty("events").GetRawText().ShouldBe("""["user.*","organization.created"]""");
        shown.GetProperty("dialect").GetString().ShouldBe("cloudevents");
        (await typist.DoAsync("webhooks", "list")).ShouldContain("  CRM   https://hooks.example.com/crm  user.*, organization.created  active\n");

        (await typist.JsonAsync("webhooks", "update", "CRM", "--event", "*")).GetProperty("events").GetRawText().ShouldBe("""["*"]""");
        JsonElement disabled = await typist.JsonAsync("webhooks", "disable", "CRM", "--reason", "moving house");
        (disabled.GetProperty("status").GetString(), disabled.GetProperty("status_reason").GetString()).ShouldBe(("disabled", "moving house"));
        (await typist.JsonAsync("webhooks", "enable", "CRM")).GetProperty("status").GetString().ShouldBe("active");
        JsonElement rotated = await typist.JsonAsync("webhooks", "rotate-secret", "CRM", "--overlap-seconds", "60");
        rotated.GetProperty("secret").GetString()!.ShouldStartWith("whsec_");
        rotated.GetProperty("old_secret_ends_at").GetInt64().ShouldBe(server.Clock.GetUtcNow().AddSeconds(60).ToUnixTimeMilliseconds());
        await typist.DoAsync("webhooks", "delete", "CRM", "--yes");
        (await typist.TypeAsync("webhooks", "show", "CRM")).Errors.ShouldBe("atrium: There is no webhook \"CRM\".\n");
    }

    [Fact]
    public async Task A_delivery_is_listed_shown_with_its_answer_and_sent_again()
    {
        await using WebhookCalls webhooks = new(server);
        (string id, _) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1");
        ReceivedMessage first = await receiver.NextAsync();
        await webhooks.DeliveryAsync(id, WebhookCalls.Is("delivered"));

        JsonElement listed = await typist.JsonAsync("webhooks", "deliveries", id, "--status", "delivered");
        string delivery = listed.GetProperty("id").GetString()!;
        (await typist.LinesAsync("webhooks", "deliveries", id, "--status", "failed")).ShouldBeEmpty();
        (await typist.JsonAsync("webhooks", "delivery", id, delivery)).GetProperty("attempts").GetArrayLength().ShouldBe(1);

        (await typist.JsonAsync("webhooks", "redeliver", delivery)).GetProperty("status").GetString().ShouldBe("pending");
        (await receiver.NextAsync()).Body.ShouldBe(first.Body);
        await webhooks.DeliveryAsync(id, static one => WebhookCalls.Is("delivered")(one) && WebhookCalls.Tried(2)(one));
        await typist.DoAsync("webhooks", "disable", id);
        VerbResult refused = await typist.TypeAsync("webhooks", "redeliver", delivery);
        refused.ExitCode.ShouldBe(ExitCode.Failed);
        refused.Errors.ShouldStartWith("atrium: The endpoint is disabled: make it active first. (409 conflict)\n");
        (await typist.TypeAsync("webhooks", "redeliver", "del_0000000000000000000000000")).ExitCode.ShouldBe(ExitCode.NotFound);
    }
}
