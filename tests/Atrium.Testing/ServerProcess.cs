using System.Diagnostics;
using System.Text;

namespace Atrium.Testing;

/// <summary>The real server with the demo realm, as a process of its own that can be killed.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private const int LogKept = 50_000;

    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly StringBuilder log = new();

    private ServerProcess(ProcessStartInfo start, Uri url)
    {
        Url = url;
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += KillWithUs;
    }

    public Uri Url { get; }

    /// <summary>The end of what the server has said.</summary>
    public string Log
    {
        get
        {
            lock (log)
                return log.ToString();
        }
    }

    /// <summary>Starts the server, and waits until it is ready.</summary>
    /// <param name="assembly">The path of <c>Atrium.Server.dll</c>.</param>
    /// <param name="folder">Where it runs and keeps its key.</param>
    public static async Task<ServerProcess> StartAsync(string assembly, string folder, string database, int port)
    {
        Uri url = new($"http://127.0.0.1:{port}");
        string[] arguments =
        [
            assembly, "demo", "--urls", url.GetLeftPart(UriPartial.Authority), "--database", database, "--key-file", Path.Combine(folder, "atrium.key"),
        ];
        ServerProcess server = new(
            new ProcessStartInfo("dotnet", arguments)
            {
                UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder,
            },
            url);
        Stopwatch waited = Stopwatch.StartNew();
        while (!await server.IsReadyAsync())
        {
            if (server.process.HasExited || waited.Elapsed > ReadyWithin)
            {
                await server.DisposeAsync();
                throw new InvalidOperationException($"The server did not get ready within {ReadyWithin.TotalSeconds} s:\n{server.Log}");
            }

            await Task.Delay(25);
        }

        return server;
    }

    /// <summary>Whether the server says that it can serve.</summary>
    public async Task<bool> IsReadyAsync()
    {
        using HttpClient http = new() { Timeout = TimeSpan.FromSeconds(15) };
        try
        {
            using HttpResponseMessage ready = await http.GetAsync(new Uri(Url, "/health/ready"));
            return ready.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    /// <summary><c>kill -9</c>; answers once the process is no more.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= KillWithUs;
        if (!process.HasExited)
            await KillAsync();
        process.Dispose();
    }

    private void KillWithUs(object? sender, EventArgs e) => process.Kill();

    private void Keep(string? line)
    {
        lock (log)
        {
            log.AppendLine(line);
            if (log.Length > 2 * LogKept)
                log.Remove(0, log.Length - LogKept);
        }
    }
}
