using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.SigningKeys;

/// <summary><c>/signing-keys</c>: what the realm signs with, without its private parts.</summary>
public static class SigningKeysEndpoints
{
    private static readonly Parameter<string> Cursor = Parameter.Text(Field.Text("cursor", 36)
        .Check(static kid => Guid.TryParseExact(kid, "D", out _) ? null : "cursor is none of this list: send next_cursor of the page before as it is.")
        .Describe(QueryReading.CursorDescription));

    public static void MapSigningKeys(this RouteGroupBuilder realm)
    {
        RouteGroupBuilder keys = realm.MapGroup("/signing-keys").WithTags("Signing keys");
        keys.MapGet("", ListAsync).Needs(ApiScopes.SigningKeysRead).Takes(QueryReading.Limit, Cursor)
            .WithSummary("Lists the keys that the realm signs with.").AnswersMany<SigningKeyResource>();
        keys.MapPost("/rotate", RotateAsync).Needs(ApiScopes.SigningKeysWrite).Reads(Shape.Empty)
            .WithSummary("Lets the next keys sign from now on, and publishes new next ones. Tokens that the old ones signed stay good.")
            .AnswersMany<SigningKeyResource>();
    }

    private static async Task<IResult> ListAsync(HttpContext context, SigningKeyStore keys, TimeProvider clock, CancellationToken cancellationToken)
    {
        (IReadOnlyList<SigningKey> found, bool hasMore) =
            await keys.ListAsync(context.Caller().Realm, context.Query(Cursor), context.PageLimit(), cancellationToken);
        return Shown(found, hasMore, clock.GetUtcNow());
    }

    private static async Task<IResult> RotateAsync(HttpContext context, RealmKeys keys, TimeProvider clock, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        return Answer(await keys.RotateAsync(context.Caller().Realm, context.Origin<IReadOnlyList<SigningKey>>(Answer), cancellationToken));

        IResult Answer(IReadOnlyList<SigningKey> rotated) => Shown(rotated, hasMore: false, now);
    }

    private static Many<SigningKeyResource> Shown(IReadOnlyList<SigningKey> keys, bool hasMore, DateTimeOffset now) => new(
        keys.Select(key => SigningKeyResource.Of(key, now)), ResourceJson.Default.SigningKeyResource, hasMore, hasMore ? keys[^1].Kid : null);
}
