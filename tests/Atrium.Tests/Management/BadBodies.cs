using System.Text.Json.Nodes;
using Atrium.Server.Doors.Management.Bodies;

namespace Atrium.Tests.Management;

/// <summary>A body with one thing wrong, and where.</summary>
/// <param name="Pointer">The JSON pointer that the answer must name.</param>
internal sealed record BadBody(string What, string Pointer, JsonObject Json);

/// <summary>Makes every wrong body that a shape's own declaration forbids.</summary>
internal static class BadBodies
{
    public static IEnumerable<BadBody> Of(Shape shape)
    {
        foreach (BadBody bad in In(shape, ""))
        {
            if (shape.DecidedBy is { } decider)
                bad.Json[decider] = shape.Title;
            yield return bad;
        }
    }

    private static IEnumerable<BadBody> In(Shape shape, string pointer)
    {
        yield return new("an unknown field", $"{pointer}/no_such_field", new JsonObject { ["no_such_field"] = 1 });
        foreach (Field field in shape.Fields)
        {
            string at = $"{pointer}/{field.Name}";
            if (field.IsRequired)
                yield return new("null", at, new JsonObject { [field.Name] = null });
            foreach ((string what, JsonNode value, string below) in Values(field))
                yield return new(what, at + below, new JsonObject { [field.Name] = value });
            if (field.Inner is { } inner)
            {
                foreach (BadBody bad in In(inner, at))
                    yield return bad with { Json = new JsonObject { [field.Name] = bad.Json } };
            }

            if (field.Item is { Inner: { } shapeOfItem })
            {
                foreach (BadBody bad in In(shapeOfItem, $"{at}/0"))
                    yield return bad with { Json = new JsonObject { [field.Name] = new JsonArray(bad.Json) } };
            }
        }
    }

    /// <summary>Values that the field's schema forbids, and where below the field the answer will point.</summary>
    private static IEnumerable<(string What, JsonNode Value, string Below)> Values(Field field)
    {
        JsonObject schema = field.ValueSchema();
        yield return ("a wrong type", schema["type"]?.GetValue<string>() == "object" ? 7 : new JsonObject(), "");
        if (schema["type"]?.GetValue<string>() == "string")
            yield return ("a number", 7, "");
        if (schema["maxLength"] is { } length)
            yield return ("too long", new string('x', length.GetValue<int>() + 1), "");
        if (schema["minLength"] is { } least && least.GetValue<int>() > 0)
            yield return ("too short", "", "");
        if (schema["minimum"] is { } minimum)
            yield return ("too small", minimum.GetValue<int>() - 1, "");
        if (schema["maximum"] is { } maximum)
            yield return ("too large", Number(maximum) + 1, "");
        if (schema["enum"] is not null || schema["const"] is not null || schema["pattern"] is not null)
            yield return ("an unknown word", "no-such-word", "");
        if (schema["maxItems"] is { } items)
            yield return ("too many", new JsonArray([.. Enumerable.Range(0, items.GetValue<int>() + 1).Select(static number => (JsonNode)$"x{number}")]), "");
        if (schema["maxProperties"] is { } properties)
            yield return ("too many", new JsonObject(Enumerable.Range(0, properties.GetValue<int>() + 1).Select(static number => KeyValuePair.Create($"x{number}", (JsonNode?)"x"))), "");
        if (field.Item is { } item)
        {
            foreach ((string what, JsonNode value, string below) in Values(item))
                yield return ($"{what} in a list", new JsonArray(value), $"/0{below}");
        }
    }

    private static long Number(JsonNode node) => node.AsValue().TryGetValue(out long number) ? number : node.GetValue<int>();
}
