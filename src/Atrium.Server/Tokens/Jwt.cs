using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Atrium.Server.Keys;

namespace Atrium.Server.Tokens;

/// <summary>
/// Signed JWTs in compact form (RFC 7515 section 3.1, RFC 7519): the realm's own tokens, written and read with the realm's own keys.
/// </summary>
public static class Jwt
{
    /// <summary>RFC 9068 section 2.1.</summary>
    public const string AccessTokenType = "at+jwt";

    /// <summary>OpenID Connect Back-Channel Logout 1.0 section 2.4.</summary>
    public const string LogoutTokenType = "logout+jwt";

    /// <summary>Longer than any token of ours; what is longer is not looked at.</summary>
    private const int MaxLength = 256 * 1024;

    public static string Sign(RealmKey key, string? type, Action<Utf8JsonWriter> writeClaims)
    {
        ArrayBufferWriter<byte> payload = new(1024);
        using (Utf8JsonWriter json = new(payload))
        {
            json.WriteStartObject();
            writeClaims(json);
            json.WriteEndObject();
        }

        byte[] header = Header(key, type);
        int headerLength = Base64Url.GetEncodedLength(header.Length);
        int payloadLength = Base64Url.GetEncodedLength(payload.WrittenCount);
        int length = headerLength + 1 + payloadLength + 1 + Base64Url.GetEncodedLength(key.SignatureSize);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            Base64Url.EncodeToUtf8(header, buffer);
            buffer[headerLength] = (byte)'.';
            Base64Url.EncodeToUtf8(payload.WrittenSpan, buffer.AsSpan(headerLength + 1));
            int signedLength = headerLength + 1 + payloadLength;
            buffer[signedLength] = (byte)'.';
            Span<byte> signature = stackalloc byte[key.SignatureSize];
            int written = key.Sign(buffer.AsSpan(0, signedLength), signature);
            int encoded = Base64Url.EncodeToUtf8(signature[..written], buffer.AsSpan(signedLength + 1));
            return Encoding.ASCII.GetString(buffer, 0, signedLength + 1 + encoded);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// The claims of a token that one of these keys signed, with this type and no other; null for anything else. Time and audience are the caller's.
    /// </summary>
    public static JsonElement? Read(string token, IReadOnlyList<RealmKey> keys, string? type)
    {
        if (token.Length > MaxLength || token.Split('.') is not [{ Length: > 0 } header, { Length: > 0 } payload, { Length: > 0 } signature])
            return null;
        try
        {
            if (!TryDecode(header, out byte[] headerBytes) || !TryDecode(payload, out byte[] payloadBytes) || !TryDecode(signature, out byte[] signatureBytes))
                return null;
            using JsonDocument head = Parse(headerBytes);
            RealmKey? key = keys.FirstOrDefault(key => key.Kid == StringOf(head.RootElement, "kid"));
            if (key is null
                || StringOf(head.RootElement, "alg") != key.Algorithm
                || StringOf(head.RootElement, "typ") != type
                || !key.Verify(Encoding.ASCII.GetBytes($"{header}.{payload}"), signatureBytes))
            {
                return null;
            }

            using JsonDocument claims = Parse(payloadBytes);
            return claims.RootElement.ValueKind == JsonValueKind.Object ? claims.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The algorithm and the claims that a token states, whoever wrote it; null for what is no JWT. Nothing of it is proved.</summary>
    public static (string Algorithm, JsonElement Claims)? Peek(string token)
    {
        if (token.Length > MaxLength || token.Split('.') is not [{ Length: > 0 } header, { Length: > 0 } payload, { Length: > 0 }])
            return null;
        try
        {
            if (!TryDecode(header, out byte[] headerBytes) || !TryDecode(payload, out byte[] payloadBytes))
                return null;
            using JsonDocument head = Parse(headerBytes);
            using JsonDocument claims = Parse(payloadBytes);
            return StringOf(head.RootElement, "alg") is { } algorithm && claims.RootElement.ValueKind == JsonValueKind.Object
                ? (algorithm, claims.RootElement.Clone())
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static string? StringOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static byte[] Header(RealmKey key, string? type) => Encoding.ASCII.GetBytes(
        type is null
            ? $$"""{"alg":"{{key.Algorithm}}","kid":"{{key.Kid}}"}"""
            : $$"""{"alg":"{{key.Algorithm}}","kid":"{{key.Kid}}","typ":"{{type}}"}""");

    /// <summary>JSON of which every text can be read: half a surrogate pair, and bytes that are no UTF-8, pass the grammar and fail whoever reads them.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    private static JsonDocument Parse(byte[] json)
    {
        if (!Utf8.IsValid(json))
            throw new JsonException("There are bytes in it that are no UTF-8.");
        JsonDocument document = JsonDocument.Parse(json);
        if (!json.Contains((byte)'\\'))
            return document;
        try
        {
            using Utf8JsonWriter nowhere = new(Stream.Null);
            document.WriteTo(nowhere);
            return document;
        }
        catch (InvalidOperationException e)
        {
            document.Dispose();
            throw new JsonException("There is half a surrogate pair in it.", e);
        }
    }

    /// <summary>Only the one spelling that we write: padding, spaces or spare bits make it another token.</summary>
    private static bool TryDecode(string text, out byte[] bytes)
    {
        bytes = [];
        if (!Base64Url.IsValid(text))
            return false;
        bytes = Base64Url.DecodeFromChars(text);
        return Base64Url.EncodeToString(bytes) == text;
    }
}
