namespace Atrium.Bench;

/// <summary>One line of a table: the same work on two sides, in turn, round by round.</summary>
internal sealed record Comparison(string Work, Side Ours, Side Other, IReadOnlyList<Measured> OurRounds, IReadOnlyList<Measured> OtherRounds)
{
    /// <summary>A larger share of the processors' time leaves little to wait for.</summary>
    private const double Saturated = 0.8;

    public int Errors => OurRounds.Concat(OtherRounds).Sum(static round => round.Errors);

    /// <summary>How much longer the middle request of ours takes.</summary>
    public double LatencyRatio => OurRounds.Zip(OtherRounds, static (ours, other) => ours.Milliseconds.Quantile(0.5) / other.Milliseconds.Quantile(0.5)).Median();

    public static async Task<Comparison> RunAsync(
        string work,
        Side ours,
        IReadOnlyList<Func<HttpClient, Task<bool>>> ourConnections,
        Side other,
        IReadOnlyList<Func<HttpClient, Task<bool>>> otherConnections,
        Settings settings)
    {
        await Load.DriveAsync(ours, ourConnections, settings.Duration);
        await Load.DriveAsync(other, otherConnections, settings.Duration);
        List<Measured> ourRounds = [], otherRounds = [];
        for (int i = 0; i < settings.Rounds; i++)
        {
            ourRounds.Add(await Load.DriveAsync(ours, ourConnections, settings.Duration));
            otherRounds.Add(await Load.DriveAsync(other, otherConnections, settings.Duration));
        }

        return new Comparison(work, ours, other, ourRounds, otherRounds);
    }

    public static void Print(IReadOnlyList<Comparison> table, string ours, string other)
    {
        Console.WriteLine(
            $"{"work",-28} {$"{ours}/s",9} {$"{other}/s",9} {"ratio",9} {"p50 ms",8} {"p99 ms",8} {$"{other} p50",9} {$"{other} p99",9} {"errors",7} {"CPU ms",7} {$"{other} CPU",9} {"MB",6} {$"{other} MB",8}");
        foreach (Comparison line in table)
            Console.WriteLine(line);
        foreach (Comparison line in table)
            Console.WriteLine(line.Bottleneck);
    }

    public override string ToString()
    {
        string ratio = Errors > 0 ? "no result" : $"{OurRounds.Zip(OtherRounds, static (ours, other) => ours.PerSecond / other.PerSecond).Median():F2}";
        return $"{Work,-28} {OurRounds.Select(static r => r.PerSecond).Median(),9:F0} {OtherRounds.Select(static r => r.PerSecond).Median(),9:F0} {ratio,9}"
            + $" {Quantile(OurRounds, 0.5),8:F2} {Quantile(OurRounds, 0.99),8:F2} {Quantile(OtherRounds, 0.5),9:F2} {Quantile(OtherRounds, 0.99),9:F2} {Errors,7}"
            + $" {CpuOfRequest(OurRounds),7:F3} {CpuOfRequest(OtherRounds),9:F3} {Ours.PeakMemory >> 20,6} {Other.PeakMemory >> 20,8}";
    }

    /// <summary>What the work waits for, as far as the processors' time tells.</summary>
    private string Bottleneck
    {
        get
        {
            double wall = OurRounds.Sum(static r => r.Seconds) * Environment.ProcessorCount;
            double busy = OurRounds.Sum(static r => r.CpuSeconds + r.DatabaseCpuSeconds + r.DriverCpuSeconds) / wall;
            double database = OurRounds.Sum(static r => r.DatabaseCpuSeconds) / OurRounds.Sum(static r => r.Requests) * 1000;
            string limit = busy > Saturated
                ? "the processors, which server, database and load loop share"
                : "waiting: the disk's flush, the writer's queue, or other work of the machine";
            return $"{Work}: {limit} ({busy:P0} of the processors busy{(database > 0 ? $"; the database {database:F3} ms of processor time a request" : "")}).";
        }
    }

    private static double CpuOfRequest(IReadOnlyList<Measured> rounds) =>
        rounds.Sum(static r => r.CpuSeconds) / rounds.Sum(static r => r.Requests) * 1000;

    private static double Quantile(IReadOnlyList<Measured> rounds, double quantile) => rounds.Select(round => round.Milliseconds.Quantile(quantile)).Median();
}
