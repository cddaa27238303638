using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Core;

namespace Atrium.Server.Doors.Management.Bodies;

/// <summary>
/// A field of a body, declared once: what is declared reads and checks what callers send, and describes it to them.
/// </summary>
public abstract record Field(string Name)
{
    public bool IsRequired { get; init; }

    /// <summary>What it means, in the words of the reference.</summary>
    public string? Description { get; init; }

    /// <summary>Reads a value that is not null; what is wrong with it is noted.</summary>
    /// <param name="place">Where the value stands.</param>
    internal abstract object? ReadValue(JsonElement value, string place, ICollection<Problem> problems);

    /// <summary>What a value may be, as JSON Schema 2020-12.</summary>
    public abstract JsonObject ValueSchema();

    public JsonObject Schema()
    {
        JsonObject schema = ValueSchema();
        if (!IsRequired && schema["type"] is JsonValue type)
            schema["type"] = new JsonArray(type.GetValue<string>(), "null");
        if (!IsRequired && schema["enum"] is JsonArray words)
            words.Add(null);
        if (Description is not null)
            schema["description"] = Description;
        return schema;
    }

    /// <summary>Text.</summary>
    /// <param name="max">Characters at most.</param>
    /// <param name="min">Characters at least.</param>
    public static Field<string> Text(string name, int max, int min = 1) => new(
        name,
        () => new JsonObject { ["type"] = "string", ["minLength"] = min, ["maxLength"] = max },
        (value, place, problems) => value.ValueKind != JsonValueKind.String
            ? Refuse(problems, place, "must be text")
            : value.GetString() is { } text && text.Length >= min && text.Length <= max
                ? text
                : Refuse(problems, place, $"must have {min} to {max} characters"));

    public static Field<bool?> Flag(string name) => new(
        name,
        static () => new JsonObject { ["type"] = "boolean" },
        static (value, place, problems) => value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : Refuse(problems, place, "must be true or false"));

    public static Field<int?> Whole(string name, int min, int max) => new(
        name,
        () => new JsonObject { ["type"] = "integer", ["minimum"] = min, ["maximum"] = max },
        (value, place, problems) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) && number >= min && number <= max
            ? number
            : Refuse(problems, place, $"must be a whole number from {min} to {max}"));

    /// <summary>A moment in Unix milliseconds.</summary>
    public static Field<DateTimeOffset?> Moment(string name) => new(
        name,
        static () => new JsonObject { ["type"] = "integer", ["format"] = "int64", ["minimum"] = 0, ["maximum"] = LastMoment },
        static (value, place, problems) => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long moment) && moment is >= 0 and <= LastMoment
            ? DateTimeOffset.FromUnixTimeMilliseconds(moment)
            : Refuse(problems, place, "must be a moment in Unix milliseconds"));

    /// <summary>One of these words.</summary>
    public static Field<string> Word(string name, IReadOnlyList<string> words) => new(
        name,
        () => new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. words.Select(static word => (JsonNode)word)]) },
        (value, place, problems) => value.ValueKind == JsonValueKind.String && value.GetString() is { } text && words.Contains(text)
            ? text
            : Refuse(problems, place, $"must be one of {string.Join(", ", words)}"));

    /// <summary>One of an enum's words.</summary>
    /// <param name="words">The words of the wire, each with what it stands for.</param>
    public static Field<T?> Choice<T>(string name, params (string Word, T Value)[] words)
        where T : struct => new(
        name,
        () => new JsonObject { ["type"] = "string", ["enum"] = new JsonArray([.. words.Select(static word => (JsonNode)word.Word)]) },
        (value, place, problems) =>
        {
            string? text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
            foreach ((string word, T meant) in words)
            {
                if (word == text)
                    return meant;
            }

            return Refuse(problems, place, $"must be one of {string.Join(", ", words.Select(static word => word.Word))}");
        });

    /// <summary>The same for all of an enum's words, lower snake case.</summary>
    public static Field<T?> Choice<T>(string name)
        where T : struct, Enum =>
        Choice(name, [.. Enum.GetValues<T>().Select(static value => (JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()), value))]);

    /// <summary>The id of something; malformed ids are refused, and whether there is such a thing is the handler's to find out.</summary>
    public static Field<Id<T>?> IdOf<T>(string name)
        where T : IIdentified => new(
        name,
        static () => new JsonObject { ["type"] = "string", ["pattern"] = $"^{T.IdPrefix}[0-9a-z]{{{Id<T>.Digits}}}$" },
        static (value, place, problems) => value.ValueKind == JsonValueKind.String && Id<T>.Parse(value.GetString()) is { } id
            ? id
            : Refuse(problems, place, $"must be an id: {T.IdPrefix} and {Id<T>.Digits} lower-case letters and digits"));

    /// <summary>A list, each of its values as <paramref name="item"/> says.</summary>
    public static Field<IReadOnlyList<T>> List<T>(string name, Field<T> item, int max, int min = 0) => new(
        name,
        () =>
        {
            JsonObject schema = new() { ["type"] = "array", ["items"] = item.ValueSchema(), ["maxItems"] = max };
            if (min > 0)
                schema["minItems"] = min;
            return schema;
        },
        (value, place, problems) =>
        {
            if (value.ValueKind != JsonValueKind.Array)
                return Refuse(problems, place, "must be a list");
            int length = value.GetArrayLength();
            if (length < min || length > max)
                return Refuse(problems, place, $"must have {min} to {max} entries");
            List<T> items = [];
            foreach ((int index, JsonElement entry) in value.EnumerateArray().Index())
            {
                if (item.ReadValue(entry, $"{place}/{index}", problems) is T read)
                    items.Add(read);
            }

            return items;
        })
    {
        Item = item,
    };

    /// <summary>Texts by name.</summary>
    public static Field<IReadOnlyDictionary<string, string>> Map(string name, int maxEntries, int maxName, int maxText) => new(
        name,
        () => new JsonObject
        {
            ["type"] = "object",
            ["maxProperties"] = maxEntries,
            ["propertyNames"] = new JsonObject { ["minLength"] = 1, ["maxLength"] = maxName },
            ["additionalProperties"] = new JsonObject { ["type"] = "string", ["maxLength"] = maxText },
        },
        (value, place, problems) =>
        {
            if (value.ValueKind != JsonValueKind.Object)
                return Refuse(problems, place, "must be an object");
            Dictionary<string, string> entries = new(StringComparer.Ordinal);
            foreach (JsonProperty entry in value.EnumerateObject())
            {
                string at = $"{place}/{JsonPointer.Escape(entry.Name)}";
                if (entry.Name.Length is 0 || entry.Name.Length > maxName)
                    Refuse(problems, at, $"must have a name of 1 to {maxName} characters");
                else if (entry.Value.ValueKind != JsonValueKind.String || entry.Value.GetString()!.Length > maxText)
                    Refuse(problems, at, $"must be text of at most {maxText} characters");
                else
                    entries[entry.Name] = entry.Value.GetString()!;
            }

            return entries.Count > maxEntries ? Refuse(problems, place, $"must have at most {maxEntries} entries") : entries;
        });

    /// <summary>An object with fields of its own.</summary>
    public static Field<Body> Nested(string name, Shape shape) => new(
        name,
        shape.Schema,
        (value, place, problems) => value.ValueKind == JsonValueKind.Object ? shape.Read(value, place, problems) : Refuse(problems, place, "must be an object"))
    {
        Inner = shape,
    };

    /// <summary>The end of the year 9999.</summary>
    private const long LastMoment = 253402300799999;

    /// <summary>Of an object, its shape; of a list of objects, see <see cref="Item"/>.</summary>
    public Shape? Inner { get; private protected init; }

    /// <summary>Of a list, what each of its values is.</summary>
    public Field? Item { get; private protected init; }

    private static object? Refuse(ICollection<Problem> problems, string place, string message)
    {
        problems.Add(new Problem(place, $"{place} {message}."));
        return null;
    }
}

/// <summary>A field whose values are read as <typeparamref name="T"/>.</summary>
public sealed record Field<T>(string Name, Func<JsonObject> Values, Func<JsonElement, string, ICollection<Problem>, object?> Reader) : Field(Name)
{
    /// <summary>It must be there, and not null.</summary>
    public Field<T> Required() => this with { IsRequired = true };

    public Field<T> Describe(string description) => this with { Description = description };

    /// <summary>A rule beyond the type: what it answers is wrong with the value, or null.</summary>
    public Field<T> Check(Func<T, string?> problemOf) => this with
    {
        Reader = (value, place, problems) =>
        {
            object? read = Reader(value, place, problems);
            if (read is T typed && problemOf(typed) is { } problem)
            {
                problems.Add(new Problem(place, problem));
                return null;
            }

            return read;
        },
    };

    internal override object? ReadValue(JsonElement value, string place, ICollection<Problem> problems) => Reader(value, place, problems);

    public override JsonObject ValueSchema() => Values();
}
