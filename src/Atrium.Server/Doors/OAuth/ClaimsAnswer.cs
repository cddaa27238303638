using System.Buffers;
using System.Text.Json;

namespace Atrium.Server.Doors.OAuth;

/// <summary>A JSON object whose members are written as they are decided, never kept by anybody on the way.</summary>
public sealed class ClaimsAnswer(Action<Utf8JsonWriter> writeClaims) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArrayBufferWriter<byte> body = new(512);
        await using (Utf8JsonWriter json = new(body))
        {
            json.WriteStartObject();
            writeClaims(json);
            json.WriteEndObject();
        }

        HttpResponse response = httpContext.Response;
        response.ContentType = "application/json";
        response.ContentLength = body.WrittenCount;
        response.Headers.CacheControl = "no-store";
        await response.Body.WriteAsync(body.WrittenMemory, httpContext.RequestAborted);
    }
}
