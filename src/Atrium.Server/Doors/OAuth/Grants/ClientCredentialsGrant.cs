using Atrium.Core.Tokens;
using Atrium.Server.Tokens;

namespace Atrium.Server.Doors.OAuth.Grants;

/// <summary>
/// RFC 6749 section 4.4: the client for itself. There is no person, so no organizations, no refresh token, and nothing to store:
/// the answer is made without asking the database.
/// </summary>
public sealed class ClientCredentialsGrant(TokenIssuer issuer) : ITokenGrant
{
    private static readonly OAuthError NoOrganization = new("ATR1414", "invalid_request", "A client that speaks for itself is in no organization: leave out org.");

    internal static readonly OAuthError NotItsResource = new("ATR1440", "invalid_target", "This client may not ask for tokens for that resource.");

    public string Type => "client_credentials";

    public bool IsForPublicClients => false;

    public async Task<TokenResult> AuthorizeAsync(TokenRequest request, CancellationToken cancellationToken)
    {
        if (request.Parameters.ContainsKey("org"))
            return NoOrganization;
        if (request.Restated.Resource is { } resource && !TokenAudience.MayAskFor(request.Presenter.Client, resource))
            return NotItsResource;
        IReadOnlyList<string> scopes = request.Scopes ?? [];
        return new TokenBody
        {
            AccessToken = await issuer.ClientTokenAsync(request.Realm, request.Presenter, request.Restated.Resource, scopes, cancellationToken),
            TokenType = TokenBody.TypeOf(request.Presenter.DpopJkt),
            ExpiresIn = TokenIssuer.AccessTokenAge(request.Presenter.Client, Core.SignIns.Door.OAuth),
            Scope = TokenBody.ScopeOf(scopes),
        };
    }
}
