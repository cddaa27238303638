using System.Text;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Server.Http;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth;

/// <summary>The client that a request proves to come from, or why none.</summary>
public readonly record struct AuthenticatedClient(Client? Client, OAuthError? Error)
{
    /// <summary>The reason in full, for a door that may tell more than RFC 6749's one <c>invalid_client</c>.</summary>
    public ClientFailure Failure { get; init; }
}

public enum ClientFailure
{
    None,
    Missing,
    TwoMethods,
    Unknown,

    /// <summary>A confidential client without its secret or with a wrong one, or credentials that cannot be read.</summary>
    NotProved,

    /// <summary>It proved who it is, and is switched off.</summary>
    Disabled,
}

/// <summary>
/// Client authentication (RFC 6749 section 2.3): <c>client_secret_basic</c>, <c>client_secret_post</c> and <c>private_key_jwt</c> for confidential
/// clients, the <c>client_id</c> alone for public ones.
/// </summary>
public sealed class ClientAuthentication(RealmDirectory directory, ClientAssertions assertions, TimeProvider clock)
{
    internal static readonly OAuthError Failed = new("ATR1101", "invalid_client", "The client is unknown, disabled, or did not authenticate as it must.", StatusCodes.Status401Unauthorized);
    private static readonly OAuthError TwoMethods = new("ATR1102", "invalid_request", "The client authenticated in two ways at once; use one.");
    private static readonly OAuthError Missing = new("ATR1103", "invalid_client", "The request names no client: send client_id, or authenticate the client.", StatusCodes.Status401Unauthorized);

    public async Task<AuthenticatedClient> AuthenticateAsync(
        HttpContext context, Realm realm, IReadOnlyDictionary<string, StringValues> parameters, CancellationToken cancellationToken)
    {
        string? basic = context.Request.CredentialsOf("Basic");
        AuthenticatedClient authenticated = await CheckAsync(realm, parameters, basic, cancellationToken);

        // RFC 6749 section 5.2: who used the header and failed is told which scheme it is.
        if (authenticated.Client is null && basic is not null)
            context.Response.Headers.WWWAuthenticate = $"Basic realm=\"{realm.Handle}\"";
        return authenticated;
    }

    private async Task<AuthenticatedClient> CheckAsync(
        Realm realm, IReadOnlyDictionary<string, StringValues> parameters, string? basic, CancellationToken cancellationToken)
    {
        string? clientId = parameters.ValueOf("client_id");
        string? secret = parameters.ValueOf("client_secret");
        if (ClientAssertions.AreIn(parameters))
        {
            // RFC 6749 section 2.3: not more than one method in each request.
            return basic is null && secret is null
                ? await assertions.CheckAsync(realm, parameters, cancellationToken)
                : new(null, TwoMethods) { Failure = ClientFailure.TwoMethods };
        }

        if (basic is not null)
        {
            if (secret is not null)
                return new(null, TwoMethods) { Failure = ClientFailure.TwoMethods };
            if (ParseBasic(basic) is not var (basicId, basicSecret) || (clientId is not null && clientId != basicId))
                return new(null, Failed) { Failure = ClientFailure.NotProved };
            (clientId, secret) = (basicId, basicSecret);
        }

        if (clientId is null)
            return new(null, Missing) { Failure = ClientFailure.Missing };
        if (await directory.ClientAsync(realm, clientId, cancellationToken) is not { } client)
            return new(null, Failed) { Failure = ClientFailure.Unknown };
        ClientAuth way = basic is null ? ClientAuth.Post : ClientAuth.Basic;
        if (!client.IsProvedBy(string.IsNullOrEmpty(secret) ? null : new Secret(secret), way, clock.GetUtcNow()))
            return new(null, Failed) { Failure = ClientFailure.NotProved };
        return client.Status == ClientStatus.Active ? new(client, null) : new(null, Failed) { Failure = ClientFailure.Disabled };
    }

    /// <summary>RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.</summary>
    private static (string Id, string Secret)? ParseBasic(string credentials)
    {
        byte[] bytes = new byte[credentials.Length];
        if (!Convert.TryFromBase64String(credentials, bytes, out int length))
            return null;
        string text = Encoding.UTF8.GetString(bytes, 0, length);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 1 ? null : (Decode(text[..colon]), Decode(text[(colon + 1)..]));

        static string Decode(string part) => Uri.UnescapeDataString(part.Replace('+', ' '));
    }
}
