using Atrium.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Atrium.Tests.Harness;

/// <summary>
/// Two nodes on one PostgreSQL with one key file and one public URL. Each request goes to the other node than the one before. What a test
/// looks at inside, and its clock, are the first node's.
/// </summary>
public class TwoNodes(PrivatePostgres postgres) : PostgresDemoServer(postgres)
{
    private readonly List<int> ports = [];
    private WebApplication second = null!;
    private int turn;

    /// <summary>How far the second node's clock is ahead.</summary>
    protected virtual TimeSpan Ahead => TimeSpan.Zero;

    public T GetSecond<T>()
        where T : notnull => second.Services.GetRequiredService<T>();

    /// <summary>The next request goes to the first node (0) or the second (1).</summary>
    public void BeginAt(int node) => turn = node + 1;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        ports.Add(new Uri(Url).Port);
        second = await AtriumServer.BuildAsync(ChangeSecond(Options with { PublicUrl = Url }), new SkewedClock(Clock, Ahead), TestContext.Current.CancellationToken);
        await second.StartAsync(TestContext.Current.CancellationToken);
        ports.Add(new Uri(AtriumServer.ListeningOn(second)).Port);
    }

    public override HttpClient NewClient(HttpMessageHandler? handler = null) =>
        base.NewClient(new Alternating(this, handler ?? new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }));

    public override async ValueTask DisposeAsync()
    {
        await second.StopAsync(CancellationToken.None);
        await second.DisposeAsync();
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Other settings of the second node than of the first.</summary>
    protected virtual AtriumOptions ChangeSecond(AtriumOptions options) => options;

    private sealed class Alternating(TwoNodes nodes, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            int turn = Interlocked.Increment(ref nodes.turn);
            request.RequestUri = new UriBuilder(request.RequestUri!) { Port = nodes.ports[turn % nodes.ports.Count] }.Uri;
            return base.SendAsync(request, cancellationToken);
        }
    }
}

/// <summary>The second node's clock is two seconds ahead.</summary>
public sealed class SecondNodeAhead(PrivatePostgres postgres) : TwoNodes(postgres)
{
    protected override TimeSpan Ahead => TimeSpan.FromSeconds(2);
}

/// <summary>The second node's clock is two seconds behind.</summary>
public sealed class SecondNodeBehind(PrivatePostgres postgres) : TwoNodes(postgres)
{
    protected override TimeSpan Ahead => TimeSpan.FromSeconds(-2);
}
