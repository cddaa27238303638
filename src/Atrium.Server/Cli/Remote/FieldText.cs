using System.Globalization;
using System.Text.Json;

namespace Atrium.Server.Cli.Remote;

/// <summary>How a field of the API reads for people.</summary>
internal static class FieldText
{
    /// <summary>A field, or one inside it, such as <c>profile.name</c>; empty when there is none.</summary>
    public static string At(JsonElement item, string path)
    {
        foreach (string name in path.Split('.'))
        {
            if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty(name, out item))
                return "";
        }

        return Of(path, item);
    }

    /// <summary>Times are shown in UTC, lists with commas, and what has more inside as JSON.</summary>
    public static string Of(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => "",
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number when IsTime(name) && value.TryGetInt64(out long milliseconds) => Time(milliseconds),
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        JsonValueKind.Array when value.EnumerateArray().All(static item => item.ValueKind is JsonValueKind.String or JsonValueKind.Number) =>
            string.Join(", ", value.EnumerateArray().Select(static item => item.ToString())),
        _ => value.GetRawText(),
    };

    public static string Time(long milliseconds) =>
        milliseconds >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            : milliseconds.ToString(CultureInfo.InvariantCulture);

    /// <summary>One object, a line for each field; those of an object inside it are named with dots.</summary>
    public static IEnumerable<(string Name, string Text)> Lines(JsonElement item, string prefix = "")
    {
        foreach (JsonProperty field in item.EnumerateObject())
        {
            string name = prefix + field.Name;
            if (field.Value.ValueKind == JsonValueKind.Object)
            {
                foreach ((string, string) line in Lines(field.Value, name + "."))
                    yield return line;
            }
            else
            {
                yield return (name, Of(field.Name, field.Value));
            }
        }
    }

    private static bool IsTime(string name) => name.EndsWith("_at", StringComparison.Ordinal) || name is "auth_time";
}
