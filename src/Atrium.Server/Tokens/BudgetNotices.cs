using System.Collections.Concurrent;
using System.Globalization;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Resources;
using Atrium.Core.Tokens;
using Atrium.Storage;

namespace Atrium.Server.Tokens;

/// <summary>
/// Tells the event log that tokens of a client are over its budget for organizations: once for each client and day in UTC, whichever node issues
/// them. This node remembers of whom it was told, so that only the first token of a day costs something.
/// </summary>
public sealed partial class BudgetNotices(GrantStore grants, BudgetNoticeStore notices, TimeProvider clock, ILogger<BudgetNotices> logger)
{
    /// <summary>Beyond so many clients all is forgotten, and looked up again.</summary>
    private const int Capacity = 10_000;

    private readonly ConcurrentDictionary<Id<Client>, DateTimeOffset> told = new();

    /// <summary>A token was issued that leaves the organizations out.</summary>
    public ValueTask NoteAsync(GrantFacts facts, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        DateTimeOffset today = new(now.UtcDateTime.Date, TimeSpan.Zero);
        return told.TryGetValue(facts.Client.Id, out DateTimeOffset day) && day == today ? default : new(TellAsync(facts, now, today, cancellationToken));
    }

    private async Task TellAsync(GrantFacts facts, DateTimeOffset now, DateTimeOffset today, CancellationToken cancellationToken)
    {
        try
        {
            if (facts.HasMoreMemberships && await grants.LoadAsync(facts.Realm.Id, facts.Grant.Id, cancellationToken) is { } whole)
                facts = whole;
            if (facts.OrganizationsAt(now) is not OrganizationClaims.Many { Memberships: var memberships })
                return;
            OrganizationBudgetResource notice = new()
            {
                Id = facts.Client.Id.ToString(),
                ClientId = facts.Client.ClientId,
                Day = today.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                Budget = facts.Client.Settings.Tokens.OrganizationBudgetBytes,
                Bytes = OrganizationArray.SizeOf(memberships),
                Count = memberships.Count,
            };
            await notices.TellAsync(
                facts.Realm.Id,
                facts.Client.Id,
                today,
                EventDraft.Of(EventTypes.ClientOrganizationBudgetExceeded, notice.Id, notice, ResourceJson.Default.OrganizationBudgetResource)
                    with { ClientId = notice.ClientId },
                cancellationToken);
            if (told.Count >= Capacity)
                told.Clear();
            told[facts.Client.Id] = today;
        }
        catch (DatabaseUnavailableException e)
        {
            // What was spent for the token is spent: it is given out all the same, and the next one tells.
            LogUntold(facts.Client.ClientId, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "That tokens of client {ClientId} are over its budget for organizations could not be told, and will be with the next: {Problem}")]
    private partial void LogUntold(string clientId, string problem);
}
