using Atrium.Storage;

namespace Atrium.Server.Hosting;

/// <summary>Hears what other nodes change, for as long as the server runs; where that is lost, it begins again.</summary>
public sealed partial class ChangeListener(Database database, ILogger<ChangeListener> logger) : BackgroundService
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        bool deaf = false;
        TimeSpan pause = ShortestPause;
        while (true)
        {
            try
            {
                await database.ListenAsync(Listening, stoppingToken);
                return;
            }
#pragma warning disable CA1031 // However it was lost, it is not worth more than hearing of changes later; a stop is told by the pause below.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (!deaf && !stoppingToken.IsCancellationRequested)
                    LogLost(logger, e.Message, database.Changes.MaxAge.TotalSeconds);
                deaf = true;
            }

            await Task.Delay(pause, stoppingToken);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }

        void Listening()
        {
            if (deaf)
                LogBack(logger);
            deaf = false;
            pause = ShortestPause;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What other nodes change is not heard ({Reason}); until it is again, it is noticed after {Seconds} s.")]
    private static partial void LogLost(ILogger logger, string reason, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "What other nodes change is heard again.")]
    private static partial void LogBack(ILogger logger);
}
