using Atrium.Core.Organizations;
using Atrium.Core.Realms;

namespace Atrium.Core.Mail;

/// <summary>A letter that waits to be sent. What it says is sealed: links and codes in it open something.</summary>
public sealed record QueuedMail : IIdentified
{
    public static string IdPrefix => "mail_";

    /// <summary>How long sending is tried at most; less where the letter is worth nothing sooner.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromHours(24);

    /// <summary>How long after each try the next one is made.</summary>
    private static readonly TimeSpan[] Waits =
    [
        TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(1), TimeSpan.FromHours(2), TimeSpan.FromHours(4),
    ];

    public required Id<Realm> RealmId { get; init; }

    public required Id<QueuedMail> Id { get; init; }

    /// <summary>The organization that it is sent for; with it, the letter goes.</summary>
    public Id<Organization>? OrganizationId { get; init; }

    public required MailKind Kind { get; init; }

    /// <summary>The id of the thing that it is about; a letter about something that came to nothing is withdrawn.</summary>
    public required string About { get; init; }

    public required string Recipient { get; init; }

    public required byte[] SealedLetter { get; init; }

    /// <summary>How often sending was begun.</summary>
    public int Attempts { get; init; }

    /// <summary>Why the last try failed.</summary>
    public string? LastError { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From then on it is not sent any more.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When the next try is due; null when it would come too late.</summary>
    /// <param name="chance">Between 0 and 1: letters that failed together are not tried again together.</param>
    public DateTimeOffset? NextTry(DateTimeOffset now, double chance)
    {
        TimeSpan wait = Waits[Math.Clamp(Attempts - 1, 0, Waits.Length - 1)];
        DateTimeOffset next = now + (wait * (0.9 + (0.2 * chance)));
        return next < ExpiresAt ? next : null;
    }
}
