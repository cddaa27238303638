using System.Text.Json;
using Atrium.Server.Cli;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

public sealed class RealmVerbTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly Typist typist = new(server);

    private string[] Here => ["--database", server.Options.Database, "--key-file", server.Options.KeyFile!];

    [Fact]
    public async Task An_operators_key_is_made_on_the_machine_and_makes_and_deletes_realms_over_the_API()
    {
        string[] made = (await typist.DoAsync(["keys", "create", "--operator", "--name", "Ops", .. Here])).Split('\n');
        string id = made[0].Split(' ')[2].TrimEnd('.');
        Typist operating = typist with { OperatorKey = made[1] };
        JsonElement realm = await operating.JsonAsync("realms", "create", "remote", "--name", "Remote");
        realm.GetProperty("handle").GetString().ShouldBe("remote");
        (await operating.DoAsync("realms", "list")).ShouldContain("remote  Remote  realm_");
        (await operating.JsonAsync("realms", "update", "remote", "--set", "settings.event_retention_days=30"))
            .GetProperty("settings").GetProperty("event_retention_days").GetInt32().ShouldBe(30);
        (await operating.TypeAsync("realms", "create", "remote")).Errors.ShouldContain("409 conflict");
        (await (operating with { Answers = "y\n" }).TypeAsync("realms", "delete", "remote")).Output.ShouldBe("The realm Remote is deleted.\n");
        (await operating.TypeAsync("realms", "show", "remote")).ExitCode.ShouldBe(ExitCode.NotFound);

        (await typist.DoAsync(["keys", "list", "--operator", .. Here])).ShouldContain(id);
        await typist.DoAsync(["keys", "delete", id, "--operator", .. Here]);
        (await operating.TypeAsync("realms", "list")).Errors.ShouldContain("401 ");
        (await typist.TypeAsync(["keys", "delete", id, "--operator", .. Here])).ExitCode.ShouldBe(ExitCode.NotFound);
    }
}
