using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Users;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Organizations;

/// <summary><c>/organizations/{id}/members</c>: who is in an organization; and <c>/users/{id}/memberships</c>: where somebody is.</summary>
public static class MembersEndpoints
{
    private static readonly Parameter<MembershipStatus?> StatusFilter =
        Parameter.Text(Field.Choice<MembershipStatus>("status").Describe("Only those of this status."));

    private static readonly Field<Id<User>?> UserId = Field.IdOf<User>("user_id").Required();

    private static readonly Field<IReadOnlyList<string>> Scopes = ResourceRules.Scopes("scopes", ScopeRules.MaxScopes)
        .Describe("What the person may do there. Where none are named, a new member gets the organization's `default_member_scopes`.");

    private static readonly Field<string> Title = ResourceRules.Line("title").Describe("What the person is there, for people to read.");

    private static readonly Field<MembershipStatus?> Status = Field.Choice<MembershipStatus>("status").Describe("Only an active member is in tokens.");

    private static readonly Field<IReadOnlyDictionary<string, string>> Metadata = ResourceRules.Metadata;

    private static readonly Shape New = new(UserId, Scopes, Title, Status, Metadata);

    private static readonly Field<MembershipStatus?> KeptStatus = Status.Required();

    private static readonly Shape Change = new(Scopes, Title, KeptStatus, Metadata);

    public static void MapMembers(this RouteGroupBuilder realm)
    {
        RouteGroupBuilder members = realm.MapGroup($"{OrganizationsEndpoints.Path}/{{id}}/members").WithTags("Members");
        members.MapGet("", ListAsync).Needs(ApiScopes.MembersRead).TakesPage<Membership>(StatusFilter)
            .WithSummary("Lists an organization's members, newest first.").AnswersMany<MembershipResource>();
        members.MapPost("", CreateAsync).Needs(ApiScopes.MembersWrite).Reads(New)
            .WithSummary("Makes somebody a member.").AnswersOne<MembershipResource>(StatusCodes.Status201Created);
        members.MapGet("/{user}", GetAsync).Needs(ApiScopes.MembersRead).WithSummary("Shows a member.").AnswersOne<MembershipResource>();
        members.MapPatch("/{user}", ChangeAsync).Needs(ApiScopes.MembersWrite).Patches(Change)
            .WithSummary("Changes what a member may do; tokens say so from the next refresh on.").AnswersOne<MembershipResource>();
        members.MapDelete("/{user}", DeleteAsync).Needs(ApiScopes.MembersWrite)
            .WithSummary("Removes a member from the organization; the person stays.").AnswersNothing();
        realm.MapGet("/users/{id}/memberships", ListOfUserAsync).Needs(ApiScopes.MembersRead).TakesPage<Membership>(StatusFilter).WithTags("Users")
            .WithSummary("Lists the organizations that somebody is in, newest membership first.").AnswersMany<MembershipResource>();
    }

    private static async Task<IResult> ListAsync(HttpContext context, MembershipStore memberships, CancellationToken cancellationToken)
    {
        MembershipStatus? status = context.Query(StatusFilter);
        return await context.FindOrganizationAsync(cancellationToken) is { } organization
            ? Shown(await memberships.ListAsync(organization.RealmId, organization.Id, status, context.Page<Membership>(), cancellationToken))
            : ManagementError.NotFound;
    }

    private static async Task<IResult> ListOfUserAsync(
        HttpContext context, string id, MembershipStore memberships, UserStore users, CancellationToken cancellationToken)
    {
        MembershipStatus? status = context.Query(StatusFilter);
        return Id<User>.Parse(id) is { } known && await users.FindAsync(context.Caller().Realm, known, cancellationToken) is { } user
            ? Shown(await memberships.ListAsync(user.RealmId, user.Id, status, context.Page<Membership>(), cancellationToken))
            : ManagementError.NotFound;
    }

    private static async Task<IResult> CreateAsync(HttpContext context, MembershipStore memberships, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        if (await context.FindOrganizationAsync(cancellationToken) is not { } organization)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        Membership membership = new()
        {
            RealmId = organization.RealmId,
            Id = Id<Membership>.New(clock),
            UserId = body.Of(UserId)!.Value,
            OrganizationId = organization.Id,
            Scopes = body.Of(Scopes) ?? organization.Settings.DefaultMemberScopes,
            Title = body.Of(Title),
            Status = body.Of(Status) ?? MembershipStatus.Active,
            JoinedAt = now,
            Metadata = body.Of(Metadata) ?? new Dictionary<string, string>(StringComparer.Ordinal),
            CreatedAt = now,
            UpdatedAt = now,
        };
        return Answer(await memberships.CreateAsync(membership, context.Origin<MembershipWrite>(Answer), cancellationToken));

        IResult Answer(MembershipWrite outcome) => outcome switch
        {
            MembershipWrite.Done => Shown(membership, StatusCodes.Status201Created),
            MembershipWrite.MemberAlready => ManagementError.Conflict("This person is a member already. PATCH changes what they may do."),
            MembershipWrite.OrganizationFull => ManagementError.Conflict("The organization has as many members as its max_members allows."),
            _ => ManagementError.Unprocessable("/user_id", "/user_id is nobody of this realm."),
        };
    }

    private static async Task<IResult> GetAsync(HttpContext context, string user, MembershipStore memberships, CancellationToken cancellationToken) =>
        await FindAsync(context, user, memberships, cancellationToken) is { } membership ? Shown(membership) : ManagementError.NotFound;

    private static async Task<IResult> ChangeAsync(
        HttpContext context, string user, MembershipStore memberships, TimeProvider clock, CancellationToken cancellationToken)
    {
        Patch patch = context.Patch();
        if (await FindAsync(context, user, memberships, cancellationToken) is not { } membership)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        MembershipDetails? changed = await memberships.ChangeAsync(
            membership.RealmId,
            membership.Id,
            current => patch.TryLayOver(MembershipResource.Of(current.Membership), ResourceJson.Default.MembershipResource, Change, out Body? body)
                ? current.Membership.WithStatus(body.Of(KeptStatus)!.Value, now) with
                {
                    Scopes = body.Of(Scopes) ?? [],
                    Title = body.Of(Title),
                    Metadata = body.Of(Metadata) ?? new Dictionary<string, string>(StringComparer.Ordinal),
                    UpdatedAt = now,
                }
                : null,
            context.Origin(),
            cancellationToken);
        return changed is null || patch.Refusal is not null ? patch.Refusal ?? ManagementError.NotFound : Shown(changed.Membership);
    }

    private static async Task<IResult> DeleteAsync(
        HttpContext context, string user, MembershipStore memberships, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (await FindAsync(context, user, memberships, cancellationToken) is not { } found)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        bool deleted = await memberships.DeleteAsync(
            found.RealmId,
            found.Id,
            membership => deletion.Allows(MembershipResource.Of(membership), ResourceJson.Default.MembershipResource),
            clock.GetUtcNow(),
            context.Origin(),
            cancellationToken);
        return deletion.Answer(deleted);
    }

    private static async Task<Membership?> FindAsync(HttpContext context, string user, MembershipStore memberships, CancellationToken cancellationToken) =>
        context.OrganizationInPath() is { } organization && Id<User>.Parse(user) is { } known
            ? await memberships.FindAsync(context.Caller().Realm, known, organization, cancellationToken)
            : null;

    private static Many<MembershipResource> Shown(Page<Membership> page) =>
        Many.Of(page, MembershipResource.Of, ResourceJson.Default.MembershipResource, static membership => membership.Id.ToString());

    private static One<MembershipResource> Shown(Membership membership, int status = StatusCodes.Status200OK) =>
        new(MembershipResource.Of(membership), ResourceJson.Default.MembershipResource, status);
}
