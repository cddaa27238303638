using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote.Apply;

/// <summary>A field that isn't as it is declared. Null is how the API shows that there is nothing.</summary>
internal sealed record Difference(string Field, JsonNode? Now, JsonNode? Wanted)
{
    /// <summary>
    /// What a merge (RFC 7396) of what is wanted would change: fields that aren't named stay, objects are gone into, everything else is compared whole.
    /// </summary>
    public static IReadOnlyList<Difference> Between(JsonElement now, JsonObject wanted) =>
        [.. Between(JsonNode.Parse(now.GetRawText()), wanted, "")];

    /// <summary>The merge patch that makes all of these right, and touches nothing else.</summary>
    public static JsonObject Patch(IEnumerable<Difference> differences)
    {
        JsonObject patch = [];
        foreach (Difference difference in differences)
        {
            JsonObject place = patch;
            string[] names = [.. difference.Field[1..].Split('/').Select(static name => name.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
            foreach (string name in names[..^1])
                place = (JsonObject)(place[name] ??= new JsonObject());
            place[names[^1]] = difference.Wanted?.DeepClone();
        }

        return patch;
    }

    private static IEnumerable<Difference> Between(JsonNode? now, JsonObject wanted, string field)
    {
        foreach ((string name, JsonNode? value) in wanted)
        {
            // RFC 6901 section 3.
            string inner = $"{field}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
            JsonNode? there = (now as JsonObject)?[name];
            if (value is JsonObject fields)
            {
                foreach (Difference difference in Between(there, fields, inner))
                    yield return difference;
            }
            else if (!JsonNode.DeepEquals(there, value))
            {
                yield return new Difference(inner, there, value);
            }
        }
    }
}
