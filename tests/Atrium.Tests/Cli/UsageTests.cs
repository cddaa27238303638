using Atrium.Server.Cli;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

/// <summary>What a command line that can't be understood, or that nobody can do, is told.</summary>
public sealed class UsageTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly Typist typist = new(server);

    [Theory]
    [InlineData("users create", "Option '--email' is required.")]
    [InlineData("users list --limit x", "--limit takes a whole number, not \"x\".")]
    [InlineData("users list --limit -1", "--limit takes a whole number, not \"-1\".")]
    [InlineData("users list --limit 99999999999", "--limit takes a whole number, not \"99999999999\".")]
    [InlineData("users list --limit", "Required argument missing for option: '--limit'.")]
    [InlineData("clients create --name x --type desktop", "--type takes spa, native, web or m2m, not \"desktop\".")]
    [InlineData("clients create --name x --settings {", "--settings is not JSON")]
    [InlineData("clients create --name x --settings []", "--settings takes a JSON object.")]
    [InlineData("users update mia@example.test --set name", "--set takes FIELD=VALUE, not \"name\".")]
    [InlineData("users update mia@example.test", "Nothing to change was named.")]
    [InlineData("events --since yesterday", "--since takes a time such as 2027-01-31T12:00Z or a span such as 2h, not \"yesterday\".")]
    [InlineData("keys list --server ftp://example.com", "\"ftp://example.com\" is no address of a server.")]
    [InlineData("keys list --server http://localhost:5099/v1", "is no address of a server.")]
    [InlineData("bogus", "There is no verb \"bogus\".")]
    [InlineData("users bogus mia@example.test --all", "There is no verb \"bogus\".")]
    [InlineData("users list --bogus", "Unrecognized command or argument '--bogus'.")]
    [InlineData("users", "Required command was not provided.")]
    public async Task What_cant_be_understood_is_said_without_words_of_the_program(string line, string message)
    {
        VerbResult result = await typist.TypeAsync(line.Split(' '));
        result.ExitCode.ShouldBe(ExitCode.Usage);
        result.Output.ShouldBeEmpty();
        result.Errors.ShouldStartWith("atrium: ");
        result.Errors.ShouldContain(message);
        result.Errors.ShouldNotContain("System.");
        result.Errors.ShouldNotContain("Atrium.");
    }

    [Fact]
    public async Task Help_calls_the_program_atrium_and_lists_the_verbs()
    {
        string help = await typist.DoAsync("--help");
        help.ShouldContain("atrium [command] [options]");
        foreach (string verb in new[] { "realms", "orgs", "users", "members", "clients", "keys", "events", "explain", "apply <file>", "import <file>" })
            help.ShouldContain($"\n  {verb} ");
        (await typist.DoAsync("keys", "create", "--help")).ShouldContain("Over the API when a key is given, on this machine's database otherwise.");
    }

    [Fact]
    public async Task A_missing_realm_or_key_is_asked_for_by_its_names()
    {
        (await (typist with { Realm = "" }).TypeAsync("keys", "list")).Errors.ShouldBe("atrium: Name the realm with --realm or ATRIUM_REALM.\n");
        (await (typist with { Key = "" }).TypeAsync("keys", "list")).Errors.ShouldStartWith("atrium: Name a key of the realm with --api-key or ATRIUM_API_KEY.");
        (await typist.TypeAsync("realms", "list")).Errors.ShouldStartWith("atrium: Name an operator key with --operator-key or ATRIUM_OPERATOR_KEY.");
    }

    [Fact]
    public async Task What_the_server_refuses_is_told_with_its_reason_and_its_name_for_the_request()
    {
        VerbResult wrongKey = await (typist with { Key = "sk_wrong" }).TypeAsync("keys", "list");
        wrongKey.ExitCode.ShouldBe(ExitCode.Failed);
        wrongKey.Errors.ShouldContain("401 unauthorized_client");
        wrongKey.Errors.ShouldContain("\n  request ");

        VerbResult otherRealm = await (typist with { Realm = DemoRealm.NeighbourHandle }).TypeAsync("keys", "list");
        otherRealm.ExitCode.ShouldBe(ExitCode.NotFound);
        otherRealm.Errors.ShouldContain("404 not_found");

        VerbResult fields = await typist.TypeAsync("keys", "create", "--scope", "no:such", "--name", new string('x', 201));
        fields.ExitCode.ShouldBe(ExitCode.Failed);
        fields.Errors.ShouldContain("422 unprocessable");
        fields.Errors.ShouldContain("\n  /name must have 1 to 200 characters.");
        fields.Errors.ShouldContain("\n  /scopes/0 must be one of ");
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_told_in_one_line()
    {
        VerbResult result = await typist.TypeAsync("keys", "list", "--server", "http://127.0.0.1:9");
        result.ExitCode.ShouldBe(ExitCode.Failed);
        result.Errors.ShouldStartWith("atrium: The server http://127.0.0.1:9/ can't be reached: ");
        result.Errors.TrimEnd().ShouldNotContain('\n');
    }
}
