using System.Text.Json.Serialization;
using Atrium.Server.Tokens;

namespace Atrium.Server.Doors.OAuth;

/// <summary>The answer of the token endpoint (RFC 6749 section 5.1, OpenID Connect Core section 3.1.3.3).</summary>
public sealed record TokenBody
{
    public required string AccessToken { get; init; }

    public string TokenType => "Bearer";

    /// <summary>Seconds.</summary>
    public required int ExpiresIn { get; init; }

    public string? Scope { get; init; }

    public string? RefreshToken { get; init; }

    public string? IdToken { get; init; }

    public static TokenBody Of(IssuedTokens tokens) => new()
    {
        AccessToken = tokens.AccessToken,
        ExpiresIn = tokens.ExpiresIn,
        Scope = ScopeOf(tokens.Scopes),
        RefreshToken = tokens.RefreshToken?.Reveal(),
        IdToken = tokens.IdToken,
    };

    public static string? ScopeOf(IReadOnlyList<string> scopes) => scopes.Count == 0 ? null : string.Join(' ', scopes);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TokenBody))]
[JsonSerializable(typeof(PushedBody))]
[JsonSerializable(typeof(MetadataBody))]
internal sealed partial class OAuthJson : JsonSerializerContext;
