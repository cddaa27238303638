using Atrium.Core.Tokens;
using Atrium.Server.Doors.OAuth.Dpop;
using Atrium.Server.Http;
using Atrium.Server.Tokens;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// UserInfo (OpenID Connect Core section 5.3): the claims that the token's scopes ask for, and the organizations as they are now. The token
/// comes in the header or in the body of a POST, never in the address (RFC 9700 section 4.3.2); one that is bound to a key comes in the header, under its own
/// scheme, with a proof of the key (RFC 9449 section 7.1).
/// </summary>
public sealed class UserInfoEndpoint(PresentedTokens tokens, DpopCheck dpop, TimeProvider clock)
{
    private static readonly OAuthError Missing = new("ATR1501", "invalid_token", "Send the access token in the Authorization header: Bearer and the token.", StatusCodes.Status401Unauthorized);
    private static readonly OAuthError Invalid = new("ATR1502", "invalid_token", "The access token is not one of this realm, has expired, or what it stands on has ended.", StatusCodes.Status401Unauthorized);
    private static readonly OAuthError NoScope = new("ATR1503", "insufficient_scope", "The access token does not have the scope openid.", StatusCodes.Status403Forbidden);
    private static readonly OAuthError InQuery = new("ATR1504", "invalid_request", "A token must not be sent in the address.");
    private static readonly OAuthError TwoTokens = new("ATR1505", "invalid_request", "Send one access token, in one place.");

    private static readonly OAuthError Downgraded = new("ATR1154", "invalid_token", "The access token is bound to a key: send it in the Authorization header as DPoP, with a proof.", StatusCodes.Status401Unauthorized);
    private static readonly OAuthError NotBound = new("ATR1155", "invalid_token", "The access token is not bound to a key: send it as Bearer.", StatusCodes.Status401Unauthorized);

    private const string Bearer = "Bearer", Dpop = "DPoP";

    public async Task<IResult> HandleAsync(HttpContext context, CancellationToken cancellationToken)
    {
        SentToken sent = await TokenOfAsync(context, cancellationToken);
        if (sent.Error is { } error)
            return Challenge(context, sent.Scheme, error);
        if (sent.Text is not { } token)
            return Challenge(context, sent.Scheme, Missing);
        if (await tokens.ReadAccessTokenAsync(context.Realm(), token, cancellationToken) is not { Facts: { } facts } presented)
            return Challenge(context, sent.Scheme, Invalid);
        if (presented.DpopJkt is not null && sent.Scheme != Dpop)
            return Challenge(context, sent.Scheme, Downgraded);
        if (presented.DpopJkt is null && sent.Scheme == Dpop)
            return Challenge(context, sent.Scheme, NotBound);
        bool isOpenId = presented.Scopes.Contains(TokenIssuer.OpenIdScope);
        if (!isOpenId && !presented.SaysElsewhere)
            return Challenge(context, sent.Scheme, NoScope);
        if (presented.DpopJkt is { } jkt
            && (await dpop.CheckAsync(context, facts.Client, new BoundToken(token, jkt), isRequired: true, cancellationToken)).Error is { } unproved)
        {
            return Challenge(context, sent.Scheme, unproved with { Status = StatusCodes.Status401Unauthorized });
        }

        // A token that names this place for its organizations is answered with them, whatever its scopes are: with what it would have carried.
        OrganizationProjection organizations = facts.OrganizationsAt(clock.GetUtcNow()).InFull();
        return new ClaimsAnswer(json =>
        {
            json.WriteString("sub"u8, facts.User.Id.ToString());
            if (isOpenId)
                TokenIssuer.WriteProfile(json, facts.User, presented.Scopes);
            organizations.WriteTo(json);
        });
    }

    /// <summary>
    /// Both schemes are offered (RFC 9449 section 7.2), and what is wrong stands with the one that was used. Who showed no token at all is only told the
    /// schemes (RFC 6750 section 3.1).
    /// </summary>
    private IResult Challenge(HttpContext context, string used, OAuthError error)
    {
        string realm = $"realm=\"{context.Realm().Handle}\"";
        string scope = error == NoScope ? $", scope=\"{TokenIssuer.OpenIdScope}\"" : "";
        string told = error == Missing ? "" : $", error=\"{error.Code}\", error_description=\"{error.Description}\"{scope}";
        context.Response.Headers.WWWAuthenticate = new(
        [
            $"{Bearer} {realm}{(used == Bearer ? told : "")}",
            $"{Dpop} {realm}{(used == Dpop ? told : "")}, algs=\"{string.Join(' ', dpop.Algorithms)}\"",
        ]);
        return error.ToAnswer(context);
    }

    /// <summary>RFC 6750 section 2, RFC 9449 section 7.1.</summary>
    private static async Task<SentToken> TokenOfAsync(HttpContext context, CancellationToken cancellationToken)
    {
        HttpRequest request = context.Request;
        if (OAuthParameters.OfQuery(request).ContainsKey("access_token"))
            return new(Bearer, null, InQuery);
        if (request.Headers.Authorization.Count > 1)
            return new(Bearer, null, TwoTokens);
        SentToken inHeader = request.CredentialsOf(Dpop) is { } bound ? new(Dpop, bound) : new(Bearer, request.CredentialsOf(Bearer));
        if (!HttpMethods.IsPost(request.Method) || request.ContentType is null)
            return inHeader;

        ReadForm read = await OAuthParameters.ReadUniqueFormAsync(request, cancellationToken);
        if (read.Parameters is not { } form)
            return inHeader with { Text = null, Error = read.Error };
        if (form.ValueOf("access_token") is not { } inForm)
            return inHeader;
        return inHeader.Text is null ? new(Bearer, inForm) : inHeader with { Error = TwoTokens };
    }

    /// <summary>An access token as it came, or why none did.</summary>
    private readonly record struct SentToken(string Scheme, string? Text, OAuthError? Error = null);
}
