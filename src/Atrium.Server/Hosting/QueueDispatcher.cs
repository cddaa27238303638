namespace Atrium.Server.Hosting;

/// <summary>
/// Works a queue of the database off: at once where something was queued here, within seconds where another node died over it, and again after a
/// while where it failed. Every node does it; each thing is taken by one.
/// </summary>
public abstract class QueueDispatcher : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim queued = new(0, 1);
    private readonly SemaphoreSlim round = new(1, 1);

    /// <summary>Something was queued, and its transaction is committed.</summary>
    public void Wake()
    {
        try
        {
            queued.Release();
        }
        catch (SemaphoreFullException)
        {
            // Somebody else woke it.
        }
    }

    /// <summary>Does all that is due; it ends once nothing is.</summary>
    public async Task DeliverAsync(CancellationToken cancellationToken)
    {
        await round.WaitAsync(cancellationToken);
        try
        {
            while (await RoundAsync(cancellationToken) > 0)
            {
                // What was queued meanwhile is due too.
            }
        }
        finally
        {
            round.Release();
        }
    }

    public override void Dispose()
    {
        queued.Dispose();
        round.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Takes some of what is due and does it: how much was taken.</summary>
    protected abstract Task<int> RoundAsync(CancellationToken cancellationToken);

    /// <summary>A round could not be made; the next one is soon.</summary>
    protected abstract void Failed(string reason);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await queued.WaitAsync(Interval, stoppingToken);
            try
            {
                await DeliverAsync(stoppingToken);
            }
#pragma warning disable CA1031 // Whatever it was, it waits for the next round: what a background service throws ends the server.
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                Failed(e.Message);
            }
        }
    }
}
