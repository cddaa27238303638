using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Webhooks;
using Atrium.Server.Hosting;
using Atrium.Storage;

namespace Atrium.Server.Webhooks;

/// <summary>Reads the log of a realm on and makes of each event one delivery for every endpoint that wants it.</summary>
public sealed class WebhookFanOut(
    DeliveryStore deliveries,
    EventStore events,
    RealmStore realms,
    RoleStore roles,
    OrganizationDomainStore domains,
    PublicUrl publicUrl,
    TimeProvider clock)
{
    /// <summary>Events in one transaction.</summary>
    private const int BatchSize = 50;

    /// <summary>Up to the end of the log.</summary>
    public async Task RunAsync(Id<Realm> realm, CancellationToken cancellationToken)
    {
        while (await deliveries.FanOutFactsAsync(realm, cancellationToken) is { Webhooks.Count: > 0 } facts)
        {
            // What happened while there was nobody to be told of it is passed over, not read.
            long after = Math.Max(facts.Position, facts.Webhooks.Min(static webhook => webhook.Since));
            IReadOnlyList<Event> next = await events.ReadAsync(realm, after, BatchSize, cancellationToken);
            if (next.Count == 0)
                return;
            Delivery[] made = [.. await DeliveriesAsync(realm, facts.Webhooks, next, cancellationToken)];
            bool moved = await deliveries.FanOutAsync(realm, facts.Position, next[^1].Position, made, clock.GetUtcNow(), cancellationToken);
            if (moved && next.Count < BatchSize)
                return;
        }
    }

    private async Task<IEnumerable<Delivery>> DeliveriesAsync(
        Id<Realm> realm, IReadOnlyList<Webhook> webhooks, IReadOnlyList<Event> happened, CancellationToken cancellationToken)
    {
        string source = publicUrl.Realm((await realms.FindAsync(realm, cancellationToken))?.Handle ?? realm.ToString());
        AuthKitFacts facts = webhooks.Any(static webhook => webhook.Dialect == WebhookDialect.Authkit)
            ? await FactsAsync(realm, happened, cancellationToken)
            : AuthKitFacts.None;
        return
            from one in happened
            from webhook in webhooks
            where one.Position > webhook.Since && (webhook.OrganizationId is null || webhook.OrganizationId == one.OrganizationId)
            let name = EventPatterns.NameOf(webhook.Dialect, one.Type)
            where name is not null && EventPatterns.Match(webhook.Events, name)
            select new Delivery
            {
                RealmId = realm,
                Id = Id<Delivery>.New(clock),
                WebhookId = webhook.Id,
                EventId = one.Id,
                Position = one.Position,
                Type = name,
                Subject = one.Subject,
                Dialect = webhook.Dialect,
                Body = WebhookBodies.Write(webhook.Dialect, one, source, facts),
                CreatedAt = clock.GetUtcNow(),
            };
    }

    private async Task<AuthKitFacts> FactsAsync(Id<Realm> realm, IReadOnlyList<Event> happened, CancellationToken cancellationToken)
    {
        Id<Organization>[] organizations = [.. happened.Select(static one => one.OrganizationId).OfType<Id<Organization>>().Distinct()];
        string[] scopes = [.. happened.SelectMany(ScopesOf).Distinct(StringComparer.Ordinal)];
        return new(await roles.NamedAsync(realm, organizations, scopes, cancellationToken), await domains.OfAsync(realm, organizations, cancellationToken));
    }

    private static IEnumerable<string> ScopesOf(Event happened)
    {
        using JsonDocument data = JsonDocument.Parse(happened.Data);
        return data.RootElement.TryGetProperty("scopes", out JsonElement scopes) && scopes.ValueKind == JsonValueKind.Array
            ? [.. scopes.EnumerateArray().Select(static scope => scope.GetString()!)]
            : [];
    }
}
