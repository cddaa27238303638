namespace Atrium.Server.Transfer;

/// <summary>Tells how far it is: on a terminal in one line that changes, elsewhere in a line every now and then.</summary>
internal sealed class ProgressLine(TextWriter output, bool inPlace, TimeProvider clock)
{
    private readonly TimeSpan pause = TimeSpan.FromSeconds(inPlace ? 0.2 : 10);
    private long began = clock.GetTimestamp();
    private long shown = clock.GetTimestamp();
    private bool isOpen;

    public void Show(TransferProgress progress)
    {
        if (clock.GetElapsedTime(shown) < pause)
            return;
        shown = clock.GetTimestamp();
        double seconds = clock.GetElapsedTime(began).TotalSeconds;
        string part = progress.Part is { } known ? $" ({known:P0})" : "";
        string line = $"{progress.Doing} {progress.Lines:N0} lines{part}, {progress.Lines / seconds:N0} a second";
        if (inPlace)
            output.Write($"\r{line,-78}");
        else
            output.WriteLine(line);
        isOpen = inPlace;
    }

    /// <summary>What is written next begins on a line of its own, and what is shown next begins anew.</summary>
    public void End()
    {
        if (isOpen)
            output.WriteLine();
        isOpen = false;
        began = shown = clock.GetTimestamp();
    }
}
