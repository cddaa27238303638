using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Atrium.Server.Hosting;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Npgsql;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Operation;

/// <summary>The commands of docs/backup.md, run as they stand there; only names of databases and folders are the test's own.</summary>
public sealed partial class BackupGuideTests(DemoServer sqlite, PostgresDemoServer onPostgres, PrivatePostgres postgres)
    : IClassFixture<DemoServer>, IClassFixture<PostgresDemoServer>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-guide-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task SQLite_is_backed_up_and_restored_as_written()
    {
        string[] blocks = BlocksUnder("SQLite");
        blocks.Length.ShouldBe(2);
        File.Copy(sqlite.Options.KeyFile!, Path.Combine(folder, "atrium.key"));
        foreach (string name in new[] { "backup", "elsewhere" })
            Directory.CreateDirectory(Path.Combine(folder, name));
        await RunAsync($"atrium() {{ dotnet '{typeof(AtriumServer).Assembly.Location}' \"$@\"; }}\n" + Here(blocks[0]), new() { ["ConnectionStrings__Atrium"] = sqlite.Options.Database });
        await RunAsync($"atrium() {{ dotnet '{typeof(AtriumServer).Assembly.Location}' \"$@\"; }}\n" + Here(blocks[1]), new() { ["ConnectionStrings__Atrium"] = null });
        Directory.GetFiles(folder).Select(Path.GetFileName).ShouldBe(["atrium.db", "atrium.key"], ignoreOrder: true);
        File.Exists(Path.Combine(folder, "elsewhere", "atrium.key")).ShouldBeTrue();
    }

    [Fact]
    public async Task PostgreSQL_is_backed_up_while_it_serves_and_restored_as_written()
    {
        AuthKitCalls calls = new(onPostgres);
        string token = (await calls.PasswordAsync("sam@example.test")).ShouldBe(HttpStatusCode.OK)["refresh_token"]!;
        string original = new NpgsqlConnectionStringBuilder(onPostgres.Options.Database).Database!;
        string restored = $"{original}_restored";
        string commands = BlocksUnder("PostgreSQL").ShouldHaveSingleItem();
        await RunAsync(Database().Replace(commands, match => match.Value == "atrium" ? original : restored), PostgresTools.WithEnvironment(new ProcessStartInfo(), onPostgres.Options.Database).Environment
            .Where(static one => one.Key.StartsWith("PG", StringComparison.Ordinal) || one.Key == "PATH").ToDictionary());

        await using RestoredServer server = new(onPostgres, await postgres.ConnectionStringAsync(restored));
        await server.InitializeAsync();
        AuthKitCalls after = new(server);
        (await after.RefreshAsync(token)).ShouldBe(HttpStatusCode.OK);
        (await after.SignInWithFactorAsync("tom@example.test")).ShouldBe(HttpStatusCode.OK);
    }

    private static string[] BlocksUnder(string heading)
    {
        string guide = File.ReadAllText(Path.Combine(Repository.Root, "docs/backup.md"));
        string section = guide.Split("\n## ").Single(part => part.StartsWith($"{heading}\n", StringComparison.Ordinal));
        return [.. Block().Matches(section).Select(static match => match.Groups["text"].Value)];
    }

    private string Here(string commands) => commands.Replace("/backup/", $"{folder}/backup/", StringComparison.Ordinal).Replace("/elsewhere/", $"{folder}/elsewhere/", StringComparison.Ordinal);

    private async Task RunAsync(string commands, Dictionary<string, string?> environment)
    {
        ProcessStartInfo start = new("bash", ["-euc", commands]) { WorkingDirectory = folder, RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        foreach ((string name, string? value) in environment)
            start.Environment[name] = value;
        using Process shell = Process.Start(start)!;
        Task<string> output = shell.StandardOutput.ReadToEndAsync();
        string errors = await shell.StandardError.ReadToEndAsync();
        await shell.WaitForExitAsync();
        shell.ExitCode.ShouldBe(0, $"{await output}{errors}");
    }

    /// <summary>The names of the databases in the guide, and not the file's.</summary>
    [GeneratedRegex(@"\batrium_restored\b|\batrium(?![.\w])", RegexOptions.ExplicitCapture)]
    private static partial Regex Database();

    [GeneratedRegex("```sh\n(?<text>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Block();

    /// <summary>A server on the database that was restored, with the key file of the one that was dumped.</summary>
    private sealed class RestoredServer(DemoServer original, string connectionString) : DemoServer
    {
        protected override Task<string> NewDatabaseAsync(string path)
        {
            Clock.Advance(original.Clock.GetUtcNow() - Clock.GetUtcNow());
            File.Copy(original.Options.KeyFile!, Path.ChangeExtension(path, ".key"));
            return Task.FromResult(connectionString);
        }
    }
}
