using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Tokens;
using Atrium.Server.Doors.OAuth.Dpop;
using Atrium.Server.Doors.OAuth.Grants;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.OAuth;

/// <summary>The token endpoint (RFC 6749 section 3.2). It owns the phases that every grant goes through; what is left is the grant's.</summary>
public sealed class TokenEndpoint(ClientAuthentication authentication, DpopCheck dpop, IEnumerable<ITokenGrant> grants)
{
    private static readonly OAuthError NoGrantType = new("ATR1401", "invalid_request", "grant_type is missing.");
    private static readonly OAuthError Unsupported = new("ATR1402", "unsupported_grant_type", "The grant types are authorization_code, refresh_token and client_credentials.");
    private static readonly OAuthError NotAllowed = new("ATR1403", "unauthorized_client", "This client may not use this grant type.");
    private static readonly OAuthError NoSuchPath = new("ATR1404", "not_found", "The path names no organization.", StatusCodes.Status404NotFound);

    private readonly Dictionary<string, ITokenGrant> grantsByType = grants.ToDictionary(static grant => grant.Type, StringComparer.Ordinal);

    public async Task<IResult> HandleAsync(HttpContext context, string? org, CancellationToken cancellationToken)
    {
        TokenResult result = await AnswerAsync(context, org, cancellationToken);
        if (result.Body is not { } body)
            return result.Error!.ToAnswer(context);

        // RFC 6749 section 5.1: no cache on the way keeps tokens.
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Pragma = "no-cache";
        return new JsonAnswer<TokenBody>(body, OAuthJson.Default.TokenBody);
    }

    private async Task<TokenResult> AnswerAsync(HttpContext context, string? pathOrganization, CancellationToken cancellationToken)
    {
        Id<Organization>? ofPath = null;
        if (pathOrganization is not null && (ofPath = Id<Organization>.Parse(pathOrganization)) is null)
            return NoSuchPath;

        ReadForm read = await OAuthParameters.ReadUniqueFormAsync(context.Request, cancellationToken);
        if (read.Parameters is not { } form)
            return read.Error!;

        AuthenticatedClient authenticated = await authentication.AuthenticateAsync(context, context.Realm(), form, cancellationToken);
        if (authenticated.Client is not { } client)
            return authenticated.Error!;

        if (form.ValueOf("grant_type") is not { } type)
            return NoGrantType;
        if (!grantsByType.TryGetValue(type, out ITokenGrant? grant))
            return Unsupported;
        if (!client.MayUse(type) || !(client.IsConfidential || grant.IsForPublicClients))
            return NotAllowed;

        IReadOnlyList<string>? scopes = null;
        string? resource = null;
        OAuthError? error =
            OAuthParameters.CheckOrganization(form, out Id<Organization>? organization)
            ?? OAuthParameters.CheckScope(form, out scopes)
            ?? OAuthParameters.CheckResource(form, out resource);
        if (error is not null)
            return error;

        ProvedKey proved = await dpop.CheckAsync(context, client, token: null, client.Settings.Openid.DpopBoundAccessTokens, cancellationToken);
        return proved.Error is { } unproved
            ? unproved
            : await grant.AuthorizeAsync(
                new TokenRequest
                {
                    Realm = context.Realm(),
                    Presenter = new Presenter(client, proved.Jkt),
                    Parameters = form,
                    Scopes = scopes,
                    Restated = new RestatedTerms(organization ?? ofPath, resource),
                },
                cancellationToken);
    }
}
