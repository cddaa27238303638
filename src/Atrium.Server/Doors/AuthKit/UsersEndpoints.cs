using Atrium.Core.Realms;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Http;
using Atrium.Server.Passwords;
using Atrium.Storage;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>The resources of people.</summary>
public static class UsersEndpoints
{
    private const string Users = "/user_management/users";

    public static void MapUsers(this RouteGroupBuilder api)
    {
        api.MapGet(Users, ListAsync).Needs(ApiScopes.UsersRead);
        api.MapPost(Users, CreateAsync).Needs(ApiScopes.UsersWrite);
        api.MapGet($"{Users}/external_id/{{externalId}}", GetByExternalIdAsync).Needs(ApiScopes.UsersRead);
        api.MapGet($"{Users}/{{id}}", GetAsync).Needs(ApiScopes.UsersRead);
        api.MapPut($"{Users}/{{id}}", UpdateAsync).Needs(ApiScopes.UsersWrite);
        api.MapDelete($"{Users}/{{id}}", DeleteAsync).Needs(ApiScopes.UsersWrite);
    }

    internal static AuthKitError NotFound(string id) => AuthKitError.EntityNotFound("User", id);

    private static async Task<Results<JsonAnswer<ListJson<UserJson>>, AuthKitError>> ListAsync(
        HttpContext context, UserStore users, CancellationToken cancellationToken)
    {
        if (!ListQuery<User>.TryRead(context.Request, out ListQuery<User>? query, out AuthKitError? error))
            return error;

        // `organization` is the parameter's older name. An organization that does not exist has nobody in it.
        string? organization = ResourceFields.QueryText(context, "organization_id") ?? ResourceFields.QueryText(context, "organization");
        Id<Organization>? of = Id<Organization>.Parse(organization);
        Page<User> page = organization is not null && of is null
            ? new([], HasBefore: false, HasAfter: false)
            : await users.ListAsync(
                context.Caller().Realm,
                new UserFilter { Email = ResourceFields.QueryText(context, "email"), Organization = of },
                query.Page,
                cancellationToken);
        return new JsonAnswer<ListJson<UserJson>>(
            query.ToJson(page, static user => user.Id, UserJson.From), AuthKitJson.Default.ListJsonUserJson);
    }

    private static async Task<Results<JsonAnswer<UserJson>, AuthKitError>> CreateAsync(
        HttpContext context, UserStore users, PasswordHasher hasher, TimeProvider clock, CancellationToken cancellationToken)
    {
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? error, out Fields? fields))
            return error;
        UserFields read = UserFields.Read(fields, emailRequired: true);
        (PasswordFields password, error) = PasswordFields.Read(fields, hasher);
        if (fields.Error is { } invalid)
            return invalid;
        if (error is not null)
            return error;
        if (!EmailAddress.IsValid(read.Email))
            return NotCreated("invalid_email", "This is not an e-mail address.", "email");
        if (read.HasInvalidLocale)
            return InvalidLocale;

        DateTimeOffset now = clock.GetUtcNow();
        User empty = new()
        {
            RealmId = context.Caller().Realm,
            Id = Id<User>.New(clock),
            Email = read.Email,
            EmailVerified = false,
            CreatedAt = now,
            UpdatedAt = now,
        };
        if (read.ApplyTo(empty, now) is not { } user)
            return ResourceFields.InvalidMetadata;
        (string? passwordHash, error) = await password.ToStoredAsync(hasher, cancellationToken);
        if (error is not null)
            return error;
        return Created(await users.CreateAsync(user, passwordHash, context.Origin<UserWrite>(outcome => Created(outcome).Result), cancellationToken));

        Results<JsonAnswer<UserJson>, AuthKitError> Created(UserWrite outcome) => outcome switch
        {
            UserWrite.Done => Answer(user, StatusCodes.Status201Created),
            UserWrite.ExternalIdTaken => NotCreated("external_id_already_used", "This external id is already used by another user.", "external_id"),
            _ => NotCreated("email_not_available", "This e-mail address is not available.", "email"),
        };
    }

    private static async Task<Results<JsonAnswer<UserJson>, AuthKitError>> GetByExternalIdAsync(
        HttpContext context, UserStore users, CancellationToken cancellationToken)
    {
        string externalId = ResourceFields.ExternalIdInPath(context);
        return await users.FindByExternalIdAsync(context.Caller().Realm, externalId, cancellationToken) is { } user ? Answer(user) : NotFound(externalId);
    }

    private static async Task<Results<JsonAnswer<UserJson>, AuthKitError>> GetAsync(
        HttpContext context, string id, UserStore users, CancellationToken cancellationToken) =>
        Id<User>.Parse(id) is { } known && await users.FindAsync(context.Caller().Realm, known, cancellationToken) is { } user
            ? Answer(user)
            : NotFound(id);

    private static async Task<Results<JsonAnswer<UserJson>, AuthKitError>> UpdateAsync(
        HttpContext context, string id, UserStore users, PasswordHasher hasher, TimeProvider clock, CancellationToken cancellationToken)
    {
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? error, out Fields? fields))
            return error;
        if (Id<User>.Parse(id) is not { } known || await users.FindAsync(context.Caller().Realm, known, cancellationToken) is null)
            return NotFound(id);
        UserFields read = UserFields.Read(fields, emailRequired: false);
        (PasswordFields password, error) = PasswordFields.Read(fields, hasher);
        if (fields.Error is { } invalid)
            return invalid;
        if (error is not null)
            return error;
        if (read.Email is not null && !EmailAddress.IsValid(read.Email))
            return AuthKitError.Plain("invalid_email", "This is not an e-mail address.");
        if (read.HasInvalidLocale)
            return InvalidLocale;

        (string? passwordHash, error) = await password.ToStoredAsync(hasher, cancellationToken);
        if (error is not null)
            return error;
        DateTimeOffset now = clock.GetUtcNow();
        (UserWrite outcome, User? user) = await users.ChangeAsync(
            context.Caller().Realm, known, current => read.ApplyTo(current, now), passwordHash, context.Origin(), cancellationToken);
        return outcome switch
        {
            UserWrite.Done => Answer(user!),
            UserWrite.NotFound => NotFound(id),
            UserWrite.Refused => ResourceFields.InvalidMetadata,
            UserWrite.ExternalIdTaken => ResourceFields.ExternalIdTaken,
            _ => AuthKitError.Plain("email_not_available", "This e-mail address is not available."),
        };
    }

    private static async Task<Results<StatusCodeHttpResult, AuthKitError>> DeleteAsync(
        HttpContext context, string id, UserStore users, CancellationToken cancellationToken) =>
        Id<User>.Parse(id) is { } known && await users.DeleteAsync(context.Caller().Realm, known, static _ => true, context.Origin(), cancellationToken) is not null
            ? TypedResults.StatusCode(StatusCodes.Status200OK)
            : NotFound(id);

    private static AuthKitError InvalidLocale { get; } = AuthKitError.Plain("invalid_locale", "locale should be a BCP 47 tag such as en-GB.");

    private static JsonAnswer<UserJson> Answer(User user, int status = StatusCodes.Status200OK) =>
        new(UserJson.From(user), AuthKitJson.Default.UserJson, status);

    private static AuthKitError NotCreated(string code, string message, string field) => AuthKitError.Invalid(
        [new FieldError(code, message, field)], "user_creation_error", "Could not create user.", StatusCodes.Status400BadRequest);
}
