using System.Text.Json;
using Atrium.Server.Cli;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

public sealed class InvitationVerbTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly Typist typist = new(server);

    [Fact]
    public async Task Somebody_is_asked_again_and_no_more_by_their_address()
    {
        JsonElement made = await typist.JsonAsync(
            "invitations", "create", "contoso", "--email", "New@Example.Test", "--scope", "admin", "--title", "Chief", "--inviter", "Mia", "--expires-in-seconds", "3600");
        made.GetProperty("email_invited").GetString().ShouldBe("new@example.test");
        made.GetProperty("scopes").GetRawText().ShouldBe("""["admin"]""");
        made.GetProperty("inviter").GetProperty("name").GetString().ShouldBe("Mia");
        made.GetProperty("expires_at").GetInt64().ShouldBe(server.Clock.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds());
        string id = made.GetProperty("id").GetString()!;
        (await typist.DoAsync("invitations", "list", "contoso")).ShouldContain($"{id}  new@example.test  admin   pending  ");
        (await typist.JsonAsync("invitations", "show", "contoso", "new@example.test")).GetProperty("id").GetString().ShouldBe(id);
        (await typist.JsonAsync("invitations", "resend", "contoso", "new@example.test")).GetProperty("state").GetString().ShouldBe("pending");
        (await typist.JsonAsync("invitations", "revoke", "contoso", id)).GetProperty("state").GetString().ShouldBe("revoked");
        VerbResult again = await typist.TypeAsync("invitations", "resend", "contoso", id);
        again.ExitCode.ShouldBe(ExitCode.Failed);
        again.Errors.ShouldContain("409 conflict");
        (await typist.TypeAsync("invitations", "show", "fabrikam", id)).ExitCode.ShouldBe(ExitCode.NotFound);
    }
}
