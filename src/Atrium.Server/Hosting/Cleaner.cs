using System.Security.Cryptography;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Server.Hosting;

/// <summary>
/// Deletes what has ended, and what deleted organizations left, about once a minute, in small batches with a rest after each. Every node does it; they keep out of each other's way
/// by beginning at different moments and by passing over rows that another is at.
/// </summary>
public sealed partial class Cleaner(
    CleaningStore store, OrganizationRemains remains, DeletedRealmStore deletedRealms, TimeProvider clock, ILogger<Cleaner> log) : BackgroundService
{
    private static readonly TimeSpan ShortestWait = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(75);

    /// <summary>The rest after a batch, as a multiple of the time it took: cleaning has a fifth of the database's time at most.</summary>
    private const int Rest = 4;

    private static readonly TimeSpan ShortestRest = TimeSpan.FromMilliseconds(10);

    /// <summary>One round over everything that ends, in every realm: how many rows are gone.</summary>
    public async Task<long> CleanAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        long deleted = 0;
        foreach (Ending ending in CleaningStore.Endings)
        {
            foreach (Id<Realm> realm in await store.RealmsWithDueAsync(ending, now, cancellationToken))
                deleted += await BatchesAsync(() => store.DeleteAsync(realm, ending, now, cancellationToken), cancellationToken);
        }

        foreach (Id<Realm> realm in await remains.RealmsAsync(cancellationToken))
        {
            foreach (Id<Organization> organization in await remains.ListAsync(realm, cancellationToken))
                deleted += await BatchesAsync(() => remains.RemoveAsync(realm, organization, now, cancellationToken), cancellationToken);
        }

        foreach (Id<Realm> realm in await deletedRealms.ListAsync(cancellationToken))
        {
            foreach ((string Table, string Key) rows in DeletedRealmStore.Tables)
                deleted += await BatchesAsync(() => deletedRealms.DeleteAsync(realm, rows, cancellationToken), cancellationToken);
            deleted += await deletedRealms.ForgetAsync(realm, cancellationToken);
        }

        return deleted;
    }

    private async Task<long> BatchesAsync(Func<Task<int>> delete, CancellationToken cancellationToken)
    {
        long deleted = 0;
        int batch;
        do
        {
            long began = clock.GetTimestamp();
            batch = await delete();
            deleted += batch;
            TimeSpan rest = Rest * clock.GetElapsedTime(began);
            await Task.Delay(rest > ShortestRest ? rest : ShortestRest, clock, cancellationToken);
        }
        while (batch == CleaningStore.BatchSize);
        return deleted;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            int wait = RandomNumberGenerator.GetInt32((int)ShortestWait.TotalMilliseconds, (int)LongestWait.TotalMilliseconds);
            await Task.Delay(TimeSpan.FromMilliseconds(wait), clock, stoppingToken);
            try
            {
                if (await CleanAsync(stoppingToken) is > 0 and var deleted)
                    LogCleaned(deleted);
            }
#pragma warning disable CA1031 // Whatever it was, it waits for the next round: what a background service throws ends the server.
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogFailed(e.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Deleted {Count} rows that had ended.")]
    private partial void LogCleaned(long count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What has ended could not be deleted, and will be tried again: {Problem}")]
    private partial void LogFailed(string problem);
}
