using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Atrium.Server.Http;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>
/// The keys of a request body. Unknown keys are ignored and a null counts as absent, because SDKs send both; a value of the wrong type is
/// noted and the handler asks for <see cref="Error"/> once it has read all it wants.
/// </summary>
public sealed class Fields
{
    private readonly Dictionary<string, JsonElement> values = new(StringComparer.Ordinal);
    private readonly List<FieldError> errors = [];

    private Fields()
    {
    }

    /// <summary>The 422 that says everything that is wrong; null when nothing is.</summary>
    public AuthKitError? Error => errors.Count == 0 ? null : AuthKitError.Invalid(errors);

    /// <summary>Reads a JSON object. An empty body is an empty object, whatever its content type.</summary>
    public static async Task<ReadFields> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (await RequestBody.ReadAsync(context.Request, cancellationToken) is not { } body)
            return new(null, AuthKitError.TooLarge);
        return body.Length == 0 || IsJson(context.Request) ? FromJson(body) : new(null, AuthKitError.WrongContentType);
    }

    /// <summary>
    /// The same, for an endpoint that clients of RFC 6749 send a form to as well, and that answers whatever it cannot read as they know it.
    /// </summary>
    public static async Task<ReadFields> ReadJsonOrFormAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (await RequestBody.ReadAsync(context.Request, cancellationToken) is not { } body)
            return new(null, AuthKitError.TooLarge.AsOAuth());
        ReadFields read = RequestBody.HasType(context.Request, "application/x-www-form-urlencoded") ? FromForm(body)
            : body.Length == 0 || IsJson(context.Request) ? FromJson(body)
            : new(null, AuthKitError.WrongContentType);
        return read.Error is null ? read : new(null, read.Error.AsOAuth());
    }

    /// <summary>A body without a content type is taken for what nearly every client sends.</summary>
    private static bool IsJson(HttpRequest request) => string.IsNullOrEmpty(request.ContentType) || RequestBody.HasType(request, "application/json");

    /// <summary>Whether the key is there with a value.</summary>
    public bool Has(string name) => values.TryGetValue(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>Whether the key is there and null, which some keys of an update read as "remove".</summary>
    public bool IsNull(string name) => values.TryGetValue(name, out JsonElement value) && value.ValueKind == JsonValueKind.Null;

    /// <summary>Text that may be missing; empty text is text.</summary>
    public string? Text(string name)
    {
        if (!Has(name))
            return null;
        if (TextOf(values[name]) is { } text)
            return text;
        Refuse(name, $"{name}_string_required", $"{name} should be a string.");
        return null;
    }

    /// <summary>Text that must be there and not empty; what is returned otherwise is empty, and noted.</summary>
    public string RequiredText(string name)
    {
        if (Has(name) && TextOf(values[name]) is { Length: > 0 } text)
            return text;
        Refuse(name, $"{name}_string_required", $"{name} should be a non-empty string.");
        return "";
    }

    public bool? Flag(string name)
    {
        if (!Has(name))
            return null;
        if (values[name].ValueKind is JsonValueKind.True or JsonValueKind.False)
            return values[name].GetBoolean();
        Refuse(name, $"{name}_boolean_required", $"{name} should be true or false.");
        return null;
    }

    public IReadOnlyList<string>? Texts(string name)
    {
        if (!Has(name))
            return null;
        if (values[name].ValueKind == JsonValueKind.Array)
        {
            string?[] texts = [.. values[name].EnumerateArray().Select(TextOf)];
            if (!texts.Contains(null))
                return texts!;
        }

        Refuse(name, $"{name}_string_array_required", $"{name} should be an array of strings.");
        return null;
    }

    /// <summary>A map of texts; a null value is kept as one, since updates read it as "remove".</summary>
    public IReadOnlyDictionary<string, string?>? TextMap(string name)
    {
        if (!Has(name))
            return null;
        if (values[name].ValueKind == JsonValueKind.Object
            && values[name].EnumerateObject().All(static entry => entry.Value.ValueKind == JsonValueKind.Null || TextOf(entry.Value) is not null))
        {
            return values[name].EnumerateObject().ToDictionary(static entry => entry.Name, static entry => TextOf(entry.Value), StringComparer.Ordinal);
        }

        Refuse(name, $"{name}_object_required", $"{name} should be an object whose values are strings.");
        return null;
    }

    /// <summary>The objects of an array, each with its own keys; what is wrong in one of them is noted here under <c>name.key</c>.</summary>
    public IReadOnlyList<Fields>? Objects(string name)
    {
        if (!Has(name))
            return null;
        if (values[name].ValueKind == JsonValueKind.Array && values[name].EnumerateArray().All(static entry => entry.ValueKind == JsonValueKind.Object))
            return [.. values[name].EnumerateArray().Select(FromObject)];
        Refuse(name, $"{name}_object_array_required", $"{name} should be an array of objects.");
        return null;
    }

    /// <summary>Notes something that the handler found wrong.</summary>
    public void Refuse(string field, string code, string message) => errors.Add(new FieldError(code, message, field));

    /// <summary>Takes over what was wrong inside of one of <see cref="Objects"/>.</summary>
    public void RefuseAll(string name, Fields inner) =>
        errors.AddRange(inner.errors.Select(error => error with { Field = $"{name}.{error.Field}" }));

    private static ReadFields FromJson(byte[] body)
    {
        if (RequestBody.ParseJsonObject(body) is not { } json)
            return new(null, AuthKitError.MalformedBody);
        return new(FromObject(json), null);
    }

    private static ReadFields FromForm(byte[] body)
    {
        if (RequestBody.ParseForm(body) is not { } form)
            return new(null, AuthKitError.Plain("invalid_form", "The form is not in UTF-8."));
        Fields fields = new();
        foreach ((string name, StringValues value) in form)
        {
            // RFC 6749 section 3.2: parameters are not included more than once.
            if (value is not [{ } single])
                return new(null, AuthKitError.OAuth("invalid_request", "A parameter of the form stands there more than once."));
            fields.values[name] = JsonSerializer.SerializeToElement(single, AuthKitJson.Default.String);
        }

        return new(fields, null);
    }

    private static Fields FromObject(JsonElement json)
    {
        Fields fields = new();
        foreach (JsonProperty property in json.EnumerateObject())
            fields.values[property.Name] = property.Value;
        return fields;
    }

    /// <summary>Half of a surrogate pair can be written in JSON but is no text.</summary>
    private static string? TextOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String)
            return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>A body's keys, or why they can't be read.</summary>
public readonly record struct ReadFields(Fields? Value, AuthKitError? Error)
{
    public bool Failed([NotNullWhen(true)] out AuthKitError? error, [NotNullWhen(false)] out Fields? fields)
    {
        (fields, error) = (Value, Error);
        return error is not null;
    }
}
