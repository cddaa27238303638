using Atrium.Core;
using Atrium.Core.Tokens;
using Atrium.Server.Tokens;

namespace Atrium.Server.Doors.OAuth.Grants;

/// <summary>RFC 6749 section 4.1.3 with PKCE (RFC 7636 section 4.5).</summary>
public sealed class CodeGrant(GrantDesk desk) : ITokenGrant
{
    private static readonly OAuthError NoCode = new("ATR1411", "invalid_request", "code is missing.");
    private static readonly OAuthError BadVerifier = new("ATR1412", "invalid_request", "code_verifier must be 43 to 128 letters, digits, or any of -._~.");

    public string Type => "authorization_code";

    public bool IsForPublicClients => true;

    public async Task<TokenResult> AuthorizeAsync(TokenRequest request, CancellationToken cancellationToken)
    {
        if (request.Parameters.ValueOf("code") is not { } code)
            return NoCode;
        string? verifier = request.Parameters.ValueOf("code_verifier");
        if (verifier is not null && !Pkce.IsVerifier(verifier))
            return BadVerifier;
        return GrantAnswers.Answer(await desk.RedeemAsync(
            request.Presenter, new Secret(code), request.Parameters.ValueOf("redirect_uri"), verifier, request.Restated, cancellationToken));
    }
}
