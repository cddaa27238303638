using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using Atrium.Storage;
using Npgsql;

namespace Atrium.Tests.Harness;

/// <summary>What a released version left behind, as <c>tests/fixtures/make</c> kept it.</summary>
public sealed class ReleasedSchema
{
    private readonly string folder;
    private readonly JsonElement facts;

    public ReleasedSchema(string name)
    {
        Name = name;
        folder = Path.Combine(Root, name);
        facts = JsonElement.Parse(File.ReadAllText(Path.Combine(folder, "facts.json")));
    }

    public static string[] All { get; } = [.. Directory.EnumerateDirectories(Root).Select(static folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    private static string Root => Path.Combine(Repository.Root, "tests/fixtures");

    public string Name { get; }

    public long Version => long.Parse(Name["schema-".Length..]);

    public DateTimeOffset MadeAt => facts.GetProperty("made_at").GetDateTimeOffset();

    /// <summary>The SHA-256 of each step by its file's name.</summary>
    public IReadOnlyDictionary<string, string> Migrations =>
        facts.GetProperty("migrations").EnumerateObject().ToDictionary(static one => one.Name, static one => one.Value.GetString()!);

    /// <summary>A token of Sam's that was alive when it was kept.</summary>
    public string RefreshToken(bool postgres) => facts.GetProperty(postgres ? "postgres_refresh_token" : "sqlite_refresh_token").GetString()!;

    public void CopyKeyFile(bool postgres, string path)
    {
        File.Copy(Path.Combine(folder, postgres ? "postgres.key.txt" : "sqlite.key.txt"), path);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, DurableFiles.OwnerOnly);
    }

    public async Task CopySqliteAsync(string path)
    {
        await using FileStream target = File.Create(path);
        await UnpackAsync("sqlite.db.gz", target);
    }

    /// <summary>Loads the dump into an empty database with PostgreSQL's own tool.</summary>
    public async Task LoadPostgresAsync(string connectionString)
    {
        using Process psql = PostgresTools.Tool("psql", connectionString, "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null");
        await UnpackAsync("postgres.sql.gz", psql.StandardInput.BaseStream);
        psql.StandardInput.Close();
        string errors = await psql.StandardError.ReadToEndAsync();
        await psql.WaitForExitAsync();
        if (psql.ExitCode != 0)
            throw new InvalidOperationException($"psql could not load {Name} into {new NpgsqlConnectionStringBuilder(connectionString).Database}: {errors}");
    }

    private async Task UnpackAsync(string file, Stream target)
    {
        await using GZipStream content = new(File.OpenRead(Path.Combine(folder, file)), CompressionMode.Decompress);
        await content.CopyToAsync(target);
    }
}
