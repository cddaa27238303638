using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// Token revocation (RFC 7009): a refresh or an access token ends the grant that it came from. The answer is 200 for every text, so that
/// nobody learns what is a token.
/// </summary>
public sealed class RevocationEndpoint(ClientAuthentication authentication, PresentedTokens tokens, GrantStore grants, TimeProvider clock)
{
    private static readonly OAuthError NoToken = new("ATR1611", "invalid_request", "token is missing.");

    public async Task<IResult> HandleAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        ReadForm read = await OAuthParameters.ReadUniqueFormAsync(context.Request, cancellationToken);
        if (read.Parameters is not { } form)
            return read.Error!.ToAnswer(context);
        AuthenticatedClient authenticated = await authentication.AuthenticateAsync(context, realm, form, cancellationToken);
        if (authenticated.Client is not { } client)
            return authenticated.Error!.ToAnswer(context);
        if (form.ValueOf("token") is not { } token)
            return NoToken.ToAnswer(context);

        if (await tokens.FindGrantAsync(realm, token, cancellationToken) is { } facts && facts.Client.Id == client.Id)
            await grants.EndAsync(realm.Id, facts.Grant.Id, clock.GetUtcNow(), cancellationToken);
        context.Response.Headers.CacheControl = "no-store";
        return Results.Ok();
    }
}
