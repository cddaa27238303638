using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
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
        if (UnprovedJwt.Parse(token, MaxLength) is not { } jwt)
            return null;
        RealmKey? key = keys.FirstOrDefault(key => key.Kid == jwt.HeaderOf("kid"));
        return key is not null
            && jwt.HeaderOf("alg") == key.Algorithm
            && jwt.HeaderOf("typ") == type
            && key.Verify(jwt.SigningInput, jwt.Signature)
            ? jwt.Claims()
            : null;
    }

    /// <summary>The algorithm and the claims that a token states, whoever wrote it; null for what is no JWT. Nothing of it is proved.</summary>
    public static (string Algorithm, JsonElement Claims)? Peek(string token) =>
        UnprovedJwt.Parse(token, MaxLength) is { } jwt && jwt.HeaderOf("alg") is { } algorithm && jwt.Claims() is { } claims
            ? (algorithm, claims)
            : null;

    public static string? StringOf(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    private static byte[] Header(RealmKey key, string? type) => Encoding.ASCII.GetBytes(
        type is null
            ? $$"""{"alg":"{{key.Algorithm}}","kid":"{{key.Kid}}"}"""
            : $$"""{"alg":"{{key.Algorithm}}","kid":"{{key.Kid}}","typ":"{{type}}"}""");
}
