using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Atrium.Server.Http;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management;

/// <summary>One thing: <c>{"data":{...}}</c>, with its <c>ETag</c>.</summary>
/// <param name="tag">The tag of the thing as it will be shown from now on, where this answer shows more of it.</param>
public sealed class One<T>(T resource, JsonTypeInfo<T> type, int statusCode = StatusCodes.Status200OK, string? tag = null)
    : IResult, IStatusCodeHttpResult, IKnownAnswer
{
    public int? StatusCode => statusCode;

    int IKnownAnswer.StatusCode => statusCode;

    public byte[] Body() => Enveloped.Write(json => JsonSerializer.Serialize(json, resource, type));

    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.Headers.ETag = tag ?? EntityTag.Of(resource, type);
        return Enveloped.SendAsync(httpContext, Body(), statusCode);
    }
}

/// <summary>A part of a list: <c>{"data":[...],"has_more":bool,"next_cursor":string|null}</c>.</summary>
public sealed class Many<T>(IEnumerable<T> resources, JsonTypeInfo<T> type, bool hasMore, string? nextCursor)
    : IResult, IStatusCodeHttpResult, IKnownAnswer
{
    public int? StatusCode => StatusCodes.Status200OK;

    int IKnownAnswer.StatusCode => StatusCodes.Status200OK;

    public byte[] Body() => Enveloped.Write(
        json =>
        {
            json.WriteStartArray();
            foreach (T resource in resources)
                JsonSerializer.Serialize(json, resource, type);
            json.WriteEndArray();
        },
        json =>
        {
            json.WriteBoolean("has_more"u8, hasMore);
            json.WriteString("next_cursor"u8, nextCursor);
        });

    public Task ExecuteAsync(HttpContext httpContext) => Enveloped.SendAsync(httpContext, Body(), StatusCodes.Status200OK);
}

public static class Many
{
    /// <param name="cursorOf">What the next page goes on behind: the id of the last thing.</param>
    public static Many<TResource> Of<T, TResource>(Page<T> page, Func<T, TResource> show, JsonTypeInfo<TResource> type, Func<T, string> cursorOf) =>
        new(page.Items.Select(show), type, page.HasAfter, page.HasAfter ? cursorOf(page.Items[^1]) : null);
}

internal static class Enveloped
{
    public static byte[] Write(Action<Utf8JsonWriter> data, Action<Utf8JsonWriter>? beside = null)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WritePropertyName("data"u8);
            data(json);
            beside?.Invoke(json);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static async Task SendAsync(HttpContext context, byte[] body, int statusCode)
    {
        HttpResponse response = context.Response;
        response.StatusCode = statusCode;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, context.RequestAborted);
    }
}
