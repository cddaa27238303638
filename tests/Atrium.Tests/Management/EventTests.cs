using System.Text.Json;
using Atrium.Core.Realms;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

public class EventTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task A_change_is_in_the_log_as_soon_as_it_is_answered_and_says_who_made_it()
    {
        ManagementAnswer made = await KeyAsync("Told");
        await api.PatchAsync($"/api-keys/{made.Id}", new { name = "Told anew" }, ("User-Agent", "tests/1"));
        ManagementAnswer log = (await api.GetAsync("/events?types=api_key.*&limit=2")).Expect(200);
        JsonElement updated = log.Items[0];
        updated.GetProperty("type").GetString().ShouldBe("api_key.updated");
        updated.GetProperty("changed").EnumerateArray().Select(static name => name.GetString()).ShouldBe(["name"]);
        updated.GetProperty("data").GetProperty("name").GetString().ShouldBe("Told anew");
        JsonElement actor = updated.GetProperty("actor");
        actor.GetProperty("type").GetString().ShouldBe("api_key");
        actor.GetProperty("id").GetString()!.ShouldStartWith("key_");
        actor.GetProperty("ip_address").GetString().ShouldBe("127.0.0.1");
        actor.GetProperty("user_agent").GetString().ShouldBe("tests/1");
        updated.GetProperty("request_id").GetString()!.ShouldStartWith("req_");
        log.Items[1].GetProperty("type").GetString().ShouldBe("api_key.created");
        log.Text.ShouldNotContain(made["secret"]!);
        (await api.GetAsync($"/events/{updated.GetProperty("id").GetString()}")).Expect(200)["type"].ShouldBe("api_key.updated");
        (await api.Globex.GetAsync($"/events/{updated.GetProperty("id").GetString()}")).Expect(404);
        (await api.Globex.GetAsync("/events")).Text.ShouldNotContain(made.Id);
    }

    [Fact]
    public async Task Read_from_a_cursor_on_the_log_neither_skips_nor_repeats()
    {
        string start = (await api.GetAsync("/events?order=asc&limit=100")).Expect(200).NextCursor!;
        await Task.WhenAll(Enumerable.Range(0, 30).Select(i => KeyAsync($"Parallel {i}")));
        List<string> seen = [];
        string cursor = start;
        ManagementAnswer page;
        do
        {
            page = (await api.GetAsync($"/events?order=asc&types=api_key.created&limit=7&cursor={cursor}")).Expect(200);
            seen.AddRange(page.Items.Select(static item => item.GetProperty("data").GetProperty("name").GetString()!));
            cursor = page.NextCursor!;
        }
        while (page.HasMore);
        seen.Where(static name => name.StartsWith("Parallel", StringComparison.Ordinal)).Order().ShouldBe(Enumerable.Range(0, 30).Select(static i => $"Parallel {i}").Order());
        (await api.GetAsync($"/events?order=asc&cursor={cursor}")).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task Who_waits_is_told_when_something_happens()
    {
        string cursor = (await api.GetAsync("/events?order=asc&types=api_key.rotated")).Expect(200).NextCursor!;
        ManagementAnswer made = await KeyAsync("Awaited");
        Task<ManagementAnswer> waiting = api.GetAsync($"/events?order=asc&types=api_key.rotated&cursor={cursor}&wait=30");
        await api.PostAsync($"/api-keys/{made.Id}/rotate");
        (await waiting.WaitAsync(TimeSpan.FromSeconds(20))).Items.ShouldHaveSingleItem().GetProperty("data").GetProperty("id").GetString().ShouldBe(made.Id);
        ManagementAnswer silence = (await api.GetAsync($"/events?order=asc&types=realm.deleted&cursor={cursor}&wait=1")).Expect(200);
        silence.Items.ShouldBeEmpty();
        long.Parse(silence.NextCursor!).ShouldBeGreaterThan(long.Parse(cursor), "what was looked at is not looked at again");
    }

    [Fact]
    public async Task Times_and_types_narrow_the_log()
    {
        await KeyAsync("Early");
        server.Clock.Advance(TimeSpan.FromMinutes(10));
        long between = server.Clock.GetUtcNow().AddMinutes(-5).ToUnixTimeMilliseconds();
        await KeyAsync("Late");
        string late = (await api.GetAsync($"/events?after={between}")).Expect(200).Text;
        late.ShouldContain("\"Late\"");
        late.ShouldNotContain("\"Early\"");
        string early = (await api.GetAsync($"/events?before={between}")).Expect(200).Text;
        early.ShouldContain("\"Early\"");
        early.ShouldNotContain("\"Late\"");
        (await api.GetAsync("/events?types=api_key.created,nothing.*")).Expect(400, "invalid_request");
        (await api.GetAsync("/events?wait=5")).Expect(400, "invalid_request");
        (await api.GetAsync("/events?cursor=-1")).Expect(400, "invalid_request");
    }

    [Fact]
    public async Task The_log_can_be_taken_away_line_by_line()
    {
        ManagementAnswer made = await KeyAsync("Exported");
        ManagementAnswer export = await api.GetAsync("/events/export?types=api_key.created");
        export.Response.Content.Headers.ContentType!.MediaType.ShouldBe("application/x-ndjson");
        string[] lines = export.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Select(static line => JsonElement.Parse(line).GetProperty("data").GetProperty("id").GetString()).ShouldContain(made.Id);
    }

    private async Task<ManagementAnswer> KeyAsync(string name) =>
        (await api.PostAsync("/api-keys", new { name, scopes = new[] { ApiScopes.ApiKeysRead } })).Expect(201);
}

/// <summary>The same, where changes commit in another order than they began.</summary>
public sealed class PostgresEventTests(PostgresDemoServer server) : EventTests(server), IClassFixture<PostgresDemoServer>;

public sealed class PostgresApiKeyTests(PostgresDemoServer server) : ApiKeyTests(server), IClassFixture<PostgresDemoServer>;
