using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Core;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Bodies;

/// <summary>A parameter of a query, declared once: read, checked and described by the same words as a <see cref="Field"/>.</summary>
public sealed record Parameter<T>(Field<T> Field, Func<string, JsonElement> FromText) : Parameter
{
    internal override Field Declared => Field;

    /// <summary>Its value; nothing where it is missing or wrong, and what is wrong is noted.</summary>
    internal T? Read(IQueryCollection query, ICollection<Problem> problems)
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

/// <summary>The query parameters that a route takes, and no others.</summary>
public sealed record QueryParameters(IReadOnlyList<Parameter> Parameters);

public static class QueryReading
{
    /// <summary>How many of a list, at most.</summary>
    public static readonly Parameter<int?> Limit = Parameter.Plain(Field.Whole("limit", 1, 100).Describe("How many at most; 50 unless said."));

    /// <summary>Where a list of things goes on.</summary>
    public static readonly Parameter<string> Cursor = Parameter.Text(Field.Text("cursor", 64).Describe("Where to go on: `next_cursor` of the page before."));

    private const int DefaultLimit = 50;

    /// <summary>Declares the query parameters of a route.</summary>
    public static RouteHandlerBuilder Takes(this RouteHandlerBuilder route, params Parameter[] parameters) =>
        route.WithMetadata(new QueryParameters(parameters));

    /// <summary>The same for a list, which has its limit and cursor beside them.</summary>
    public static RouteHandlerBuilder TakesPage(this RouteHandlerBuilder route, params Parameter[] parameters) =>
        route.WithMetadata(new QueryParameters([Limit, Cursor, .. parameters]));

    public static T? Query<T>(this HttpContext context, Parameter<T> parameter, ICollection<Problem> problems) =>
        parameter.Read(context.Request.Query, problems);

    /// <summary>The page that is asked for, newest first; nothing where limit or cursor is wrong, which is noted.</summary>
    public static PageRequest<T> Page<T>(this HttpContext context, ICollection<Problem> problems)
        where T : IIdentified
    {
        int limit = context.PageLimit(problems);
        string? cursor = context.Query(Cursor, problems);
        Id<T>? after = Id<T>.Parse(cursor);
        if (cursor is not null && after is null)
            problems.Add(new Problem(Cursor.Field.Name, "cursor is none of this list: send next_cursor of the page before as it is."));
        return new PageRequest<T>(limit, after);
    }

    /// <summary>How many are asked for.</summary>
    public static int PageLimit(this HttpContext context, ICollection<Problem> problems) => context.Query(Limit, problems) ?? DefaultLimit;
}
