using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Webhooks;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Http;
using Atrium.Server.Webhooks;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Webhooks;

/// <summary><c>/webhooks</c>: the endpoints that are told what happens in the realm.</summary>
public static class WebhooksEndpoints
{
    private const int DefaultOverlap = 24 * 3600;
    private const int LongestOverlap = 7 * 24 * 3600;

    private static readonly Field<string> Name = Field.Text("name", max: 200).Describe("What the endpoint is for.").Required();

    private static readonly Field<string> Url = Field.Text("url", max: 2000).Describe("Where the messages are posted to: an absolute https address.").Required();

    private static readonly Field<IReadOnlyList<string>> Events = Field.List("events", Field.Text("event", max: 100), max: 100, min: 1)
        .Describe("Names of events as the dialect has them; `organization.*` is all that begin so, `*` all.")
        .Required();

    private static readonly Field<WebhookDialect?> Dialect = Field.Choice<WebhookDialect>("dialect")
        .Describe("What a message looks like and how it is signed: Standard Webhooks unless said.");

    private static readonly Field<Id<Organization>?> OrganizationId = Field.IdOf<Organization>("organization_id")
        .Describe("The organization whose events alone go there; null for those of the whole realm.");

    private static readonly Field<WebhookStatus?> Status = Field.Choice<WebhookStatus>("status")
        .Describe("To one that is disabled, nothing is sent, and what happens meanwhile is not sent later either.");

    private static readonly Field<string> StatusReason = Field.Text("status_reason", max: 200).Describe("Why it is disabled.");

    internal static readonly Shape Webhook = new(Name, Url, Events, Dialect, OrganizationId, Status, StatusReason);

    private static readonly Field<int?> Overlap = Field.Whole("overlap_seconds", 0, LongestOverlap)
        .Describe("For how long messages are signed with the old secret too; a day unless said.");

    private static readonly Shape Rotation = new(Overlap);

    private static readonly Parameter<Id<Organization>?> OfOrganization = Parameter.Text(
        Field.IdOf<Organization>("organization_id").Describe("Only those of this organization."));

    public static void MapWebhooks(this RouteGroupBuilder realm)
    {
        RouteGroupBuilder webhooks = realm.MapGroup("/webhooks").WithTags("Webhooks");
        webhooks.MapGet("", ListAsync).Needs(ApiScopes.WebhooksRead).TakesPage<Webhook>(OfOrganization).WithSummary("Lists the endpoints.").AnswersMany<WebhookResource>();
        webhooks.MapPost("", CreateAsync).Needs(ApiScopes.WebhooksWrite).Reads(Webhook)
            .WithSummary("Makes an endpoint; its secret is shown this once.").AnswersOne<WebhookWithSecretResource>(StatusCodes.Status201Created);
        webhooks.MapGet("/{id}", GetAsync).Needs(ApiScopes.WebhooksRead).WithSummary("Shows an endpoint.").AnswersOne<WebhookResource>();
        webhooks.MapPatch("/{id}", ChangeAsync).Needs(ApiScopes.WebhooksWrite).Patches(Webhook).WithSummary("Changes an endpoint.").AnswersOne<WebhookResource>();
        webhooks.MapDelete("/{id}", DeleteAsync).Needs(ApiScopes.WebhooksWrite)
            .WithSummary("Deletes an endpoint; what is on its way there is not sent any more.").AnswersNothing();
        webhooks.MapPost("/{id}/rotate-secret", RotateAsync).Needs(ApiScopes.WebhooksWrite).Reads(Rotation)
            .WithSummary("Gives an endpoint a new secret, shown this once; for a while messages are signed with both.").AnswersOne<WebhookWithSecretResource>();
        realm.MapDeliveries(webhooks);
    }

    private static async Task<IResult> ListAsync(HttpContext context, WebhookStore webhooks, CancellationToken cancellationToken)
    {
        Id<Organization>? organization = context.Query(OfOrganization);
        return Many.Of(
            await webhooks.ListAsync(context.Caller().Realm, organization, context.Page<Webhook>(), cancellationToken),
            WebhookResource.Of,
            ResourceJson.Default.WebhookResource,
            static webhook => webhook.Id.ToString());
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context,
        WebhookStore webhooks,
        EventStore events,
        OrganizationStore organizations,
        WebhookSecrets secrets,
        OutboundHttp http,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        Body body = context.Body();
        DateTimeOffset now = clock.GetUtcNow();
        Webhook webhook = Laid(
            new Webhook
            {
                RealmId = context.Caller().Realm,
                Id = Id<Webhook>.New(clock),
                Name = "",
                Url = "",
                Events = [],
                Dialect = WebhookDialect.Standard,
                Status = WebhookStatus.Active,
                CreatedAt = now,
                UpdatedAt = now,
            },
            body,
            now);
        if (Refusal(webhook, http) is { } refusal)
            return refusal;
        if (!await IsThereAsync(webhook, organizations, cancellationToken))
            return NoSuchOrganization;
        Secret secret = WebhookSigner.NewSecret();

        // What happened before has its place in the log, so that the endpoint's begins behind it.
        await events.SequenceAsync(webhook.RealmId, cancellationToken);
        IResult answer = Shown(webhook, secret, oldEndsAt: null, StatusCodes.Status201Created);
        await webhooks.CreateAsync(webhook, secrets.Seal(webhook.RealmId, webhook.Id, secret), context.Origin<Webhook>(_ => answer), cancellationToken);
        return answer;
    }

    private static async Task<IResult> GetAsync(HttpContext context, string id, WebhookStore webhooks, CancellationToken cancellationToken) =>
        Id<Webhook>.Parse(id) is { } known && await webhooks.FindAsync(context.Caller().Realm, known, cancellationToken) is { } webhook
            ? Shown(webhook)
            : ManagementError.NotFound;

    private static async Task<IResult> ChangeAsync(
        HttpContext context,
        string id,
        WebhookStore webhooks,
        EventStore events,
        OrganizationStore organizations,
        OutboundHttp http,
        WebhookDispatcher dispatcher,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        Patch patch = context.Patch();
        Id<Realm> realm = context.Caller().Realm;
        if (Id<Webhook>.Parse(id) is not { } known || await webhooks.FindAsync(realm, known, cancellationToken) is not { } before)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        if (LaidOver(before) is { } likely && likely.OrganizationId != before.OrganizationId && !await IsThereAsync(likely, organizations, cancellationToken))
            return NoSuchOrganization;
        if (before.Status != WebhookStatus.Active)
            await events.SequenceAsync(realm, cancellationToken);
        Webhook? changed = await webhooks.ChangeAsync(realm, known, LaidOver, context.Origin(), cancellationToken);
        dispatcher.Wake(realm);
        return changed is null ? ManagementError.NotFound : patch.Refusal ?? (IResult)Shown(changed);

        // Null for one that the patch can't be laid over, and for one that it leaves as it is.
        Webhook? LaidOver(Webhook current)
        {
            if (!patch.TryLayOver(WebhookResource.Of(current), ResourceJson.Default.WebhookResource, Webhook, out Body? body))
                return null;
            Webhook laid = Laid(current, body, now);
            return patch.Refuses(Refusal(laid, http)) || IsSame(current, laid with { UpdatedAt = current.UpdatedAt }) ? null : laid;
        }
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string id, WebhookStore webhooks, CancellationToken cancellationToken)
    {
        if (Id<Webhook>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        return deletion.Answer(await webhooks.DeleteAsync(
            context.Caller().Realm,
            known,
            webhook => deletion.Allows(WebhookResource.Of(webhook), ResourceJson.Default.WebhookResource),
            context.Origin(),
            cancellationToken));
    }

    private static async Task<IResult> RotateAsync(
        HttpContext context, string id, WebhookStore webhooks, WebhookSecrets secrets, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        if (Id<Webhook>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        Secret secret = WebhookSigner.NewSecret();
        DateTimeOffset oldEndsAt = clock.GetUtcNow() + TimeSpan.FromSeconds(body.Of(Overlap) ?? DefaultOverlap);
        Webhook? rotated = await webhooks.RotateSecretAsync(
            secrets.Seal(context.Caller().Realm, known, secret),
            oldEndsAt,
            context.Origin<Webhook?>(webhook => webhook is null ? ManagementError.NotFound : Shown(webhook, secret, oldEndsAt)),
            cancellationToken);
        return rotated is null ? ManagementError.NotFound : Shown(rotated, secret, oldEndsAt);
    }

    private static Webhook Laid(Webhook webhook, Body body, DateTimeOffset now)
    {
        WebhookStatus status = body.Of(Status) ?? WebhookStatus.Active;
        return webhook with
        {
            Name = body.Of(Name)!,
            Url = body.Of(Url)!,
            Events = body.Of(Events)!,
            Dialect = body.Of(Dialect) ?? WebhookDialect.Standard,
            OrganizationId = body.Of(OrganizationId),
            Status = status,
            StatusReason = status == WebhookStatus.Disabled ? body.Of(StatusReason) : null,
            UpdatedAt = now,
        };
    }

    /// <summary>What no field can tell by itself.</summary>
    private static ManagementError? Refusal(Webhook webhook, OutboundHttp http)
    {
        List<Problem> problems = [];
        if (http.Problem(webhook.Url) is { } problem)
            problems.Add(new Problem("/url", $"/url {problem}."));
        foreach ((int index, string pattern) in webhook.Events.Index())
        {
            if (!EventPatterns.IsKnown(pattern, webhook.Dialect))
                problems.Add(new Problem($"/events/{index}", $"/events/{index}: no event of this dialect is called \"{pattern}\", or begins so."));
        }

        return problems.Count > 0 ? ManagementError.Unprocessable(problems) : null;
    }

    private static async Task<bool> IsThereAsync(Webhook webhook, OrganizationStore organizations, CancellationToken cancellationToken) =>
        webhook.OrganizationId is not { } organization || await organizations.FindAsync(webhook.RealmId, organization, cancellationToken) is not null;

    private static ManagementError NoSuchOrganization => ManagementError.Unprocessable("/organization_id", "/organization_id is no organization of this realm.");

    private static bool IsSame(Webhook one, Webhook other) =>
        EntityTag.Of(WebhookResource.Of(one), ResourceJson.Default.WebhookResource) == EntityTag.Of(WebhookResource.Of(other), ResourceJson.Default.WebhookResource);

    private static One<WebhookResource> Shown(Webhook webhook) => new(WebhookResource.Of(webhook), ResourceJson.Default.WebhookResource);

    private static One<WebhookWithSecretResource> Shown(Webhook webhook, Secret secret, DateTimeOffset? oldEndsAt, int status = StatusCodes.Status200OK) =>
        new(
            WebhookWithSecretResource.Of(webhook, secret, oldEndsAt),
            ResourceJson.Default.WebhookWithSecretResource,
            status,
            EntityTag.Of(WebhookResource.Of(webhook), ResourceJson.Default.WebhookResource));
}
