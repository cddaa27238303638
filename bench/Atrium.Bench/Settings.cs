namespace Atrium.Bench;

/// <summary>What a run was asked for.</summary>
/// <param name="Server">The path of <c>Atrium.Server.dll</c>.</param>
/// <param name="Folder">Where everything is kept; gone after the run.</param>
internal sealed record Settings(string Server, string Folder, TimeSpan Duration, int Rounds, int Connections, bool Large, bool Beside)
{
    public static Settings Parse(string server, string folder, string[] options) => new(
        Path.GetFullPath(server),
        folder,
        TimeSpan.FromSeconds(Number(options, "--seconds", 3)),
        Number(options, "--rounds", 5),
        Number(options, "--connections", 16),
        options.Contains("--large"),
        options.Contains("--beside"));

    private static int Number(string[] options, string name, int otherwise)
    {
        int at = Array.IndexOf(options, name);
        return at >= 0 && at + 1 < options.Length && int.TryParse(options[at + 1], out int value) && value > 0 ? value : otherwise;
    }
}
