using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Organizations;

/// <summary><c>/roles</c> and <c>/organizations/{id}/roles</c>: names for sets of permissions, the realm's and an organization's own.</summary>
public static class RolesEndpoints
{
    private static readonly Parameter<string> Cursor =
        Parameter.Text(Field.Text("cursor", ScopeRules.MaxLength).Describe(QueryReading.CursorDescription));

    private static readonly Field<string> Slug = Field.Text("slug", ScopeRules.MaxLength)
        .Check(static slug => ScopeRules.IsSlug(slug) ? null : "A slug has ASCII letters, digits and - _ . : * only.")
        .Describe("What members' scopes name it by; it never changes.")
        .Required();

    private static readonly Field<string> Name = ResourceRules.Line("name").Describe("For people to read.").Required();

    private static readonly Field<IReadOnlyList<string>> Permissions =
        ResourceRules.Scopes("permissions", ScopeRules.MaxPermissions).Describe("What those who have the role may do.");

    internal static readonly Shape New = new(Slug, Name, Permissions);

    internal static readonly Shape Change = new(Name, Permissions);

    public static void MapRoles(this RouteGroupBuilder realm)
    {
        Map(realm.MapGroup("/roles").WithTags("Roles"), "a role of the realm", "the realm's roles");
        Map(realm.MapGroup($"{OrganizationsEndpoints.Path}/{{id}}/roles").WithTags("Roles"), "an organization's own role", "an organization's own roles");
    }

    private static void Map(RouteGroupBuilder roles, string one, string all)
    {
        roles.MapGet("", ListAsync).Needs(ApiScopes.RolesRead).Takes(QueryReading.Limit, Cursor)
            .WithSummary($"Lists {all}, in the order of their slugs.").AnswersMany<RoleResource>();
        roles.MapPost("", CreateAsync).Needs(ApiScopes.RolesWrite).Reads(New).WithSummary($"Makes {one}.").AnswersOne<RoleResource>(StatusCodes.Status201Created);
        roles.MapGet("/{slug}", GetAsync).Needs(ApiScopes.RolesRead).WithSummary($"Shows {one}.").AnswersOne<RoleResource>();
        roles.MapPatch("/{slug}", ChangeAsync).Needs(ApiScopes.RolesWrite).Patches(Change).WithSummary($"Changes {one}.").AnswersOne<RoleResource>();
        roles.MapDelete("/{slug}", DeleteAsync).Needs(ApiScopes.RolesWrite)
            .WithSummary($"Deletes {one}; who has it keeps the scope, which brings no permissions any more.").AnswersNothing();
    }

    private static async Task<IResult> ListAsync(HttpContext context, RoleStore roles, CancellationToken cancellationToken)
    {
        int limit = context.PageLimit();
        string? after = context.Query(Cursor);
        return await OwnerAsync(context, cancellationToken) is { } owner
            ? Many.Of(
                await roles.ListAsync(context.Caller().Realm, owner.Organization, after, limit, cancellationToken),
                RoleResource.Of,
                ResourceJson.Default.RoleResource,
                static role => role.Slug)
            : ManagementError.NotFound;
    }

    private static async Task<IResult> CreateAsync(HttpContext context, RoleStore roles, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        if (await OwnerAsync(context, cancellationToken) is not { } owner)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        Role role = new()
        {
            RealmId = context.Caller().Realm,
            OrganizationId = owner.Organization,
            Slug = body.Of(Slug)!,
            Name = body.Of(Name)!,
            Permissions = body.Of(Permissions) ?? [],
            CreatedAt = now,
            UpdatedAt = now,
        };
        return Answer(await roles.CreateAsync(role, context.Origin<RoleWrite>(Answer), cancellationToken));

        IResult Answer(RoleWrite outcome) => outcome switch
        {
            RoleWrite.Done => Shown(role, StatusCodes.Status201Created),
            RoleWrite.SlugTaken => ManagementError.Conflict("There is a role of this slug already."),
            _ => ManagementError.NotFound,
        };
    }

    private static async Task<IResult> GetAsync(HttpContext context, string slug, RoleStore roles, CancellationToken cancellationToken) =>
        await OwnerAsync(context, cancellationToken) is { } owner
        && await roles.FindAsync(context.Caller().Realm, owner.Organization, slug, cancellationToken) is { } role
            ? Shown(role)
            : ManagementError.NotFound;

    private static async Task<IResult> ChangeAsync(
        HttpContext context, string slug, RoleStore roles, TimeProvider clock, CancellationToken cancellationToken)
    {
        Patch patch = context.Patch();
        if (await OwnerAsync(context, cancellationToken) is not { } owner)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        Role? changed = await roles.ChangeAsync(
            context.Caller().Realm,
            owner.Organization,
            slug,
            current => patch.TryLayOver(RoleResource.Of(current), ResourceJson.Default.RoleResource, Change, out Body? body)
                ? current with { Name = body.Of(Name)!, Permissions = body.Of(Permissions) ?? [], UpdatedAt = now }
                : null,
            context.Origin(),
            cancellationToken);
        return changed is null || patch.Refusal is not null ? patch.Refusal ?? ManagementError.NotFound : Shown(changed);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string slug, RoleStore roles, CancellationToken cancellationToken)
    {
        if (await OwnerAsync(context, cancellationToken) is not { } owner)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        bool deleted = await roles.DeleteAsync(
            context.Caller().Realm,
            owner.Organization,
            slug,
            role => deletion.Allows(RoleResource.Of(role), ResourceJson.Default.RoleResource),
            context.Origin(),
            cancellationToken);
        return deletion.Answer(deleted);
    }

    /// <summary>Whose roles the path is about; null when it names an organization that there is not.</summary>
    private static async Task<Owner?> OwnerAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (!context.Request.RouteValues.ContainsKey("id"))
            return new Owner(null);
        return await context.FindOrganizationAsync(cancellationToken) is { } organization ? new Owner(organization.Id) : null;
    }

    private static One<RoleResource> Shown(Role role, int status = StatusCodes.Status200OK) =>
        new(RoleResource.Of(role), ResourceJson.Default.RoleResource, status);

    /// <summary>The realm, or one of its organizations.</summary>
    private sealed record Owner(Id<Organization>? Organization);
}
