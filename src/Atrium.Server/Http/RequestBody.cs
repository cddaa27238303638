using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Http;

/// <summary>Reads request bodies for the doors, which each have an envelope of their own for what can be wrong with one.</summary>
public static class RequestBody
{
    /// <summary>More than any request of any door needs.</summary>
    public const int MaxBytes = 128 * 1024;

    /// <summary>What Kestrel reads and throws away so that the caller of a larger body still gets to read our answer.</summary>
    public const int MaxDrainedBytes = 8 * 1024 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The whole body, or null when it is too large.</summary>
    public static async Task<byte[]?> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > MaxBytes)
            return null;
        using MemoryStream body = new();
        byte[] buffer = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + read > MaxBytes)
                return null;
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    /// <summary>Reads the whole body and puts it back for the handler; null when it is too large.</summary>
    public static async Task<byte[]?> BufferAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (await ReadAsync(request, cancellationToken) is not { } body)
            return null;
        request.Body = new MemoryStream(body, writable: false);
        return body;
    }

    /// <summary>
    /// <c>application/x-www-form-urlencoded</c>. It tolerates what some clients forget to encode, such as spaces; null when it isn't UTF-8.
    /// </summary>
    public static IReadOnlyDictionary<string, StringValues>? ParseForm(ReadOnlySpan<byte> body)
    {
        try
        {
            return QueryHelpers.ParseQuery(StrictUtf8.GetString(body));
        }
        catch (ArgumentException)
        {
            return null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    /// <summary>A JSON object all of whose text can be read; an empty body is an empty one. Null when it is anything else.</summary>
    public static JsonElement? ParseJsonObject(ReadOnlyMemory<byte> body)
    {
        if (body.Span.Trim(" \t\r\n"u8).IsEmpty)
            return JsonSerializer.SerializeToElement(new Dictionary<string, string>(), PlainJson.Default.DictionaryStringString);
        try
        {
            // RFC 8259 section 8.1 and 8.2: the parser itself takes bytes that are not UTF-8, and halves of surrogate pairs; reading them throws.
            if (!Utf8.IsValid(body.Span))
                return null;
            using JsonDocument json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16, AllowDuplicateProperties = false });
            if (json.RootElement.ValueKind != JsonValueKind.Object)
                return null;
            if (body.Span.IndexOf("\\u"u8) >= 0)
                ReadAllText(json.RootElement);
            return json.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    public static bool HasType(HttpRequest request, string mediaType) =>
        request.ContentType is { } type && type.Split(';')[0].Trim().Equals(mediaType, StringComparison.OrdinalIgnoreCase);

    private static void ReadAllText(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in json.EnumerateObject())
                {
                    _ = property.Name;
                    ReadAllText(property.Value);
                }

                break;
            case JsonValueKind.Array:
                foreach (JsonElement element in json.EnumerateArray())
                    ReadAllText(element);
                break;
            case JsonValueKind.String:
                _ = json.GetString();
                break;
            default:
                break;
        }
    }
}
