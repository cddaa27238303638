using Atrium.Core.Realms;
using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Atrium.Tests.Harness;

/// <summary>
/// Databases with the demo realm in them, made once in a run for each kind: the keys and the password hashes of it cost a second of computing, and
/// more than a hundred servers begin with the same.
/// </summary>
internal static class DemoTemplate
{
    private const string PostgresName = "atrium_demo";

    private static readonly string Folder = Directory.CreateTempSubdirectory("atrium-demo-").FullName;
    private static readonly string KeyFile = Path.Combine(Folder, "atrium.key");
    private static readonly string SqliteFile = Path.Combine(Folder, "atrium.db");
    private static readonly Lazy<Task> Sqlite = new(static () => MakeAsync($"Data Source={SqliteFile};Pooling=False"));
    private static readonly SemaphoreSlim PostgresGate = new(1);
    private static bool hasPostgres;

    static DemoTemplate() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => Directory.Delete(Folder, recursive: true);

    /// <summary>Lays a copy at this path, and its key file beside it.</summary>
    public static async Task CopySqliteAsync(string path)
    {
        await Sqlite.Value;
        foreach (string part in new[] { "", "-wal", "-shm" }.Where(static part => File.Exists(SqliteFile + part)))
            File.Copy(SqliteFile + part, path + part);
        CopyKeyFile(path);
    }

    /// <summary>The connection string of a copy in this cluster; the key file of it is laid beside the path.</summary>
    public static async Task<string> CopyPostgresAsync(PrivatePostgres postgres, string path)
    {
        await Sqlite.Value;
        await PostgresGate.WaitAsync();
        try
        {
            if (!hasPostgres)
            {
                await postgres.ExecuteAsync($"CREATE DATABASE {PostgresName}");
                await MakeAsync($"{await postgres.ConnectionStringAsync(PostgresName)};Pooling=False");
                hasPostgres = true;
            }

            CopyKeyFile(path);
            return await postgres.NewDatabaseAsync(PostgresName);
        }
        finally
        {
            PostgresGate.Release();
        }
    }

    private static void CopyKeyFile(string path) => File.Copy(KeyFile, Path.ChangeExtension(path, ".key"));

    private static async Task MakeAsync(string connectionString)
    {
        // A moment before the servers' own clocks begin: whatever a test makes comes after what it finds, and sorts so.
        SkewedClock clock = new(new FakeClock(), TimeSpan.FromMilliseconds(-1));
        AtriumOptions options = new() { Urls = "http://127.0.0.1:0", Database = connectionString, KeyFile = KeyFile, Demo = true, CleansUp = false };
        await using WebApplication app = await AtriumServer.BuildAsync(options, clock, default);
        await new DemoRealm(app.Services).EnsureAsync(default);

        // Nobody tells the servers to come what happened here, so it gets its place in the log at once.
        EventStore events = app.Services.GetRequiredService<EventStore>();
        foreach (string handle in new[] { DemoRealm.Handle, DemoRealm.NeighbourHandle })
        {
            Realm realm = (await app.Services.GetRequiredService<RealmStore>().FindByHandleAsync(handle, default))!;
            await events.SequenceAsync(realm.Id, default);
        }
    }
}
