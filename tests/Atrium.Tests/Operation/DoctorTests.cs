using System.Text.Json;
using Atrium.Core;
using Atrium.Server.Cli;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Storage;
using Atrium.Testing;
using Atrium.Tests.Harness;
using Dapper;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Operation;

/// <summary>What <c>atrium doctor</c> says of a healthy installation, and of everything that can be wrong with one.</summary>
public abstract class DoctorTests(DemoServer server)
{
    /// <summary>The stores write by the server's fake clock, which is not this machine's.</summary>
    private Doctor Doctor => new(server.Options, TimeProvider.System);

    [Fact]
    public async Task Of_a_healthy_server_it_finds_nothing_broken_and_nothing_changes()
    {
        long before = await ChangesAsync();
        IReadOnlyList<Finding> findings = await ExamineAsync();
        findings.Where(static finding => finding.Verdict != Verdict.Good && finding.Matter is not ("nodes" or "clock")).ShouldBeEmpty();
        findings.Select(static finding => finding.Matter).ShouldBeSubsetOf(
        [
            "database", "journal", "integrity", "writable", "disk space", "server", "encoding", "commits", "role", "connections", "standbys",
            "schema", "key file", "clock", "nodes", "public URL", "hashing", "signing", "mail",
        ]);
        (await ChangesAsync()).ShouldBe(before);
        Text(findings).ShouldNotContain("Password=");
    }

    [Fact]
    public async Task Nodes_with_another_clock_version_key_or_address_are_named()
    {
        DateTimeOffset databaseClock = await Nodes.ClockAsync(default);
        Node strange = new()
        {
            Id = Id<Node>.New(server.Clock), Host = "host-b", Version = "0.0.1", PublicUrl = "http://other.example.com", Keys = ["0123456789abcdef"],
            StartedAt = databaseClock, Clock = databaseClock.AddSeconds(-90),
        };
        await Nodes.SayAsync(strange, default);
        string text = Text(await ExamineAsync());
        text.ShouldContain("the clock of host-b is -9");
        text.ShouldContain("different versions");
        text.ShouldContain("host-b has 0123456789abcdef");
        text.ShouldContain("the nodes don't agree");
        await Nodes.LeaveAsync(strange.Id, default);
        Text(await ExamineAsync()).ShouldNotContain("host-b");
    }

    [Fact]
    public async Task A_key_file_that_is_missing_wrong_or_open_to_others_is_told_and_none_is_made()
    {
        string folder = Directory.CreateTempSubdirectory("atrium-doctor-").FullName;
        try
        {
            string path = Path.Combine(folder, "other.key");
            AtriumOptions options = server.Options with { KeyFile = path };
            (await BrokenAsync(options)).ShouldContain($"there is none at {path}");
            File.Exists(path).ShouldBeFalse();
            KeyFile.LoadOrCreate(path);
            (await BrokenAsync(options)).ShouldContain($"sealed under the key {server.Get<StorageKeyRing>().Sealing}");
            (await new Doctor(options, TimeProvider.System).ExamineAsync(default))
                .Count(static finding => finding.Matter == "key file").ShouldBe(1, "nothing is said of an exchange that this file could not go on with");
            File.Copy(server.Options.KeyFile!, path, overwrite: true);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.OtherRead);
            (await new Doctor(options, TimeProvider.System).ExamineAsync(default))
                .ShouldContain(static finding => finding.Matter == "key file" && finding.Verdict == Verdict.Warning && finding.Text.Contains("chmod 600"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task A_mail_server_that_is_away_and_settings_that_cannot_be_used_are_told()
    {
        AtriumOptions options = server.Options with { MailFolder = null, MailFrom = "no-reply@example.test", Smtp = $"smtp://127.0.0.1:{FreePort.Find()}?tls=none" };
        Finding away = await MailAsync(options);
        (away.Verdict, away.Text.Contains("refused", StringComparison.Ordinal)).ShouldBe((Verdict.Bad, true), away.Text);
        (await MailAsync(options with { MailFrom = null })).Text.ShouldStartWith("--mail-from");
        (await MailAsync(server.Options)).Text.ShouldStartWith("is put into ");
        (await MailAsync(server.Options with { MailFolder = null })).Text.ShouldStartWith("none is sent");

        static async Task<Finding> MailAsync(AtriumOptions options) =>
            (await new Doctor(options, TimeProvider.System).ExamineAsync(default)).Last(static finding => finding.Matter == "mail");
    }

    [Fact]
    public async Task A_node_says_what_it_is()
    {
        await server.Get<NodePresence>().SayAsync(default);
        Node node = (await Nodes.ListAsync(default)).ShouldHaveSingleItem();
        (node.Host, node.Version, node.PublicUrl).ShouldBe(($"{Environment.MachineName}:{Environment.ProcessId}", AtriumVersion.Text, server.Url));
        node.Keys.ShouldBe([server.Get<StorageKeyRing>().Sealing]);
    }

    [Fact]
    public async Task A_node_that_stops_is_gone_at_once()
    {
        NodePresence presence = server.Get<NodePresence>();
        await presence.StopAsync(default);
        (await Nodes.ListAsync(default)).ShouldBeEmpty();
        await presence.StartAsync(default);
        (await Nodes.ListAsync(default)).ShouldHaveSingleItem();
    }

    protected NodeStore Nodes => server.Get<NodeStore>();

    private Task<IReadOnlyList<Finding>> ExamineAsync() => Doctor.ExamineAsync(default);

    private static async Task<string> BrokenAsync(AtriumOptions options) =>
        Text([.. (await new Doctor(options, TimeProvider.System).ExamineAsync(default)).Where(static finding => finding is { Verdict: Verdict.Bad, Matter: "key file" })]);

    private static string Text(IReadOnlyList<Finding> findings) => string.Join('\n', findings);

    /// <summary>Rows of everything that could be made by looking.</summary>
    private Task<long> ChangesAsync() => server.Get<Database>().QueryAsync(
        static connection => connection.ExecuteScalarAsync<long>(
            "SELECT (SELECT count(*) FROM schema_migrations) + (SELECT count(*) FROM storage_keys) * 100 + (SELECT count(*) FROM realms) * 10000"),
        default);
}

public sealed class SqliteDoctorTests(DemoServer server) : DoctorTests(server), IClassFixture<DemoServer>, IDisposable
{
    private readonly DemoServer server = server;
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-doctor-").FullName;

    private string Copy => Path.Combine(folder, "copy.db");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Where_there_is_no_database_it_makes_none()
    {
        VerbResult result = await Verb.RunAsync("doctor", "--database", $"Data Source={Copy}");
        result.ExitCode.ShouldBe(1);
        result.Output.ShouldContain($"BAD  database  There is no database file {Copy}.");
        Directory.GetFileSystemEntries(folder).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_older_a_newer_and_an_empty_schema_are_told_and_left_alone()
    {
        await new ReleasedSchema("schema-0001").CopySqliteAsync(Copy);
        byte[] before = await File.ReadAllBytesAsync(Copy);
        (await FindingAsync("schema")).Text.ShouldStartWith("1; this program makes");
        (await File.ReadAllBytesAsync(Copy)).ShouldBe(before);
        Directory.GetFiles(folder).ShouldBe([Copy]);

        await using (Microsoft.Data.Sqlite.SqliteConnection connection = new($"Data Source={Copy};Pooling=false"))
            await connection.ExecuteAsync("INSERT INTO schema_migrations (version, name) VALUES (9999, 'newer')");
        (await FindingAsync("schema")).Text.ShouldStartWith("9999; this program knows");
        await File.WriteAllBytesAsync(Copy, []);
        (await FindingAsync("schema")).Text.ShouldContain("no tables of Atrium");
    }

    [Fact]
    public async Task A_damaged_file_is_found_out()
    {
        await Backups.TakeAsync(server.Options.Database, Copy, "0", server.Clock.GetUtcNow(), default);
        await using (FileStream file = new(Copy, FileMode.Open))
        {
            file.Position = file.Length / 4096 / 2 * 4096;
            await file.WriteAsync(Enumerable.Repeat((byte)0xFF, 4 * 4096).ToArray());
        }

        IReadOnlyList<Finding> findings = await new Doctor(Options, TimeProvider.System).ExamineAsync(default);
        findings.ShouldContain(static finding => finding.Verdict == Verdict.Bad && (finding.Matter == "integrity" || finding.Matter == "database"));
    }

    [Fact]
    public async Task A_program_reads_the_answer_as_JSON()
    {
        VerbResult result = await Verb.RunAsync("doctor", "--json", "--database", server.Options.Database, "--key-file", server.Options.KeyFile!);
        JsonElement report = JsonElement.Parse(result.Output);
        report.GetProperty("healthy").GetBoolean().ShouldBe(result.ExitCode == 0);
        report.GetProperty("findings").EnumerateArray().Select(static one => one.GetProperty("verdict").GetString())
            .ShouldAllBe(static verdict => verdict == "good" || verdict == "warning" || verdict == "bad");
    }

    private AtriumOptions Options => server.Options with { Database = $"Data Source={Copy}" };

    private async Task<Finding> FindingAsync(string matter) =>
        (await new Doctor(Options, TimeProvider.System).ExamineAsync(default)).First(finding => finding.Matter == matter);
}

public sealed class PostgresDoctorTests(PostgresDemoServer server) : DoctorTests(server), IClassFixture<PostgresDemoServer>
{
    [Fact]
    public async Task A_server_that_is_away_is_told_in_one_line_and_backups_are_its_own_tools_affair()
    {
        const string away = "Host=127.0.0.1;Port=1;Database=atrium;Password=do-not-show-this";
        VerbResult result = await Verb.RunAsync("doctor", "--database", away);
        (result.ExitCode, result.Output.Contains("can't be reached", StringComparison.Ordinal)).ShouldBe((1, true));
        VerbResult backup = await Verb.RunAsync("backup", "/tmp/never-made", "--database", away);
        (backup.ExitCode, backup.Errors.Contains("pg_dump", StringComparison.Ordinal), File.Exists("/tmp/never-made")).ShouldBe((1, true, false));
        VerbResult restore = await Verb.RunAsync("restore", "/tmp/never-made", "--database", away);
        (restore.ExitCode, restore.Errors.Contains("pg_restore", StringComparison.Ordinal)).ShouldBe((1, true));
        $"{result}{backup}{restore}".ShouldNotContain("do-not-show-this");
    }
}
