using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Npgsql;
using Xunit;

[assembly: AssemblyFixture(typeof(Atrium.Tests.Harness.PrivatePostgres))]

namespace Atrium.Tests.Harness;

/// <summary>
/// A PostgreSQL of this run's own, from Debian's binaries: on a free loopback port, in a temporary folder, with the settings of a new
/// cluster, <c>fsync</c> among them. Started when the first test asks for a database, stopped and removed with the last.
/// </summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    private const string User = "atrium";
    private const string Password = "only-on-loopback";

    /// <summary>
    /// The server lives as long as the shell's standard input: it is stopped and its folder removed however the tests end.
    /// </summary>
    private const string Script =
        """
        bin="$1" port="$2"
        folder="$(mktemp -d "${TMPDIR:-/tmp}/atrium-postgres-XXXXXX")" || exit 1
        trap 'rm -rf "$folder"' EXIT
        cd "$folder" || exit 1
        printf '%s\n' "$3" >password
        "$bin/initdb" --pgdata=data --username="$4" --pwfile=password --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >&2 || exit 1
        "$bin/postgres" -D data -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300 >&2 </dev/null &
        server=$!
        trap '' INT TERM HUP
        cat >/dev/null
        kill -INT $server 2>/dev/null
        wait $server
        """;

    private readonly Lazy<Task<int>> port;
    private readonly StringBuilder log = new();
    private Process? shell;
    private int databases;

    public PrivatePostgres() => port = new Lazy<Task<int>>(StartAsync);

    /// <summary>What the cluster's programs have said so far.</summary>
    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    /// <summary>The connection string of an empty database that nobody else uses.</summary>
    public async Task<string> NewDatabaseAsync()
    {
        string name = $"atrium_{Interlocked.Increment(ref databases)}";
        await ExecuteAsync($"CREATE DATABASE {name}");
        return await ConnectionStringAsync(name);
    }

    public async Task<string> ConnectionStringAsync(string database, string user = User, string password = Password) =>
        new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = await port.Value, Database = database, Username = user, Password = password }
            .ConnectionString;

    /// <summary>Runs a statement as the cluster's superuser.</summary>
    public async Task ExecuteAsync(string sql, string database = "postgres")
    {
        await using NpgsqlConnection connection = new($"{await ConnectionStringAsync(database)};Pooling=false;Command Timeout=300");
        await connection.OpenAsync();
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Removes a database, with the connections that are still open to it.</summary>
    public Task DropAsync(string connectionString) =>
        ExecuteAsync($"DROP DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)");

    /// <summary>Starts one of PostgreSQL's own programs on a database; connection and password come by its environment.</summary>
    public static Process Tool(string name, string connectionString, params string[] arguments) =>
        Process.Start(WithEnvironment(
            new ProcessStartInfo(Path.Combine(FindBinaries(), name), arguments)
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
            },
            connectionString))!;

    /// <summary>Names the database in the way that all of PostgreSQL's programs understand, and puts them on the path.</summary>
    public static ProcessStartInfo WithEnvironment(ProcessStartInfo start, string connectionString)
    {
        NpgsqlConnectionStringBuilder settings = new(connectionString);
        start.Environment["PGHOST"] = settings.Host;
        start.Environment["PGPORT"] = $"{settings.Port}";
        start.Environment["PGUSER"] = settings.Username;
        start.Environment["PGPASSWORD"] = settings.Password;
        start.Environment["PGDATABASE"] = settings.Database;
        start.Environment["PATH"] = $"{FindBinaries()}:{Environment.GetEnvironmentVariable("PATH")}";
        return start;
    }

    public async ValueTask DisposeAsync()
    {
        if (shell is null)
            return;
        shell.StandardInput.Close();
        await shell.WaitForExitAsync();
        shell.Dispose();
    }

    /// <summary>The newest server on this machine that Atrium supports.</summary>
    internal static string FindBinaries()
    {
        const string root = "/usr/lib/postgresql";
        string? newest = Directory.Exists(root)
            ? Directory.EnumerateDirectories(root)
                .Where(static folder => int.TryParse(Path.GetFileName(folder), out int version) && version >= 15 && File.Exists(Path.Combine(folder, "bin/initdb")))
                .MaxBy(static folder => int.Parse(Path.GetFileName(folder)))
            : null;
        return newest is null
            ? throw new InvalidOperationException($"There is no PostgreSQL 15 or later in {root}. Run ./test, which installs it, or: apt-get install postgresql")
            : Path.Combine(newest, "bin");
    }

    internal static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task<int> StartAsync()
    {
        int free = FreePort();
        string[] script = ["bash", "-c", Script, "bash", FindBinaries(), $"{free}", Password, User];
        // PostgreSQL refuses to run as root; Debian's package brings a user for it.
        if (Environment.IsPrivilegedProcess)
            script = ["runuser", "-u", "postgres", "--", .. script];
        shell = Process.Start(new ProcessStartInfo(script[0], script[1..]) { RedirectStandardInput = true, RedirectStandardError = true, UseShellExecute = false })!;
        shell.ErrorDataReceived += (_, line) =>
        {
            lock (log)
                log.AppendLine(line.Data);
        };
        shell.BeginErrorReadLine();

        string connectionString = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1", Port = free, Database = "postgres", Username = User, Password = Password, Pooling = false,
        }.ConnectionString;
        Stopwatch waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await using NpgsqlConnection connection = new(connectionString);
                await connection.OpenAsync();
                return free;
            }
            catch (NpgsqlException) when (!shell.HasExited && waited.Elapsed < TimeSpan.FromMinutes(1))
            {
                await Task.Delay(50);
            }
            catch (NpgsqlException e)
            {
                lock (log)
                    throw new InvalidOperationException($"PostgreSQL did not start:\n{log}", e);
            }
        }
    }
}
