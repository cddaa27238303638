using System.Diagnostics;
using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Server.Pages;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Demo;

/// <summary>Pastes what the demo and the README print into a shell.</summary>
public abstract class WalkContract(DemoServer server)
{
    protected DemoServer Server => server;

    [Fact]
    public async Task The_AuthKit_walk_ends_in_tokens_of_the_chosen_organization()
    {
        string output = await PasteAsync(walk: 0);
        output.ShouldContain("organization_selection_required");
        output.ShouldContain("\"access_token\":");
        output.ShouldContain("\"organization_id\":\"org_");
    }

    [Fact]
    public async Task The_app_native_walk_ends_in_tokens()
    {
        string output = await PasteAsync(walk: 1);
        output.ShouldContain("SUCCESS_COMPLETED");
        output.ShouldContain("\"access_token\":");
    }

    [Fact]
    public async Task The_OAuth_walk_ends_with_both_organizations_in_userinfo()
    {
        string output = await PasteAsync(walk: 2);
        output.ShouldContain("\"access_token\":");
        output.ShouldContain("\"title\":\"Founder\"");
    }

    private async Task<string> PasteAsync(int walk)
    {
        string commands = string.Join('\n', DemoWalks.At(server.Url)[walk].Steps.Select(static step => step.Command));
        using Process shell = Process.Start(new ProcessStartInfo("bash", ["-c", commands.Replace("/tmp/atrium-cookies", Path.GetTempFileName(), StringComparison.Ordinal)])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        string output = await shell.StandardOutput.ReadToEndAsync();
        await shell.WaitForExitAsync();
        return output;
    }
}

public sealed class WalkTests(DemoServer server) : WalkContract(server), IClassFixture<DemoServer>
{
    [Fact]
    public void The_README_prints_the_same_walks()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        foreach (DemoStep step in DemoWalks.At(AtriumOptions.DefaultUrl).SelectMany(static walk => walk.Steps))
            readme.ShouldContain(step.Command!);
    }

    [Fact]
    public async Task The_front_page_shows_the_walks_and_the_people()
    {
        string page = await Server.Http.GetStringAsync("/");
        page.ShouldContain("mia@example.test");
        page.ShouldContain("organization_selection_required");
    }
}

public sealed class PostgresWalkTests(PostgresDemoServer server) : WalkContract(server), IClassFixture<PostgresDemoServer>;
