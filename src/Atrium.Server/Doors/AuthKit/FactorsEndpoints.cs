using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Http;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>
/// The second factors of people. A new one protects nothing and locks nobody out until its first right code, by a challenge's verification
/// or in a sign-in that asked the person to enrol.
/// </summary>
public static class FactorsEndpoints
{
    public static void MapFactors(this RouteGroupBuilder api)
    {
        api.MapGet("/user_management/users/{id}/auth_factors", ListAsync).Needs(ApiScopes.UsersRead);
        api.MapPost("/user_management/users/{id}/auth_factors", EnrolAsync).Needs(ApiScopes.UsersWrite);
        api.MapGet("/auth/factors/{id}", GetAsync).Needs(ApiScopes.UsersRead);
        api.MapDelete("/auth/factors/{id}", DeleteAsync).Needs(ApiScopes.UsersWrite);
        FactorChallenges.Map(api);
    }

    private static async Task<IResult> ListAsync(string id, HttpContext context, UserStore users, FactorStore factors, CancellationToken cancellationToken)
    {
        if (!ListQuery<Factor>.TryRead(context.Request, out ListQuery<Factor>? query, out AuthKitError? error))
            return error;
        if (await FindUserAsync(context, users, id, cancellationToken) is not { } user)
            return UsersEndpoints.NotFound(id);
        Page<Factor> page = await factors.ListAsync(user.RealmId, user.Id, query.Page, cancellationToken);
        return new JsonAnswer<ListJson<FactorJson>>(
            query.ToJson(page, static factor => factor.Id, FactorJson.From), AuthKitJson.Default.ListJsonFactorJson);
    }

    private static async Task<IResult> EnrolAsync(
        string id,
        HttpContext context,
        UserStore users,
        FactorStore factors,
        FactorChallenges challenges,
        FactorEnrolment enrolment,
        CancellationToken cancellationToken)
    {
        if ((await Fields.ReadAsync(context, cancellationToken)).Failed(out AuthKitError? unreadable, out Fields? fields))
            return unreadable;
        if (fields.RequiredText("type") is not ("totp" or ""))
            fields.Refuse("type", "type_invalid", "type should be totp.");
        string? issuer = Name(fields, "totp_issuer");
        string? account = Name(fields, "totp_user");
        byte[]? secret = Secret(fields);
        if (fields.Error is { } wrong)
            return wrong;
        if (await FindUserAsync(context, users, id, cancellationToken) is not { } user)
            return UsersEndpoints.NotFound(id);

        EnrolledFactor enrolled = await enrolment.PrepareAsync(user, issuer, account, secret, cancellationToken);
        FactorChallenge challenge = challenges.New(enrolled.Factor);
        return Answer(await factors.CreateAsync(enrolled.Factor, challenge, context.Origin<bool>(Answer), cancellationToken));

        IResult Answer(bool made)
        {
            if (!made)
                return UsersEndpoints.NotFound(id);
            FactorJson json = FactorJson.From(enrolled.Factor);
            return new JsonAnswer<EnrolledFactorJson>(
                new(
                    json with { Totp = json.Totp with { Secret = enrolled.Secret, Uri = enrolled.Uri, QrCode = enrolled.QrCode } },
                    ChallengeJson.From(challenge)),
                AuthKitJson.Default.EnrolledFactorJson,
                StatusCodes.Status201Created);
        }
    }

    private static async Task<IResult> GetAsync(string id, HttpContext context, FactorStore factors, CancellationToken cancellationToken) =>
        Id<Factor>.Parse(id) is { } parsed && await factors.FindAsync(context.Caller().Realm, parsed, cancellationToken) is { } factor
            ? new JsonAnswer<FactorJson>(FactorJson.From(factor), AuthKitJson.Default.FactorJson)
            : NotFound(id);

    private static async Task<IResult> DeleteAsync(string id, HttpContext context, FactorStore factors, CancellationToken cancellationToken) =>
        Id<Factor>.Parse(id) is { } parsed && await factors.DeleteAsync(context.Caller().Realm, user: null, parsed, static _ => true, context.Origin(), cancellationToken) is not null
            ? TypedResults.NoContent()
            : NotFound(id);

    internal static AuthKitError NotFound(string id) => AuthKitError.EntityNotFound("Authentication Factor", id);

    private static async Task<User?> FindUserAsync(HttpContext context, UserStore users, string id, CancellationToken cancellationToken) =>
        Id<User>.Parse(id) is { } parsed ? await users.FindAsync(context.Caller().Realm, parsed, cancellationToken) : null;

    private static string? Name(Fields fields, string name)
    {
        string? text = fields.Text(name);
        if (text is { Length: > FactorEnrolment.MaxNameLength })
            fields.Refuse(name, $"{name}_too_long", $"{name} should have {FactorEnrolment.MaxNameLength} characters at most.");
        return string.IsNullOrWhiteSpace(text) ? null : text;
    }

    /// <summary>The secret that is brought along from elsewhere, if one is.</summary>
    private static byte[]? Secret(Fields fields)
    {
        if (fields.Text("totp_secret") is not { Length: > 0 } text)
            return null;
        byte[]? secret = FactorEnrolment.ReadSecret(text);
        if (secret is null)
            fields.Refuse("totp_secret", "totp_secret_invalid", $"totp_secret should be {FactorEnrolment.SecretForm}.");
        return secret;
    }
}
