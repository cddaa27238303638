using Atrium.Server.Doors.AuthKit.Authenticate;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>
/// The AuthKit door: the wire format of WorkOS User Management, so that its SDKs can be pointed at this server. It stands at the root of the
/// host because the SDKs build their paths from there; the realm follows from the API key or from the client.
/// </summary>
public static class AuthKitDoor
{
    public static IServiceCollection AddAuthKitDoor(this IServiceCollection services) => services
        .AddSingleton<FactorChallenges>()
        .AddSingleton<SignInAnswers>()
        .AddSingleton<AuthKitGrant, PasswordGrant>()
        .AddSingleton<AuthKitGrant, EmailVerificationGrant>()
        .AddSingleton<AuthKitGrant, TotpGrant>()
        .AddSingleton<AuthKitGrant, OrganizationSelectionGrant>()
        .AddSingleton<AuthKitGrant, RefreshTokenGrant>()
        .AddSingleton<AuthenticateEndpoint>();

    public static void MapAuthKitDoor(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder door = routes.MapGroup("").AnswersUnavailable(static (_, why) => AuthKitError.Unavailable(why));

        // Without an API key: who calls is known by what it brings, or everybody may.
        AuthenticateEndpoint.Map(door);
        SignOutEndpoint.Map(door);
        JwksEndpoint.Map(door);

        // Behind an API key. Each route names the scope that the key must have.
        RouteGroupBuilder api = door.MapGroup("").RequireApiKey();
        api.MapUsers();
        api.MapOrganizations();
        api.MapMemberships();
        api.MapFactors();
        api.MapEmailVerifications();
        api.MapSessions();

        // SDKs read every refusal as JSON, also that of a path this server doesn't have. It takes the context: .NET 10's source generator of
        // request delegates forgets the path of a fallback that is any other delegate.
        foreach (string part in new[] { "user_management", "organizations", "auth", "sso" })
            door.MapFallback($"/{part}/{{**rest}}", static context => AuthKitError.NotFound.ExecuteAsync(context));
    }
}
