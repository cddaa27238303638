using Atrium.Server.Demo;
using Atrium.Server.Dns;
using Atrium.Server.Doors;
using Atrium.Server.Doors.AppNative;
using Atrium.Server.Doors.AuthKit;
using Atrium.Server.Doors.Management;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Events;
using Atrium.Server.Http;
using Atrium.Server.Invitations;
using Atrium.Server.Logout;
using Atrium.Server.Mail;
using Atrium.Server.Pages;
using Atrium.Server.SignIns;
using Atrium.Server.Tokens;
using Atrium.Server.Webhooks;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Logging.Console;

namespace Atrium.Server.Hosting;

/// <summary>Puts the server together. Reads as a list: what it is made of, what every request passes, which doors it has.</summary>
public static class AtriumServer
{
    /// <summary>A stop lets requests in flight finish for this long.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Opens the database and the key file, and builds the server around them; it is not listening yet.</summary>
    public static async Task<WebApplication> BuildAsync(AtriumOptions options, TimeProvider clock, CancellationToken cancellationToken)
    {
        Backbone backbone = await Backbone.OpenAsync(options, clock, cancellationToken);

        // Nothing is looked for in the current directory: no appsettings, no wwwroot.
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.WebHost.ConfigureKestrel(static kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = RequestBody.MaxDrainedBytes;

            // Official clients put sealed blobs of several hundred bytes into state, and redirect URIs beside them.
            kestrel.Limits.MaxRequestLineSize = 32 * 1024;
        });
        builder.Logging.ClearProviders()
            .AddConsoleFormatter<LogLines, ConsoleFormatterOptions>()
            .AddConsole(static console => console.FormatterName = LogLines.FormatName)
            .SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)

            // A server that cannot start is told in one line by the command line.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
            .AddFilter("Microsoft.AspNetCore.Hosting", LogLevel.None);

        builder.Services.Configure<HostOptions>(static host => host.ShutdownTimeout = StopTimeout);
        builder.Services.AddSingleton(options).AddBackbone(backbone);
        builder.Services.AddSingleton<DatabaseWatch>();
        builder.Services.AddHostedService<ChangeListener>();
        builder.Services.AddSingleton<NodePresence>().AddHostedService(static services => services.GetRequiredService<NodePresence>());
        if (options.SequencesEvents)
            builder.Services.AddHostedService<EventSequencer>();
        builder.Services.AddSingleton<IDomainRecords, DnsClient>();
        builder.Services.AddSingleton<PublicUrl>().AddSingleton<RealmDirectory>();
        builder.Services.AddSingleton<TokenIssuer>().AddSingleton<RefreshTokenLookup>().AddSingleton<GrantDesk>().AddSingleton<BudgetNotices>();
        builder.Services.AddSingleton<GuessLimiter>().AddSingleton<MailLimiter>().AddSingleton<EmailCodes>().AddSingleton<MailedCodes>().AddSingleton<AccountDesk>()
            .AddSingleton<SignInDesk>().AddSingleton<FactorEnrolment>().AddSingleton<SecondFactorDesk>()
            .AddSingleton<SignInExplainer>();
        builder.Services.AddMail(MailSettings.Of(options));
        if (options.SendsMail)
            builder.Services.AddHostedService(static services => services.GetRequiredService<MailDispatcher>());
        builder.Services.AddSingleton<InvitationDesk>().AddSingleton<InvitationSignIn>();
        if (options.CleansUp)
            builder.Services.AddHostedService<Cleaner>();
        builder.Services.AddSingleton<SigningKeyRotator>();
        if (options.RotatesKeys)
            builder.Services.AddHostedService(static services => services.GetRequiredService<SigningKeyRotator>());
        builder.Services.AddSingleton<Idempotency>();
        builder.Services.AddSingleton<OutboundHttp>(static services =>
            new(services.GetRequiredService<AtriumOptions>(), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddWebhooks();
        builder.Services.AddLogoutNotices();
        builder.Services.AddOAuthDoor();
        builder.Services.AddAuthKitDoor();
        builder.Services.AddAppNativeDoor();

        WebApplication app = builder.Build();
        foreach (string url in options.Addresses)
            app.Urls.Add(url);
        app.UseTrustedProxies(options);
        app.UseTransportSecurity(options);
        app.UseRequestIds();
        app.UseRequestLog();
        app.UseUnexpectedErrors();
        app.UseHeadAsGet();
        app.UseRouting();
        app.UseCorsForRegisteredOrigins();
        app.MapHealth();
        app.MapAssets();
        app.MapOAuthDoor();
        app.MapAuthKitDoor();
        app.MapAppNativeDoor();
        app.MapManagementDoor();
        if (options.Demo)
            app.MapDemo();
        app.Lifetime.ApplicationStarted.Register(() =>
            app.Services.GetRequiredService<PublicUrl>().Set(options.PublicUrl ?? ListeningOn(app)));
        return app;
    }

    /// <summary>The first address listened on, with the port that the system gave where none was asked for.</summary>
    public static string ListeningOn(WebApplication app) =>
        app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
}
