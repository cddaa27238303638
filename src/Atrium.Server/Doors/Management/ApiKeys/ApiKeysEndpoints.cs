using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.ApiKeys;

/// <summary><c>/api-keys</c>: the keys of the realm's back ends. Nobody gives a key more than their own may do.</summary>
public static class ApiKeysEndpoints
{
    private static readonly Field<string> Name = Field.Text("name", max: 200).Describe("What the key is for.").Required();

    private static readonly Field<IReadOnlyList<string>> Scopes = Field.List("scopes", Field.Word("scope", [.. ApiScopes.All, ApiKey.Everything]), max: 50, min: 1)
        .Describe("What the key may do, and nothing else. `*:**` is everything in its realm.")
        .Required();

    private static readonly Field<DateTimeOffset?> ExpiresAt = Field.Moment("expires_at").Describe("When it ends by itself, in Unix milliseconds; null for never.");

    private static readonly Shape Key = new(Name, Scopes, ExpiresAt);

    public static void MapApiKeys(this RouteGroupBuilder realm)
    {
        RouteGroupBuilder keys = realm.MapGroup("/api-keys").WithTags("API keys");
        keys.MapGet("", ListAsync).Needs(ApiScopes.ApiKeysRead).TakesPage<ApiKey>().WithSummary("Lists the API keys.").AnswersMany<ApiKeyResource>();
        keys.MapPost("", CreateAsync).Needs(ApiScopes.ApiKeysWrite).Reads(Key).WithSummary("Makes an API key; its secret is shown this once.").AnswersOne<ApiKeyWithSecretResource>(StatusCodes.Status201Created);
        keys.MapGet("/{id}", GetAsync).Needs(ApiScopes.ApiKeysRead).WithSummary("Shows an API key.").AnswersOne<ApiKeyResource>();
        keys.MapPatch("/{id}", ChangeAsync).Needs(ApiScopes.ApiKeysWrite).Patches(Key).WithSummary("Changes an API key.").AnswersOne<ApiKeyResource>();
        keys.MapDelete("/{id}", DeleteAsync).Needs(ApiScopes.ApiKeysWrite).WithSummary("Deletes an API key; nobody is believed for it any more.").AnswersNothing();
        keys.MapPost("/{id}/rotate", RotateAsync).Needs(ApiScopes.ApiKeysWrite).Reads(Shape.Empty)
            .WithSummary("Gives an API key a new secret, shown this once; the old one works for 15 more minutes.").AnswersOne<ApiKeyWithSecretResource>();
    }

    private static async Task<IResult> ListAsync(HttpContext context, ApiKeyStore keys, CancellationToken cancellationToken)
    {
        return Many.Of(
            await keys.ListAsync(context.Caller().Realm, context.Page<ApiKey>(), cancellationToken),
            ApiKeyResource.Of,
            ResourceJson.Default.ApiKeyResource,
            static key => key.Id.ToString());
    }

    private static async Task<IResult> CreateAsync(HttpContext context, ApiKeyStore keys, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        DateTimeOffset now = clock.GetUtcNow();
        ApiKey key = new()
        {
            RealmId = context.Caller().Realm,
            Id = Id<ApiKey>.New(clock),
            Name = body.Of(Name)!,
            Scopes = body.Of(Scopes)!,
            ExpiresAt = body.Of(ExpiresAt),
            CreatedAt = now,
            UpdatedAt = now,
        };
        if (BeyondCaller(context, key) is { } refusal)
            return refusal;
        Secret secret = Secret.New(ApiKey.SecretPrefix);
        IResult answer = Shown(key, secret, StatusCodes.Status201Created);
        await keys.CreateAsync(key, secret.Hash(), context.Origin<ApiKey>(_ => answer), cancellationToken);
        return answer;
    }

    private static async Task<IResult> GetAsync(HttpContext context, string id, ApiKeyStore keys, CancellationToken cancellationToken) =>
        Id<ApiKey>.Parse(id) is { } known && await keys.FindAsync(context.Caller().Realm, known, cancellationToken) is { } key
            ? Shown(key)
            : ManagementError.NotFound;

    private static async Task<IResult> ChangeAsync(HttpContext context, string id, ApiKeyStore keys, TimeProvider clock, CancellationToken cancellationToken)
    {
        Patch patch = context.Patch();
        if (Id<ApiKey>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        ApiKey? changed = await keys.ChangeAsync(
            context.Caller().Realm,
            known,
            current =>
            {
                if (!patch.TryLayOver(ApiKeyResource.Of(current), ResourceJson.Default.ApiKeyResource, Key, out Body? body))
                    return null;
                ApiKey laid = current with { Name = body.Of(Name)!, Scopes = body.Of(Scopes)!, ExpiresAt = body.Of(ExpiresAt), UpdatedAt = now };
                return patch.Refuses(BeyondCaller(context, current) ?? BeyondCaller(context, laid)) ? null : laid;
            },
            context.Origin(),
            cancellationToken);
        return changed is null ? patch.Refusal ?? ManagementError.NotFound : Shown(changed);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string id, ApiKeyStore keys, CancellationToken cancellationToken)
    {
        if (Id<ApiKey>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        ManagementError? refusal = null;
        ApiKey? deleted = await keys.DeleteAsync(
            context.Caller().Realm,
            known,
            key => (refusal = BeyondCaller(context, key)) is null && deletion.Allows(ApiKeyResource.Of(key), ResourceJson.Default.ApiKeyResource),
            context.Origin(),
            cancellationToken);
        return refusal ?? deletion.Answer(deleted is not null);
    }

    private static async Task<IResult> RotateAsync(HttpContext context, string id, ApiKeyStore keys, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (Id<ApiKey>.Parse(id) is not { } known)
            return ManagementError.NotFound;
        Secret secret = Secret.New(ApiKey.SecretPrefix);
        DateTimeOffset now = clock.GetUtcNow();
        ManagementError? refusal = null;
        ApiKey? rotated = await keys.RotateAsync(
            context.Caller().Realm,
            known,
            key => (refusal = BeyondCaller(context, key)) is null,
            secret.Hash(),
            now,
            now + ApiKey.Overlap,
            context.Origin<ApiKey>(key => Shown(key, secret)),
            cancellationToken);
        return rotated is null ? refusal ?? ManagementError.NotFound : Shown(rotated, secret);
    }

    /// <summary>Whoever could make, seize or take away a key that may do more than their own would have no bounds at all.</summary>
    private static ManagementError? BeyondCaller(HttpContext context, ApiKey key) =>
        key.Scopes.FirstOrDefault(scope => !context.Caller().Key.Allows(scope)) is { } beyond ? ManagementError.MissingScope(beyond) : null;

    private static One<ApiKeyResource> Shown(ApiKey key) => new(ApiKeyResource.Of(key), ResourceJson.Default.ApiKeyResource);

    private static One<ApiKeyWithSecretResource> Shown(ApiKey key, Secret secret, int status = StatusCodes.Status200OK) =>
        new(
            ApiKeyWithSecretResource.Of(key, secret),
            ResourceJson.Default.ApiKeyWithSecretResource,
            status,
            EntityTag.Of(ApiKeyResource.Of(key), ResourceJson.Default.ApiKeyResource));
}
