using System.Text.Json;
using Atrium.Server.Cli;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

/// <summary>A realm in a file. Each test has a realm of its own.</summary>
public sealed class ApplyTests(DemoServer server) : IClassFixture<DemoServer>, IDisposable
{
    private const string Whole =
        """
        // What a shop needs.
        {
          "roles": [
            { "slug": "admin", "name": "Admin", "permissions": ["billing:write"] },
          ],
          "organizations": [
            { "handle": "northwind-labs", "name": "Labs", "parent_id": "northwind" },
            {
              "handle": "northwind", "name": "Northwind",
              "settings": { "mfa_required": true },
              "domains": ["northwind.example"],
              "roles": [{ "slug": "auditor", "name": "Auditor", "permissions": [] }],
            },
          ],
          "clients": [
            {
              "client_id": "NAME-web", "name": "Shop", "type": "web", "redirect_uris": ["https://shop.example/callback"],
              "settings": { "restrictions": { "organizations": { "policy": "allowlist", "allowed_org_ids": ["northwind", "northwind-labs"] } } },
              "organizations": ["northwind"],
            },
            { "client_id": "NAME-app", "name": "App", "type": "spa", "redirect_uris": ["https://app.example/callback"] },
          ],
        }
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("atrium-apply-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_realm_becomes_what_a_file_declares_and_a_second_time_there_is_nothing_to_do()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("declared");
        string file = Write(Whole.Replace("NAME", "declared", StringComparison.Ordinal));

        VerbResult dry = await typist.TypeAsync("apply", file, "--dry-run");
        dry.ExitCode.ShouldBe(ExitCode.Differs, dry.Errors);
        Titles(dry.Output, '+').ShouldBe(
        [
            "role admin", "organization northwind", "role auditor of organization northwind", "domain northwind.example of organization northwind",
            "organization northwind-labs", "client declared-web", "client declared-web for organization northwind", "client declared-app",
        ]);
        dry.Output.ShouldEndWith("8 to create, 0 to change, 0 to delete; 0 are as declared.\n");
        (await typist.LinesAsync("orgs", "list")).ShouldBeEmpty("a dry run changes nothing");

        string done = await typist.DoAsync("apply", file, "--yes");
        done.ShouldContain("done  client declared-web created; its secret, shown this once: ");
        done.ShouldEndWith("The realm is as declared.\n");
        (await typist.DoAsync("apply", file)).ShouldBe("Nothing to do: 8 are as declared.\n");
        (await typist.TypeAsync("apply", file, "--dry-run")).ExitCode.ShouldBe(ExitCode.Done);

        JsonElement northwind = await typist.JsonAsync("orgs", "show", "northwind");
        string id = northwind.GetProperty("id").GetString()!;
        northwind.GetProperty("settings").GetProperty("mfa_required").GetBoolean().ShouldBeTrue();
        JsonElement labs = await typist.JsonAsync("orgs", "show", "northwind-labs");
        labs.GetProperty("parent_id").GetString().ShouldBe(id, "the child names a parent that stands after it in the file");
        JsonElement client = await typist.JsonAsync("clients", "show", "declared-web");
        client.GetProperty("settings").GetProperty("restrictions").GetProperty("organizations").GetProperty("allowed_org_ids").EnumerateArray()
            .Select(static item => item.GetString()).ShouldBe([id, labs.GetProperty("id").GetString()]);
        (await typist.DoAsync("roles", "list", "--organization", "northwind")).ShouldContain("auditor");
        (await typist.DoAsync("domains", "list", "northwind")).ShouldContain("northwind.example");
    }

    [Fact]
    public async Task What_is_changed_is_shown_field_by_field_and_asked_and_what_is_not_named_stays()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("changed");
        await typist.DoAsync("orgs", "create", "--name", "Northwind", "--handle", "northwind", "--set", "metadata.plan=gold", "--set", "external_id=n1");
        await typist.DoAsync("orgs", "create", "--name", "Contoso", "--handle", "contoso");
        string file = Write("""{"organizations":[{"handle":"northwind","name":"North Wind","metadata":{"tier":"a"},"settings":{"max_members":5}}]}""");

        VerbResult nobody = await typist.TypeAsync("apply", file);
        nobody.ExitCode.ShouldBe(ExitCode.Usage);
        nobody.Errors.ShouldBe("atrium: There is nobody to ask: --yes changes it without. Nothing was changed.\n");
        nobody.Output.ShouldBe(
            """
            ~ organization northwind
                name                  "Northwind" -> "North Wind"
                metadata.tier         nothing -> "a"
                settings.max_members  nothing -> 5
            0 to create, 1 to change, 0 to delete; 0 are as declared.

            """.ReplaceLineEndings("\n"));
        (await (typist with { Answers = "n\n" }).TypeAsync("apply", file)).Errors.ShouldBe("Change it? [y/N] atrium: Nothing was changed.\n");
        FieldOf(await typist.JsonAsync("orgs", "show", "northwind"), "name").ShouldBe("Northwind");

        (await (typist with { Answers = "yes\n" }).TypeAsync("apply", file)).ExitCode.ShouldBe(ExitCode.Done);
        JsonElement northwind = await typist.JsonAsync("orgs", "show", "northwind");
        northwind.GetProperty("metadata").GetRawText().ShouldBe("""{"plan":"gold","tier":"a"}""");
        FieldOf(northwind, "external_id").ShouldBe("n1");
        (await typist.LinesAsync("orgs", "list")).Count.ShouldBe(2);
    }

    [Fact]
    public async Task Only_prune_deletes_and_only_from_the_sections_that_the_file_has()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("pruned");
        await typist.DoAsync("apply", Write(Whole.Replace("NAME", "pruned", StringComparison.Ordinal)), "--yes");
        string file = Write("""{"organizations":[{"handle":"northwind","name":"Northwind","domains":[]},{"handle":"northwind-labs","name":"Labs"}],"clients":[{"client_id":"pruned-web","name":"Shop","type":"web","organizations":[]}]}""");

        (await typist.DoAsync("apply", file)).ShouldBe("Nothing to do: 3 are as declared.\n");
        VerbResult dry = await typist.TypeAsync("apply", file, "--prune", "--dry-run");
        Titles(dry.Output, '-').Order().ShouldBe(["client pruned-app", "client pruned-web for organization northwind", "domain northwind.example of organization northwind"]);
        await typist.DoAsync("apply", file, "--prune", "--yes");
        (await typist.DoAsync("apply", file, "--prune")).ShouldBe("Nothing to do: 3 are as declared.\n");
        (await typist.LinesAsync("domains", "list", "northwind")).ShouldBeEmpty();
        (await typist.LinesAsync("clients", "list")).Select(static one => FieldOf(one, "client_id")).ShouldBe(["pruned-web"]);
        (await typist.LinesAsync("roles", "list")).ShouldHaveSingleItem("the file has no section roles");
        (await typist.LinesAsync("roles", "list", "--organization", "northwind")).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("""{"clinets":[]}""", "/clinets: A file declares realm, roles, organizations, clients, webhooks; there is no")]
    [InlineData("""{"clients":{}}""", "/clients: should be a list.")]
    [InlineData("""{"clients":[{"name":"x"}]}""", "/clients/0: should be an object with the text \"client_id\"")]
    [InlineData("""{"clients":[{"client_id":"x","name":"x","type":"spa","redirect_uri":[]}]}""", "/clients/0/redirect_uri is not a field that can be set here.")]
    [InlineData("""{"clients":[{"client_id":"x","name":7,"type":"spa","settings":{"openid":{"refresh_grace_seconds":"1"}}}]}""", "/clients/0/settings/openid/refresh_grace_seconds must be a whole number")]
    [InlineData("""{"clients":[{"client_id":"x","name":"x","type":"spa"},{"client_id":"x","name":"y","type":"spa"}]}""", "/clients/1: declares the client x a second time.")]
    [InlineData("""{"organizations":[{"handle":"a","name":"A","roles":[{"slug":"r","name":"R","permission":[]}]}]}""", "/organizations/0/roles/0/permission is not a field")]
    [InlineData("""{"organizations":[{"handle":"a","name":"A","domains":[7]}]}""", "/organizations/0/domains/0: should be the text of a domain.")]
    [InlineData("""{"realm":[]}""", "/realm: should be an object.")]
    [InlineData("""{"realm":{"handle":"other","settings":{"event_retention_days":0}}}""", "/realm/settings/event_retention_days must be a whole number")]
    [InlineData("""{"webhooks":[{"url":"https://hooks.example.com"}]}""", "/webhooks/0: should be an object with the text \"name\"")]
    [InlineData("""{"webhooks":[{"name":"a","url":"https://hooks.example.com","events":"*"}]}""", "/webhooks/0/events must be a list")]
    [InlineData("[]", "is no JSON object.")]
    [InlineData("{\n\"roles\": nul}", ", line 2: ")]
    [InlineData("""{"roles":[],"roles":[]}""", "roles")]
    public async Task What_cant_be_is_refused_with_its_place_before_the_server_is_asked(string text, string message)
    {
        VerbResult result = await new Typist(server).TypeAsync("apply", Write(text), "--yes", "--server", "http://127.0.0.1:9");
        result.ExitCode.ShouldBe(ExitCode.Usage);
        result.Errors.ShouldContain(message);
        result.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_neither_the_realm_nor_the_file_has_is_said_before_anything_is_changed()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("missing");
        VerbResult result = await typist.TypeAsync("apply", Write("""{"organizations":[{"handle":"a","name":"A","parent_id":"nowhere"}]}"""), "--yes");
        result.ExitCode.ShouldBe(ExitCode.NotFound);
        result.Errors.ShouldContain("/organizations/0: there is no organization \"nowhere\", neither in the realm nor in the file. Nothing was changed.");
        (await typist.LinesAsync("orgs", "list")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_failure_in_the_middle_says_what_is_done_and_what_is_not_and_the_same_apply_does_the_rest()
    {
        Typist other = await new Typist(server).InNewRealmAsync("other");
        await other.DoAsync("clients", "create", "--client-id", "taken", "--name", "Theirs");
        Typist typist = await new Typist(server).InNewRealmAsync("middle");
        string file = Write("""{"organizations":[{"handle":"a","name":"A"}],"clients":[{"client_id":"taken","name":"Ours","type":"spa"},{"client_id":"middle-free","name":"Free","type":"spa"}]}""");

        VerbResult stopped = await typist.TypeAsync("apply", file, "--yes");
        stopped.ExitCode.ShouldBe(ExitCode.Failed);
        stopped.Errors.ShouldStartWith("atrium: client taken: ");
        stopped.Errors.ShouldContain("409 conflict");
        stopped.Output.ShouldContain("done  organization a created\nleft  client taken\nleft  client middle-free\n1 of 3 changes are made and stay. Run the same again for the rest.\n");

        await other.DoAsync("clients", "delete", "taken", "--yes");
        VerbResult rest = await typist.TypeAsync("apply", file, "--yes");
        rest.ExitCode.ShouldBe(ExitCode.Done, rest.Errors);
        Titles(rest.Output, '+').ShouldBe(["client taken", "client middle-free"]);
    }

    [Fact]
    public async Task What_somebody_else_changes_meanwhile_is_not_overwritten()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("meanwhile");
        await typist.DoAsync("orgs", "create", "--name", "Northwind", "--handle", "northwind");
        string file = Write("""{"organizations":[{"handle":"northwind","name":"Ours"}]}""");
        using StringWriter output = new();
        using StringWriter errors = new();
        Shell shell = typist.ShellOf(output, errors) with
        {
            CanAsk = true,
            Input = new AnswerAfter(() => typist.DoAsync("orgs", "update", "northwind", "--name", "Theirs")),
        };
        (await CommandLine.RunAsync(["apply", file], shell, CancellationToken.None)).ShouldBe(ExitCode.Failed);
        errors.ToString().ShouldContain("412 precondition_failed");
        output.ToString().ShouldContain("left  organization northwind\n");
        FieldOf(await typist.JsonAsync("orgs", "show", "northwind"), "name").ShouldBe("Theirs");
        (await typist.TypeAsync("apply", file, "--dry-run")).Output.ShouldContain("name  \"Theirs\" -> \"Ours\"");
    }

    [Fact]
    public async Task What_never_changes_is_refused_before_anything_is_changed()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("fixed");
        await typist.DoAsync("clients", "create", "--client-id", "fixed-app", "--name", "App", "--type", "spa");
        VerbResult result = await typist.TypeAsync("apply", Write("""{"clients":[{"client_id":"fixed-app","name":"App","type":"web"}]}"""), "--yes");
        result.ExitCode.ShouldBe(ExitCode.Failed);
        result.Errors.ShouldContain("/clients/0/type: never changes; the client fixed-app has \"spa\".");
        result.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_secrets_file_keeps_new_secrets_for_its_owner_alone()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("secrets");
        string secrets = Path.Combine(folder, "secrets.ndjson");
        string file = Write("""{"clients":[{"client_id":"secrets-web","name":"Web","type":"web"}]}""");
        string output = await typist.DoAsync("apply", file, "--yes", "--secrets-file", secrets);
        output.ShouldContain("done  client secrets-web created\n");
        JsonElement kept = JsonElement.Parse((await File.ReadAllLinesAsync(secrets)).ShouldHaveSingleItem());
        (FieldOf(kept, "kind"), FieldOf(kept, "key")).ShouldBe(("client", "secrets-web"));
        FieldOf(kept, "secret").Length.ShouldBeGreaterThan(20);
        if (OperatingSystem.IsWindows())
            return;
        File.GetUnixFileMode(secrets).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.SetUnixFileMode(secrets, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        VerbResult open = await typist.TypeAsync("apply", Write("""{"clients":[{"client_id":"secrets-more","name":"More","type":"web"}]}"""), "--yes", "--secrets-file", secrets);
        open.ExitCode.ShouldBe(ExitCode.Usage);
        open.Errors.ShouldContain("can be read by others");
        (await typist.LinesAsync("clients", "list")).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_script_gets_a_line_for_each_change()
    {
        Typist typist = await new Typist(server).InNewRealmAsync("script");
        string file = Write("""{"organizations":[{"handle":"a","name":"A"}]}""");
        VerbResult planned = await typist.TypeAsync("apply", file, "--dry-run", "--json");
        planned.ExitCode.ShouldBe(ExitCode.Differs);
        planned.Output.ShouldBe("""{"action":"create","kind":"organization","key":"a","title":"organization a","outcome":"planned","fields":[{"field":"/name","now":null,"wanted":"A"}]}""" + "\n");
        FieldOf(await typist.JsonAsync("apply", file, "--yes"), "outcome").ShouldBe("done");
        (await typist.LinesAsync("apply", file, "--yes")).ShouldBeEmpty();
    }

    private static string FieldOf(JsonElement item, string name) => item.GetProperty(name).GetString()!;

    private static IEnumerable<string> Titles(string output, char sign) =>
        output.Split('\n').Where(line => line.StartsWith($"{sign} ", StringComparison.Ordinal)).Select(static line => line[2..]);

    private string Write(string text)
    {
        string path = Path.Combine(folder, $"{Guid.NewGuid():N}.json");
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Says yes, after something else has happened.</summary>
    private sealed class AnswerAfter(Func<Task> happens) : TextReader
    {
        public override string ReadLine()
        {
            happens().GetAwaiter().GetResult();
            return "y";
        }
    }
}
