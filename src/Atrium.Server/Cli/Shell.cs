namespace Atrium.Server.Cli;

/// <summary>What a verb was called from: where it reads and writes, what can be shown there, and its settings.</summary>
public sealed record Shell
{
    public required TextWriter Output { get; init; }

    public required TextWriter Error { get; init; }

    public TextReader Input { get; init; } = TextReader.Null;

    /// <summary>Columns of the terminal that the output goes to; null for a file or a pipe, where no line is cut.</summary>
    public int? Width { get; init; }

    public bool Colours { get; init; }

    /// <summary>Whether somebody is there to be asked.</summary>
    public bool CanAsk { get; init; }

    /// <summary>Whether the error stream is a terminal, on which a line can change.</summary>
    public bool ShowsProgress { get; init; }

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>The environment variables.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>The shell that this process was started from. Colours follow https://no-color.org.</summary>
    public static Shell OfProcess() => new()
    {
        Output = Console.Out,
        Error = Console.Error,
        Input = Console.In,
        Width = Console.IsOutputRedirected || Console.WindowWidth <= 0 ? null : Console.WindowWidth,
        Colours = !Console.IsOutputRedirected && System.Environment.GetEnvironmentVariable("NO_COLOR") is null or "",
        CanAsk = !Console.IsInputRedirected && !Console.IsErrorRedirected,
        ShowsProgress = !Console.IsErrorRedirected,
        Environment = System.Environment.GetEnvironmentVariable,
    };

    /// <summary>A setting of the environment; an empty one is none.</summary>
    public string? Setting(string name) => Environment(name) is { Length: > 0 } value ? value : null;

    /// <summary>How far it is, in a line that the next one replaces.</summary>
    public void Progress(string line)
    {
        if (ShowsProgress)
            Error.Write($"\r\e[K{line}");
    }

    /// <summary>Asks on the error stream, so that the output stays what a script reads.</summary>
    public bool Confirms(string question)
    {
        Error.Write($"{question} [y/N] ");
        return Input.ReadLine()?.Trim().ToLowerInvariant() is "y" or "yes";
    }
}
