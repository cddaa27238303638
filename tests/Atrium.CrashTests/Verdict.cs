namespace Atrium.CrashTests;

/// <summary>What is promised to whoever was answered.</summary>
internal enum Promise
{
    /// <summary>The refresh token that the last answer gave works.</summary>
    NoRotationLost,

    /// <summary>A spent refresh token leads to one successor, however often and whenever it is sent again.</summary>
    OneSuccessor,

    /// <summary>A code, a pending sign-in or a flow that was used is not used again.</summary>
    UsedOnce,

    /// <summary>A code, a pending sign-in, a flow, a session or a person that was given out is there.</summary>
    NothingAcknowledgedLost,

    /// <summary>No change is done by half, and the database finds no fault with itself.</summary>
    DatabaseWhole,

    /// <summary>Every request is answered in time; with 503 and <c>Retry-After</c> while there is no database, never with 500.</summary>
    Answers,
}

/// <summary>How often each promise was put to the test, and each time that it was broken.</summary>
internal sealed class Verdict
{
    private const int Shown = 5;

    private readonly Lock gate = new();
    private readonly Dictionary<Promise, int> kept = [];
    private readonly List<(Promise Promise, string What)> broken = [];

    public void Kept(Promise promise, int times = 1)
    {
        lock (gate)
            kept[promise] = kept.GetValueOrDefault(promise) + times;
    }

    public void Broken(Promise promise, string what)
    {
        lock (gate)
            broken.Add((promise, what));
    }

    public bool IsBroken(Promise promise)
    {
        lock (gate)
            return broken.Any(entry => entry.Promise == promise);
    }

    public bool AnyBroken
    {
        get
        {
            lock (gate)
                return broken.Count > 0;
        }
    }

    /// <summary>Prints a line for each promise. One that was never put to the test counts as broken.</summary>
    public void Print(Tally tally)
    {
        lock (gate)
        {
            foreach (Promise promise in Enum.GetValues<Promise>())
            {
                string[] faults = [.. broken.Where(entry => entry.Promise == promise).Select(static entry => entry.What)];
                int times = kept.GetValueOrDefault(promise);
                tally.Add(faults.Length == 0 && times > 0, times == 0 ? $"{Name(promise)}: was never put to the test" : $"{Name(promise)} ({times} times)");
                foreach (string fault in faults.Take(Shown))
                    Console.WriteLine($"           {fault}");
                if (faults.Length > Shown)
                    Console.WriteLine($"           and {faults.Length - Shown} more");
            }
        }
    }

    public static string Name(Promise promise) => promise switch
    {
        Promise.NoRotationLost => "no acknowledged rotation is lost",
        Promise.OneSuccessor => "never two live successors",
        Promise.UsedOnce => "nothing that was spent works again",
        Promise.NothingAcknowledgedLost => "what was acknowledged is there",
        Promise.DatabaseWhole => "the database is whole",
        _ => "every answer is as promised",
    };
}

/// <summary>The tests that passed and failed.</summary>
internal sealed class Tally
{
    public int Passed { get; private set; }

    public int Failed { get; private set; }

    public void Add(bool passed, string name)
    {
        if (passed)
            Passed++;
        else
            Failed++;
        Console.WriteLine($"  {(passed ? "passed" : "FAILED")}  {name}");
    }
}
