using Atrium.Server.Cli;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

public sealed class ExplainVerbTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly Typist typist = new(server);

    [Fact]
    public async Task It_says_step_by_step_how_a_sign_in_goes_and_what_the_token_says()
    {
        string text = await typist.DoAsync("explain", "mia@example.test", "--client", "demo-authkit", "--organization", "northwind");
        text.ShouldStartWith("The person signs in, ");
        text.ShouldContain("\nSteps\n  1. Shows who they are: a password.\n  2. Chooses among Northwind, Contoso.\n  3. Is signed in, ");
        text.ShouldContain("\n  in the token  Northwind (org_");
        text.ShouldContain("\n  left out      Fabrikam (org_");
        text.ShouldContain("\nClaims of the access token\n  {\n");
        text.ShouldContain("\n    \"role\": \"owner\",\n");
        (await typist.JsonAsync("explain", "mia@example.test", "--client", "demo-authkit", "--organization", "northwind"))
            .GetProperty("claims").GetProperty("role").GetString().ShouldBe("owner");
    }

    [Fact]
    public async Task It_names_what_is_in_the_way_and_what_there_is_not()
    {
        string text = await typist.DoAsync("explain", "mia@example.test", "--client", "demo-web", "--organization", "fabrikam");
        text.ShouldStartWith("The client gets no token. ");
        text.ShouldContain("\nIn the way\n  membership_suspended: The membership is suspended.");
        text.ShouldNotContain("Claims of the access token");
        VerbResult nobody = await typist.TypeAsync("explain", "nobody", "--client", "none");
        nobody.ExitCode.ShouldBe(ExitCode.Failed);
        nobody.Errors.ShouldContain("\n  /user: There is nobody of that id, e-mail address or username in this realm.\n  /client_id: There is no client");
    }
}
