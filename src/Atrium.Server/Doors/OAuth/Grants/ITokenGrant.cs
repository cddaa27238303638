using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.Tokens;
using Atrium.Server.Tokens;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth.Grants;

/// <summary>A token request that has passed what every grant has in common.</summary>
public sealed record TokenRequest
{
    public required Realm Realm { get; init; }

    /// <summary>Authenticated, and allowed this grant.</summary>
    public required Client Client { get; init; }

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

/// <summary>
/// One grant type of the token endpoint. What all of them share (the form, the client's authentication, what the client may use) is the
/// endpoint's, so that a grant can't leave it out.
/// </summary>
public interface ITokenGrant
{
    /// <summary>The <c>grant_type</c> of the wire.</summary>
    string Type { get; }

    /// <summary>Whether a client that has no secret may use it.</summary>
    bool IsForPublicClients { get; }

    Task<TokenResult> AuthorizeAsync(TokenRequest request, CancellationToken cancellationToken);
}

/// <summary>Words what the grant rules refuse.</summary>
internal static class GrantAnswers
{
    public static TokenResult Answer(GrantResult result) => result switch
    {
        GrantResult.Issued issued => TokenBody.Of(issued.Tokens),
        GrantResult.Refused refused => ErrorOf(refused.Reason),
        _ => throw new InvalidOperationException("A grant is issued on or refused."),
    };

    private static OAuthError ErrorOf(GrantRefusal reason) => reason switch
    {
        GrantRefusal.Invalid => new("ATR1421", "invalid_grant", "The code or token is unknown, expired, or another client's."),
        GrantRefusal.CodeReused => new("ATR1422", "invalid_grant", "The code was redeemed before. What it gave has been ended."),
        GrantRefusal.RefreshReused => new("ATR1423", "invalid_grant", "The refresh token was used before. All of its family has been ended."),
        GrantRefusal.RedirectMismatch => new("ATR1424", "invalid_grant", "redirect_uri is not the one that the code was asked for with."),
        GrantRefusal.VerifierMismatch => new("ATR1425", "invalid_grant", "code_verifier does not fit the request that the code was asked for with."),
        GrantRefusal.Ended => new("ATR1426", "invalid_grant", "The grant, its session, or its person's account has ended."),
        GrantRefusal.NotMember => new("ATR1427", "invalid_grant", "The person is not an active member of the organization that was selected."),
        GrantRefusal.ScopeExceeded => new("ATR1428", "invalid_scope", "scope asks for more than was granted."),
        GrantRefusal.OrganizationMismatch => new("ATR1429", "invalid_request", "org can't be added or changed here: ask for it at the authorization endpoint."),
        _ => new("ATR1430", "invalid_target", "resource is not the one that was granted."),
    };
}
