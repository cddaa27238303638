using Atrium.Server.Http;

namespace Atrium.Server.Doors.AppNative;

/// <summary>
/// App-native authentication: sign-in by API, without a browser, at the root of a realm or in one of its organizations. It begins at the authorize
/// endpoint, which the OAuth door serves and hands over by <c>response_mode=direct</c>, and ends at the token endpoint that both doors share.
/// </summary>
public static class AppNativeDoor
{
    public static IServiceCollection AddAppNativeDoor(this IServiceCollection services) => services
        .AddSingleton<OrganizationDiscovery>()
        .AddSingleton<AppNativeFlow>()
        .AddSingleton<AppNativeStart>()
        .AddSingleton<AuthnEndpoint>();

    public static void MapAppNativeDoor(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder realm = routes.MapRealm().AnswersUnavailable(AppNativeError.Unavailable);
        realm.MapPost("/oauth2/authn", static (HttpContext context, AuthnEndpoint endpoint, CancellationToken cancellationToken) =>
            endpoint.HandleAsync(context, pathOrganization: null, cancellationToken)).AnswersUnknownRealm(NoFlow);
        realm.MapPost("/o/{organization}/oauth2/authn", static (string organization, HttpContext context, AuthnEndpoint endpoint, CancellationToken cancellationToken) =>
            endpoint.HandleAsync(context, organization, cancellationToken)).AnswersUnknownRealm(NoFlow);

        static IResult NoFlow(HttpContext context) => AppNativeError.FlowUnknown.ToAnswer(context, realm: null);
    }
}
