using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.Users;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Passwords;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Users;

/// <summary><c>/users</c>: people, once per realm, however many organizations they belong to.</summary>
public static class UsersEndpoints
{
    private static readonly Parameter<string> Email = Parameter.Text(Field.Text("email", EmailAddress.MaxLength).Describe("Who has this address."));
    private static readonly Parameter<string> Username = Parameter.Text(Field.Text("username", UserRules.MaxUsernameLength).Describe("Who has this username."));

    private static readonly Parameter<string> ExternalId =
        Parameter.Text(Field.Text("external_id", TextRules.MaxExternalIdLength).Describe("Who has this external id."));

    private static readonly Parameter<UserStatus?> Status = Parameter.Text(
        Field.Choice<UserStatus>("status").Describe("Those with this status. It can't be asked for within an organization."));

    private static readonly Parameter<Id<Organization>?> Organization = Parameter.Text(
        Field.IdOf<Organization>("organization_id").Describe("Those who have a membership of this organization."));

    private static readonly Shape PasswordShape = new(NewPassword.Fields);

    public static void MapUsers(this RouteGroupBuilder realm)
    {
        RouteGroupBuilder users = realm.MapGroup("/users").WithTags("Users");
        users.MapGet("", ListAsync).Needs(ApiScopes.UsersRead).TakesPage<User>(Email, Username, ExternalId, Status, Organization)
            .WithSummary("Lists people.").AnswersMany<UserResource>();
        users.MapPost("", CreateAsync).Needs(ApiScopes.UsersWrite).Reads(UserBodies.Creation)
            .WithSummary("Makes a person.").AnswersOne<UserResource>(StatusCodes.Status201Created);
        users.MapGet("/{id}", GetAsync).Needs(ApiScopes.UsersRead).WithSummary("Shows a person.").AnswersOne<UserResource>();
        users.MapPatch("/{id}", ChangeAsync).Needs(ApiScopes.UsersWrite).Patches(UserBodies.Change)
            .WithSummary("Changes a person. Disabling ends all of their sessions.").AnswersOne<UserResource>();
        users.MapDelete("/{id}", DeleteAsync).Needs(ApiScopes.UsersWrite)
            .WithSummary("Deletes a person with everything of theirs: memberships, factors, sessions.").AnswersNothing();
        users.MapPost("/{id}/password", SetPasswordAsync).WithName("setUserPassword").Needs(ApiScopes.UsersWrite).Reads(PasswordShape)
            .WithSummary("Sets a person's password, and ends all of their sessions.").AnswersOne<UserResource>();
        users.MapSessions();
        users.MapFactors();
        users.MapRecoveryCodes();
        users.MapConsents();
    }

    /// <summary>The person of that id, or nothing: a malformed id is nobody's.</summary>
    internal static async Task<User?> FindAsync(HttpContext context, string id, UserStore users, CancellationToken cancellationToken) =>
        Id<User>.Parse(id) is { } known ? await users.FindAsync(context.Caller().Realm, known, cancellationToken) : null;

    private static async Task<IResult> ListAsync(HttpContext context, UserStore users, CancellationToken cancellationToken)
    {
        UserFilter filter = new()
        {
            Email = context.Query(Email),
            Username = context.Query(Username),
            ExternalId = context.Query(ExternalId),
            Status = context.Query(Status),
            Organization = context.Query(Organization),
        };
        if (filter is { Status: not null, Organization: not null })
            return ManagementError.Invalid("status can't be asked for together with organization_id.");
        return Many.Of(
            await users.ListAsync(context.Caller().Realm, filter, context.Page<User>(), cancellationToken),
            UserResource.Of,
            ResourceJson.Default.UserResource,
            static user => user.Id.ToString());
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, UserStore users, PasswordHasher hasher, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        (string? passwordHash, ManagementError? error) = await NewPassword.ToStoredAsync(body, hasher, cancellationToken);
        if (error is not null)
            return error;
        DateTimeOffset now = clock.GetUtcNow();
        User empty = new()
        {
            RealmId = context.Caller().Realm,
            Id = Id<User>.New(clock),
            Email = "",
            EmailVerified = false,
            CreatedAt = now,
            UpdatedAt = now,
        };
        User user = UserBodies.Apply(body, empty, now);
        UserWrite outcome = await users.CreateAsync(
            user, passwordHash, context.Origin<UserWrite>(done => Answer(new UserChange(done, user), StatusCodes.Status201Created)), cancellationToken);
        return Answer(new UserChange(outcome, user), StatusCodes.Status201Created);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string id, UserStore users, CancellationToken cancellationToken) =>
        await FindAsync(context, id, users, cancellationToken) is { } user ? Shown(user) : ManagementError.NotFound;

    private static async Task<IResult> ChangeAsync(
        HttpContext context, string id, UserStore users, TimeProvider clock, CancellationToken cancellationToken)
    {
        Patch patch = context.Patch();
        if (Id<User>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        UserChange change = await users.ChangeAsync(
            context.Caller().Realm,
            known,
            current => patch.TryLayOver(UserResource.Of(current), ResourceJson.Default.UserResource, UserBodies.Change, out Body? body)
                ? UserBodies.Apply(body, current, now, patch)
                : null,
            newPasswordHash: null,
            context.Origin(),
            cancellationToken);
        return change.Outcome == UserWrite.Refused ? patch.Refusal! : Answer(change);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string id, UserStore users, CancellationToken cancellationToken)
    {
        if (Id<User>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        User? deleted = await users.DeleteAsync(
            context.Caller().Realm, known, user => deletion.Allows(UserResource.Of(user), ResourceJson.Default.UserResource), context.Origin(), cancellationToken);
        return deletion.Answer(deleted is not null);
    }

    private static async Task<IResult> SetPasswordAsync(
        HttpContext context, string id, UserStore users, PasswordHasher hasher, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        if (await FindAsync(context, id, users, cancellationToken) is not { } named)
            return ManagementError.NotFound;
        (string? passwordHash, ManagementError? error) = await NewPassword.ToStoredAsync(body, hasher, cancellationToken);
        if (error is not null)
            return error;
        if (passwordHash is null)
            return NewPassword.Missing;
        DateTimeOffset now = clock.GetUtcNow();
        return Answer(await users.ChangeAsync(
            named.RealmId,
            named.Id,
            current => current with { UpdatedAt = now },
            passwordHash,
            context.Origin<UserChange>(static change => Answer(change)),
            cancellationToken));
    }

    private static IResult Answer(UserChange change, int status = StatusCodes.Status200OK) => change.Outcome switch
    {
        UserWrite.Done => Shown(change.User!, status),
        UserWrite.EmailTaken => ManagementError.Conflict("Another person of the realm has this e-mail address."),
        UserWrite.UsernameTaken => ManagementError.Conflict("Another person of the realm has this username."),
        UserWrite.ExternalIdTaken => ManagementError.Conflict("Another person of the realm has this external id."),
        _ => ManagementError.NotFound,
    };

    private static One<UserResource> Shown(User user, int status = StatusCodes.Status200OK) =>
        new(UserResource.Of(user), ResourceJson.Default.UserResource, status);
}
