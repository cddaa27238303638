using System.IO.Pipelines;
using System.Text.Json;
using Atrium.Server.Cli;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

public sealed class EventVerbTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly Typist typist = new(server);

    [Fact]
    public async Task What_happened_is_listed_newest_first_and_by_type_and_time()
    {
        string first = await MakeKeyAsync("First");
        server.Clock.Advance(TimeSpan.FromHours(3));
        string second = await MakeKeyAsync("Second");
        await typist.DoAsync("keys", "delete", second, "--yes");

        (await SubjectsAsync("--limit", "3")).ShouldBe([("api_key.deleted", second), ("api_key.created", second), ("api_key.created", first)]);
        (await SubjectsAsync("--type", "api_key.deleted", "--type", "signing_key.*")).ShouldBe([("api_key.deleted", second)]);
        (await SubjectsAsync("--since", "2h")).ShouldBe([("api_key.deleted", second), ("api_key.created", second)]);
        (await SubjectsAsync("--since", server.Clock.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ"))).ShouldBe([("api_key.deleted", second), ("api_key.created", second)]);
        VerbResult unknown = await typist.TypeAsync("events", "--type", "no.such");
        unknown.ExitCode.ShouldBe(ExitCode.Failed);
        unknown.Errors.ShouldContain("There is no event type \"no.such\".");

        string[] table = (await (typist with { Width = 100 }).DoAsync("events", "--limit", "1")).Split('\n');
        table[0].ShouldStartWith("TIME                  TYPE             ABOUT");
        table[1].ShouldStartWith($"{server.Clock.GetUtcNow():yyyy-MM-dd HH:mm:ss}Z  api_key.deleted  Second");
        string id = (await typist.LinesAsync("events", "--limit", "1"))[0].GetProperty("id").GetString()!;
        (await typist.DoAsync("events", "show", id)).ShouldContain("api_key.deleted");
    }

    [Fact]
    public async Task Who_follows_sees_the_last_ones_and_then_each_as_it_happens_and_once()
    {
        await MakeKeyAsync("Before 1");
        await MakeKeyAsync("Before 2");
        Pipe pipe = new();
        await using StreamWriter output = new(pipe.Writer.AsStream());
        using StreamReader lines = new(pipe.Reader.AsStream());
        using CancellationTokenSource stop = new();
        Task following = CommandLine.RunAsync(
            ["events", "--follow", "--type", "api_key.created", "--json"], typist.ShellOf(output, TextWriter.Null), stop.Token);
        (await NextAsync(lines, last: "Before 2")).ShouldContain("Before 1");
        await MakeKeyAsync("After 1");
        (await NextAsync(lines, last: "After 1")).ShouldBe(["After 1"]);
        await MakeKeyAsync("After 2");
        await MakeKeyAsync("After 3");
        (await NextAsync(lines, last: "After 3")).ShouldBe(["After 2", "After 3"]);
        await stop.CancelAsync();
        await following;
    }

    /// <summary>The names of the keys that the next lines are about, up to this one.</summary>
    private static async Task<List<string>> NextAsync(StreamReader lines, string last)
    {
        List<string> names = [];
        while (names.LastOrDefault() != last)
            names.Add(JsonElement.Parse((await lines.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)))!).GetProperty("data").GetProperty("name").GetString()!);
        return names;
    }

    private async Task<string> MakeKeyAsync(string name) =>
        (await typist.JsonAsync("keys", "create", "--name", name, "--scope", "users:read")).GetProperty("id").GetString()!;

    private async Task<IEnumerable<(string Type, string Id)>> SubjectsAsync(params string[] options) =>
        (await typist.LinesAsync(["events", .. options])).Select(static item => (item.GetProperty("type").GetString()!, item.GetProperty("data").GetProperty("id").GetString()!));
}
