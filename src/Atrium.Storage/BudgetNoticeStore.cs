using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Dapper;

namespace Atrium.Storage;

/// <summary>On which days it was told of a client that its tokens are over the budget for organizations.</summary>
public sealed class BudgetNoticeStore(Database database)
{
    /// <summary>Tells it, unless somebody did already on that day: whether it did.</summary>
    /// <param name="day">The beginning of the day.</param>
    public Task<bool> TellAsync(Id<Realm> realm, Id<Client> client, DateTimeOffset day, EventDraft notice, CancellationToken cancellationToken) =>
        database.TryRecordAsync(
            realm,
            Origin.System,
            async (connection, log) =>
            {
                log.Add(notice);
                return await connection.ExecuteAsync(
                    "INSERT INTO organization_budget_notices (realm_id, client_id, day) VALUES (@realm, @client, @day) ON CONFLICT DO NOTHING",
                    new { realm, client, day }) > 0;
            },
            cancellationToken);
}
