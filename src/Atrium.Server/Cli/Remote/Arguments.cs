using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Atrium.Server.Cli.Remote;

/// <summary>Options whose values are not text, with errors in the words of who typed them.</summary>
internal static class Arguments
{
    public static Option<int> Whole(string name, string description) => new(name)
    {
        Description = description,
        CustomParser = result => Read(result, int.TryParse(TextOf(result), NumberStyles.None, CultureInfo.InvariantCulture, out int value), value, $"{name} takes a whole number, not"),
    };

    public static Option<string> Choice(string name, string description, params string[] choices)
    {
        string all = $"{string.Join(", ", choices[..^1])} or {choices[^1]}";
        Option<string> option = new(name)
        {
            Description = $"{description} {all}.",
            CustomParser = result => Read(result, choices.Contains(TextOf(result)), TextOf(result), $"{name} takes {all}, not"),
        };
        option.CompletionSources.Add(choices);
        return option;
    }

    /// <param name="ahead">Whether a span such as 7d is ahead of now, or behind it.</param>
    public static Option<DateTimeOffset> Moment(string name, string description, TimeProvider clock, bool ahead) => new(name)
    {
        Description = $"{description} A time such as 2027-01-31 or 2027-01-31T12:00Z, or how long {(ahead ? "from now" : "ago")}: 90s, 30m, 2h, 7d.",
        HelpName = "TIME",
        CustomParser = result => Read(result, TryRead(TextOf(result), clock, ahead, out DateTimeOffset value), value, $"{name} takes a time such as 2027-01-31T12:00Z or a span such as 2h, not"),
    };

    private static bool TryRead(string text, TimeProvider clock, bool ahead, out DateTimeOffset moment)
    {
        TimeSpan? unit = text.Length < 2 ? null : text[^1] switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            _ => null,
        };
        if (unit is { } one && ushort.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort count))
        {
            moment = clock.GetUtcNow() + (count * one * (ahead ? 1 : -1));
            return true;
        }

        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out moment);
    }

    private static string TextOf(ArgumentResult result) => result.Tokens[0].Value;

    private static T? Read<T>(ArgumentResult result, bool isRead, T value, string otherwise)
    {
        if (!isRead)
            result.AddError($"{otherwise} \"{TextOf(result)}\".");
        return value;
    }
}
