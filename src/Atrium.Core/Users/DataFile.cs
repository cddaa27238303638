namespace Atrium.Core.Users;

/// <summary>The text files compiled into this library: one entry a line, and lines starting with '#' are comments.</summary>
internal static class DataFile
{
    public static IEnumerable<string> Lines(string name)
    {
        using var reader = new StreamReader(typeof(DataFile).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The file {name} is not compiled into the library."));
        while (reader.ReadLine() is { } line)
            if (!line.StartsWith('#'))
                yield return line;
    }
}
