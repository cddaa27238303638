using System.Diagnostics;
using System.Text;
using Atrium.Core.Users;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Npgsql;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Transfer;

/// <summary>The verbs as an operator runs them, each in a process of its own.</summary>
public sealed class TransferCommandTests(PrivatePostgres postgres) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-transfer-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task What_is_exported_and_imported_is_the_same_on_every_database_to_the_byte()
    {
        string[] databases = [Sqlite("first"), await postgres.NewDatabaseAsync(), Sqlite("second")];
        string file = Write(
            "by-hand.ndjson",
            [
                .. People(3),
                """{"type":"organization","handle":"child","name":"Child","parent_handle":"northwind","status":"suspended","status_reason":"Unpaid","settings":{"allowed_methods":["password","totp"],"max_members":7,"session_max_age":3600}}""",
                """{"type":"organization","handle":"grandchild","name":"Grandchild","parent_handle":"child"}""",
                """{"type":"role","slug":"auditor","organization_handle":"child","name":"Auditor","permissions":["books:read"]}""",
                """{"type":"role","slug":"auditor","permissions":["all:read"]}""",
                """{"type":"membership","user_email":"p0@example.test","organization_handle":"child","metadata":{"seat":"7"}}""",
            ]);
        string? before = null;
        foreach (string database in databases)
        {
            await SucceedAsync(database, "realms", "create", "acme");
            (await SucceedAsync(database, "import", file, "--realm", "acme")).Output.ShouldContain(before is null ? "13 added" : "13 lines: 13 added");
            string exported = Path.Combine(folder, $"export-{Guid.NewGuid():N}.ndjson");
            (await SucceedAsync(database, "export", exported, "--realm", "acme")).Errors.ShouldContain("password hashes");
            if (!OperatingSystem.IsWindows())
                File.GetUnixFileMode(exported).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
            string text = await File.ReadAllTextAsync(exported);
            (await SucceedAsync(database, "export", "--realm", "acme")).Output.ShouldBe(text, "the standard output is the other place to write to");
            text.ShouldContain("\"password_hash\":\"$2b$04$");
            if (before is not null)
                text.ShouldBe(before);
            (before, file) = (text, exported);
        }

        await postgres.DropAsync(databases[1]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_in_the_middle_the_same_import_does_the_rest(bool onPostgres)
    {
        const int people = 3000;
        string whole = Sqlite("whole");
        await SucceedAsync(whole, "realms", "create", "acme");
        await SucceedAsync(whole, "import", Write("by-hand.ndjson", People(people)), "--realm", "acme");
        string file = Path.Combine(folder, "whole.ndjson");
        await SucceedAsync(whole, "export", file, "--realm", "acme");

        string database = onPostgres ? await postgres.NewDatabaseAsync() : Sqlite("killed");
        await SucceedAsync(database, "realms", "create", "acme");
        await using (Database store = await Database.OpenAsync(database, default))
        {
            Core.Id<Core.Realms.Realm> realm = (await new RealmStore(store).FindByHandleAsync("acme", default))!.Id;
            using Process import = Start(database, "import", file, "--realm", "acme");
            while (!import.HasExited && (await new UserStore(store).ListAsync(realm, new UserFilter(), new PageRequest<User>(1), default)).Items.Count == 0)
                await Task.Delay(5);
            import.Kill();
            await import.WaitForExitAsync();
            import.ExitCode.ShouldNotBe(0, "it was killed before its end");
        }

        string rest = (await SucceedAsync(database, "import", file, "--realm", "acme")).Output;
        rest.ShouldNotContain(" 0 were there already");
        rest.ShouldNotContain($"{(2 * people) + 2} added");
        (await SucceedAsync(database, "export", "--realm", "acme")).Output.ShouldBe(await File.ReadAllTextAsync(file));
        if (onPostgres)
            await postgres.DropAsync(database);
    }

    [Fact]
    public async Task A_broken_line_in_the_middle_is_named_and_nothing_is_changed()
    {
        string database = Sqlite("broken");
        await SucceedAsync(database, "realms", "create", "acme");
        string[] lines = [.. People(400)];
        lines[401] = lines[401][..^9];
        lines[500] = lines[499];
        string file = Write("broken.ndjson", lines);

        (int exit, string output, string errors) = await RunAsync(database, "import", file, "--realm", "acme");
        exit.ShouldBe(1);
        output.ShouldBeEmpty();
        errors.ShouldContain("line 402: is not JSON, from byte ");
        errors.ShouldContain("line 501: is the same membership as on line 500");
        errors.ShouldContain($"{file} can't be imported");
        errors.ShouldContain("Nothing was changed");
        (await SucceedAsync(database, "export", "--realm", "acme")).Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_database_that_fails_meanwhile_is_told_in_one_line_and_the_same_import_does_the_rest()
    {
        string database = await postgres.NewDatabaseAsync();
        string name = new NpgsqlConnectionStringBuilder(database).Database!;
        await SucceedAsync(database, "realms", "create", "acme");
        await postgres.ExecuteAsync(
            """
            CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$;
            CREATE TRIGGER fail BEFORE INSERT ON memberships EXECUTE FUNCTION fail();
            CREATE TRIGGER fail BEFORE INSERT ON clients EXECUTE FUNCTION fail();
            """,
            name);
        string file = Write("people.ndjson", People(600));
        await FailAsync(database, "The disk of the database is full: no room. Make room. What is in by now stays; run the same import again for the rest.", "import", file, "--realm", "acme");
        await FailAsync(database, "The disk of the database is full: no room. Make room.", "clients", "create", "--realm", "acme", "--name", "Web");
        await postgres.ExecuteAsync("DROP FUNCTION fail CASCADE", name);
        (await SucceedAsync(database, "import", file, "--realm", "acme")).Output.ShouldContain("702 added to realm acme, 500 were there already");
        await postgres.DropAsync(database);
    }

    [Fact]
    public async Task A_dry_run_says_what_would_be_and_does_nothing()
    {
        string database = Sqlite("dry");
        await SucceedAsync(database, "realms", "create", "acme");
        (await SucceedAsync(database, "import", Write("people.ndjson", People(2)), "--realm", "acme", "--dry-run")).Output
            .ShouldStartWith("6 lines without a problem: 6 would be added to realm acme, 0 are there already. Nothing was changed.");
        (await SucceedAsync(database, "export", "--realm", "acme")).Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_or_a_realm_that_is_not_there_and_a_file_that_is_are_told()
    {
        string database = Sqlite("none");
        await SucceedAsync(database, "realms", "create", "acme");
        await FailAsync(database, "There is no file", "import", Path.Combine(folder, "none.ndjson"), "--realm", "acme");
        await FailAsync(database, "There is no file", "import", "-", "--realm", "acme");
        await FailAsync(database, "There is no realm \"globex\"", "import", Write("x", []), "--realm", "globex");
        await FailAsync(database, "There is a file", "export", Write("taken", []), "--realm", "acme");
        await FailAsync(database, "no-such-folder", "export", Path.Combine(folder, "no-such-folder", "x"), "--realm", "acme");
    }

    /// <summary>Two organizations, people, and each of them in one.</summary>
    private static IEnumerable<string> People(int count) =>
    [
        """{"type":"organization","handle":"northwind","name":"Northwind","domains":[{"domain":"northwind.example","verified":true},{"domain":"nw.example"}]}""",
        """{"type":"organization","handle":"contoso","name":"Contoso <&> \"Ä\"","external_id":"c","metadata":{"z":"1","a":"2"}}""",
        .. Enumerable.Range(0, count).Select(static i =>
            $$"""{"type":"user","email":"p{{i}}@example.test","profile":{"name":"Person {{i}} 🐎"},"password_hash":"$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC"}"""),
        .. Enumerable.Range(0, count).Select(static i =>
            $$"""{"type":"membership","user_email":"p{{i}}@example.test","organization_handle":"{{(i % 2 == 0 ? "northwind" : "contoso")}}","scopes":["member"]}"""),
    ];

    private string Sqlite(string name) => $"Data Source={Path.Combine(folder, name + ".db")}";

    private string Write(string name, IEnumerable<string> lines)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllLines(path, lines);
        return path;
    }

    private Process Start(string database, params string[] verb)
    {
        string assembly = typeof(Server.Cli.CommandLine).Assembly.Location;
        string[] arguments = [assembly, .. verb, "--database", database, "--key-file", Path.Combine(folder, "atrium.key")];
        return Process.Start(new ProcessStartInfo("dotnet", arguments)
        {
            UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8, StandardErrorEncoding = Encoding.UTF8,
        })!;
    }

    private async Task<(int Exit, string Output, string Errors)> RunAsync(string database, params string[] verb)
    {
        using Process process = Start(database, verb);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }

    private async Task<(string Output, string Errors)> SucceedAsync(string database, params string[] verb)
    {
        (int exit, string output, string errors) = await RunAsync(database, verb);
        exit.ShouldBe(0, errors);
        return (output, errors);
    }

    private async Task FailAsync(string database, string message, params string[] verb)
    {
        (int exit, string output, string errors) = await RunAsync(database, verb);
        exit.ShouldBe(1, output);
        errors.ShouldStartWith("atrium: ");
        errors.ShouldContain(message);
        errors.TrimEnd().ShouldNotContain('\n');
    }
}
