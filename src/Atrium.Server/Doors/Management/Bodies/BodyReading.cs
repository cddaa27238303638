using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.Management.Bodies;

/// <summary>The body that a route takes.</summary>
/// <param name="Shapes">What it may be: one, or one of several.</param>
/// <param name="IsPatch">Whether it is laid over what is there (RFC 7396).</param>
public sealed record RequestShape(IReadOnlyList<Shape> Shapes, bool IsPatch);

/// <summary>A patch that was read, to be laid over the thing as it is when it is changed.</summary>
public sealed class Patch(JsonElement json, IfMatch ifMatch)
{
    /// <summary>Why it could not be laid over the thing; null as long as it could.</summary>
    public ManagementError? Refusal { get; private set; }

    /// <summary>
    /// The body that the thing and the patch make together; false, with the <see cref="Refusal"/> set, when it was changed since it was read or
    /// what comes out can't be. Pure but for the refusal, so that a transaction may run it twice.
    /// </summary>
    public bool TryLayOver<T>(T shown, JsonTypeInfo<T> type, Shape shape, [NotNullWhen(true)] out Body? body)
    {
        Refusal = null;
        body = null;
        if (!ifMatch.Allows(shown, type))
        {
            Refusal = ManagementError.PreconditionFailed;
            return false;
        }

        List<Problem> problems = [];
        body = shape.ReadPatched(JsonSerializer.SerializeToElement(shown, type), json, problems);
        if (problems.Count == 0)
            return true;
        Refusal = ManagementError.Unprocessable(problems);
        return false;
    }

    /// <summary>Whether the patch itself says something of this field.</summary>
    public bool Names(Field field) => json.TryGetProperty(field.Name, out _);

    /// <summary>Takes over what only the handler can find wrong; whether there is anything.</summary>
    public bool Refuses(ManagementError? refusal)
    {
        Refusal = refusal;
        return refusal is not null;
    }
}

public static class BodyReading
{
    /// <summary>Declares the body of a route that makes or does something.</summary>
    public static RouteHandlerBuilder Reads(this RouteHandlerBuilder route, params IReadOnlyList<Shape> shapes) => route.WithMetadata(new RequestShape(shapes, IsPatch: false));

    /// <summary>Declares the body of a route that changes something.</summary>
    public static RouteHandlerBuilder Patches(this RouteHandlerBuilder route, params IReadOnlyList<Shape> shapes) => route.WithMetadata(new RequestShape(shapes, IsPatch: true));

    /// <summary>The body of the route's shape, or why it can't be read.</summary>
    public static async Task<(Body? Body, ManagementError? Error)> ReadBodyAsync(this HttpContext context, CancellationToken cancellationToken)
    {
        (JsonElement json, ManagementError? error) = await ReadJsonAsync(context, cancellationToken);
        if (error is not null)
            return (null, error);
        IReadOnlyList<Shape> shapes = context.GetEndpoint()?.Metadata.GetMetadata<RequestShape>()?.Shapes
            ?? throw new InvalidOperationException($"The route {context.Request.Path} declares no body.");
        List<Problem> problems = [];
        if (shapes.FirstOrDefault(shape => shape.Claims(json)) is not { } meant)
            return (null, Undecided(shapes));
        Body body = meant.Read(json, "", problems);
        return problems.Count == 0 ? (body, null) : (null, ManagementError.Unprocessable(problems));
    }

    /// <summary>The patch, to be laid over what is there; or why it can't be read.</summary>
    public static async Task<(Patch? Patch, ManagementError? Error)> ReadPatchAsync(this HttpContext context, CancellationToken cancellationToken)
    {
        (JsonElement json, ManagementError? error) = await ReadJsonAsync(context, cancellationToken);
        return error is null ? (new Patch(json, IfMatch.Of(context.Request)), null) : (null, error);
    }

    private static ManagementError Undecided(IReadOnlyList<Shape> shapes)
    {
        string place = $"/{shapes[0].DecidedBy}";
        return ManagementError.Unprocessable(place, $"{place} must be one of {string.Join(", ", shapes.Select(static shape => shape.Title))}.");
    }

    private static async Task<(JsonElement Json, ManagementError? Error)> ReadJsonAsync(HttpContext context, CancellationToken cancellationToken)
    {
        HttpRequest request = context.Request;
        if (await RequestBody.ReadAsync(request, cancellationToken) is not { } body)
            return (default, ManagementError.TooLarge);
        bool isJson = RequestBody.HasType(request, "application/json")
            || (HttpMethods.IsPatch(request.Method) && RequestBody.HasType(request, "application/merge-patch+json"));
        if (body.Length > 0 && !isJson)
            return (default, ManagementError.WrongContentType);
        return RequestBody.ParseJsonObject(body) is { } json ? (json, null) : (default, ManagementError.MalformedBody);
    }
}
