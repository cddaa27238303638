using System.Security.Cryptography;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;
using Atrium.Server.Hosting;
using Atrium.Server.Http;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Logout;

/// <summary>
/// Tells clients that a session has ended (OpenID Connect Back-Channel Logout 1.0). Clients are told side by side, so that one who is slow or dead
/// takes the time of nobody else.
/// </summary>
public sealed partial class LogoutDispatcher : QueueDispatcher
{
    private const int ClientsAtOnce = 32;
    private const int ToOneAtOnce = 8;

    /// <summary>Longer than all the notices that are taken together can take.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private readonly LogoutNoticeStore notices;
    private readonly ClientStore clients;
    private readonly BackChannel channel;
    private readonly PublicUrl publicUrl;
    private readonly TimeProvider clock;
    private readonly ILogger<LogoutDispatcher> log;

    public LogoutDispatcher(
        Database database, LogoutNoticeStore notices, ClientStore clients, BackChannel channel, PublicUrl publicUrl, TimeProvider clock, ILogger<LogoutDispatcher> log)
    {
        this.notices = notices;
        this.clients = clients;
        this.channel = channel;
        this.publicUrl = publicUrl;
        this.clock = clock;
        this.log = log;
        database.Changes.Subscribe(Hear);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Logout tokens name their issuer by the server's address.
        await publicUrl.Known.WaitAsync(stoppingToken);
        await base.ExecuteAsync(stoppingToken);
    }

    protected override async Task<int> RoundAsync(CancellationToken cancellationToken)
    {
        int took = 0;
        await Parallel.ForEachAsync(
            await notices.ClientsWithDueAsync(clock.GetUtcNow(), cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = ClientsAtOnce, CancellationToken = cancellationToken },
            async (client, cancellationToken) => Interlocked.Add(ref took, await TellAsync(client, cancellationToken)));
        return took;
    }

    protected override void Failed(string reason) => LogFailed(reason);

    /// <summary>All that is due to a client, until there is no more or it does not take it.</summary>
    private async Task<int> TellAsync(ClientWithNotices one, CancellationToken cancellationToken)
    {
        if (await clients.FindAsync(one.RealmId, one.ClientId, cancellationToken) is not { } client)
            return 0;
        int took = 0;
        while (true)
        {
            DateTimeOffset now = clock.GetUtcNow();
            IReadOnlyList<LogoutNotice> taken = await notices.TakeAsync(one.RealmId, one.ClientId, ToOneAtOnce, now, now + Lease, cancellationToken);
            bool[] told = await Task.WhenAll(taken.Select(notice => TellAsync(client, notice, cancellationToken)));
            took += taken.Count;
            if (taken.Count == 0 || told.Contains(false))
                return took;
        }
    }

    /// <summary>True when the client has taken it.</summary>
    private async Task<bool> TellAsync(Client client, LogoutNotice notice, CancellationToken cancellationToken)
    {
        // Whoever wants to hear nothing any more is not told.
        if (client.Settings.Logout.BackchannelUri is not { } address)
        {
            await notices.ToldAsync(notice, cancellationToken);
            return true;
        }

        if (clock.GetUtcNow() >= notice.ExpiresAt)
        {
            await GiveUpAsync(client, notice, notice.LastError ?? "It could not be told in time.", cancellationToken);
            return false;
        }

        OutboundAnswer answer = await TellAsync(client, notice, address, cancellationToken);
        string error = answer.Error ?? $"The answer was {answer.StatusCode}.";
        double chance = RandomNumberGenerator.GetInt32(1000) / 1000.0;
        switch (notice.After(answer.StatusCode, clock.GetUtcNow(), chance))
        {
            case LogoutNoticeStep.Told:
                await notices.ToldAsync(notice, cancellationToken);
                return true;
            case LogoutNoticeStep.TryAgain again:
                LogRetry(client.ClientId, notice.SessionId.ToString(), notice.Attempts, again.At, error);
                await notices.RetryAsync(notice, error, again.At, cancellationToken);
                return false;
            default:
                await GiveUpAsync(client, notice, error, cancellationToken);
                return answer.StatusCode == StatusCodes.Status400BadRequest;
        }
    }

    /// <summary>What came of it. A node that can't sign for the client leaves it to another, and the other clients are told all the same.</summary>
    private async Task<OutboundAnswer> TellAsync(Client client, LogoutNotice notice, string address, CancellationToken cancellationToken)
    {
        try
        {
            return await channel.TellAsync(client, notice, address, cancellationToken);
        }
        catch (MissingLibraryException e)
        {
            return new OutboundAnswer(StatusCode: null, Body: null, RetryAfter: null, e.Message, TimeSpan.Zero);
        }
    }

    private async Task GiveUpAsync(Client client, LogoutNotice notice, string error, CancellationToken cancellationToken)
    {
        LogGivenUp(client.ClientId, notice.SessionId.ToString(), notice.Attempts, error);
        await notices.GiveUpAsync(notice, client, error, cancellationToken);
    }

    private void Hear(Change change)
    {
        if (change.Kind is ChangeKind.LogoutNotices or ChangeKind.Everything)
            Wake();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Client} was not told of the end of {Session} at try {Attempt}, and is told again at {Next:u}: {Reason}")]
    private partial void LogRetry(string client, string session, int attempt, DateTimeOffset next, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Client} could not be told of the end of {Session} in {Attempts} tries: {Reason}")]
    private partial void LogGivenUp(string client, string session, int attempts, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What ended is told a while later: {Reason}")]
    private partial void LogFailed(string reason);
}
