using System.Text.Json;
using Atrium.Server.Cli;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

/// <summary>What a file says of the realm itself, for which it takes another key, and of its webhooks.</summary>
public sealed class ApplyRealmTests(DemoServer server) : IClassFixture<DemoServer>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-apply-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_realms_own_settings_are_applied_with_an_operator_key()
    {
        Typist typist = await OperatorAsync(await new Typist(server).InNewRealmAsync("own"));
        string file = Write("""{"realm":{"name":"Our Own","settings":{"event_retention_days":30}},"roles":[{"slug":"admin","name":"Admin","permissions":[]}]}""");
        VerbResult dry = await typist.TypeAsync("apply", file, "--dry-run");
        dry.ExitCode.ShouldBe(ExitCode.Differs, dry.Errors);
        dry.Output.ShouldStartWith(
            """
            ~ realm own
                name                           "own" -> "Our Own"
                settings.event_retention_days  365 -> 30
            + role admin

            """.ReplaceLineEndings("\n"));
        (await typist.DoAsync("apply", file, "--yes")).ShouldContain("done  realm own changed\ndone  role admin created\n");
        JsonElement realm = await typist.JsonAsync("realms", "show", "own");
        (realm.GetProperty("name").GetString(), realm.GetProperty("settings").GetProperty("event_retention_days").GetInt32()).ShouldBe(("Our Own", 30));
        (await typist.DoAsync("apply", file, "--prune")).ShouldBe("Nothing to do: 2 are as declared.\n");

        await typist.DoAsync("apply", Write("""{"realm":{"settings":{"event_retention_days":60}}}"""), "--yes");
        (await typist.JsonAsync("realms", "show", "own")).GetProperty("name").GetString().ShouldBe("Our Own", "what is not named stays");
        VerbResult handle = await typist.TypeAsync("apply", Write("""{"realm":{"handle":"other"}}"""), "--yes");
        handle.ExitCode.ShouldBe(ExitCode.Usage);
        handle.Errors.ShouldContain("/realm/handle is not a field that can be set here. The fields are name, settings.");
    }

    [Fact]
    public async Task How_people_come_to_the_realm_is_declared_with_it()
    {
        Typist typist = await OperatorAsync(await new Typist(server).InNewRealmAsync("welcoming"));
        string file = Write("""{"realm":{"settings":{"sign_up":{"policy":"by_domain","domains":["example.com"]},"email_verification_required":true}}}""");
        (await typist.DoAsync("apply", file, "--yes")).ShouldContain("done  realm welcoming changed\n");
        JsonElement settings = (await typist.JsonAsync("realms", "show", "welcoming")).GetProperty("settings");
        settings.GetProperty("sign_up").ToString().ShouldBe("""{"policy":"by_domain","domains":["example.com"],"creates_organization":false}""");
        (settings.GetProperty("email_verification_required").GetBoolean(), settings.GetProperty("event_retention_days").GetInt32()).ShouldBe((true, 365));
        (await typist.DoAsync("apply", file)).ShouldBe("Nothing to do: 1 is as declared.\n");
        (await typist.TypeAsync("apply", Write("""{"realm":{"settings":{"sign_up":{"policy":"all"}}}}"""), "--yes")).Errors
            .ShouldContain("/realm/settings/sign_up/policy must be one of invited_only, open, by_domain");
    }

    [Fact]
    public async Task Without_an_operator_key_nothing_is_changed_and_the_key_is_asked_for()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("keyless");
        string file = Write("""{"roles":[{"slug":"admin","name":"Admin","permissions":[]}],"realm":{"settings":{"event_retention_days":30}}}""");
        VerbResult refused = await typist.TypeAsync("apply", file, "--yes");
        refused.ExitCode.ShouldBe(ExitCode.Usage);
        refused.Output.ShouldBeEmpty();
        refused.Errors.ShouldBe(
            "atrium: /realm: only an operator key reads and changes the realm's own name and settings. "
            + "Name one with --operator-key or ATRIUM_OPERATOR_KEY, or leave \"realm\" out of the file. Nothing was changed.\n");
        VerbResult wrong = await typist.TypeAsync("apply", file, "--yes", "--operator-key", typist.Key);
        wrong.ExitCode.ShouldBe(ExitCode.Failed);
        wrong.Errors.ShouldContain("401 ");
        (await typist.LinesAsync("roles", "list")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Webhooks_are_known_by_their_names_and_their_secrets_are_shown_once()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("hooked");
        string file = Write(
            """
            {
              "organizations": [{ "handle": "northwind", "name": "Northwind" }],
              "webhooks": [
                { "name": "CRM", "url": "https://hooks.example.com/crm", "events": ["user.*"] },
                { "name": "Northwind", "url": "https://northwind.example/hooks", "events": ["user.created"], "dialect": "authkit", "organization_id": "northwind" },
              ],
            }
            """);
        string done = await typist.DoAsync("apply", file, "--yes");
        done.ShouldContain("done  webhook CRM created; its secret, shown this once: whsec_");
        JsonElement theirs = await typist.JsonAsync("webhooks", "show", "Northwind");
        theirs.GetProperty("organization_id").GetString().ShouldBe((await typist.JsonAsync("orgs", "show", "northwind")).GetProperty("id").GetString());
        theirs.GetProperty("dialect").GetString().ShouldBe("authkit");
        (await typist.DoAsync("apply", file)).ShouldBe("Nothing to do: 3 are as declared.\n");

        string secrets = Path.Combine(folder, "secrets.ndjson");
        string changed = await typist.DoAsync(
            "apply",
            Write("""{"webhooks":[{"name":"CRM","url":"https://hooks.example.com/2","events":["*"]},{"name":"New","url":"https://hooks.example.com/new","events":["*"]}]}"""),
            "--prune", "--yes", "--secrets-file", secrets);
        changed.ShouldContain("done  webhook CRM changed\ndone  webhook New created\ndone  webhook Northwind deleted\n");
        changed.ShouldNotContain("whsec_");
        JsonElement kept = JsonElement.Parse((await File.ReadAllLinesAsync(secrets)).ShouldHaveSingleItem());
        (kept.GetProperty("kind").GetString(), kept.GetProperty("key").GetString()).ShouldBe(("webhook", "New"));
        kept.GetProperty("secret").GetString()!.ShouldStartWith("whsec_");
        (await typist.LinesAsync("webhooks", "list")).Select(static one => one.GetProperty("url").GetString())
            .ShouldBe(["https://hooks.example.com/new", "https://hooks.example.com/2"]);
    }

    [Fact]
    public async Task A_name_that_two_webhooks_have_is_no_key()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("twins");
        foreach (string path in new[] { "a", "b" })
            await typist.DoAsync("webhooks", "create", "--name", "Twin", "--url", $"https://hooks.example.com/{path}", "--event", "*");
        VerbResult refused = await typist.TypeAsync("apply", Write("""{"webhooks":[{"name":"Twin","url":"https://hooks.example.com/a","events":["*"]}]}"""), "--yes");
        refused.ExitCode.ShouldBe(ExitCode.Failed);
        refused.Errors.ShouldContain("More than one webhook has the name \"Twin\".");
    }

    private async Task<Typist> OperatorAsync(Typist typist)
    {
        string made = await typist.DoAsync(["keys", "create", "--operator", "--name", "Ops", "--database", server.Options.Database, "--key-file", server.Options.KeyFile!]);
        return typist with { OperatorKey = made.Split('\n')[1] };
    }

    private string Write(string text)
    {
        string path = Path.Combine(folder, $"{Guid.NewGuid():N}.json");
        File.WriteAllText(path, text);
        return path;
    }
}
