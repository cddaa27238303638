using System.Text.Json.Serialization;
using Atrium.Server.Tokens;

namespace Atrium.Server.Doors.OAuth;

/// <summary>The answer of the token endpoint (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).</summary>
public sealed record TokenBody
{
    public required string AccessToken { get; init; }

    /// <summary>RFC 6750, or RFC 9449 section 5 where the token is bound to a key.</summary>
    public required string TokenType { get; init; }

    /// <summary>Seconds.</summary>
    public required int ExpiresIn { get; init; }

    public string? Scope { get; init; }

    public string? RefreshToken { get; init; }

    public string? IdToken { get; init; }

    public static TokenBody Of(IssuedTokens tokens) => new()
    {
        AccessToken = tokens.AccessToken,
        TokenType = TypeOf(tokens.DpopJkt),
        ExpiresIn = tokens.ExpiresIn,
        Scope = ScopeOf(tokens.Scopes),
        RefreshToken = tokens.RefreshToken?.Reveal(),
        IdToken = tokens.IdToken,
    };

    public static string TypeOf(string? dpopJkt) => dpopJkt is null ? "Bearer" : "DPoP";

    public static string? ScopeOf(IReadOnlyList<string> scopes) => scopes.Count == 0 ? null : string.Join(' ', scopes);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TokenBody))]
[JsonSerializable(typeof(PushedBody))]
[JsonSerializable(typeof(MetadataBody))]
internal sealed partial class OAuthJson : JsonSerializerContext;
