using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Atrium.Server.Http;
using Microsoft.AspNetCore.Http.Features;

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

/// <summary>Reads a body before its route's handler runs: a handler only ever sees one that is as the route declares it.</summary>
public static class BodyReading
{
    /// <summary>Declares the body of a route that makes or does something; its handler has it as <see cref="Body"/>.</summary>
    public static RouteHandlerBuilder Reads(this RouteHandlerBuilder route, params IReadOnlyList<Shape> shapes) =>
        route.WithMetadata(new RequestShape(shapes, IsPatch: false)).AddEndpointFilter(async (call, next) =>
            await ReadJsonAsync<Body>(call.HttpContext, json => BodyOf(json, shapes)) is { } refusal ? refusal : await next(call));

    /// <summary>Declares the body of a route that changes something; its handler has it as <see cref="Patch"/>.</summary>
    public static RouteHandlerBuilder Patches(this RouteHandlerBuilder route, params IReadOnlyList<Shape> shapes) =>
        route.WithMetadata(new RequestShape(shapes, IsPatch: true)).AddEndpointFilter(static async (call, next) =>
            await ReadJsonAsync<Patch>(call.HttpContext, json => (new Patch(json, IfMatch.Of(call.HttpContext.Request)), null)) is { } refusal ? refusal : await next(call));

    /// <summary>What was sent to a route that <see cref="Reads"/>.</summary>
    public static Body Body(this HttpContext context) => context.Features.GetRequiredFeature<Body>();

    /// <summary>What was sent to a route that <see cref="Patches"/>, to be laid over what is there.</summary>
    public static Patch Patch(this HttpContext context) => context.Features.GetRequiredFeature<Patch>();

    private static (Body? Body, ManagementError? Refusal) BodyOf(JsonElement json, IReadOnlyList<Shape> shapes)
    {
        if (shapes.FirstOrDefault(shape => shape.Claims(json)) is not { } meant)
            return (null, Undecided(shapes));
        List<Problem> problems = [];
        Body body = meant.Read(json, "", problems);
        return problems.Count == 0 ? (body, null) : (null, ManagementError.Unprocessable(problems));
    }

    private static ManagementError Undecided(IReadOnlyList<Shape> shapes)
    {
        string place = $"/{shapes[0].DecidedBy}";
        return ManagementError.Unprocessable(place, $"{place} must be one of {string.Join(", ", shapes.Select(static shape => shape.Title))}.");
    }

    /// <summary>Reads the body's JSON and hands what is made of it to the handler; or why it can't be.</summary>
    private static async Task<ManagementError?> ReadJsonAsync<T>(HttpContext context, Func<JsonElement, (T? Read, ManagementError? Refusal)> read)
        where T : class
    {
        HttpRequest request = context.Request;
        if (await RequestBody.ReadAsync(request, context.RequestAborted) is not { } body)
            return ManagementError.TooLarge;
        bool isJson = RequestBody.HasType(request, "application/json")
            || (HttpMethods.IsPatch(request.Method) && RequestBody.HasType(request, "application/merge-patch+json"));
        if (body.Length > 0 && !isJson)
            return ManagementError.WrongContentType;
        if (RequestBody.ParseJsonObject(body) is not { } json)
            return ManagementError.MalformedBody;
        (T? made, ManagementError? refusal) = read(json);
        context.Features.Set(made);
        return refusal;
    }
}
