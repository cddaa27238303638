namespace Atrium.Server.Logout;

public static class LogoutServices
{
    public static IServiceCollection AddLogoutNotices(this IServiceCollection services) => services
        .AddSingleton<BackChannel>()
        .AddSingleton<LogoutDispatcher>()
        .AddHostedService(static services => services.GetRequiredService<LogoutDispatcher>());
}
