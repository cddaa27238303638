using System.Diagnostics;
using System.Text;
using Npgsql;

namespace Atrium.Testing;

/// <summary>
/// A PostgreSQL of one's own, from Debian's binaries: on a free loopback port, in a temporary folder, with the settings of a new cluster,
/// <c>fsync</c> among them. It can be killed, frozen, started again, copied to a standby and promoted.
/// </summary>
public sealed class PostgresCluster : IAsyncDisposable
{
    public const string User = "atrium";
    public const string Password = "only-on-loopback";

    /// <summary>
    /// Runs the commands that it is sent, one a line, and answers each with its exit code. The server lives as long as the shell's standard
    /// input: it is stopped and its folder removed however the program that asked for it ends.
    /// </summary>
    private const string Script =
        """
        bin="$1" port="$2" settings="$3" server=
        folder="$(mktemp -d "${TMPDIR:-/tmp}/atrium-postgres-XXXXXX")" || exit 1
        trap 'rm -rf "$folder"' EXIT
        trap '' INT TERM HUP
        cd "$folder" || exit 1
        start() { "$bin/postgres" -D data -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= $settings & server=$!; }
        all() { kill "$1" "$server" $(cat "/proc/$server/task/$server/children"); }
        end() { [ -z "$server" ] || { all "$1"; wait "$server"; server=; }; }
        while read -r command; do
          eval "$command" >&2 </dev/null
          echo $?
        done
        [ -z "$server" ] || all -CONT
        end -INT
        """;

    private readonly int maxConnections;
    private readonly Process shell;
    private readonly StringBuilder log = new();

    private PostgresCluster(int port, int maxConnections)
    {
        Port = port;
        this.maxConnections = maxConnections;
        string[] script = ["bash", "-c", Script, "bash", FindBinaries(), $"{Port}", $"-c max_connections={maxConnections}"];
        // PostgreSQL refuses to run as root; Debian's package brings a user for it.
        if (Environment.IsPrivilegedProcess)
            script = ["runuser", "-u", "postgres", "--", .. script];
        shell = Process.Start(new ProcessStartInfo(script[0], script[1..])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
        })!;
        shell.ErrorDataReceived += (_, line) =>
        {
            lock (log)
                log.AppendLine(line.Data);
        };
        shell.BeginErrorReadLine();
    }

    public int Port { get; }

    /// <summary>What the cluster's programs have said so far.</summary>
    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    /// <summary>A new cluster, running.</summary>
    public static Task<PostgresCluster> StartNewAsync(int maxConnections = 300) => MakeAsync(
        new PostgresCluster(FreePort.Find(), maxConnections),
        $"printf '%s\\n' '{Password}' >password",
        $"\"$bin/initdb\" --pgdata=data --username={User} --pwfile=password --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --data-checksums");

    /// <summary>A standby that streams from this cluster, running.</summary>
    public Task<PostgresCluster> StartStandbyAsync(int port) => MakeAsync(
        new PostgresCluster(port, maxConnections),
        $"\"$bin/pg_basebackup\" --pgdata=data --dbname='host=127.0.0.1 port={Port} user={User} password={Password}' --checkpoint=fast --write-recovery-conf");

    public string ConnectionString(string database, string user = User, string password = Password) =>
        new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = Port, Database = database, Username = user, Password = password }.ConnectionString;

    /// <summary>Runs a statement as the cluster's superuser.</summary>
    public async Task ExecuteAsync(string sql, string database = "postgres") => await ScalarAsync(sql, database);

    /// <summary>The first value that a query of the cluster's superuser finds.</summary>
    public async Task<object?> ScalarAsync(string sql, string database = "postgres")
    {
        await using NpgsqlConnection connection = new($"{ConnectionString(database)};Pooling=false;Command Timeout=300");
        await connection.OpenAsync();
        await using NpgsqlCommand command = new(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Starts the server, and waits until it lets people in.</summary>
    public async Task StartAsync()
    {
        await RunAsync("start");
        Stopwatch waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await ExecuteAsync("SELECT 1");
                return;
            }
            catch (NpgsqlException) when (!shell.HasExited && waited.Elapsed < TimeSpan.FromMinutes(1))
            {
                // After a kill it does not start before the last of its predecessor's processes is gone.
                await Task.Delay(50);
                await RunAsync("kill -0 $server || start");
            }
            catch (NpgsqlException e)
            {
                throw new InvalidOperationException($"PostgreSQL did not start:\n{Log}", e);
            }
        }
    }

    /// <summary><c>kill -9</c>, of the server and all that it has started: it ends as it would with the machine.</summary>
    public Task KillAsync() => RunAsync("end -KILL; true");

    /// <summary>Every process stands still; connections stay open and new ones are accepted, but nothing is answered.</summary>
    public Task FreezeAsync() => RunAsync("all -STOP");

    public Task ThawAsync() => RunAsync("all -CONT");

    /// <summary>Makes a standby the server that is written to.</summary>
    public Task PromoteAsync() => RunAsync("\"$bin/pg_ctl\" promote --pgdata=data --wait");

    public async ValueTask DisposeAsync()
    {
        shell.StandardInput.Close();
        await shell.WaitForExitAsync();
        shell.Dispose();
    }

    private static async Task<PostgresCluster> MakeAsync(PostgresCluster cluster, params string[] commands)
    {
        try
        {
            foreach (string command in commands)
                await cluster.RunAsync(command);
            await cluster.StartAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    private async Task RunAsync(string command)
    {
        await shell.StandardInput.WriteLineAsync(command);
        await shell.StandardInput.FlushAsync();
        if (await ReadLineAsync() != "0")
            throw new InvalidOperationException($"{command} failed:\n{Log}");
    }

    private async Task<string> ReadLineAsync() =>
        await shell.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"PostgreSQL's shell ended:\n{Log}");

    /// <summary>The newest server on this machine that Atrium supports.</summary>
    public static string FindBinaries()
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
}
