using Atrium.Core.Tokens;
using Atrium.Server.Http;
using Atrium.Server.Tokens;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// UserInfo (OpenID Connect Core section 5.3): the claims that the token's scopes ask for, and the organizations as they are now. The token
/// comes in the header or in the body of a POST, never in the address (RFC 9700 section 4.3.2).
/// </summary>
public sealed class UserInfoEndpoint(PresentedTokens tokens, TimeProvider clock)
{
    private static readonly OAuthError Missing = new("ATR1501", "invalid_token", "Send the access token in the Authorization header: Bearer and the token.", StatusCodes.Status401Unauthorized);
    private static readonly OAuthError Invalid = new("ATR1502", "invalid_token", "The access token is not one of this realm, has expired, or what it stands on has ended.", StatusCodes.Status401Unauthorized);
    private static readonly OAuthError NoScope = new("ATR1503", "insufficient_scope", "The access token does not have the scope openid.", StatusCodes.Status403Forbidden);
    private static readonly OAuthError InQuery = new("ATR1504", "invalid_request", "A token must not be sent in the address.");
    private static readonly OAuthError TwoTokens = new("ATR1505", "invalid_request", "Send one access token, in one place.");

    public async Task<IResult> HandleAsync(HttpContext context, CancellationToken cancellationToken)
    {
        (string? token, OAuthError? error) = await TokenOfAsync(context, cancellationToken);
        if (error is not null)
            return Challenge(context, error);
        if (token is null)
            return Challenge(context, Missing);
        if (await tokens.ReadAccessTokenAsync(context.Realm(), token, cancellationToken) is not { Facts: { } facts } presented)
            return Challenge(context, Invalid);
        bool isOpenId = presented.Scopes.Contains(TokenIssuer.OpenIdScope);
        if (!isOpenId && !presented.SaysElsewhere)
            return Challenge(context, NoScope);

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

    /// <summary>RFC 6750 section 3.1: who showed no token at all is only told the scheme.</summary>
    private static IResult Challenge(HttpContext context, OAuthError error)
    {
        string realm = $"Bearer realm=\"{context.Realm().Handle}\"";
        string scope = error == NoScope ? $", scope=\"{TokenIssuer.OpenIdScope}\"" : "";
        context.Response.Headers.WWWAuthenticate = error == Missing
            ? realm
            : $"{realm}, error=\"{error.Code}\", error_description=\"{error.Description}\"{scope}";
        return error.ToAnswer(context);
    }

    /// <summary>RFC 6750 section 2.</summary>
    private static async Task<(string? Token, OAuthError? Error)> TokenOfAsync(HttpContext context, CancellationToken cancellationToken)
    {
        HttpRequest request = context.Request;
        if (OAuthParameters.OfQuery(request).ContainsKey("access_token"))
            return (null, InQuery);
        if (request.Headers.Authorization.Count > 1)
            return (null, TwoTokens);
        string? inHeader = request.CredentialsOf("Bearer");
        if (!HttpMethods.IsPost(request.Method) || request.ContentType is null)
            return (inHeader, null);

        ReadForm read = await OAuthParameters.ReadUniqueFormAsync(request, cancellationToken);
        if (read.Parameters is not { } form)
            return (null, read.Error);
        string? inForm = form.ValueOf("access_token");
        return inHeader is not null && inForm is not null ? (null, TwoTokens) : (inHeader ?? inForm, null);
    }
}
