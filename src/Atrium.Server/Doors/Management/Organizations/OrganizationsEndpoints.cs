using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Organizations;

/// <summary><c>/organizations</c>: the customers of the product.</summary>
public static class OrganizationsEndpoints
{
    public const string Path = "/organizations";

    private static readonly Parameter<string> HandleFilter = Parameter.Text(Field.Text("handle", Handles.MaxLength).Describe("Only the one of this handle."));

    private static readonly Parameter<string> ExternalIdFilter =
        Parameter.Text(Field.Text("external_id", TextRules.MaxExternalIdLength).Describe("Only the one of this external id."));

    private static readonly Parameter<Id<Organization>?> ParentFilter =
        Parameter.Text(Field.IdOf<Organization>("parent_id").Describe("Only those that belong to this one."));

    private static readonly Parameter<OrganizationStatus?> StatusFilter = Parameter.Text(
        Field.Choice("status", ("active", OrganizationStatus.Active), ("suspended", OrganizationStatus.Suspended)).Describe("Only those of this status."));

    public static void MapOrganizations(this RouteGroupBuilder realm)
    {
        RouteGroupBuilder organizations = realm.MapGroup(Path).WithTags("Organizations");
        organizations.MapGet("", ListAsync).Needs(ApiScopes.OrganizationsRead).TakesPage<Organization>(HandleFilter, ExternalIdFilter, ParentFilter, StatusFilter)
            .WithSummary("Lists organizations, newest first.").AnswersMany<OrganizationResource>();
        organizations.MapPost("", CreateAsync).Needs(ApiScopes.OrganizationsWrite).Reads(OrganizationFields.New)
            .WithSummary("Makes an organization.").AnswersOne<OrganizationResource>(StatusCodes.Status201Created);
        organizations.MapGet("/{id}", GetAsync).Needs(ApiScopes.OrganizationsRead).WithSummary("Shows an organization.").AnswersOne<OrganizationResource>();
        organizations.MapPatch("/{id}", ChangeAsync).Needs(ApiScopes.OrganizationsWrite).Patches(OrganizationFields.Change)
            .WithSummary("Changes an organization; suspended, it is in no new token.").AnswersOne<OrganizationResource>();
        organizations.MapDelete("/{id}", DeleteAsync).Needs(ApiScopes.OrganizationsWrite)
            .WithSummary("Deletes an organization with everything in it; the people stay.").AnswersNothing();
    }

    /// <summary>The organization of the path; null when there is none.</summary>
    internal static async Task<Organization?> FindOrganizationAsync(this HttpContext context, CancellationToken cancellationToken) =>
        context.OrganizationInPath() is { } id
            ? await context.RequestServices.GetRequiredService<OrganizationStore>().FindAsync(context.Caller().Realm, id, cancellationToken)
            : null;

    internal static Id<Organization>? OrganizationInPath(this HttpContext context) => Id<Organization>.Parse((string?)context.Request.RouteValues["id"]);

    private static async Task<IResult> ListAsync(HttpContext context, OrganizationStore organizations, CancellationToken cancellationToken)
    {
        OrganizationFilter filter = new()
        {
            Handle = context.Query(HandleFilter),
            ExternalId = context.Query(ExternalIdFilter),
            ParentId = context.Query(ParentFilter),
            Status = context.Query(StatusFilter),
        };
        return Many.Of(
            await organizations.ListAsync(context.Caller().Realm, filter, context.Page<Organization>(), cancellationToken),
            OrganizationResource.Of,
            ResourceJson.Default.OrganizationResource,
            static organization => organization.Id.ToString());
    }

    private static async Task<IResult> CreateAsync(HttpContext context, OrganizationStore organizations, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        DateTimeOffset now = clock.GetUtcNow();
        Organization organization = OrganizationFields.Apply(body, new Organization
        {
            RealmId = context.Caller().Realm,
            Id = Id<Organization>.New(clock),
            Handle = "",
            Name = "",
            Status = OrganizationStatus.Active,
            CreatedAt = now,
            UpdatedAt = now,
        });
        return OrganizationFields.Problem(organization)
            ?? Answer(await organizations.CreateAsync(
                organization,
                OrganizationFields.HandlesOf(body, organization.Id),
                [],
                context.Origin<MadeOrganization>(Answer),
                cancellationToken));

        static IResult Answer(MadeOrganization made) =>
            made.Outcome == OrganizationWrite.Done ? Shown(made.Organization, StatusCodes.Status201Created) : Refusal(made.Outcome);
    }

    private static async Task<IResult> GetAsync(HttpContext context, CancellationToken cancellationToken) =>
        await context.FindOrganizationAsync(cancellationToken) is { } organization ? Shown(organization) : ManagementError.NotFound;

    private static async Task<IResult> ChangeAsync(HttpContext context, OrganizationStore organizations, TimeProvider clock, CancellationToken cancellationToken)
    {
        Patch patch = context.Patch();
        if (context.OrganizationInPath() is not { } id)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        (OrganizationWrite outcome, OrganizationChange? change) = await organizations.ChangeAsync(
            context.Caller().Realm,
            id,
            (current, _) =>
            {
                if (!patch.TryLayOver(OrganizationResource.Of(current), ResourceJson.Default.OrganizationResource, OrganizationFields.Change, out Body? body))
                    return null;
                Organization laid = OrganizationRules.WithItsOwnReason(current, OrganizationFields.Apply(body, current) with { UpdatedAt = now });
                return patch.Refuses(OrganizationFields.Problem(laid)) ? null : new OrganizationChange(laid, Domains: null);
            },
            context.Origin(),
            cancellationToken);
        return outcome == OrganizationWrite.Done ? Shown(change!.Organization) : patch.Refusal ?? Refusal(outcome);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, OrganizationStore organizations, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (context.OrganizationInPath() is not { } id)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        OrganizationWrite outcome = await organizations.DeleteAsync(
            context.Caller().Realm,
            id,
            organization => deletion.Allows(OrganizationResource.Of(organization), ResourceJson.Default.OrganizationResource),
            clock.GetUtcNow(),
            context.Origin(),
            cancellationToken);
        return outcome == OrganizationWrite.HasChildren
            ? ManagementError.Conflict("Other organizations belong to this one. Delete them, or move them elsewhere, first.")
            : deletion.Answer(outcome == OrganizationWrite.Done);
    }

    private static ManagementError Refusal(OrganizationWrite outcome) => outcome switch
    {
        OrganizationWrite.HandleTaken => ManagementError.Conflict("Another organization has this handle."),
        OrganizationWrite.ExternalIdTaken => ManagementError.Conflict("Another organization has this external id."),
        OrganizationWrite.HasChildren => ManagementError.Conflict("Other organizations belong to this one, so it can't be put below another."),
        OrganizationWrite.ParentNotFound => ManagementError.Unprocessable("/parent_id", "/parent_id is no other organization of the realm."),
        OrganizationWrite.ParentTooDeep => ManagementError.Unprocessable(
            "/parent_id", $"/parent_id stands too deep: at most {OrganizationRules.MaxDepth} organizations stand in a line."),
        _ => ManagementError.NotFound,
    };

    private static One<OrganizationResource> Shown(Organization organization, int status = StatusCodes.Status200OK) =>
        new(OrganizationResource.Of(organization), ResourceJson.Default.OrganizationResource, status);
}
