using System.Net;
using System.Net.Http.Headers;
using Atrium.Core.Realms;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

/// <summary>The verbs work on the database of the running server, as they do on an operator's machine.</summary>
public sealed class OperatorKeyVerbTests(DemoServer server) : IClassFixture<DemoServer>
{
    [Fact]
    public async Task An_operator_key_is_made_listed_and_deleted_where_the_database_is()
    {
        VerbResult made = await RunAsync("create", "--operator", "--name", "Provisioning");
        made.ExitCode.ShouldBe(0, made.Errors);
        string secret = made.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[^1];
        secret.ShouldStartWith(OperatorKey.SecretPrefix);
        (await StatusAsync(secret)).ShouldBe(HttpStatusCode.OK);

        VerbResult listed = await RunAsync("list", "--operator");
        string line = listed.Output.Split('\n').Single(static line => line.Contains("Provisioning", StringComparison.Ordinal));
        listed.Output.ShouldNotContain(secret);
        (await RunAsync("delete", line.Split(' ')[0], "--operator")).ExitCode.ShouldBe(0);
        (await StatusAsync(secret)).ShouldBe(HttpStatusCode.Unauthorized);
        (await RunAsync("delete", line.Split(' ')[0], "--operator")).Errors.ShouldContain("There is no operator key");
    }

    [Fact]
    public async Task A_key_is_a_realms_or_an_operators()
    {
        (await RunAsync("create")).Errors.ShouldContain("--operator");
        (await RunAsync("create", "--operator", "--realm", "acme")).Errors.ShouldContain("--operator");
        (await RunAsync("create", "--realm", "acme")).Output.ShouldContain(ApiKey.SecretPrefix);
    }

    private Task<VerbResult> RunAsync(params string[] arguments) =>
        Verb.RunAsync(["keys", .. arguments, "--database", server.Options.Database, "--key-file", server.Options.KeyFile!]);

    private async Task<HttpStatusCode> StatusAsync(string key)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/v1/realms") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        return response.StatusCode;
    }
}
