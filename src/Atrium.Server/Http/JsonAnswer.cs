using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Atrium.Server.Http;

/// <summary>
/// A JSON body whose content type is <c>application/json</c> and nothing behind it: RFC 8259 section 11 defines no charset, and clients of the
/// app-native door compare the header by equality.
/// </summary>
public sealed class JsonAnswer<T>(T value, JsonTypeInfo<T> type, int statusCode = StatusCodes.Status200OK) : IResult, IStatusCodeHttpResult, IKnownAnswer
{
    public int? StatusCode => statusCode;

    int IKnownAnswer.StatusCode => statusCode;

    public byte[] Body() => JsonSerializer.SerializeToUtf8Bytes(value, type);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        byte[] body = Body();
        HttpResponse response = httpContext.Response;
        response.StatusCode = statusCode;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, httpContext.RequestAborted);
    }
}

/// <summary>An answer that can be known before it is sent, and so be kept with the change that it tells of.</summary>
public interface IKnownAnswer
{
    int StatusCode { get; }

    byte[] Body();
}
