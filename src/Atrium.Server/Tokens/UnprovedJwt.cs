using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Atrium.Server.Tokens;

/// <summary>A JWT in compact form (RFC 7515 section 7.1), taken apart. Whoever may have signed it: nothing of it is proved.</summary>
public sealed class UnprovedJwt
{
    private readonly JsonElement header;
    private readonly byte[] payload;

    private UnprovedJwt(JsonElement header, byte[] payload, byte[] signingInput, byte[] signature)
    {
        this.header = header;
        this.payload = payload;
        SigningInput = signingInput;
        Signature = signature;
    }

    /// <summary>What the signature is of: the header and the payload as they came (RFC 7515 section 2).</summary>
    public byte[] SigningInput { get; }

    public byte[] Signature { get; }

    /// <summary>Null for what is none, or is longer than that.</summary>
    public static UnprovedJwt? Parse(string token, int maxLength)
    {
        if (token.Length > maxLength
            || token.Split('.') is not [{ Length: > 0 } header, { Length: > 0 } payload, { Length: > 0 } signature]
            || !TryDecode(header, out byte[] headerBytes)
            || !TryDecode(payload, out byte[] payloadBytes)
            || !TryDecode(signature, out byte[] signatureBytes)
            || ObjectOf(headerBytes) is not { } head)
        {
            return null;
        }

        return new UnprovedJwt(head, payloadBytes, Encoding.ASCII.GetBytes($"{header}.{payload}"), signatureBytes);
    }

    /// <summary>What the header says; null where it says nothing, or no text.</summary>
    public string? HeaderOf(string name) => Jwt.StringOf(header, name);

    /// <summary>An object in the header; null where there is none of that name.</summary>
    public JsonElement? HeaderObjectOf(string name) =>
        header.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Object ? value : null;

    /// <summary>Whether the header says anything of it.</summary>
    public bool HasHeader(string name) => header.TryGetProperty(name, out _);

    /// <summary>Null where they are no JSON object.</summary>
    public JsonElement? Claims() => ObjectOf(payload);

    /// <summary>Whether a text is base64url in its one spelling.</summary>
    public static bool IsEncoded(string text) => TryDecode(text, out _);

    /// <summary>JSON of which every text can be read: half a surrogate pair, and bytes that are no UTF-8, pass the grammar and fail whoever reads them.</summary>
    private static JsonElement? ObjectOf(byte[] json)
    {
        if (!Utf8.IsValid(json))
            return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return null;
            if (json.Contains((byte)'\\'))
            {
                using Utf8JsonWriter nowhere = new(Stream.Null);
                document.WriteTo(nowhere);
            }

            return document.RootElement.Clone();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
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
