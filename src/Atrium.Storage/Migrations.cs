using System.Data.Common;
using System.Reflection;
using Dapper;

namespace Atrium.Storage;

/// <summary>One numbered step of the schema.</summary>
internal sealed record Migration(long Version, string Name, string Sql);

/// <summary>The steps, embedded in the assembly, in their order. They only ever go forward.</summary>
internal static class Migrations
{
    private const string Folder = "Atrium.Storage.Migrations.";

    public static IReadOnlyList<Migration> All { get; } =
    [
        .. Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(static name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(static name => new Migration(long.Parse(name.AsSpan(Folder.Length, 4)), name[Folder.Length..], Read(name))),
    ];

    /// <summary>Takes the steps that a database has not taken yet. The caller brings the transaction and keeps others from doing the same.</summary>
    public static async Task ApplyAsync(DbConnection connection)
    {
        await connection.ExecuteAsync("CREATE TABLE IF NOT EXISTS schema_migrations (version bigint NOT NULL PRIMARY KEY, name text NOT NULL)");
        long current = await connection.ExecuteScalarAsync<long>("SELECT coalesce(max(version), 0) FROM schema_migrations");
        RefuseNewer(current);
        foreach (Migration migration in All.Where(migration => migration.Version > current))
        {
            await connection.ExecuteAsync(migration.Sql);
            await connection.ExecuteAsync(
                "INSERT INTO schema_migrations (version, name) VALUES (@Version, @Name)", new { migration.Version, migration.Name });
        }
    }

    /// <summary>A program never touches a schema that it does not know.</summary>
    private static void RefuseNewer(long current)
    {
        long known = All[^1].Version;
        if (current > known)
        {
            throw new DatabaseConfigurationException(
                $"The database has schema {current}, this program knows up to {known}. Start a version of Atrium at least as new as the one that wrote it.");
        }
    }

    private static string Read(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using StreamReader reader = new(stream);
        return reader.ReadToEnd();
    }
}
