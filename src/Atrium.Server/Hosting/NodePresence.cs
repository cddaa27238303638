using Atrium.Core;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Hosting;

/// <summary>
/// Says every few seconds that this node is there, and follows what is exchanged under all nodes at once: the key file and which of its keys seals.
/// Nothing rests on it but <c>atrium doctor</c> and the exchange of a key.
/// </summary>
public sealed partial class NodePresence(
    Backbone backbone, NodeStore nodes, PublicUrl publicUrl, ILogger<NodePresence> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Id<Node> id = Id<Node>.New(backbone.Clock);
    private readonly DateTimeOffset startedAt = backbone.Clock.GetUtcNow();
    private string? problem;

    /// <summary>One round, which a test need not wait for.</summary>
    public async Task SayAsync(CancellationToken cancellationToken)
    {
        string sealing = backbone.StorageKeys.Sealing;
        string? found = await backbone.StorageKeys.RefreshAsync(cancellationToken);
        if (found is not null && found != problem)
            LogKeyFile(log, found);
        problem = found;
        if (backbone.StorageKeys.Sealing != sealing)
            LogSealing(log, backbone.StorageKeys.Sealing);
        await nodes.SayAsync(This(), cancellationToken);
    }

    /// <summary>Before the first request: whoever exchanges the key from here on waits for this node, and what was exchanged before is taken over.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await TryAsync(() => nodes.SayAsync(This(), cancellationToken));
        await TryAsync(() => SayAsync(cancellationToken));
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await TryAsync(() => nodes.LeaveAsync(id, cancellationToken));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await publicUrl.Known.WaitAsync(stoppingToken);
        using PeriodicTimer timer = new(Interval, backbone.Clock);
        do
        {
            await TryAsync(() => SayAsync(stoppingToken));
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private Node This() => new()
    {
        Id = id,
        Host = $"{Environment.MachineName}:{Environment.ProcessId}",
        Version = AtriumVersion.Text,
        PublicUrl = publicUrl.Known.IsCompleted ? publicUrl.Base : "",
        Keys = backbone.StorageKeys.Fingerprints,
        StartedAt = startedAt,
        Clock = backbone.Clock.GetUtcNow(),
    };

#pragma warning disable CA1031 // What failed is tried again in the next round; that the database is away is told by the health check and every answer.
    private async Task TryAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (KeyFileException e)
        {
            if (problem != e.Message)
                LogKeyFile(log, e.Message);
            problem = e.Message;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogAbsence(log, e.Message);
        }
    }
#pragma warning restore CA1031

    [LoggerMessage(Level = LogLevel.Error, Message = "{Problem}")]
    private static partial void LogKeyFile(ILogger log, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "New secrets are sealed under the key {Fingerprint}")]
    private static partial void LogSealing(ILogger log, string fingerprint);

    [LoggerMessage(Level = LogLevel.Debug, Message = "This node could not say that it is there: {Reason}")]
    private static partial void LogAbsence(ILogger log, string reason);
}
