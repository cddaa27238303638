using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.Tokens;
using Atrium.Server.Tokens;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// Token introspection (RFC 7662). A client learns about its own tokens; every other text, of whatever kind, is not active and nothing more.
/// Organizations are read afresh.
/// </summary>
public sealed class IntrospectionEndpoint(ClientAuthentication authentication, PresentedTokens tokens, TokenIssuer issuer, TimeProvider clock)
{
    private static readonly OAuthError NoToken = new("ATR1601", "invalid_request", "token is missing.");
    private static readonly OAuthError NotPublic = new("ATR1602", "invalid_client", "Only a client that proves who it is may introspect.", StatusCodes.Status401Unauthorized);

    public async Task<IResult> HandleAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        ReadForm read = await OAuthParameters.ReadUniqueFormAsync(context.Request, cancellationToken);
        if (read.Parameters is not { } form)
            return read.Error!.ToAnswer(context);
        AuthenticatedClient authenticated = await authentication.AuthenticateAsync(context, realm, form, cancellationToken);
        if (authenticated.Client is not { } client)
            return authenticated.Error!.ToAnswer(context);
        if (!client.IsConfidential)
            return NotPublic.ToAnswer(context);
        if (form.ValueOf("token") is not { } token)
            return NoToken.ToAnswer(context);

        if (await tokens.ReadAccessTokenAsync(realm, token, cancellationToken) is { } access)
            return access.ClientId == client.ClientId ? new ClaimsAnswer(json => Write(json, access, clock.GetUtcNow())) : Inactive();
        if (await tokens.ReadRefreshTokenAsync(realm, token, cancellationToken) is var (stored, facts) && facts.Client.Id == client.Id)
            return new ClaimsAnswer(json => Write(json, stored, facts, client, clock.GetUtcNow()));
        return Inactive();
    }

    private static ClaimsAnswer Inactive() => new(static json => json.WriteBoolean("active"u8, false));

    /// <summary>What the token says, but for the organizations, which are as they are now.</summary>
    private static void Write(Utf8JsonWriter json, PresentedAccessToken access, DateTimeOffset now)
    {
        json.WriteBoolean("active"u8, true);
        json.WriteString("token_type"u8, TokenBody.TypeOf(access.DpopJkt));
        foreach (string name in new[] { "iss", "sub", "aud", "client_id", "scope", "iat", "exp", "auth_time", "acr", "jti", "sid", "cnf" })
        {
            if (access.Claims.TryGetProperty(name, out JsonElement value))
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
        }

        access.Facts?.OrganizationsAt(now).InFull().WriteTo(json);
    }

    private void Write(Utf8JsonWriter json, RefreshToken token, GrantFacts facts, Client client, DateTimeOffset now)
    {
        json.WriteBoolean("active"u8, true);
        json.WriteString("iss"u8, issuer.IssuerOf(facts));
        json.WriteString("sub"u8, facts.User.Id.ToString());
        json.WriteString("client_id"u8, client.ClientId);
        if (TokenBody.ScopeOf(facts.Grant.Scopes) is { } scope)
            json.WriteString("scope"u8, scope);
        json.WriteNumber("iat"u8, token.CreatedAt.ToUnixTimeSeconds());
        json.WriteNumber("exp"u8, token.ExpiresAt.ToUnixTimeSeconds());
        json.WriteString("sid"u8, facts.Session.Id.ToString());
        facts.OrganizationsAt(now).InFull().WriteTo(json);
    }
}
