using System.Diagnostics;

namespace Atrium.Bench;

/// <summary>What one round of one side gave.</summary>
internal sealed record Measured(int Requests, int Errors, double Seconds, IReadOnlyList<double> Milliseconds, double CpuSeconds, double DatabaseCpuSeconds, double DriverCpuSeconds)
{
    public double PerSecond => Requests / Seconds;
}

/// <summary>A closed loop: each connection sends its next request when the last is answered, until the time is over.</summary>
internal static class Load
{
    /// <summary>No round ends later than this, however many requests it could still do.</summary>
    private const int MaxRequests = 500_000;

    /// <param name="connections">One sender for each connection; it answers whether the request succeeded.</param>
    public static Task<Measured> DriveAsync(Side side, IReadOnlyList<Func<HttpClient, Task<bool>>> connections, TimeSpan duration) =>
        DriveAsync(side, connections, Task.Delay(duration), pause: TimeSpan.Zero);

    /// <param name="until">What the load lasts for.</param>
    /// <param name="pause">What each connection waits for before its next request.</param>
    public static async Task<Measured> DriveAsync(Side side, IReadOnlyList<Func<HttpClient, Task<bool>>> connections, Task until, TimeSpan pause)
    {
        using SocketsHttpHandler handler = new() { MaxConnectionsPerServer = connections.Count, UseCookies = false, UseProxy = false };
        using HttpClient http = new(handler) { BaseAddress = side.Url, Timeout = TimeSpan.FromSeconds(30) };
        int sent = 0, errors = 0;
        TimeSpan cpu = side.Cpu, database = side.DatabaseCpu;
        using Process self = Process.GetCurrentProcess();
        TimeSpan own = self.TotalProcessorTime;
        Stopwatch watch = Stopwatch.StartNew();
        List<double>[] times = await Task.WhenAll(connections.Select(send => Task.Run(async () =>
        {
            List<double> latencies = [];
            while (!until.IsCompleted && Interlocked.Increment(ref sent) <= MaxRequests)
            {
                long begun = Stopwatch.GetTimestamp();
                try
                {
                    if (!await send(http))
                        Interlocked.Increment(ref errors);
                }
                catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
                {
                    Interlocked.Increment(ref errors);
                }

                latencies.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                if (pause > TimeSpan.Zero)
                    await Task.Delay(pause);
            }

            return latencies;
        })));
        double seconds = watch.Elapsed.TotalSeconds;
        self.Refresh();
        double[] all = [.. times.SelectMany(static latencies => latencies).Order()];
        return new Measured(
            all.Length, errors, seconds, all, (side.Cpu - cpu).TotalSeconds, (side.DatabaseCpu - database).TotalSeconds, (self.TotalProcessorTime - own).TotalSeconds);
    }
}
