namespace Atrium.Core.Users;

/// <summary>The text files compiled into this library.</summary>
internal static class DataFile
{
    /// <summary>One entry a line; lines starting with '#' are comments.</summary>
    public static IEnumerable<string> Lines(string name)
    {
        using var reader = Open(name);
        while (reader.ReadLine() is { } line)
            if (!line.StartsWith('#'))
                yield return line;
    }

    public static string Text(string name)
    {
        using var reader = Open(name);
        return reader.ReadToEnd();
    }

    private static StreamReader Open(string name) => new(typeof(DataFile).Assembly.GetManifestResourceStream(name)
        ?? throw new InvalidOperationException($"The file {name} is not compiled into the library."));
}
