using System.Diagnostics;
using Atrium.Testing;

namespace Atrium.Bench;

/// <summary>One side of the comparison, in a process of its own on a loopback port.</summary>
internal sealed class Side : IAsyncDisposable
{
    private readonly Process process;
    private readonly PostgresProcesses? postgres;

    private Side(Process process, Uri url, PostgresProcesses? postgres)
    {
        this.process = process;
        this.postgres = postgres;
        Url = url;
        AppDomain.CurrentDomain.ProcessExit += EndWithUs;
    }

    public Uri Url { get; }

    public TimeSpan Cpu
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>What a database in processes of its own has used, whoever it worked for.</summary>
    public TimeSpan DatabaseCpu => postgres?.Cpu ?? TimeSpan.Zero;

    public long PeakMemory
    {
        get
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
    }

    public static async Task<Side> StartAsync(Func<string, string[]> arguments, string folder, PostgresProcesses? postgres = null)
    {
        Uri url = new($"http://127.0.0.1:{FreePort.Find()}");
        ProcessStartInfo start = new("dotnet", arguments(url.GetLeftPart(UriPartial.Authority)))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        Process started = Process.Start(start)!;
        started.OutputDataReceived += static (_, _) => { };
        started.ErrorDataReceived += static (_, line) =>
        {
            if (line.Data is { } text)
                Console.Error.WriteLine(text);
        };
        started.BeginOutputReadLine();
        started.BeginErrorReadLine();
        Side side = new(started, url, postgres);
        using HttpClient http = new();
        for (int i = 0; i < 300; i++)
        {
            try
            {
                using HttpResponseMessage ready = await http.GetAsync(new Uri(url, "/health/ready"));
                if (ready.IsSuccessStatusCode)
                    return side;
            }
            catch (HttpRequestException) when (!started.HasExited)
            {
                // Not listening yet.
            }

            await Task.Delay(100);
        }

        await side.DisposeAsync();
        throw new InvalidOperationException($"{start.ArgumentList[0]} did not get ready within 30 s.");
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= EndWithUs;
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private void EndWithUs(object? sender, EventArgs e) => process.Kill();
}
