using System.Text.Json;
using Atrium.Server.Cli;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

/// <summary>The verbs that work on a database without a key, and over the API with one.</summary>
public sealed class MachineVerbTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly Typist typist = new(server);

    private string[] Here => ["--database", server.Options.Database, "--key-file", server.Options.KeyFile!];

    [Fact]
    public async Task Without_a_key_they_work_on_the_database_and_the_server_knows_it()
    {
        Typist made = await typist.InNewRealmAsync("machine");
        (await made.LinesAsync("keys", "list")).ShouldHaveSingleItem();
        string[] output = (await made.DoAsync(["clients", "create", "--name", "Web", "--type", "web", "--client-id", "machine-web", "--authkit", .. Here])).Split('\n');
        output[0].ShouldBe("Client machine-web of realm machine");
        output[2].Length.ShouldBeGreaterThan(20);
        JsonElement client = await made.JsonAsync("clients", "show", "machine-web");
        client.GetProperty("settings").GetProperty("authkit").GetProperty("enabled").GetBoolean().ShouldBeTrue();
        (await made.DoAsync(["clients", "disable", "machine-web", .. Here])).ShouldBe("Client machine-web of realm machine is disabled\n");
        (await made.JsonAsync("clients", "show", "machine-web")).GetProperty("status").GetString().ShouldBe("disabled");
        (await made.LinesAsync("events", "--type", "client.*")).ShouldAllBe(static item => item.GetProperty("actor").GetProperty("type").GetString() == "command_line");
    }

    [Theory]
    [InlineData("--settings", """{"openid":{"refresh_grace_seconds":"5"}}""", "/settings/openid/refresh_grace_seconds must be a whole number from 0 to 60.")]
    [InlineData("--settings", """{"openid":{"grace":5}}""", "/settings/openid/grace is not a field that can be set here.")]
    [InlineData("--settings", """{"restrictions":{"organizations":{"policy":"allowlist"}}}""", "/settings/restrictions/organizations/allowed_org_ids: An allowlist names at least one organization.")]
    [InlineData("--redirect-uri", "https://a.example/#b", "/redirect_uris/0: ")]
    [InlineData("--client-id", "a b", "/client_id: ")]
    public async Task A_client_that_cant_be_is_refused_in_the_words_of_the_API(string option, string value, string message)
    {
        Typist machine = typist with { Key = "" };
        VerbResult result = await machine.TypeAsync(["clients", "create", "--name", "Web", option, value, .. Here]);
        result.ExitCode.ShouldBe(ExitCode.Failed);
        result.Errors.ShouldContain($"\n  {message}");
        result.Errors.ShouldNotContain("Atrium.");
        VerbResult overApi = await typist.TypeAsync(["clients", "create", "--name", "Web", option, value]);
        overApi.ExitCode.ShouldBe(ExitCode.Failed);
        overApi.Errors.ShouldContain($"\n  {message}");
    }

    [Fact]
    public async Task A_realm_that_is_not_there_is_told_with_the_next_step() =>
        (await typist.TypeAsync(["keys", "create", "--realm", "nowhere", .. Here])).Errors.ShouldBe("atrium: There is no realm \"nowhere\". Make it with: atrium realms create nowhere\n");

    [Fact]
    public async Task Options_may_stand_before_the_verb()
    {
        await typist.DoAsync([.. Here, "realms", "create", "before"]);
        (await typist.TypeAsync([.. Here, "realms", "create", "before"])).Errors.ShouldContain("There is a realm \"before\" already.");
    }
}
