using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Webhooks;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Webhooks;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Webhooks;

/// <summary>What was sent to an endpoint, and what came back.</summary>
public static class DeliveriesEndpoints
{
    private static readonly Parameter<DeliveryStatus?> OfStatus = Parameter.Text(Field.Choice<DeliveryStatus>("status").Describe("Only those that stand so."));

    public static void MapDeliveries(this RouteGroupBuilder realm, RouteGroupBuilder webhooks)
    {
        webhooks.MapGet("/{id}/deliveries", ListAsync).Needs(ApiScopes.WebhooksRead).TakesPage<Delivery>(OfStatus)
            .WithSummary("Lists the deliveries of an endpoint.").AnswersMany<DeliveryResource>();
        webhooks.MapGet("/{id}/deliveries/{delivery}", GetAsync).Needs(ApiScopes.WebhooksRead)
            .WithSummary("Shows a delivery with what was sent and what came back.").AnswersOne<DeliveryDetailsResource>();
        realm.MapPost("/deliveries/{delivery}/redeliver", RedeliverAsync).Needs(ApiScopes.WebhooksWrite).Reads(Shape.Empty).WithTags("Webhooks")
            .WithSummary("Sends a delivery again now, whatever became of it, from the beginning of the schedule.")
            .AnswersOne<DeliveryResource>(StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, string id, WebhookStore webhooks, DeliveryLogStore deliveries, CancellationToken cancellationToken)
    {
        DeliveryStatus? status = context.Query(OfStatus);
        Id<Realm> realm = context.Caller().Realm;
        return Id<Webhook>.Parse(id) is { } known && await webhooks.FindAsync(realm, known, cancellationToken) is not null
            ? Many.Of(
                await deliveries.ListAsync(realm, known, status, context.Page<Delivery>(), cancellationToken),
                DeliveryResource.Of,
                ResourceJson.Default.DeliveryResource,
                static delivery => delivery.Id.ToString())
            : ManagementError.NotFound;
    }

    private static async Task<IResult> GetAsync(
        HttpContext context, string id, string delivery, DeliveryLogStore deliveries, CancellationToken cancellationToken) =>
        Id<Webhook>.Parse(id) is { } webhook
            && Id<Delivery>.Parse(delivery) is { } known
            && await deliveries.FindAsync(context.Caller().Realm, webhook, known, cancellationToken) is { } found
            ? new One<DeliveryDetailsResource>(DeliveryDetailsResource.Of(found.Delivery, found.Attempts), ResourceJson.Default.DeliveryDetailsResource)
            : ManagementError.NotFound;

    private static async Task<IResult> RedeliverAsync(
        HttpContext context, string delivery, DeliveryLogStore deliveries, WebhookDispatcher dispatcher, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (Id<Delivery>.Parse(delivery) is not { } known)
            return ManagementError.NotFound;
        Id<Realm> realm = context.Caller().Realm;
        Redelivery redelivery = await deliveries.RedeliverAsync(realm, known, clock.GetUtcNow(), context.Origin<Redelivery>(AnswerOf), cancellationToken);
        dispatcher.Wake(realm);
        return AnswerOf(redelivery);
    }

    private static IResult AnswerOf(Redelivery redelivery) => redelivery.Outcome switch
    {
        RedeliveryOutcome.Done => new One<DeliveryResource>(
            DeliveryResource.Of(redelivery.Delivery!), ResourceJson.Default.DeliveryResource, StatusCodes.Status202Accepted),
        RedeliveryOutcome.Disabled => ManagementError.Conflict("The endpoint is disabled: make it active first."),
        RedeliveryOutcome.UnderWay => ManagementError.Conflict("It is being sent at this moment. Look what comes of it."),
        _ => ManagementError.NotFound,
    };
}
