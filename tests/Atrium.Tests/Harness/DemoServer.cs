using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Atrium.Tests.Harness;

/// <summary>
/// The real server on a loopback port with the demo realm in a database of its own; only the clock is a fake. One per test class, shared by its tests.
/// </summary>
public class DemoServer : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-test-").FullName;
    private WebApplication app = null!;

    public FakeClock Clock { get; } = new();

    /// <summary>What it was started with.</summary>
    public AtriumOptions Options { get; private set; } = null!;

    public string Url { get; private set; } = "";

    /// <summary>Follows no redirects and keeps no cookies: tests look at both.</summary>
    public HttpClient Http { get; private set; } = null!;

    /// <summary>Stores and the rest of the server's inside, for what no door can do yet.</summary>
    public T Get<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    public virtual async ValueTask InitializeAsync()
    {
        Options = Change(new()
        {
            Urls = "http://127.0.0.1:0",
            Database = await NewDatabaseAsync(Path.Combine(folder, "atrium.db")),
            KeyFile = Path.Combine(folder, "atrium.key"),
            MailFolder = Path.Combine(folder, "mail"),
            Demo = true,
            CleansUp = false,
            RotatesKeys = false,
        });
        app = await AtriumServer.BuildAsync(Options, Clock, TestContext.Current.CancellationToken);
        await new DemoRealm(app.Services).EnsureAsync(TestContext.Current.CancellationToken);
        await app.StartAsync(TestContext.Current.CancellationToken);
        Url = AtriumServer.ListeningOn(app);
        Http = NewClient();
    }

    /// <summary>A client of its own, for a test that wants a browser's cookies or many connections.</summary>
    public virtual HttpClient NewClient(HttpMessageHandler? handler = null) =>
        new(new ContractHandler(handler ?? new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })) { BaseAddress = new Uri(Url) };

    public virtual async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await app.StopAsync(CancellationToken.None);
        await app.DisposeAsync();
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Other settings than those of most tests.</summary>
    protected virtual AtriumOptions Change(AtriumOptions options) => options;

    /// <summary>
    /// The connection string of a database: what a derived server has laid at that path, else a new one with the demo realm in it, unless a derived
    /// server keeps its things elsewhere.
    /// </summary>
    protected virtual async Task<string> NewDatabaseAsync(string path)
    {
        if (!File.Exists(path))
            await DemoTemplate.CopySqliteAsync(path);
        return $"Data Source={path}";
    }
}
