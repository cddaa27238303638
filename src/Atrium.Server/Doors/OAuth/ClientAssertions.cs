using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Server.Tokens;
using Atrium.Storage;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// <c>private_key_jwt</c> (RFC 7523 sections 2.2 and 3, OpenID Connect Core section 9): a client proves itself by a JWT signed with its own key. What
/// costs a write, that the assertion is used once, comes last.
/// </summary>
public sealed class ClientAssertions(
    RealmDirectory directory, ClientSignatures signatures, ClientAssertionStore spent, PublicUrl publicUrl, TimeProvider clock)
{
    /// <summary>Enough for a chain of certificates in the header, which nobody reads.</summary>
    private const int MaxLength = 16 * 1024;

    /// <summary>RFC 7523 section 2.2.</summary>
    private const string JwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static readonly OAuthError BadType = Refusal("ATR1120", $"client_assertion and client_assertion_type go together, and the type is {JwtBearer}.");
    private static readonly OAuthError Unreadable = Refusal("ATR1121", "client_assertion must be a signed JWT that names the client, the same one as client_id, in iss and in sub.");
    private static readonly OAuthError NotTheirs = Refusal("ATR1122", "The client is unknown, authenticates otherwise, or did not sign client_assertion with a key of its own.");
    private static readonly OAuthError BadAudience = Refusal("ATR1123", "The aud of client_assertion must be the issuer, and nothing else.");
    private static readonly OAuthError BadTime = Refusal("ATR1124", "client_assertion must have an exp within the next five minutes, and no nbf or iat in the future.");
    private static readonly OAuthError NoTokenId = Refusal("ATR1125", $"client_assertion must have a jti of at most {ClientAssertion.MaxTokenIdLength} characters.");
    private static readonly OAuthError UsedBefore = Refusal("ATR1126", "client_assertion was used before. Sign another one for each request.");

    public static bool AreIn(IReadOnlyDictionary<string, StringValues> parameters) =>
        parameters.ValueOf("client_assertion") is not null || parameters.ValueOf("client_assertion_type") is not null;

    public async Task<AuthenticatedClient> CheckAsync(Realm realm, IReadOnlyDictionary<string, StringValues> parameters, CancellationToken cancellationToken)
    {
        if (parameters.ValueOf("client_assertion_type") != JwtBearer || parameters.ValueOf("client_assertion") is not { } text)
            return Not(BadType);

        // The client is looked for by what the assertion says of it; until the signature is checked, nothing else is done with that.
        if (UnprovedJwt.Parse(text, MaxLength) is not { } jwt
            || jwt.Claims() is not { } claims
            || Jwt.StringOf(claims, "sub") is not { } clientId
            || Jwt.StringOf(claims, "iss") != clientId
            || parameters.ValueOf("client_id") is { } named && named != clientId
            || !TryRead(claims, out ClientAssertion? assertion))
        {
            return Not(Unreadable);
        }

        if (await directory.ClientAsync(realm, clientId, cancellationToken) is not { IsConfidential: true, Settings.ClientAuth: ClientAuth.PrivateKeyJwt } client
            || !IsSignedBy(client, jwt))
        {
            return Not(NotTheirs);
        }

        DateTimeOffset now = clock.GetUtcNow();
        if (assertion.FaultAt(now, IssuersOf(realm)) is { } fault)
            return Not(ErrorOf(fault));
        if (client.Status != ClientStatus.Active)
            return new(null, ClientAuthentication.Failed) { Failure = ClientFailure.Disabled };
        return await spent.SpendAsync(
            realm.Id, client.Id, new Secret(assertion.TokenId!).Hash(), assertion.ExpiresAt!.Value + ClientAssertion.Leeway, now, cancellationToken)
            ? new(client, null)
            : Not(UsedBefore);
    }

    /// <summary>
    /// By the key that the header names, or the only one; the key's algorithm, and no other. A type that says that the JWT is something else, and a
    /// header that must be understood, are refused (RFC 8725 section 3.11, RFC 7515 section 4.1.11); keys in the header are not looked at.
    /// </summary>
    private bool IsSignedBy(Client client, UnprovedJwt jwt)
    {
        if (jwt.HasHeader("crit") || (jwt.HasHeader("typ") && jwt.HeaderOf("typ")?.ToUpperInvariant() is not ("JWT" or "CLIENT-AUTHENTICATION+JWT")))
            return false;
        IReadOnlyList<ClientKey> keys = client.Settings.Jwks?.Keys ?? [];
        string? kid = jwt.HeaderOf("kid");
        ClientKey? key = keys is [{ } only] && (kid is null || only.Kid is null) ? only : keys.FirstOrDefault(key => key.Kid is not null && key.Kid == kid);
        return key is not null && key.SignsAs(jwt.HeaderOf("alg")) && signatures.Verify(key, jwt.SigningInput, jwt.Signature);
    }

    /// <summary>The realm's own issuer, and that of its app-native tokens: each has a discovery document in which a client may have read it.</summary>
    private string[] IssuersOf(Realm realm) => [publicUrl.Realm(realm.Handle), publicUrl.AppNativeIssuer(realm.Handle)];

    /// <summary>Claims of another type than RFC 7519 section 4.1 gives them make it unreadable.</summary>
    private static bool TryRead(JsonElement claims, [NotNullWhen(true)] out ClientAssertion? assertion)
    {
        assertion = null;
        if (!JwtClaims.TryTime(claims, "exp", out DateTimeOffset? expiresAt) || !JwtClaims.TryTime(claims, "nbf", out DateTimeOffset? notBefore)
            || !JwtClaims.TryTime(claims, "iat", out DateTimeOffset? issuedAt))
        {
            return false;
        }

        assertion = new ClientAssertion
        {
            Audience = AudienceOf(claims), ExpiresAt = expiresAt, NotBefore = notBefore, IssuedAt = issuedAt, TokenId = Jwt.StringOf(claims, "jti"),
        };
        return true;
    }

    private static string? AudienceOf(JsonElement claims) =>
        claims.TryGetProperty("aud", out JsonElement audience) && audience.ValueKind == JsonValueKind.Array
            ? audience.GetArrayLength() == 1 && audience[0].ValueKind == JsonValueKind.String ? audience[0].GetString() : null
            : Jwt.StringOf(claims, "aud");

    private static OAuthError ErrorOf(ClientAssertionFault fault) => fault switch
    {
        ClientAssertionFault.Audience => BadAudience,
        ClientAssertionFault.Time => BadTime,
        _ => NoTokenId,
    };

    private static OAuthError Refusal(string id, string sentence) => new(id, "invalid_client", sentence, StatusCodes.Status401Unauthorized);

    private static AuthenticatedClient Not(OAuthError error) => new(null, error) { Failure = ClientFailure.NotProved };
}
