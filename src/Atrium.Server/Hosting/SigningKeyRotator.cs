using System.Security.Cryptography;
using Atrium.Core.Realms;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Hosting;

/// <summary>
/// Lets the next signing keys of every realm take over from those that have signed for long enough, and gives a realm the first key of an algorithm
/// that the server has learned. Every node looks, about once an hour; what one has done, the others find done.
/// </summary>
public sealed partial class SigningKeyRotator(RealmStore realms, RealmKeys keys, TimeProvider clock, ILogger<SigningKeyRotator> log) : BackgroundService
{
    private const int PageSize = 100;

    private static readonly TimeSpan ShortestWait = TimeSpan.FromMinutes(45);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(75);

    /// <summary>One round over every realm: in how many something was due.</summary>
    public async Task<int> RotateAsync(CancellationToken cancellationToken)
    {
        int rotated = 0;
        for (PageRequest<Realm>? request = new(PageSize); request is not null;)
        {
            Page<Realm> page = await realms.ListAsync(request, cancellationToken);
            foreach (Realm realm in page.Items)
            {
                if (!await keys.RotateDueAsync(realm, cancellationToken))
                    continue;
                rotated++;
                LogRotated(realm.Handle);
            }

            request = page.HasAfter ? new(PageSize, page.Items[^1].Id) : null;
        }

        return rotated;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The first round soon, so that a machine that was given libsodium has its keys; but not while the server starts.
        for (TimeSpan wait = TimeSpan.FromMinutes(1); ; wait = NextWait())
        {
            await Task.Delay(wait, clock, stoppingToken);
            try
            {
                await RotateAsync(stoppingToken);
            }
#pragma warning disable CA1031 // Whatever it was, it waits for the next round: what a background service throws ends the server.
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogFailed(e.Message);
            }
        }
    }

    private static TimeSpan NextWait() => TimeSpan.FromSeconds(RandomNumberGenerator.GetInt32((int)ShortestWait.TotalSeconds, (int)LongestWait.TotalSeconds));

    [LoggerMessage(Level = LogLevel.Information, Message = "The signing keys of realm {Realm} were due; what was due is done.")]
    private partial void LogRotated(string realm);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Signing keys that are due could not be exchanged, and will be in the next round: {Problem}")]
    private partial void LogFailed(string problem);
}
