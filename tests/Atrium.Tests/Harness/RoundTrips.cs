using System.Collections.Concurrent;
using System.Diagnostics;

namespace Atrium.Tests.Harness;

/// <summary>What Npgsql sends to one database while this listens: one text for each round trip.</summary>
internal sealed class RoundTrips : IDisposable
{
    private readonly ConcurrentQueue<string> texts = new();
    private readonly ActivityListener listener;

    public RoundTrips(string database)
    {
        listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Npgsql",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (TextOf(activity) is { } text && activity.Tags.Any(tag => tag.Key is "db.namespace" or "db.name" && tag.Value == database))
                    texts.Enqueue(text);
            },
        };
        ActivitySource.AddActivityListener(listener);
    }

    /// <summary>What was sent since the last time.</summary>
    public string[] Take()
    {
        List<string> taken = [];
        while (texts.TryDequeue(out string? text))
            taken.Add(text);
        return [.. taken];
    }

    public void Dispose() => listener.Dispose();

    private static string? TextOf(Activity activity) =>
        activity.Tags.FirstOrDefault(static tag => tag.Key is "db.query.text" or "db.statement").Value;
}
