using System.Net;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.AuthKit.Authenticate;

/// <summary>
/// <c>POST /user_management/authenticate</c>: the phases that every grant passes, in this order. It is called by back ends with an API key
/// and by public clients without one, so it authenticates its caller by itself.
/// </summary>
public sealed class AuthenticateEndpoint(RealmDirectory directory, Idempotency idempotency, IEnumerable<AuthKitGrant> grants)
{
    private readonly Dictionary<string, AuthKitGrant> grantsByType = grants.ToDictionary(static grant => grant.GrantType, StringComparer.Ordinal);

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost(
            "/user_management/authenticate",
            static (HttpContext context, AuthenticateEndpoint endpoint) => endpoint.AnswerAsync(context, context.RequestAborted));

    private async Task<IResult> AnswerAsync(HttpContext context, CancellationToken cancellationToken)
    {
        // RFC 6749 section 5.1: tokens are kept by nobody on the way.
        context.Response.Headers.CacheControl = "no-store";
        if (await RequestBody.BufferAsync(context.Request, cancellationToken) is not { } body)
            return AuthKitError.TooLarge.AsOAuth();
        if ((await Fields.ReadJsonOrFormAsync(context, cancellationToken)).Failed(out AuthKitError? unreadable, out Fields? fields))
            return unreadable;

        string? clientId = fields.Text("client_id");
        string? grantType = fields.Text("grant_type");
        string? secret = fields.Text("client_secret") is { Length: > 0 } given ? given : ApiCaller.BearerOf(context.Request);
        string? ipAddress = fields.Text("ip_address");
        string? userAgent = fields.Text("user_agent");
        if (fields.Error is { } wrongType)
            return wrongType;
        if (string.IsNullOrEmpty(grantType) || !grantsByType.TryGetValue(grantType, out AuthKitGrant? grant))
            return AuthenticateErrors.InvalidRequest(string.IsNullOrEmpty(grantType) ? "grant_type is missing." : "The grant_type is not supported.");
        if (string.IsNullOrEmpty(clientId))
            return AuthenticateErrors.InvalidRequest("client_id is missing.");

        if (await directory.ClientAsync(clientId, cancellationToken) is not { Status: ClientStatus.Active } client)
            return AuthenticateErrors.InvalidClient;
        if (!client.Settings.Authkit.Enabled || !client.IsTrustedAt(Door.AuthKit) || !grant.IsOpenTo(client))
            return AuthenticateErrors.UnauthorizedClient;
        if (await RefuseSecretAsync(context, client, grant, fields, secret, cancellationToken) is { } refused)
            return refused;

        foreach (string key in grant.RequiredKeys)
        {
            if (fields.Text(key) is null or "" && fields.Error is null)
                return AuthenticateErrors.InvalidRequest($"{key} is missing.");
        }

        if (fields.Error is { } wrongTypeOfGrant)
            return wrongTypeOfGrant;

        string? address = AddressOf(context, secret is not null, ipAddress);
        string? agent = userAgent is not null ? RequestFacts.ShortUserAgent(userAgent) : secret is null ? context.Request.UserAgent() : null;
        AuthenticateCall call = new()
        {
            Client = client,
            Fields = fields,
            IpAddress = address,
            UserAgent = agent,
            Origin = context.Origin() with { IpAddress = address, UserAgent = agent },
        };

        // A public client is believed because of what it redeems, so its answer is kept under that.
        string credential = secret ?? string.Join('\n', grant.RequiredKeys.Select(key => fields.Text(key)).Prepend(clientId));
        return await idempotency.RunAsync(
            context, client.RealmId, credential, body, isRepeatable: true, Callers.IdempotencyRefusals, workToken => grant.AnswerAsync(call, workToken), cancellationToken);
    }

    /// <summary>The secret is an API key of the realm that owns the client; whoever presents one must present a right one.</summary>
    private static async Task<AuthKitError?> RefuseSecretAsync(
        HttpContext context, Client client, AuthKitGrant grant, Fields fields, string? secret, CancellationToken cancellationToken)
    {
        if (secret is null)
            return grant.MayOmitSecret(client, fields) ? null : AuthenticateErrors.InvalidClient;
        ApiKey? key = await context.FindApiKeyAsync(secret, cancellationToken);
        if (key is null || key.RealmId != client.RealmId)
            return AuthenticateErrors.InvalidClient;
        return key.Allows(ApiScopes.SignIn) ? null : AuthKitError.MissingScope(ApiScopes.SignIn);
    }

    private static string? AddressOf(HttpContext context, bool byBackEnd, string? claimed) => byBackEnd
        ? IPAddress.TryParse(claimed, out IPAddress? address) ? address.ToString() : null
        : context.RemoteAddress();
}
