using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;

namespace Atrium.Core.SignIns;

/// <summary>That a session has ended, on its way to a client that got something from it (OpenID Connect Back-Channel Logout 1.0).</summary>
public sealed record LogoutNotice
{
    /// <summary>How long it is tried: whoever could not be told by then has tokens that are past their time, or can't be reached.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromHours(1);

    /// <summary>How long after each try the next one is made.</summary>
    private static readonly TimeSpan[] Waits =
        [TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(15)];

    public required Id<Realm> RealmId { get; init; }

    public required Id<Session> SessionId { get; init; }

    public required Id<Client> ClientId { get; init; }

    /// <summary>The door and the organization that the client's grant came through: they say who issues.</summary>
    public required Door Door { get; init; }

    public Id<Organization>? OrganizationId { get; init; }

    public required Id<User> UserId { get; init; }

    /// <summary>How often telling was begun.</summary>
    public int Attempts { get; init; }

    public string? LastError { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From then on nobody is told any more.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What an answer means (Back-Channel Logout section 2.8).</summary>
    /// <param name="statusCode">Null where none came.</param>
    /// <param name="chance">Between 0 and 1: notices that failed together are not tried again together.</param>
    public LogoutNoticeStep After(int? statusCode, DateTimeOffset now, double chance)
    {
        if (statusCode is >= 200 and < 300)
            return new LogoutNoticeStep.Told();
        if (statusCode is 400)
            return new LogoutNoticeStep.GiveUp();
        TimeSpan wait = Waits[Math.Clamp(Attempts - 1, 0, Waits.Length - 1)];
        DateTimeOffset next = now + (wait * (0.9 + (0.2 * chance)));
        return next < ExpiresAt ? new LogoutNoticeStep.TryAgain(next) : new LogoutNoticeStep.GiveUp();
    }
}

/// <summary>What becomes of a notice.</summary>
public abstract record LogoutNoticeStep
{
    private LogoutNoticeStep()
    {
    }

    public sealed record Told : LogoutNoticeStep;

    public sealed record TryAgain(DateTimeOffset At) : LogoutNoticeStep;

    /// <summary>The client was told and could not do it, or there is no time left.</summary>
    public sealed record GiveUp : LogoutNoticeStep;
}
