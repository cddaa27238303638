using System.Text.Json;
using Atrium.Server.Cli;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

public sealed class ConnectionVerbTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly Typist typist = new(server);

    [Fact]
    public async Task A_connection_is_made_changed_and_deleted_by_its_name_and_its_secret_is_not_shown()
    {
        string organization = (await typist.JsonAsync("orgs", "show", "contoso")).GetProperty("id").GetString()!;
        string made = await typist.DoAsync(
            "connections", "create", "--type", "oidc", "--name", "Contoso ID", "--organization-id", organization,
            "--set", "settings.issuer=https://id.contoso.example", "--set", "settings.client_id=atrium", "--set", "settings.client_secret=not-to-be-seen");
        made.ShouldNotContain("not-to-be-seen");
        made.ShouldContain("settings.issuer");
        (await typist.DoAsync("connections", "list")).ShouldContain($"  oidc  Contoso ID  {organization}  active\n");
        JsonElement renamed = await typist.JsonAsync("connections", "update", "Contoso ID", "--name", "Contoso", "--set", "settings.client_id=atrium-2");
        (renamed.GetProperty("name").GetString(), renamed.GetProperty("settings").GetProperty("client_id").GetString()).ShouldBe(("Contoso", "atrium-2"));
        await typist.DoAsync("connections", "delete", "Contoso", "--yes");
        (await typist.TypeAsync("connections", "show", renamed.GetProperty("id").GetString()!)).ExitCode.ShouldBe(ExitCode.NotFound);
    }

    [Fact]
    public async Task What_a_type_needs_is_asked_for_field_by_field()
    {
        (await typist.TypeAsync("connections", "create", "--type", "oidc")).Errors.ShouldContain("Option '--name' is required.");
        VerbResult bare = await typist.TypeAsync("connections", "create", "--type", "oidc", "--name", "Bare");
        bare.ExitCode.ShouldBe(ExitCode.Failed);
        bare.Errors.ShouldContain("\n  /settings is missing.");
    }
}
