namespace Atrium.Server.Doors.AuthKit;

/// <summary>Query parameters with several values, in every shape that an SDK writes them in.</summary>
public static class QueryArrays
{
    /// <summary>
    /// The values of <c>name=a,b</c> (node, python, kotlin), <c>name=a&amp;name=b</c> (go, ruby), <c>name[]=a</c> (.NET) and
    /// <c>name[0]=a</c> (php); of <c>name[0][name]=A&amp;name[0][value]=a</c>, which php makes of an enum, the value.
    /// </summary>
    public static IReadOnlyList<string> Read(HttpRequest request, string name) =>
    [
        .. request.Query
            .Where(entry => entry.Key == name
                || (entry.Key.StartsWith(name + "[", StringComparison.Ordinal) && entry.Key.EndsWith(']')
                    && (IsIndex(entry.Key[name.Length..]) || entry.Key.EndsWith("[value]", StringComparison.Ordinal))))
            .SelectMany(static entry => entry.Value)
            .SelectMany(static value => (value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)),
    ];

    /// <summary>The same for values that are words of the contract; python writes its enums as <c>TypeName.WORD</c>.</summary>
    public static IReadOnlyList<string> ReadWords(HttpRequest request, string name) =>
        [.. Read(request, name).Select(static value => value[(value.LastIndexOf('.') + 1)..].ToLowerInvariant())];

    /// <summary><c>[]</c> or <c>[12]</c>.</summary>
    private static bool IsIndex(string suffix) => suffix.Length <= 6 && suffix[1..^1].All(char.IsAsciiDigit);
}
