using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Doors.Management.Bodies;

/// <summary>A parameter of a query, declared once: read, checked and described by the same words as a <see cref="Field"/>.</summary>
public sealed record Parameter<T>(Field<T> Field, Func<string, JsonElement> FromText) : Parameter
{
    internal override Field Declared => Field;

    internal override object? ReadAny(IQueryCollection query, ICollection<Problem> problems) => Read(query, problems);

    /// <summary>Its value; nothing where it is missing or wrong, and what is wrong is noted.</summary>
    private T? Read(IQueryCollection query, ICollection<Problem> problems)
    {
        if (!query.TryGetValue(Field.Name, out Microsoft.Extensions.Primitives.StringValues given))
            return default;
        if (given is not [{ } text])
        {
            problems.Add(new Problem(Field.Name, $"{Field.Name} stands there more than once."));
            return default;
        }

        return Field.ReadValue(FromText(text), Field.Name, problems) is T read ? read : default;
    }
}

public abstract record Parameter
{
    internal abstract Field Declared { get; }

    internal abstract object? ReadAny(IQueryCollection query, ICollection<Problem> problems);

    /// <summary>A value that is written as its JSON text, such as a number or <c>true</c>.</summary>
    public static Parameter<T> Plain<T>(Field<T> field) => new(field, static text =>
    {
        try
        {
            return JsonSerializer.Deserialize(text, PatchJson.Default.JsonElement);
        }
        catch (JsonException)
        {
            return TextElement(text);
        }
    });

    /// <summary>A value that is text, such as an id or a word.</summary>
    public static Parameter<T> Text<T>(Field<T> field) => new(field, TextElement);

    /// <summary>Texts with commas between them.</summary>
    public static Parameter<IReadOnlyList<T>> Texts<T>(Field<IReadOnlyList<T>> field) =>
        new(field, static text => JsonSerializer.SerializeToElement(new JsonArray([.. text.Split(',').Select(static part => (JsonNode)part)]), PatchJson.Default.JsonArray));

    private static JsonElement TextElement(string text) => JsonSerializer.SerializeToElement(text, PatchJson.Default.String);
}
