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

    /// <summary>
    /// Takes the steps that a database has not taken yet. The caller brings the transaction, which undoes all of them when one fails, and keeps
    /// others from doing the same.
    /// </summary>
    public static async Task<bool> ApplyAsync(DbConnection connection, IReadOnlyList<Migration> steps)
    {
        await connection.ExecuteAsync("CREATE TABLE IF NOT EXISTS schema_migrations (version bigint NOT NULL PRIMARY KEY, name text NOT NULL)");
        long current = await CurrentAsync(connection);
        RefuseNewer(current, steps[^1].Version);
        foreach (Migration migration in steps.Where(migration => migration.Version > current))
        {
            try
            {
                await connection.ExecuteAsync(migration.Sql);
            }
            catch (DbException e)
            {
                throw new DatabaseConfigurationException(
                    $"The schema step {migration.Name} failed: {e.Message.ReplaceLineEndings(" ")} "
                    + $"The database was left as it was, at schema {current}. Remove what is in its way, or go on with the version of Atrium that you came from.",
                    e);
            }

            await connection.ExecuteAsync(
                "INSERT INTO schema_migrations (version, name) VALUES (@Version, @Name)", new { migration.Version, migration.Name });
        }

        return current < steps[^1].Version;
    }

    /// <summary>The last step that was taken; 0 of a database that has the table and no row.</summary>
    public static Task<long> CurrentAsync(DbConnection connection) =>
        connection.ExecuteScalarAsync<long>("SELECT coalesce(max(version), 0) FROM schema_migrations");

    /// <summary>A program never touches a schema that it does not know.</summary>
    public static void RefuseNewer(long current, long known)
    {
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
