namespace Atrium.Server.Cli;

/// <summary>Why a verb can't go on, in words for who called it, and how it ends.</summary>
internal sealed class Refusal(string message, int exitCode = ExitCode.Failed) : Exception(message)
{
    public int ExitCode => exitCode;

    /// <summary>What is wrong with each field of what was sent, by JSON pointer.</summary>
    public IReadOnlyList<(string Field, string Message)> Fields { get; init; } = [];

    /// <summary>The server's name of this request, which its log has too.</summary>
    public string? RequestId { get; init; }

    /// <summary>The server's status code; null when it was not the server that refused.</summary>
    public int? Status { get; init; }

    /// <summary>Says it, and answers how the process ends.</summary>
    public int TellOn(TextWriter error)
    {
        error.WriteLine($"atrium: {Printable.Text(Message)}");
        foreach ((string field, string message) in Fields)
            error.WriteLine($"  {(message.StartsWith(field, StringComparison.Ordinal) ? "" : $"{Printable.Text(field)}: ")}{Printable.Text(message)}");
        if (RequestId is { } id)
            error.WriteLine($"  request {Printable.Text(id)}");
        return ExitCode;
    }
}
