using Atrium.Core.Clients;
using Atrium.Server.Http;
using Atrium.Server.Keys;

namespace Atrium.Server.Doors.AuthKit;

/// <summary><c>GET /sso/jwks/{client_id}</c>: the keys that the client's tokens are signed with. RS256 only, which is all that the SDKs know.</summary>
public static class JwksEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/sso/jwks/{clientId}", AnswerAsync);

    private static async Task<IResult> AnswerAsync(
        string clientId, HttpContext context, RealmDirectory directory, RealmKeys keys, CancellationToken cancellationToken)
    {
        if (await directory.ClientAsync(clientId, cancellationToken) is not { Status: ClientStatus.Active, Settings.Authkit.Enabled: true } client)
            return AuthKitError.NotFound;
        IReadOnlyList<RealmKey> all = await keys.AllAsync(client.RealmId, cancellationToken);
        context.Response.Headers.CacheControl = "public, max-age=60";
        return new JsonAnswer<JwkSet>(
            new([.. all.Where(static key => key.Algorithm == RealmKeys.RS256).Select(static key => key.PublicJwk)]), JwkJson.Default.JwkSet);
    }
}
