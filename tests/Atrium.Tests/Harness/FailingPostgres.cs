using System.Diagnostics;
using Npgsql;

namespace Atrium.Tests.Harness;

/// <summary>
/// A PostgreSQL of one test class alone, to be stopped, started and frozen as a machine would do it. Its clients come as an ordinary user, who
/// owns the databases.
/// </summary>
public sealed class FailingPostgres : IAsyncDisposable
{
    /// <summary>Does what is asked of it line by line, and says when it is done; with the end of its standard input, the server and its folder go.</summary>
    private const string Script =
        """
        bin="$1" port="$2"
        folder="$(mktemp -d "${TMPDIR:-/tmp}/atrium-postgres-XXXXXX")" || exit 1
        cd "$folder" || exit 1
        all() { local main; main="$(head -n 1 data/postmaster.pid)"; kill "$1" "$main" $(pgrep -P "$main"); }
        finish() { all -CONT; "$bin/pg_ctl" -D data -m immediate stop; cd /; rm -rf "$folder"; }
        trap finish EXIT
        trap '' INT TERM HUP
        exec 3>&1 >/dev/null 2>&1
        "$bin/initdb" --pgdata=data --username=atrium --auth=trust --encoding=UTF8 --locale=C.UTF-8
        while read -r verb; do
          case "$verb" in
            start) "$bin/pg_ctl" -D data -w -l log -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=30" start ;;
            stop) "$bin/pg_ctl" -D data -w -m immediate stop ;;
            freeze) all -STOP ;;
            thaw) all -CONT ;;
          esac
          echo "$verb $?" >&3
        done
        """;

    private readonly int port = PrivatePostgres.FreePort();
    private Process? shell;
    private int databases;

    public Task StartAsync() => DoAsync("start");

    /// <summary>As if the machine had lost its power.</summary>
    public Task StopAsync() => DoAsync("stop");

    /// <summary>Every process stands still; connections stay open and new ones are accepted, but nothing is answered.</summary>
    public Task FreezeAsync() => DoAsync("freeze");

    public Task ThawAsync() => DoAsync("thaw");

    /// <summary>The connection string of an empty database, whose owner may open this many connections; -1 for no bound.</summary>
    public async Task<string> NewDatabaseAsync(int maxConnections = -1)
    {
        if (shell is null)
            await StartAsync();
        string name = $"app_{++databases}";
        await ExecuteAsync($"CREATE ROLE {name} LOGIN CONNECTION LIMIT {maxConnections}");
        await ExecuteAsync($"CREATE DATABASE {name} OWNER {name}");
        return $"Host=127.0.0.1;Port={port};Database={name};Username={name};Timeout=2;Command Timeout=2";
    }

    /// <summary>A connection of the cluster's superuser, to run statements and to hold locks with.</summary>
    public async Task<NpgsqlConnection> ConnectAsync(string database = "postgres")
    {
        NpgsqlConnection connection = new($"Host=127.0.0.1;Port={port};Database={database};Username=atrium;Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    public async Task ExecuteAsync(string sql, string database = "postgres")
    {
        await using NpgsqlConnection connection = await ConnectAsync(database);
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (shell is null)
            return;
        shell.StandardInput.Close();
        await shell.WaitForExitAsync();
        shell.Dispose();
    }

    private async Task DoAsync(string verb)
    {
        if (shell is null)
        {
            string[] script = ["bash", "-c", Script, "bash", PrivatePostgres.FindBinaries(), $"{port}"];
            // PostgreSQL refuses to run as root; Debian's package brings a user for it.
            if (Environment.IsPrivilegedProcess)
                script = ["runuser", "-u", "postgres", "--", .. script];
            shell = Process.Start(new ProcessStartInfo(script[0], script[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false })!;
        }

        await shell.StandardInput.WriteLineAsync(verb);
        await shell.StandardInput.FlushAsync();
        string? done = await shell.StandardOutput.ReadLineAsync();
        if (done != $"{verb} 0")
            throw new InvalidOperationException($"PostgreSQL: {done ?? "its script ended"}");
    }
}
