using Atrium.Core.Realms;
using Atrium.Core.Tokens;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth.Grants;

/// <summary>A token request that has passed what every grant has in common.</summary>
public sealed record TokenRequest
{
    public required Realm Realm { get; init; }

    /// <summary>The client, authenticated and allowed this grant; and the key that it proved to hold.</summary>
    public required Presenter Presenter { get; init; }

    public required IReadOnlyDictionary<string, StringValues> Parameters { get; init; }

    /// <summary>Null where none are named.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>The organization and the resource, should the request name them.</summary>
    public required RestatedTerms Restated { get; init; }
}

/// <summary>What a token request ends in: one of the two is there.</summary>
public readonly record struct TokenResult(TokenBody? Body, OAuthError? Error)
{
    public static implicit operator TokenResult(TokenBody body) => new(body, null);

    public static implicit operator TokenResult(OAuthError error) => new(null, error);

    public static TokenResult FromTokenBody(TokenBody body) => body;

    public static TokenResult FromOAuthError(OAuthError error) => error;
}
