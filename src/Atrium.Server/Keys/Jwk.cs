using System.Text.Json.Serialization;

namespace Atrium.Server.Keys;

/// <summary>A public key as RFC 7517 writes it; there is no place in it for a private part.</summary>
public sealed record Jwk
{
    [JsonPropertyName("kty")]
    public required string Kty { get; init; }

    [JsonPropertyName("use")]
    public required string Use { get; init; }

    [JsonPropertyName("alg")]
    public required string Alg { get; init; }

    [JsonPropertyName("kid")]
    public required string Kid { get; init; }

    [JsonPropertyName("crv")]
    public string? Crv { get; init; }

    [JsonPropertyName("x")]
    public string? X { get; init; }

    [JsonPropertyName("y")]
    public string? Y { get; init; }

    [JsonPropertyName("n")]
    public string? N { get; init; }

    [JsonPropertyName("e")]
    public string? E { get; init; }

    [JsonPropertyName("x5c")]
    public IReadOnlyList<string>? X5c { get; init; }

    [JsonPropertyName("x5t#S256")]
    public string? X5tS256 { get; init; }
}

/// <summary>RFC 7517 section 5.</summary>
public sealed record JwkSet([property: JsonPropertyName("keys")] IReadOnlyList<Jwk> Keys);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JwkSet))]
internal sealed partial class JwkJson : JsonSerializerContext;
