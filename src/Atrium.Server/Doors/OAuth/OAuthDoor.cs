using Atrium.Server.Doors.AppNative;
using Atrium.Server.Doors.OAuth.Dpop;
using Atrium.Server.Doors.OAuth.Grants;
using Atrium.Server.Http;
using Atrium.Server.Keys;
using Atrium.Server.Pages;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// The OAuth 2 and OpenID Connect door, below <c>/t/{realm}</c>. The paths below <c>/oauth2</c> and <c>/oidc</c>, of the realm and of an organization,
/// lead to the same handlers.
/// </summary>
public static class OAuthDoor
{
    private static readonly string[] GetAndPost = ["GET", "POST"];

    public static IServiceCollection AddOAuthDoor(this IServiceCollection services) => services
        .AddSingleton<ClientSignatures>()
        .AddSingleton<ClientAssertions>()
        .AddSingleton<ClientAuthentication>()
        .AddSingleton<DpopNonces>()
        .AddSingleton<DpopCheck>()
        .AddSingleton<AuthorizationResponse>()
        .AddSingleton<IdTokenHints>()
        .AddSingleton<PushedRequests>()
        .AddSingleton<PushedAuthorizationEndpoint>()
        .AddSingleton<AuthorizeEndpoint>()
        .AddSingleton<ITokenGrant, CodeGrant>()
        .AddSingleton<ITokenGrant, RefreshGrant>()
        .AddSingleton<ITokenGrant, ClientCredentialsGrant>()
        .AddSingleton<TokenEndpoint>()
        .AddSingleton<PresentedTokens>()
        .AddSingleton<UserInfoEndpoint>()
        .AddSingleton<IntrospectionEndpoint>()
        .AddSingleton<RevocationEndpoint>()
        .AddSingleton<LogoutEndpoint>()
        .AddSingleton<FrontChannel>()
        .AddSingleton<MetadataEndpoint>()
        .AddSingleton<BrowserCookies>()
        .AddSingleton<FactorPages>()
        .AddSingleton<HostedVisits>()
        .AddSingleton<HostedSignIn>()
        .AddSingleton<HostedEmailVerification>()
        .AddSingleton<HostedAccounts>()
        .AddSingleton<HostedConsent>()
        .AddSingleton<HostedApplications>()
        .AddSingleton<HostedInvitations>();

    public static void MapOAuthDoor(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder realm = routes.MapRealm().AnswersUnavailable(OAuthError.Unavailable);
        RouteGroupBuilder organization = realm.MapGroup("/o/{org}");

        MapRealmMetadata(realm, "/.well-known/openid-configuration");
        MapRealmMetadata(realm, "/.well-known/oauth-authorization-server");
        MapRealmMetadata(routes.MapGroup("/.well-known/oauth-authorization-server").MapRealm().AnswersUnavailable(OAuthError.Unavailable), "");
        MapTokenPathMetadata(realm, "/oauth2/token/.well-known/openid-configuration");
        MapTokenPathMetadata(organization, "/oauth2/token/.well-known/openid-configuration");
        MapTokenPathMetadata(organization, "/.well-known/openid-configuration");

        MapEndpoints(realm, "", jwks: "/jwks.json");
        MapEndpoints(realm, "/oauth2", jwks: "/oauth2/jwks");
        MapEndpoints(organization, "/oauth2", jwks: "/oauth2/jwks");
        MapLogout(realm, "/oidc/logout");
        MapLogout(organization, "/oidc/logout");
        HostedSignIn.Map(realm);
        HostedAccounts.Map(realm);
        HostedApplications.Map(realm);
        HostedInvitations.Map(realm);
        CheckSessionPage.Map(realm);
    }

    private static void MapEndpoints(RouteGroupBuilder group, string prefix, string jwks)
    {
        group.MapMethods($"{prefix}/authorize", GetAndPost, static (HttpContext context, AuthorizeEndpoint endpoint, CancellationToken cancellationToken) =>
            endpoint.HandleAsync(context, PathOrganization(context), cancellationToken)).AnswersUnknownRealm(AppNativeError.StartInUnknownRealm)
            .AnswersUnavailable(static (context, why) => AppNativeError.UnavailableStart(context, why) ?? HostedPages.Unavailable(context, why));
        group.MapPost($"{prefix}/par", static (HttpContext context, PushedAuthorizationEndpoint endpoint, CancellationToken cancellationToken) =>
            endpoint.HandleAsync(context, PathOrganization(context), cancellationToken));
        group.MapPost($"{prefix}/token", static (HttpContext context, TokenEndpoint endpoint, CancellationToken cancellationToken) =>
            endpoint.HandleAsync(context, PathOrganization(context), cancellationToken));
        group.MapMethods($"{prefix}/userinfo", GetAndPost, static (HttpContext context, UserInfoEndpoint endpoint, CancellationToken cancellationToken) =>
            endpoint.HandleAsync(context, cancellationToken));
        group.MapPost($"{prefix}/introspect", static (HttpContext context, IntrospectionEndpoint endpoint, CancellationToken cancellationToken) =>
            endpoint.HandleAsync(context, cancellationToken));
        group.MapPost($"{prefix}/revoke", static (HttpContext context, RevocationEndpoint endpoint, CancellationToken cancellationToken) =>
            endpoint.HandleAsync(context, cancellationToken));
        group.MapGet(jwks, static (HttpContext context, MetadataEndpoint metadata, CancellationToken cancellationToken) =>
            metadata.KeysAsync(context, cancellationToken));
        MapLogout(group, $"{prefix}/logout");
    }

    private static void MapLogout(RouteGroupBuilder group, string path) =>
        group.MapMethods(path, GetAndPost, static (HttpContext context, LogoutEndpoint endpoint, CancellationToken cancellationToken) =>
            endpoint.HandleAsync(context, cancellationToken)).AnswersUnavailable(HostedPages.Unavailable);

    private static void MapRealmMetadata(RouteGroupBuilder group, string path) =>
        group.MapGet(path, static (HttpContext context, MetadataEndpoint metadata, CancellationToken cancellationToken) =>
            metadata.OfRealmAsync(context, cancellationToken));

    private static void MapTokenPathMetadata(RouteGroupBuilder group, string path) =>
        group.MapGet(
            path,
            static (HttpContext context, MetadataEndpoint metadata, CancellationToken cancellationToken) =>
                metadata.OfTokenPathAsync(context, PathOrganization(context), cancellationToken));

    /// <summary>As it was sent; null on the realm's own paths.</summary>
    private static string? PathOrganization(HttpContext context) => context.Request.RouteValues["org"] as string;
}
