using System.Diagnostics;

namespace Atrium.CrashTests;

/// <summary>Something that was given out to be used once: a code, a pending sign-in, a flow.</summary>
/// <param name="use">Uses it.</param>
internal sealed class OneTimeThing(string kind, Func<Task<Ending>> use, Verdict verdict)
{
    /// <summary>A code lives for a minute. Later than this, a refusal says nothing.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(45);

    private readonly long given = Stopwatch.GetTimestamp();
    private int uses;
    private bool inDoubt;

    private bool Lives => Stopwatch.GetElapsedTime(given) < Lifetime;

    /// <summary>Uses it, once or twice at once. One use must work unless it may have been used before, and none can if it was.</summary>
    public async Task UseAsync(bool twice)
    {
        bool untouched = uses == 0 && !inDoubt;
        Ending[] endings = twice ? await Task.WhenAll(use(), use()) : [await use()];
        uses += endings.Count(static ending => ending == Ending.Done);
        inDoubt |= endings.Contains(Ending.Unknown);
        if (uses > 1)
            verdict.Broken(Promise.UsedOnce, $"{kind} was used {uses} times");
        else if (untouched && uses == 0 && !inDoubt && Lives)
            verdict.Broken(Promise.NothingAcknowledgedLost, $"{kind} was given out, never used, and is refused");
    }

    /// <summary>After a crash: what was never used works, and nothing works twice.</summary>
    public async Task AuditAsync()
    {
        bool untouched = uses == 0 && !inDoubt;
        await UseAsync(twice: false);
        if (untouched && uses == 1)
            verdict.Kept(Promise.NothingAcknowledgedLost);
        await UseAsync(twice: false);
        if (uses == 1 && Lives)
            verdict.Kept(Promise.UsedOnce);
    }
}
