using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Atrium.Server.Hosting;

/// <summary>One line an entry: time, level, category, message, and the request it belongs to.</summary>
public sealed class LogLines(TimeProvider clock) : ConsoleFormatter(FormatName)
{
    public const string FormatName = "atrium";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        string message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        string level = logEntry.LogLevel switch
        {
            LogLevel.Trace => "trce",
            LogLevel.Debug => "dbug",
            LogLevel.Information => "info",
            LogLevel.Warning => "warn",
            LogLevel.Error => "fail",
            _ => "crit",
        };
        textWriter.Write(clock.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        textWriter.Write($" {level} {logEntry.Category}: {OneLine(message)}");
        scopeProvider?.ForEachScope(
            static (scope, writer) =>
            {
                if (scope is KeyValuePair<string, object>[] values)
                {
                    foreach (KeyValuePair<string, object> value in values)
                        writer.Write($" {value.Key}={value.Value}");
                }
            },
            textWriter);
        textWriter.WriteLine();
        if (logEntry.Exception is not null)
            textWriter.WriteLine(logEntry.Exception);
    }

    /// <summary>What came from outside cannot make a line of its own.</summary>
    private static string OneLine(string message) => message.ReplaceLineEndings(" ");
}
