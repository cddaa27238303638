using System.Diagnostics;
using Atrium.Server.Demo;
using Atrium.Testing;

namespace Atrium.CrashTests;

/// <summary>A server on a database, the load on both, and the ledger of what was acknowledged.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-crash-").FullName;
    private readonly int port = FreePort.Find();
    private ServerProcess? server;

    /// <param name="database">Makes the database, given a folder for its files.</param>
    public Stage(Func<string, CrashDatabase> database, int seed)
    {
        Database = database(folder);
        Wire = new Wire(new Uri($"http://127.0.0.1:{port}"), Verdict);
        OAuth = new OAuthDoor(Wire);
        AuthKitDoor authKit = new(Wire);
        Ledger = new Ledger(OAuth, authKit, Verdict);
        Load = new Load(Ledger, OAuth, authKit, new AppNativeDoor(Wire), Verdict, seed);
    }

    public Verdict Verdict { get; } = new();

    public CrashDatabase Database { get; }

    public Wire Wire { get; }

    public OAuthDoor OAuth { get; }

    public Ledger Ledger { get; }

    public Load Load { get; }

    public async Task KillServerAsync()
    {
        Wire.Trouble = Trouble.ServerIsKilled;
        await server!.KillAsync();
    }

    public async Task StartServerAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        server = await ServerProcess.StartAsync(typeof(DemoRealm).Assembly.Location, folder, Database.ConnectionString, port);
        Wire.Reconnect();
        Wire.Trouble = Trouble.None;
    }

    /// <summary>Waits until the server says again by itself that it is ready; false when it does not.</summary>
    public async Task<bool> IsReadyWithinAsync(TimeSpan time)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!await server!.IsReadyAsync())
        {
            if (waited.Elapsed > time)
                return false;
            await Task.Delay(100);
        }

        return true;
    }

    /// <summary>Looks at all that was acknowledged, and then, nobody writing, at the database.</summary>
    public async Task AuditAsync()
    {
        await Ledger.AuditAsync();
        await Database.AuditAsync(Verdict);
    }

    /// <summary>The end of the server's log, without what it refused: that is what was asked of it.</summary>
    public void PrintLog() => Console.WriteLine(
        string.Join('\n', (server?.Log ?? "").Split('\n').Where(static line => !line.Contains(" info Atrium.Server.Requests", StringComparison.Ordinal)).TakeLast(30)));

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
            await server.DisposeAsync();
        Wire.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
