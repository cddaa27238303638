using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Webhooks;

/// <summary>Endpoints as the management API makes, shows, changes and deletes them.</summary>
public sealed class WebhookResourceTests(DemoServer server) : IClassFixture<DemoServer>, IAsyncLifetime
{
    private const string Path = "/webhooks";

    private readonly ManagementCalls api = new(server);
    private WebhookReceiver receiver = null!;

    public async ValueTask InitializeAsync() => receiver = await WebhookReceiver.StartAsync();

    public ValueTask DisposeAsync() => receiver.DisposeAsync();

    [Fact]
    public async Task The_secret_is_shown_when_it_is_made_and_never_again()
    {
        ManagementAnswer made = await MakeAsync();
        made["secret"]!.ShouldStartWith("whsec_");
        Convert.FromBase64String(made["secret"]!["whsec_".Length..]).Length.ShouldBe(32);
        made["status"].ShouldBe("active");
        made["dialect"].ShouldBe("standard");
        ManagementAnswer shown = (await api.GetAsync($"{Path}/{made.Id}")).Expect(200);
        shown.Text.ShouldNotContain("secret");
        (await api.GetAsync(Path)).Expect(200).Text.ShouldNotContain("secret");
        (await api.GetAsync("/events?types=webhook.created&limit=1")).Text.ShouldNotContain(made["secret"]!);
    }

    [Fact]
    public async Task A_change_keeps_what_it_does_not_name_and_one_that_changes_nothing_is_no_event()
    {
        ManagementAnswer made = await MakeAsync();
        string etag = (await api.GetAsync($"{Path}/{made.Id}")).ETag;
        ManagementAnswer changed = (await api.PatchAsync($"{Path}/{made.Id}", new { events = new[] { "user.*" } }, ("If-Match", etag))).Expect(200);
        changed["name"].ShouldBe("Test");
        changed.Data.GetProperty("events")[0].GetString().ShouldBe("user.*");
        (await api.PatchAsync($"{Path}/{made.Id}", new { name = "Late" }, ("If-Match", etag))).Expect(412, "precondition_failed");
        string last = await LastEventAsync();
        (await api.PatchAsync($"{Path}/{made.Id}", new { name = "Test" })).Expect(200).ETag.ShouldBe(changed.ETag);
        (await LastEventAsync()).ShouldBe(last);
        ManagementAnswer disabled = (await api.PatchAsync($"{Path}/{made.Id}", new { status = "disabled", status_reason = "Moving house" })).Expect(200);
        disabled["status_reason"].ShouldBe("Moving house");
        (await api.PatchAsync($"{Path}/{made.Id}", new { status = "active" })).Expect(200).Data.GetProperty("status_reason").GetString().ShouldBeNull();
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(204);
        (await api.GetAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
    }

    [Theory]
    [InlineData("/url", "https://127.0.0.2.example.com:99999/", "*", "standard")]
    [InlineData("/url", "https://10.0.0.1/", "*", "standard")]
    [InlineData("/url", "http://93.184.216.34/", "*", "standard")]
    [InlineData("/url", "javascript:alert(1)", "*", "standard")]
    [InlineData("/events/0", "https://hooks.example.com/", "user.creatd", "standard")]
    [InlineData("/events/0", "https://hooks.example.com/", "organization_membership.created", "standard")]
    [InlineData("/events/0", "https://hooks.example.com/", "organization.membership.created", "authkit")]
    [InlineData("/dialect", "https://hooks.example.com/", "*", "Standard")]
    public async Task What_can_never_work_is_refused_where_it_stands(string field, string url, string pattern, string dialect) =>
        (await api.PostAsync(Path, new { name = "Wrong", url, events = new[] { pattern }, dialect })).Expect(422, "unprocessable").WrongFields.ShouldBe([field]);

    [Fact]
    public async Task An_organization_is_one_of_the_realm()
    {
        string northwind = (await new World(server).OrganizationAsync("northwind")).Id.ToString();
        string initech = (await new World(server).OrganizationAsync("initech", "globex")).Id.ToString();
        ManagementAnswer made = (await api.PostAsync(Path, Body(northwind))).Expect(201);
        made["organization_id"].ShouldBe(northwind);
        (await api.PostAsync(Path, Body(initech))).Expect(422, "unprocessable").WrongFields.ShouldBe(["/organization_id"]);
        (await api.PatchAsync($"{Path}/{made.Id}", new { organization_id = initech })).Expect(422, "unprocessable").WrongFields.ShouldBe(["/organization_id"]);
        (await api.GetAsync($"{Path}?organization_id={northwind}")).Expect(200).Ids.ShouldContain(made.Id);
        (await api.PatchAsync($"{Path}/{made.Id}", new { organization_id = (string?)null })).Expect(200).Data.GetProperty("organization_id").GetString().ShouldBeNull();
        (await api.GetAsync($"{Path}?organization_id={northwind}")).Expect(200).Ids.ShouldNotContain(made.Id);

        object Body(string organization) => new { name = "Theirs", url = receiver.Url, events = new[] { "*" }, organization_id = organization };
    }

    [Fact]
    public async Task Another_realm_sees_none_of_it()
    {
        ManagementAnswer made = await MakeAsync();
        await receiver.NextAsync();
        string delivery = (await api.GetAsync($"{Path}/{made.Id}/deliveries")).Expect(200).Ids.ShouldHaveSingleItem();
        ManagementCalls other = api.Globex;
        (await other.GetAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
        (await other.PatchAsync($"{Path}/{made.Id}", new { name = "Mine" })).Expect(404, "not_found");
        (await other.DeleteAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
        (await other.PostAsync($"{Path}/{made.Id}/rotate-secret")).Expect(404, "not_found");
        (await other.GetAsync($"{Path}/{made.Id}/deliveries")).Expect(404, "not_found");
        (await other.GetAsync($"{Path}/{made.Id}/deliveries/{delivery}")).Expect(404, "not_found");
        (await other.PostAsync($"/deliveries/{delivery}/redeliver")).Expect(404, "not_found");
        ManagementAnswer theirs = (await other.PostAsync(Path, new { name = "Theirs", url = receiver.Url + "/theirs", events = new[] { "user.*" } })).Expect(201);
        (await api.GetAsync($"{Path}/{theirs.Id}/deliveries/{delivery}")).Expect(404, "not_found");
        (await other.GetAsync($"{Path}/{theirs.Id}/deliveries/{delivery}")).Expect(404, "not_found");
        await new WebhookCalls(server).HappenAsync(EventTypes.UserUpdated, "usr_1");
        (await receiver.NextAsync()).Path.ShouldBe("/hooks", "what happens in one realm is not told in the other");
    }

    [Fact]
    public async Task A_key_needs_the_scope()
    {
        ManagementAnswer made = await MakeAsync();
        ManagementCalls reader = api.With(await new World(server).NewKeyAsync(null, ApiScopes.WebhooksRead));
        (await reader.GetAsync($"{Path}/{made.Id}")).Expect(200);
        (await reader.GetAsync($"{Path}/{made.Id}/deliveries")).Expect(200);
        (await reader.PatchAsync($"{Path}/{made.Id}", new { name = "x" })).Expect(403, "insufficient_scope");
        (await reader.PostAsync($"{Path}/{made.Id}/rotate-secret")).Expect(403, "insufficient_scope");
        (await reader.DeleteAsync($"{Path}/{made.Id}")).Expect(403, "insufficient_scope");
        (await reader.PostAsync("/deliveries/del_0000000000000000000000001/redeliver")).Expect(403, "insufficient_scope");
    }

    [Fact]
    public async Task A_log_is_read_by_status_and_page_by_page()
    {
        ManagementAnswer made = await MakeAsync();
        WebhookCalls webhooks = new(server);
        for (int i = 0; i < 4; i++)
            await webhooks.HappenAsync(EventTypes.UserUpdated, $"usr_{i}");
        await webhooks.DeliveriesAsync(made.Id, static all => all.Count == 5 && all.All(WebhookCalls.Is("delivered")));
        ManagementAnswer first = (await api.GetAsync($"{Path}/{made.Id}/deliveries?limit=3&status=delivered")).Expect(200);
        first.HasMore.ShouldBeTrue();
        ManagementAnswer rest = (await api.GetAsync($"{Path}/{made.Id}/deliveries?limit=3&status=delivered&cursor={first.NextCursor}")).Expect(200);
        first.Ids.Concat(rest.Ids).Distinct().Count().ShouldBe(5);
        first.Text.ShouldNotContain("request_body");
        (await api.GetAsync($"{Path}/{made.Id}/deliveries?status=failed")).Expect(200).Items.ShouldBeEmpty();
        (await api.GetAsync($"{Path}/{made.Id}/deliveries?status=gone")).Expect(400, "invalid_request");
        (await api.GetAsync($"{Path}/{made.Id}/deliveries/del_zzz")).Expect(404, "not_found");
        (await api.PostAsync($"/deliveries/{first.Ids[0]}/redeliver", new { now = true })).Expect(422, "unprocessable").WrongFields.ShouldBe(["/now"]);
    }

    private async Task<ManagementAnswer> MakeAsync() => (await api.PostAsync(Path, new { name = "Test", url = receiver.Url, events = new[] { "*" } })).Expect(201);

    private async Task<string> LastEventAsync() => (await api.GetAsync("/events?types=webhook.*&limit=1")).Expect(200).Ids[0];
}
