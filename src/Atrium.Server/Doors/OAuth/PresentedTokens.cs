using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Tokens;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Server.Tokens;
using Atrium.Storage;

namespace Atrium.Server.Doors.OAuth;

/// <summary>An access token of this realm that is good now: what it says, and what its grant says by now. A client's own token has no grant.</summary>
public sealed record PresentedAccessToken(JsonElement Claims, GrantFacts? Facts)
{
    public string? ClientId => Jwt.StringOf(Claims, "client_id");

    /// <summary>The key that it is bound to (RFC 9449 section 6.1); null for a bearer token.</summary>
    public string? DpopJkt => Claims.TryGetProperty("cnf", out JsonElement confirmation) ? Jwt.StringOf(confirmation, "jkt") : null;

    /// <summary>Whether it left its organizations out and names userinfo for them.</summary>
    public bool SaysElsewhere => Claims.TryGetProperty(OrganizationProjection.ElsewhereClaim, out _);

    public IReadOnlyList<string> Scopes => Jwt.StringOf(Claims, "scope")?.Split(' ') ?? [];
}

/// <summary>Reads our own tokens when somebody presents them to us. The signature tells that it is ours; the store tells whether it still counts.</summary>
public sealed class PresentedTokens(
    RealmKeys keys, GrantStore grants, RefreshTokenLookup lookup, TokenIssuer issuer, PublicUrl publicUrl, TimeProvider clock)
{
    /// <summary>The access token, if it is in its time and what it stands on still lives; null for everything else.</summary>
    public async Task<PresentedAccessToken?> ReadAccessTokenAsync(Realm realm, string token, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        if (await VerifyAsync(realm, token, Jwt.AccessTokenType, cancellationToken) is not { } claims
            || !claims.TryGetProperty("exp", out JsonElement expiry) || !expiry.TryGetInt64(out long seconds) || now.ToUnixTimeSeconds() >= seconds)
        {
            return null;
        }

        if (TokenId.GrantOf(Jwt.StringOf(claims, "jti")) is not { } grant)
            return Jwt.StringOf(claims, "iss") == publicUrl.Realm(realm.Handle) ? new PresentedAccessToken(claims, null) : null;
        return await grants.LoadAsync(realm.Id, grant, cancellationToken) is { } facts
            && facts.IsLive(now)
            && facts.OrganizationsAt(now) is not OrganizationClaims.Ended
            && IsOfThisRealm(realm, claims, facts)
            ? new PresentedAccessToken(claims, facts)
            : null;
    }

    /// <summary>An unspent refresh token in its time, whose grant lives; null for everything else.</summary>
    public async Task<(RefreshToken Token, GrantFacts Facts)?> ReadRefreshTokenAsync(Realm realm, string token, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        return await FindRefreshTokenAsync(realm, token, cancellationToken) is var (stored, facts)
            && stored.SpentAt is null
            && now < stored.ExpiresAt
            && facts.IsLive(now)
            && facts.OrganizationsAt(now) is not OrganizationClaims.Ended
            ? (stored, facts)
            : null;
    }

    /// <summary>The grant that a token of any kind came from, good or not: to end it, that is enough.</summary>
    public async Task<GrantFacts?> FindGrantAsync(Realm realm, string token, CancellationToken cancellationToken)
    {
        if (await FindRefreshTokenAsync(realm, token, cancellationToken) is var (_, facts))
            return facts;
        return await VerifyAsync(realm, token, Jwt.AccessTokenType, cancellationToken) is { } claims
            && TokenId.GrantOf(Jwt.StringOf(claims, "jti")) is { } grant
            ? await grants.LoadAsync(realm.Id, grant, cancellationToken)
            : null;
    }

    /// <summary>
    /// The claims of an ID token of ours, however old, or null (OpenID Connect RP-Initiated Logout section 2). It names its client as <c>azp</c>; a refresh
    /// token, which has no <c>typ</c> either, does not.
    /// </summary>
    public async Task<JsonElement?> ReadIdTokenAsync(Realm realm, string token, CancellationToken cancellationToken) =>
        await VerifyAsync(realm, token, type: null, cancellationToken) is { } claims
        && Jwt.StringOf(claims, "azp") is { } client
        && client == Jwt.StringOf(claims, "aud")
            ? claims
            : null;

    private async Task<(RefreshToken Token, GrantFacts Facts)?> FindRefreshTokenAsync(Realm realm, string token, CancellationToken cancellationToken) =>
        await lookup.HashOfAsync(realm.Id, new Secret(token), cancellationToken) is { } hash
            ? await grants.FindRefreshTokenAsync(realm.Id, hash, switchTo: null, cancellationToken)
            : null;

    private async Task<JsonElement?> VerifyAsync(Realm realm, string token, string? type, CancellationToken cancellationToken) =>
        Jwt.Read(token, await keys.AllAsync(realm.Id, cancellationToken), type);

    /// <summary>The issuer is the one that the grant's door gives it, and one of those that live below the realm.</summary>
    private bool IsOfThisRealm(Realm realm, JsonElement claims, GrantFacts facts)
    {
        string expected = issuer.IssuerOf(facts);
        return Jwt.StringOf(claims, "iss") == expected
            && Jwt.StringOf(claims, "client_id") == facts.Client.ClientId
            && (expected + "/").StartsWith(publicUrl.Realm(realm.Handle) + "/", StringComparison.Ordinal);
    }
}
