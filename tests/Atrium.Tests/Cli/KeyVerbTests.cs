using System.Text.Json;
using Atrium.Server.Cli;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

/// <summary>The verbs that every kind of thing has, looked at closely with API keys.</summary>
public sealed class KeyVerbTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly Typist typist = new(server);

    [Fact]
    public async Task A_key_is_made_shown_changed_rotated_and_deleted()
    {
        JsonElement made = await typist.JsonAsync("keys", "create", "--name", "Reports", "--scope", "users:read", "--scope", "events:read", "--expires-at", "7d");
        string id = made.GetProperty("id").GetString()!;
        made.GetProperty("scopes").GetRawText().ShouldBe("""["users:read","events:read"]""");
        made.GetProperty("expires_at").GetInt64().ShouldBe(server.Clock.GetUtcNow().AddDays(7).ToUnixTimeMilliseconds());
        string secret = made.GetProperty("secret").GetString()!;
        (await (typist with { Key = secret }).TypeAsync("events")).ExitCode.ShouldBe(ExitCode.Done);

        (await typist.JsonAsync("keys", "show", id)).GetProperty("name").GetString().ShouldBe("Reports");
        (await typist.JsonAsync("keys", "update", id, "--name", "Figures", "--set", "expires_at=null")).GetProperty("expires_at").ValueKind.ShouldBe(JsonValueKind.Null);
        string rotated = await typist.DoAsync("keys", "rotate", id);
        rotated.ShouldContain("The secret, shown this once:\nsk_");
        rotated.ShouldContain("name        Figures\n");

        (await typist.TypeAsync("keys", "delete", id)).Errors.ShouldBe("atrium: There is nobody to ask: --yes deletes without.\n");
        (await (typist with { Answers = "no\n" }).TypeAsync("keys", "delete", id)).Errors.ShouldBe($"Delete the key Figures ({id})? [y/N] atrium: Nothing was deleted.\n");
        (await (typist with { Answers = "y\n" }).TypeAsync("keys", "delete", id)).Output.ShouldBe("The key Figures is deleted.\n");
        VerbResult gone = await typist.TypeAsync("keys", "show", id);
        gone.ExitCode.ShouldBe(ExitCode.NotFound);
        gone.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_list_goes_through_its_pages_and_says_when_there_is_more()
    {
        List<string> made = [];
        for (int i = 0; i < 103; i++)
            made.Insert(0, (await typist.JsonAsync("keys", "create", "--name", $"Key {i}", "--scope", "users:read")).GetProperty("id").GetString()!);
        IReadOnlyList<JsonElement> all = await typist.LinesAsync("keys", "list", "--all");
        all.Take(made.Count).Select(static key => key.GetProperty("id").GetString()).ShouldBe(made);
        (await typist.LinesAsync("keys", "list", "--limit", "101")).Select(static key => key.GetRawText()).ShouldBe(all.Take(101).Select(static key => key.GetRawText()));

        VerbResult usual = await typist.TypeAsync("keys", "list");
        usual.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(51, "the header and 50 keys");
        usual.Errors.ShouldBe("There are more than these 50: --limit shows so many, --all shows all.\n");
        (await typist.TypeAsync("keys", "list", "--all")).Errors.ShouldBeEmpty();
        foreach (string id in made)
            await typist.DoAsync("keys", "delete", id, "--yes");
    }

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    public async Task A_table_fits_the_terminal_and_its_columns_stand_below_each_other(int width)
    {
        string id = (await typist.JsonAsync("keys", "create", "--name", new string('n', 200), "--scope", "users:read")).GetProperty("id").GetString()!;
        string[] lines = (await (typist with { Width = width }).DoAsync("keys", "list")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.ShouldAllBe(line => line.Length <= width);
        string line = lines.Single(line => line.StartsWith(id, StringComparison.Ordinal));
        line.ShouldContain("nnn…  ");
        line.IndexOf("nnn", StringComparison.Ordinal).ShouldBe(lines[0].IndexOf("NAME", StringComparison.Ordinal));
        (await typist.DoAsync("keys", "list")).ShouldContain(new string('n', 200), customMessage: "a pipe has no width");
        await typist.DoAsync("keys", "delete", id, "--yes");
    }

    [Fact]
    public async Task Colours_are_for_terminals_and_names_cant_steer_one()
    {
        string id = (await typist.JsonAsync("keys", "create", "--name", "a\e[31mb\u202Ec\nd", "--scope", "users:read")).GetProperty("id").GetString()!;
        (await (typist with { Colours = true }).DoAsync("keys", "list")).ShouldStartWith("\e[1mID\e[0m");
        string plain = await typist.DoAsync("keys", "list");
        plain.ShouldNotContain('\e');
        plain.ShouldContain("a\uFFFD[31mb\uFFFDc\uFFFDd");
        (await typist.DoAsync("keys", "show", id)).ShouldContain("a\uFFFD[31mb\uFFFDc\uFFFDd");
        (await typist.JsonAsync("keys", "show", id)).GetProperty("name").GetString().ShouldBe("a\e[31mb\u202Ec\nd", "a script gets what is there");
        await typist.DoAsync("keys", "delete", id, "--yes");
    }
}
