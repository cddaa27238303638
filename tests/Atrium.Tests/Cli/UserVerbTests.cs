using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Atrium.Server.Cli;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

public sealed class UserVerbTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly Typist typist = new(server);

    [Fact]
    public async Task A_user_is_made_with_a_password_from_the_standard_input_and_named_by_anything_of_theirs()
    {
        Typist piping = typist with { Input = "A-long-Passw0rd\nmore\n" };
        JsonElement made = await piping.JsonAsync(
            "users", "create", "--email", "ida@example.test", "--email-verified", "--username", "ida", "--given-name", "Ida", "--family-name", "Ito",
            "--external-id", "e-7", "--set", "metadata.plan=gold", "--set", "profile.locale=\"de\"", "--password-stdin");
        string id = made.GetProperty("id").GetString()!;
        made.GetProperty("profile").GetProperty("locale").GetString().ShouldBe("de");
        made.GetProperty("metadata").GetProperty("plan").GetString().ShouldBe("gold");
        (await SignInAsync("A-long-Passw0rd")).ShouldBe(HttpStatusCode.OK);

        foreach (string name in new[] { id, "ida@example.test", "ida", "e-7" })
            (await typist.JsonAsync("users", "show", name)).GetProperty("id").GetString().ShouldBe(id);
        (await typist.DoAsync("users", "list", "--email", "ida@example.test")).ShouldContain("  Ida Ito  active  ");

        await (typist with { Input = "Another-Passw0rd\n" }).DoAsync("users", "password", "ida");
        (await SignInAsync("A-long-Passw0rd")).ShouldNotBe(HttpStatusCode.OK);
        (await SignInAsync("Another-Passw0rd")).ShouldBe(HttpStatusCode.OK);
        string session = (await typist.LinesAsync("users", "sessions", "list", "ida"))[0].GetProperty("id").GetString()!;
        await typist.DoAsync("users", "sessions", "end", "ida", session, "--yes");

        (await typist.JsonAsync("users", "update", "ida", "--set", "username=null", "--set", "metadata.plan=null")).GetProperty("username").ValueKind.ShouldBe(JsonValueKind.Null);
        (await typist.TypeAsync("users", "show", "ida")).ExitCode.ShouldBe(ExitCode.NotFound);
        await typist.DoAsync("users", "disable", id);
        (await SignInAsync("Another-Passw0rd")).ShouldNotBe(HttpStatusCode.OK);
        await typist.DoAsync("users", "enable", id);
        (await SignInAsync("Another-Passw0rd")).ShouldBe(HttpStatusCode.OK);
        await typist.DoAsync("users", "delete", id, "--yes");
        (await typist.TypeAsync("users", "show", id)).ExitCode.ShouldBe(ExitCode.NotFound);
    }

    [Fact]
    public async Task What_is_wrong_with_a_user_is_said_field_by_field_and_without_the_password()
    {
        VerbResult wrong = await (typist with { Input = "short\n" }).TypeAsync("users", "create", "--email", "nobody", "--set", "profile.nick=x", "--set", "email_verified=7", "--password-stdin");
        wrong.ExitCode.ShouldBe(ExitCode.Failed);
        wrong.Errors.ShouldContain("\n  /email: This is not an e-mail address.\n");
        wrong.Errors.ShouldContain("\n  /profile/nick is not a field that can be set here.");
        wrong.Errors.ShouldContain("\n  /email_verified must be true or false.\n");
        wrong.Errors.ShouldNotContain("short\n");

        VerbResult taken = await typist.TypeAsync("users", "create", "--email", "mia@example.test");
        taken.Errors.ShouldContain("409 conflict");
        (await typist.TypeAsync("users", "create", "--email", "x@example.test", "--password-stdin")).Errors.ShouldBe("atrium: There is no password on the standard input.\n");
        (await typist.TypeAsync("users", "show", "x@example.test")).Errors.ShouldBe("atrium: There is no user \"x@example.test\".\n");
        (await typist.TypeAsync("users", "show", "../api-keys")).ExitCode.ShouldBe(ExitCode.NotFound);
    }

    [Fact]
    public async Task Clients_are_made_changed_shared_and_named_by_their_client_id()
    {
        string made = await typist.DoAsync(
            "clients", "create", "--name", "Desk", "--client-id", "desk", "--type", "web", "--redirect-uri", "https://desk.example/a", "--redirect-uri", "https://desk.example/b",
            "--settings", """{"openid":{"refresh_grace_seconds":5}}""", "--authkit");
        made.ShouldContain("The client secret, shown this once:\n");
        JsonElement desk = await typist.JsonAsync("clients", "show", "desk");
        desk.GetProperty("redirect_uris").GetArrayLength().ShouldBe(2);
        desk.GetProperty("settings").GetProperty("openid").GetProperty("refresh_grace_seconds").GetInt32().ShouldBe(5);
        desk.GetProperty("settings").GetProperty("authkit").GetProperty("enabled").GetBoolean().ShouldBeTrue();
        desk.TryGetProperty("client_secret", out _).ShouldBeFalse();

        await typist.DoAsync("clients", "update", "desk", "--redirect-uri", "https://desk.example/c", "--set", "shared_with=selected");
        (await typist.DoAsync("clients", "share", "desk", "northwind")).ShouldBe("northwind can sign in with it.\n");
        (await typist.LinesAsync("clients", "organizations", "desk")).ShouldHaveSingleItem();
        await typist.DoAsync("clients", "unshare", "desk", "northwind");
        (await typist.LinesAsync("clients", "organizations", "desk")).ShouldBeEmpty();
        (await typist.JsonAsync("clients", "rotate-secret", "desk")).GetProperty("client_secret").GetString()!.Length.ShouldBeGreaterThan(20);
        (await typist.JsonAsync("clients", "disable", "desk")).GetProperty("status").GetString().ShouldBe("disabled");
        (await typist.JsonAsync("clients", "enable", "desk")).GetProperty("status").GetString().ShouldBe("active");
        await typist.DoAsync("clients", "delete", "desk", "--yes");
        (await typist.TypeAsync("clients", "show", "desk")).ExitCode.ShouldBe(ExitCode.NotFound);
    }

    private async Task<HttpStatusCode> SignInAsync(string password)
    {
        using HttpResponseMessage answer = await server.Http.PostAsJsonAsync("/user_management/authenticate", new
        {
            client_id = "demo-authkit", client_secret = DemoRealm.ApiKey, grant_type = "password", email = "ida@example.test", password,
        });
        return answer.StatusCode;
    }
}
