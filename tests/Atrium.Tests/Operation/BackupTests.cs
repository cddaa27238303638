using System.Net;
using System.Text;
using Atrium.Server.Hosting;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Dapper;
using Microsoft.Data.Sqlite;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Operation;

/// <summary>Backups of a live SQLite server, and what may and may not be restored from them.</summary>
public sealed class BackupTests(DemoServer server) : IClassFixture<DemoServer>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-backup-").FullName;

    private string Backup => Path.Combine(folder, "atrium.backup");

    private string Target => Path.Combine(folder, "restored.db");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task What_was_acknowledged_before_a_backup_of_a_busy_server_is_there_after_a_restore()
    {
        AuthKitCalls calls = new(server);
        string[] emails = [.. await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ => (await calls.NewUserAsync(emailVerified: true, "northwind")).Email))];
        string[] tokens = [.. await Task.WhenAll(emails.Select(async email => (await calls.PasswordAsync(email)).ShouldBe(HttpStatusCode.OK)["refresh_token"]!))];
        string[] quiet = [.. await Task.WhenAll(emails.Select(async email => (await calls.PasswordAsync(email))["refresh_token"]!))];
        using CancellationTokenSource stop = new();
        int rotations = 0;
        Task load = Task.WhenAll(Enumerable.Range(0, tokens.Length).Select(async i =>
        {
            while (!stop.IsCancellationRequested)
            {
                tokens[i] = (await calls.RefreshAsync(tokens[i])).ShouldBe(HttpStatusCode.OK)["refresh_token"]!;
                Interlocked.Increment(ref rotations);
            }
        }));
        await UntilAsync(() => Volatile.Read(ref rotations) > 20);
        string[] acknowledged = [.. tokens];
        VerbResult taken = await Verb.RunAsync("backup", Backup, "--database", server.Options.Database, "--key-file", server.Options.KeyFile!);
        int atTheEnd = rotations;
        await UntilAsync(() => Volatile.Read(ref rotations) > atTheEnd + 20);
        await stop.CancelAsync();
        await load;
        taken.ExitCode.ShouldBe(0, taken.Errors);
        taken.Output.ShouldContain(server.Get<Backbone>().StorageKeys.Sealing);
        taken.Output.ShouldContain("back that file up too");
        Directory.GetFiles(folder).ShouldBe([Backup]);

        await using RestoredServer restored = new(server, Backup);
        await restored.InitializeAsync();
        AuthKitCalls after = new(restored);

        // What a token was exchanged for before the backup came to it is answered again, within the grace.
        foreach (string token in quiet.Concat(acknowledged))
            (await after.RefreshAsync(token)).ShouldBe(HttpStatusCode.OK);
        foreach (string email in emails)
            (await after.PasswordAsync(email)).ShouldBe(HttpStatusCode.OK);
        (await after.SignInWithFactorAsync("tom@example.test")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_backup_is_a_database_of_one_file_that_names_its_key_and_does_not_hold_it()
    {
        BackupLabel label = await TakeAsync();
        label.Keys.ShouldBe([server.Get<Backbone>().StorageKeys.Sealing]);
        label.Schema.ShouldBe(Database.KnownSchema);
        byte[] bytes = await File.ReadAllBytesAsync(Backup);
        string key = (await File.ReadAllTextAsync(server.Options.KeyFile!)).Trim().Split(':')[1];
        bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(key)).ShouldBe(-1);
        bytes.AsSpan().IndexOf(Convert.FromBase64String(key)).ShouldBe(-1);
        await using SqliteConnection connection = new($"Data Source={Backup};Mode=ReadOnly;Pooling=false");
        (await connection.ExecuteScalarAsync<string>("PRAGMA integrity_check")).ShouldBe("ok");
        (await connection.ExecuteScalarAsync<string>("PRAGMA journal_mode")).ShouldBe("delete");
        if (!OperatingSystem.IsWindows())
            File.GetUnixFileMode(Backup).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task A_backup_is_never_written_over_a_file_and_leaves_nothing_when_it_fails()
    {
        await File.WriteAllTextAsync(Backup, "mine");
        (await Should.ThrowAsync<BackupException>(TakeAsync)).Message.ShouldContain("never written over");
        (await File.ReadAllTextAsync(Backup)).ShouldBe("mine");
        string elsewhere = Path.Combine(folder, "missing", "atrium.backup");
        VerbResult refused = await Verb.RunAsync("backup", elsewhere, "--database", server.Options.Database);
        (refused.ExitCode, refused.Errors.Trim()).ShouldBe((1, $"atrium: There is no folder {Path.GetDirectoryName(elsewhere)}. Make it first."));
        Directory.GetFileSystemEntries(folder).ShouldBe([Backup]);
    }

    [Theory]
    [InlineData(0, "no backup of Atrium")]
    [InlineData(50, "no backup of Atrium")]
    [InlineData(5000, "cut off: it ends at byte 5000")]
    [InlineData(-400, "cut off")]
    [InlineData(-100, "has no closing line: it was cut off at byte")]
    [InlineData(-1, "has no closing line: it was cut off at byte")]
    public async Task A_backup_that_was_cut_off_is_refused_and_says_where(int length, string what)
    {
        await TakeAsync();
        await using (FileStream file = new(Backup, FileMode.Open))
            file.SetLength(length < 0 ? file.Length + length : length);
        await RefusedAsync(what);
    }

    [Fact]
    public async Task What_is_changed_or_no_backup_or_a_dump_is_refused()
    {
        await TakeAsync();
        byte[] bytes = await File.ReadAllBytesAsync(Backup);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(Backup, bytes);
        await RefusedAsync("is damaged");
        await File.WriteAllTextAsync(Backup, new string('x', 5000));
        await RefusedAsync("no backup of Atrium");
        await File.WriteAllTextAsync(Backup, "PGDMP" + new string('x', 5000));
        await RefusedAsync("pg_restore");
        File.Delete(Backup);
        await RefusedAsync("can't be restored");
    }

    [Fact]
    public async Task A_database_is_replaced_only_when_told_to_and_kept_aside()
    {
        await TakeAsync();
        (await RestoreAsync()).ExitCode.ShouldBe(0);
        await ExecuteAsync("UPDATE realms SET name = 'changed since'");
        (await RestoreAsync()).Errors.ShouldContain("--replace");
        (await NameAsync(Target)).ShouldBe("changed since");
        VerbResult replaced = await RestoreAsync("--replace");
        replaced.ExitCode.ShouldBe(0, replaced.Errors);
        (await NameAsync(Target)).ShouldBe("Acme");
        string aside = Directory.GetFiles(folder, "restored.db.before-restore-*").ShouldHaveSingleItem();
        replaced.Output.ShouldContain(aside);
        (await NameAsync(aside)).ShouldBe("changed since");
    }

    [Fact]
    public async Task A_restore_that_fails_at_its_last_step_leaves_the_old_database_and_nothing_else()
    {
        await TakeAsync();
        (await RestoreAsync()).ExitCode.ShouldBe(0);
        string[] before = Directory.GetFiles(folder);
        Should.Throw<BackupException>(() => Backups.Install(Path.Combine(folder, "gone"), $"Data Source={Target}", replace: true, server.Clock.GetUtcNow()))
            .Message.ShouldContain("left as it was");
        Directory.GetFiles(folder).ShouldBe(before, ignoreOrder: true);
        (await NameAsync(Target)).ShouldBe("Acme");
    }

    [Fact]
    public async Task A_database_that_is_damaged_or_left_with_an_orphaned_log_is_replaced_too()
    {
        await TakeAsync();
        await File.WriteAllTextAsync(Target, new string('x', 50_000));
        await File.WriteAllTextAsync($"{Target}-wal", "of another database");
        VerbResult replaced = await RestoreAsync("--replace");
        replaced.ExitCode.ShouldBe(0, replaced.Errors);
        (await NameAsync(Target)).ShouldBe("Acme");
        File.Exists($"{Target}-wal").ShouldBeFalse("SQLite would take it for the new database's");

        File.Delete(Target);
        await File.WriteAllTextAsync($"{Target}-wal", "of a database that somebody removed");
        (await RestoreAsync()).ExitCode.ShouldBe(0);
        File.Exists($"{Target}-wal").ShouldBeFalse();
        (await NameAsync(Target)).ShouldBe("Acme");
    }

    [Fact]
    public async Task A_database_that_a_server_has_open_is_not_replaced()
    {
        await TakeAsync();
        VerbResult refused = await Verb.RunAsync("restore", Backup, "--replace", "--database", server.Options.Database, "--key-file", server.Options.KeyFile!);
        refused.ExitCode.ShouldBe(1);
        refused.Errors.ShouldContain("has");
        refused.Errors.ShouldContain("open. Stop it first");
        (await new AuthKitCalls(server).PasswordAsync("sam@example.test")).ShouldBe(HttpStatusCode.OK);
        Directory.GetFiles(Path.GetDirectoryName(server.Options.KeyFile!)!).ShouldAllBe(static file => !file.Contains("before-restore"));
    }

    [Fact]
    public async Task A_backup_whose_key_is_not_here_or_whose_schema_is_newer_is_refused()
    {
        await TakeAsync();
        string other = Path.Combine(folder, "other.key");
        (await RestoreWithAsync(other)).Errors.ShouldContain($"needs the key {server.Get<Backbone>().StorageKeys.Sealing}, and there is no key file at {other}");
        Server.Keys.KeyFile.LoadOrCreate(other);
        (await RestoreWithAsync(other)).Errors.ShouldContain("Name the right one with --key-file");
        File.Exists(Target).ShouldBeFalse();

        (await RestoreAsync()).ExitCode.ShouldBe(0);
        await ExecuteAsync("INSERT INTO schema_migrations (version, name) VALUES (9999, 'newer')");
        File.Delete(Backup);
        await Backups.TakeAsync($"Data Source={Target}", Backup, "9.9.9", server.Clock.GetUtcNow(), default);
        VerbResult refused = await RestoreAsync("--replace");
        refused.Errors.ShouldContain("schema 9999");
        refused.Errors.ShouldContain("Atrium 9.9.9 or later");
    }

    [Fact]
    public async Task A_restore_into_a_folder_that_is_not_there_is_refused_in_a_sentence()
    {
        await TakeAsync();
        VerbResult refused = await Verb.RunAsync(
            "restore", Backup, "--database", $"Data Source={Path.Combine(folder, "missing", "atrium.db")}", "--key-file", server.Options.KeyFile!);
        (refused.ExitCode, refused.Errors.Trim()).ShouldBe((1, $"atrium: There is no folder {Path.Combine(folder, "missing")}. Make it first."));
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        while (!isSo())
            await Task.Delay(10, TestContext.Current.CancellationToken);
    }

    private static async Task<string?> NameAsync(string file)
    {
        await using SqliteConnection connection = new($"Data Source={file};Mode=ReadOnly;Pooling=false");
        return await connection.ExecuteScalarAsync<string>("SELECT name FROM realms ORDER BY handle LIMIT 1");
    }

    private async Task ExecuteAsync(string sql)
    {
        await using SqliteConnection connection = new($"Data Source={Target};Pooling=false");
        await connection.ExecuteAsync(sql);
    }

    private Task<BackupLabel> TakeAsync() => Backups.TakeAsync(server.Options.Database, Backup, AtriumVersion.Text, server.Clock.GetUtcNow(), default);

    private Task<VerbResult> RestoreAsync(params string[] more) => RestoreWithAsync(server.Options.KeyFile!, more);

    private Task<VerbResult> RestoreWithAsync(string keyFile, params string[] more) =>
        Verb.RunAsync(["restore", Backup, "--database", $"Data Source={Target}", "--key-file", keyFile, .. more]);

    private async Task RefusedAsync(string what)
    {
        VerbResult refused = await RestoreAsync();
        refused.ExitCode.ShouldBe(1);
        refused.Errors.ShouldStartWith("atrium: ");
        refused.Errors.ShouldContain(what);
        refused.Errors.Trim().ShouldNotContain('\n');
        Directory.GetFiles(folder).Where(file => file != Backup).ShouldBeEmpty("nothing is left behind");
    }

    /// <summary>A server on what is restored from a backup, at the same time of day.</summary>
    private sealed class RestoredServer(DemoServer original, string backup) : DemoServer
    {
        protected override async Task<string> NewDatabaseAsync(string path)
        {
            Clock.Advance(original.Clock.GetUtcNow() - Clock.GetUtcNow());
            string key = Path.ChangeExtension(path, ".key");
            File.Copy(original.Options.KeyFile!, key);
            VerbResult restored = await Verb.RunAsync("restore", backup, "--database", $"Data Source={path}", "--key-file", key);
            restored.ExitCode.ShouldBe(0, restored.Errors);
            return await base.NewDatabaseAsync(path);
        }
    }
}
