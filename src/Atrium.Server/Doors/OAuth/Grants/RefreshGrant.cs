using Atrium.Core;
using Atrium.Server.Tokens;

namespace Atrium.Server.Doors.OAuth.Grants;

/// <summary>RFC 6749 section 6. Memberships are read afresh; the organization selected stays selected.</summary>
public sealed class RefreshGrant(GrantDesk desk) : ITokenGrant
{
    private static readonly OAuthError NoToken = new("ATR1413", "invalid_request", "refresh_token is missing.");

    public string Type => "refresh_token";

    public bool IsForPublicClients => true;

    public async Task<TokenResult> AuthorizeAsync(TokenRequest request, CancellationToken cancellationToken) =>
        request.Parameters.ValueOf("refresh_token") is { } token
            ? GrantAnswers.Answer(await desk.RefreshAsync(
                request.Presenter, new Secret(token), request.Scopes, switchTo: null, request.Restated, cancellationToken))
            : NoToken;
}
