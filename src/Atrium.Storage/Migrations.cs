using System.Reflection;

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

    /// <summary>A program never touches a schema that it does not know.</summary>
    public static void RefuseNewer(long current)
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
