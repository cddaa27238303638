using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Http;
using Atrium.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>The resources of organization memberships.</summary>
public static class MembershipsEndpoints
{
    private const string Memberships = "/user_management/organization_memberships";

    /// <summary>What a member is when neither the call nor the organization says otherwise.</summary>
    private const string DefaultRole = "member";

    /// <summary>More than any member has; each goes into a query.</summary>
    private const int MaxRoles = 100;

    public static void MapMemberships(this RouteGroupBuilder api)
    {
        api.MapGet(Memberships, ListAsync).Needs(ApiScopes.MembersRead);
        api.MapPost(Memberships, CreateAsync).Needs(ApiScopes.MembersWrite);
        api.MapGet($"{Memberships}/{{id}}", GetAsync).Needs(ApiScopes.MembersRead);
        api.MapPut($"{Memberships}/{{id}}", UpdateAsync).Needs(ApiScopes.MembersWrite);
        api.MapDelete($"{Memberships}/{{id}}", DeleteAsync).Needs(ApiScopes.MembersWrite);
        api.MapPut($"{Memberships}/{{id}}/deactivate", DeactivateAsync).Needs(ApiScopes.MembersWrite);
        api.MapPut($"{Memberships}/{{id}}/reactivate", ReactivateAsync).Needs(ApiScopes.MembersWrite);
    }

    private static readonly AuthKitError PendingCannotBeReactivated = AuthKitError.Plain(
        "cannot_reactivate_pending_organization_membership",
        "A pending organization membership cannot be reactivated. The user needs to accept the invitation instead.");

    private static readonly AuthKitError PendingCannotBeDeactivated = AuthKitError.Plain(
        "cannot_deactivate_pending_organization_membership",
        "A pending organization membership cannot be deactivated. Revoke the invitation or delete the membership instead.");

    private static readonly AuthKitError OrganizationFull = AuthKitError.Plain(
        "organization_member_limit_reached", "The organization has as many members as it may have.", StatusCodes.Status409Conflict);

    private static async Task<Results<JsonAnswer<ListJson<MembershipJson>>, AuthKitError>> ListAsync(
        HttpContext context, MembershipStore memberships, UserStore users, OrganizationStore organizations, CancellationToken cancellationToken)
    {
        string? userId = ResourceFields.QueryText(context, "user_id");
        string? organizationId = ResourceFields.QueryText(context, "organization_id");
        if (userId is null && organizationId is null)
            return AuthKitError.Plain("missing_user_id_or_organization_id", "Send user_id or organization_id.");
        if (!ListQuery<Membership>.TryRead(context.Request, out ListQuery<Membership>? query, out AuthKitError? error))
            return error;
        MembershipStatus?[] statuses = [.. QueryArrays.ReadWords(context.Request, "statuses").Select(MembershipJson.StatusOf).Distinct()];
        if (statuses.Contains(null))
        {
            return AuthKitError.Invalid(
                [new FieldError("statuses_invalid", "statuses should be of: active, inactive, pending.", "statuses")],
                status: StatusCodes.Status400BadRequest);
        }

        Id<Realm> realm = context.Caller().Realm;
        Id<User>? user = Id<User>.Parse(userId);
        Id<Organization>? organization = Id<Organization>.Parse(organizationId);
        if (userId is not null && user is null)
            return UsersEndpoints.NotFound(userId);
        if (organizationId is not null && organization is null)
            return OrganizationNotFound(organizationId);

        Page<MembershipDetails> page = await memberships.ListDetailsAsync(
            realm,
            user,
            organization,
            statuses.Length == 0 ? [MembershipStatus.Active] : [.. statuses.OfType<MembershipStatus>()],
            query.Page,
            cancellationToken);

        // Only when there is nothing to show does it matter whether there could be.
        if (page.Items.Count == 0)
        {
            if (user is { } ofUser && await users.FindAsync(realm, ofUser, cancellationToken) is null)
                return UsersEndpoints.NotFound(userId!);
            if (organization is { } ofOrganization && await organizations.FindAsync(realm, ofOrganization, cancellationToken) is null)
                return OrganizationNotFound(organizationId!);
        }

        return new JsonAnswer<ListJson<MembershipJson>>(
            query.ToJson(page, static details => details.Membership.Id, MembershipJson.From), AuthKitJson.Default.ListJsonMembershipJson);
    }

    private static async Task<Results<JsonAnswer<MembershipJson>, AuthKitError>> CreateAsync(
        HttpContext context,
        MembershipStore memberships,
        UserStore users,
        OrganizationStore organizations,
        RoleStore roleStore,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? error, out Fields? fields))
            return error;
        Id<Realm> realm = context.Caller().Realm;
        string userId = fields.RequiredText("user_id");
        string organizationId = fields.RequiredText("organization_id");
        IReadOnlyList<string>? slugs = ReadRoles(fields);
        if (fields.Error is { } invalid)
            return invalid;
        if (Id<User>.Parse(userId) is not { } knownUser || await users.FindAsync(realm, knownUser, cancellationToken) is not { } user)
            return UsersEndpoints.NotFound(userId);
        if (Id<Organization>.Parse(organizationId) is not { } knownOrganization
            || await organizations.FindAsync(realm, knownOrganization, cancellationToken) is not { } organization)
        {
            return OrganizationNotFound(organizationId);
        }

        if (await UnknownRoleAsync(roleStore, realm, organization.Id, slugs, cancellationToken) is { } unknownRole)
            return unknownRole;

        DateTimeOffset now = clock.GetUtcNow();
        IReadOnlyList<string> defaults = organization.Settings.DefaultMemberScopes is { Count: > 0 } given ? given : [DefaultRole];
        Membership membership = new()
        {
            RealmId = realm,
            Id = Id<Membership>.New(clock),
            UserId = user.Id,
            OrganizationId = organization.Id,
            Scopes = slugs ?? defaults,
            Status = MembershipStatus.Active,
            JoinedAt = now,
            CreatedAt = now,
            UpdatedAt = now,
        };
        IReadOnlyList<Role> roles = await roleStore.NamedAsync(realm, [organization.Id], membership.Scopes, cancellationToken);
        JsonAnswer<MembershipJson> made = Answer(new MembershipDetails(membership, user, organization, roles), StatusCodes.Status201Created);
        switch (await memberships.CreateAsync(membership, context.Origin<MembershipWrite>(outcome => outcome == MembershipWrite.Done ? made : OrganizationFull), cancellationToken))
        {
            case MembershipWrite.Done:
                return made;
            case MembershipWrite.OrganizationFull:
                return OrganizationFull;
        }

        // The pair has one already, or one of the two has gone meanwhile.
        if (await memberships.FindAsync(realm, user.Id, organization.Id, cancellationToken) is not { } existing)
            return UsersEndpoints.NotFound(userId);
        MembershipStatus? before = null;
        MembershipDetails? reactivated = await memberships.ChangeAsync(
            realm,
            existing.Id,
            current =>
            {
                before = current.Membership.Status;
                return before == MembershipStatus.Suspended ? WithRoles(current, slugs, now) with { Status = MembershipStatus.Active, UpdatedAt = now } : current.Membership;
            },
            context.Origin(),
            cancellationToken);
        return (before, reactivated) switch
        {
            (MembershipStatus.Suspended, { } details) => Answer(details, StatusCodes.Status201Created),
            (MembershipStatus.Pending, _) => PendingCannotBeReactivated,
            (MembershipStatus.Active, _) => AuthKitError.Plain(
                "organization_membership_already_exists", "The user is already an active member of this organization."),
            _ => UsersEndpoints.NotFound(userId),
        };
    }

    private static async Task<Results<JsonAnswer<MembershipJson>, AuthKitError>> GetAsync(
        HttpContext context, string id, MembershipStore memberships, CancellationToken cancellationToken) =>
        Id<Membership>.Parse(id) is { } known && await memberships.FindDetailsAsync(context.Caller().Realm, known, cancellationToken) is { } details
            ? Answer(details)
            : NotFound(id);

    private static async Task<Results<JsonAnswer<MembershipJson>, AuthKitError>> UpdateAsync(
        HttpContext context, string id, MembershipStore memberships, RoleStore roleStore, TimeProvider clock, CancellationToken cancellationToken)
    {
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? error, out Fields? fields))
            return error;
        Id<Realm> realm = context.Caller().Realm;
        if (Id<Membership>.Parse(id) is not { } known || await memberships.FindAsync(realm, known, cancellationToken) is not { } standing)
            return NotFound(id);
        IReadOnlyList<string>? slugs = ReadRoles(fields);
        if (fields.Error is { } invalid)
            return invalid;
        if (await UnknownRoleAsync(roleStore, realm, standing.OrganizationId, slugs, cancellationToken) is { } unknownRole)
            return unknownRole;

        DateTimeOffset now = clock.GetUtcNow();
        return await memberships.ChangeAsync(realm, known, current => WithRoles(current, slugs, now), context.Origin(), cancellationToken) is { } details
            ? Answer(details)
            : NotFound(id);
    }

    private static async Task<Results<StatusCodeHttpResult, AuthKitError>> DeleteAsync(
        HttpContext context, string id, MembershipStore memberships, TimeProvider clock, CancellationToken cancellationToken) =>
        Id<Membership>.Parse(id) is { } known
        && await memberships.DeleteAsync(context.Caller().Realm, known, static _ => true, clock.GetUtcNow(), context.Origin(), cancellationToken)
            ? TypedResults.StatusCode(StatusCodes.Status200OK)
            : NotFound(id);

    /// <summary>Has no body to read; one that is sent says nothing.</summary>
    private static Task<Results<JsonAnswer<MembershipJson>, AuthKitError>> DeactivateAsync(
        HttpContext context, string id, MembershipStore memberships, TimeProvider clock, CancellationToken cancellationToken) =>
        MoveAsync(context, id, MembershipStatus.Suspended, PendingCannotBeDeactivated, memberships, clock, cancellationToken);

    private static Task<Results<JsonAnswer<MembershipJson>, AuthKitError>> ReactivateAsync(
        HttpContext context, string id, MembershipStore memberships, TimeProvider clock, CancellationToken cancellationToken) =>
        MoveAsync(context, id, MembershipStatus.Active, PendingCannotBeReactivated, memberships, clock, cancellationToken);

    /// <summary>One that already is where it should be stays as it is; one that is pending is the invited person's to move.</summary>
    private static async Task<Results<JsonAnswer<MembershipJson>, AuthKitError>> MoveAsync(
        HttpContext context,
        string id,
        MembershipStatus to,
        AuthKitError pending,
        MembershipStore memberships,
        TimeProvider clock,
        CancellationToken cancellationToken)
    {
        if (Id<Membership>.Parse(id) is not { } known)
            return NotFound(id);
        DateTimeOffset now = clock.GetUtcNow();
        MembershipDetails? details = await memberships.ChangeAsync(
            context.Caller().Realm,
            known,
            current => current.Membership.Status == to || current.Membership.Status == MembershipStatus.Pending
                ? current.Membership
                : current.Membership with { Status = to, UpdatedAt = now },
            context.Origin(),
            cancellationToken);
        return details switch
        {
            null => NotFound(id),
            { Membership.Status: MembershipStatus.Pending } => pending,
            _ => Answer(details),
        };
    }

    /// <summary>The roles that the body names, the primary one first; null when it names none.</summary>
    private static IReadOnlyList<string>? ReadRoles(Fields fields)
    {
        string? slug = fields.Text("role_slug");
        IReadOnlyList<string>? slugs = fields.Texts("role_slugs");
        if (slug is not null && slugs is not null)
            fields.Refuse("role_slugs", "role_slug_and_role_slugs_provided", "Send role_slug or role_slugs, not both.");
        if (slugs is { Count: 0 })
            fields.Refuse("role_slugs", "role_slugs_empty", "role_slugs should name at least one role.");
        if (slugs is { Count: > MaxRoles })
            fields.Refuse("role_slugs", "role_slugs_too_many", $"role_slugs should name at most {MaxRoles} roles.");
        return slug is null ? slugs?.Distinct(StringComparer.Ordinal).ToArray() : [slug];
    }

    private static async Task<AuthKitError?> UnknownRoleAsync(
        RoleStore roleStore, Id<Realm> realm, Id<Organization> organization, IReadOnlyList<string>? slugs, CancellationToken cancellationToken)
    {
        if (slugs is null)
            return null;
        IReadOnlyList<Role> roles = await roleStore.NamedAsync(realm, [organization], slugs, cancellationToken);
        return slugs.FirstOrDefault(slug => roles.All(role => role.Slug != slug)) is { } unknown
            ? AuthKitError.Plain("invalid_role", $"Role '{unknown}' is not a valid role.", StatusCodes.Status422UnprocessableEntity)
            : null;
    }

    private static Membership WithRoles(MembershipDetails current, IReadOnlyList<string>? slugs, DateTimeOffset now) =>
        slugs is null
            ? current.Membership
            : current.Membership with { Scopes = current.Membership.ScopesWithRoles(slugs, current.Roles), UpdatedAt = now };

    private static AuthKitError NotFound(string id) => AuthKitError.EntityNotFound("Organization Membership", id);

    private static AuthKitError OrganizationNotFound(string id) => AuthKitError.EntityNotFound("Organization", id);

    private static JsonAnswer<MembershipJson> Answer(MembershipDetails details, int status = StatusCodes.Status200OK) =>
        new(MembershipJson.From(details), AuthKitJson.Default.MembershipJson, status);
}
