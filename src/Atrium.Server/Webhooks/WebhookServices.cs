namespace Atrium.Server.Webhooks;

public static class WebhookServices
{
    public static IServiceCollection AddWebhooks(this IServiceCollection services) => services
        .AddSingleton<WebhookSecrets>()
        .AddSingleton<WebhookFanOut>()
        .AddSingleton<WebhookSender>()
        .AddSingleton<WebhookDispatcher>()
        .AddHostedService(static services => services.GetRequiredService<WebhookDispatcher>());
}
