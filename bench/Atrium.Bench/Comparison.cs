namespace Atrium.Bench;

/// <summary>One line of the table: the same work on both sides, in turn, round by round.</summary>
internal sealed record Comparison(string Work, Side Ours, Side Toy, IReadOnlyList<Measured> OurRounds, IReadOnlyList<Measured> ToyRounds)
{
    public static string Header =>
        $"{"work",-28} {"ours/s",9} {"toy/s",9} {"ratio",7} {"p50 ms",8} {"p99 ms",8} {"toy p50",8} {"toy p99",8} {"errors",7} {"CPU s",7} {"toy CPU",8} {"MB",6} {"toy MB",7}";

    public int Errors => OurRounds.Sum(static round => round.Errors) + ToyRounds.Sum(static round => round.Errors);

    public static async Task<Comparison> RunAsync(
        string work,
        Side ours,
        IReadOnlyList<Func<HttpClient, Task<bool>>> ourConnections,
        Side toy,
        IReadOnlyList<Func<HttpClient, Task<bool>>> toyConnections,
        int rounds,
        TimeSpan duration)
    {
        await Load.DriveAsync(ours, ourConnections, duration);
        await Load.DriveAsync(toy, toyConnections, duration);
        List<Measured> ourRounds = [], toyRounds = [];
        for (int i = 0; i < rounds; i++)
        {
            ourRounds.Add(await Load.DriveAsync(ours, ourConnections, duration));
            toyRounds.Add(await Load.DriveAsync(toy, toyConnections, duration));
        }

        return new Comparison(work, ours, toy, ourRounds, toyRounds);
    }

    public override string ToString()
    {
        string ratio = Errors > 0 ? "no result" : $"{Median(OurRounds.Zip(ToyRounds, static (ours, toy) => ours.PerSecond / toy.PerSecond)):F2}";
        return $"{Work,-28} {Median(OurRounds.Select(static r => r.PerSecond)),9:F0} {Median(ToyRounds.Select(static r => r.PerSecond)),9:F0} {ratio,7}"
            + $" {Quantile(OurRounds, 0.5),8:F2} {Quantile(OurRounds, 0.99),8:F2} {Quantile(ToyRounds, 0.5),8:F2} {Quantile(ToyRounds, 0.99),8:F2} {Errors,7}"
            + $" {OurRounds.Sum(static r => r.CpuSeconds),7:F1} {ToyRounds.Sum(static r => r.CpuSeconds),8:F1} {Ours.PeakMemory >> 20,6} {Toy.PeakMemory >> 20,7}";
    }

    /// <summary>What the work waits for, as far as the processors' time tells.</summary>
    public string Bottleneck
    {
        get
        {
            double wall = OurRounds.Sum(static r => r.Seconds) * Environment.ProcessorCount;
            double server = OurRounds.Sum(static r => r.CpuSeconds);
            double busy = (server + OurRounds.Sum(static r => r.DriverCpuSeconds)) / wall;
            double ours = server / OurRounds.Sum(static r => r.Requests) * 1000;
            double toy = ToyRounds.Sum(static r => r.CpuSeconds) / ToyRounds.Sum(static r => r.Requests) * 1000;
            string limit = busy > 0.8 ? "the processors, which server and load loop share" : "waiting: the disk's flush, the writer's queue, or other work of the machine";
            return $"{Work}: {limit} ({busy:P0} of the processors busy); {ours:F3} ms of processor time a request, the toy {toy:F3} ms.";
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private static double Quantile(IReadOnlyList<Measured> rounds, double quantile) =>
        Median(rounds.Select(round => round.Milliseconds[(int)(quantile * (round.Milliseconds.Count - 1))]));
}
