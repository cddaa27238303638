using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Atrium.Bench;

/// <summary>One side of the comparison, in a process of its own on a loopback port.</summary>
internal sealed class Side : IAsyncDisposable
{
    private readonly Process process;

    private Side(Process process, Uri url)
    {
        this.process = process;
        Url = url;
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

    public long PeakMemory
    {
        get
        {
            process.Refresh();
            return process.PeakWorkingSet64;
        }
    }

    public static async Task<Side> StartAsync(Func<string, string[]> arguments, string folder)
    {
        Uri url = new($"http://127.0.0.1:{FreePort()}");
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
        Side side = new(started, url);
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
        if (!process.HasExited)
            process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
