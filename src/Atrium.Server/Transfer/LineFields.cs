using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Imports;

namespace Atrium.Server.Transfer;

/// <summary>
/// The fields of a line, or of an object within it. Each is asked for by name; what is wrong is noted with its place, and so is, at the end,
/// every field that nobody asked for. A null is the same as nothing.
/// </summary>
internal sealed class LineFields(JsonElement json, long line, string path, List<ImportProblem> problems)
{
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);

    public void Refuse(string name, string message) => problems.Add(new ImportProblem(line, name.Length == 0 ? path : $"{path}/{name}", message));

    /// <summary>Text that fits <paramref name="rule"/>; <paramref name="expected"/> says what that is.</summary>
    public string? Text(string name, Func<string, bool> rule, string expected)
    {
        if (!TryGet(name, JsonValueKind.String, "a text", out JsonElement value))
            return null;

        // Half a surrogate pair is the one thing that a JSON text can say and that is no text.
        string? text = TextOf(value);
        if (text is not null && rule(text))
            return text;
        Refuse(name, $"should be {expected}");
        return null;
    }

    public string RequiredText(string name, Func<string, bool> rule, string expected)
    {
        string? text = Text(name, rule, expected);
        if (text is null && !Has(name))
            Refuse(name, "is missing");
        return text ?? "";
    }

    /// <summary>Text on one line; spaces around it do not count.</summary>
    public string? Name(string name) => Text(name, TextRules.IsName, $"at most {TextRules.MaxNameLength} characters, and no control characters")?.Trim() is { Length: > 0 } text ? text : null;

    public Id<T>? Id<T>(string name)
        where T : IIdentified =>
        Core.Id<T>.Parse(Text(name, static text => Core.Id<T>.TryParse(text, out Id<T> id) && id.Value.Version == 7, $"an id of Atrium, {T.IdPrefix} and {Core.Id<T>.Digits} digits; ids of other systems belong in external_id"));

    public bool? Flag(string name)
    {
        asked.Add(name);
        if (!Has(name))
            return null;
        JsonElement value = json.GetProperty(name);
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        Refuse(name, "should be true or false");
        return null;
    }

    public int? Whole(string name, int least, int most)
    {
        if (!TryGet(name, JsonValueKind.Number, $"a whole number from {least} to {most}", out JsonElement value))
            return null;
        if (value.TryGetInt32(out int number) && number >= least && number <= most)
            return number;
        Refuse(name, $"should be a whole number from {least} to {most}");
        return null;
    }

    /// <summary>Unix milliseconds.</summary>
    public DateTimeOffset? Time(string name)
    {
        const long lastOfYear9999 = 253_402_300_799_999;
        if (!TryGet(name, JsonValueKind.Number, "Unix milliseconds", out JsonElement value))
            return null;
        if (value.TryGetInt64(out long milliseconds) && milliseconds is >= 0 and <= lastOfYear9999)
            return DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        Refuse(name, "should be Unix milliseconds, a whole number");
        return null;
    }

    /// <summary>One of the words of an enumeration, in lower case.</summary>
    public T Word<T>(string name, T otherwise, params T[] words)
        where T : struct, Enum
    {
        Dictionary<string, T> known = words.ToDictionary(static word => word.ToString().ToLowerInvariant(), StringComparer.Ordinal);
        return Text(name, known.ContainsKey, string.Join(" or ", known.Keys)) is { } text ? known[text] : otherwise;
    }

    /// <summary>Different texts.</summary>
    public IReadOnlyList<string>? Texts(string name, int most, Func<string, bool> rule, string expected)
    {
        if (!TryGet(name, JsonValueKind.Array, "a list", out JsonElement list))
            return null;
        List<string> texts = [];
        foreach ((int i, JsonElement item) in list.EnumerateArray().Index())
        {
            if (item.ValueKind != JsonValueKind.String || TextOf(item) is not { } text || !rule(text))
                Refuse($"{name}/{i}", $"should be {expected}");
            else if (texts.Contains(text, StringComparer.Ordinal))
                Refuse($"{name}/{i}", "is there twice");
            else
                texts.Add(text);
        }

        if (list.GetArrayLength() > most)
            Refuse(name, $"should have at most {most} entries");
        return texts;
    }

    public IReadOnlyDictionary<string, string> Metadata(string name)
    {
        Dictionary<string, string> metadata = new(StringComparer.Ordinal);
        if (!TryGet(name, JsonValueKind.Object, "an object", out JsonElement map))
            return metadata;
        foreach (JsonProperty pair in map.EnumerateObject())
        {
            if (pair.Value.ValueKind == JsonValueKind.String && TextOf(pair.Value) is { } value && TextRules.IsMetadata(pair.Name, value))
                metadata[pair.Name] = value;
            else
                Refuse($"{name}/{pair.Name}", $"should be a text of at most {TextRules.MaxMetadataValueLength} characters, under a key of 1 to {TextRules.MaxMetadataKeyLength} in ASCII");
        }

        if (metadata.Count > TextRules.MaxMetadataPairs)
            Refuse(name, $"should have at most {TextRules.MaxMetadataPairs} pairs");
        return metadata;
    }

    public LineFields? Object(string name) =>
        TryGet(name, JsonValueKind.Object, "an object", out JsonElement value) ? new LineFields(value, line, $"{path}/{name}", problems) : null;

    public IReadOnlyList<LineFields> Objects(string name, int most)
    {
        if (!TryGet(name, JsonValueKind.Array, "a list", out JsonElement list))
            return [];
        List<LineFields> objects = [];
        foreach ((int i, JsonElement item) in list.EnumerateArray().Index())
        {
            if (item.ValueKind == JsonValueKind.Object)
                objects.Add(new LineFields(item, line, $"{path}/{name}/{i}", problems));
            else
                Refuse($"{name}/{i}", "should be an object");
        }

        if (objects.Count > most)
            Refuse(name, $"should have at most {most} entries");
        return objects;
    }

    public bool Has(string name) => json.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>A field that nobody asked for is a typing error, or something that would be lost without a word.</summary>
    public void RefuseOthers()
    {
        foreach (JsonProperty property in json.EnumerateObject().Where(property => !asked.Contains(property.Name)))
            Refuse(property.Name, "is not a field of this kind of line");
    }

    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.GetString() is { } text && !text.Contains('\0', StringComparison.Ordinal) ? text : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private bool TryGet(string name, JsonValueKind kind, string expected, out JsonElement value)
    {
        asked.Add(name);
        value = default;
        if (!Has(name))
            return false;
        value = json.GetProperty(name);
        if (value.ValueKind == kind)
            return true;
        Refuse(name, $"should be {expected}");
        return false;
    }
}
