using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;

namespace Atrium.Server.Tokens;

/// <summary>Spells out what was decided: access, ID and refresh tokens of every profile.</summary>
public sealed class TokenIssuer(RealmKeys keys, PublicUrl publicUrl, TimeProvider clock)
{
    /// <summary>The scope that makes a grant an OpenID Connect one (OpenID Connect Core section 3.1.2.1).</summary>
    public const string OpenIdScope = "openid";

    /// <summary>Seconds; it is sent the moment it is made.</summary>
    private const int LogoutTokenAge = 120;

    /// <summary>Seconds an access token of this client lives when it came through this door.</summary>
    public static int AccessTokenAge(Client client, Door door) =>
        client.Settings.Openid.DefaultAccessTokenAge ?? (door == Door.AuthKit ? 300 : 1800);

    public string IssuerOf(GrantFacts facts) =>
        publicUrl.Issuer(facts.Grant.Door, facts.Realm.Handle, facts.Client, facts.Grant.Choice.Selected);

    /// <summary>Whether this node can sign what the client gets through this door.</summary>
    public async ValueTask<bool> CanSignAsync(Client client, Door door, CancellationToken cancellationToken) =>
        (await SignerAsync(client.RealmId, client, door, cancellationToken)).IsUsable;

    /// <summary>For who is about to spend what can't be had back.</summary>
    /// <exception cref="MissingLibraryException">This node can't sign tokens of the grant.</exception>
    public async ValueTask RequireSignerAsync(GrantFacts facts, CancellationToken cancellationToken)
    {
        if (!await CanSignAsync(facts.Client, facts.Grant.Door, cancellationToken))
            throw new MissingLibraryException(Ed25519.Missing);
    }

    /// <summary>
    /// What tokens of this grant carry of the organizations: the array up to the client's budget, else where it is. A door that has no such place
    /// gives it whole.
    /// </summary>
    public OrganizationProjection Project(GrantFacts facts, OrganizationClaims organizations) =>
        publicUrl.UserInfo(facts.Grant.Door, facts.Realm.Handle) is { } endpoint
            ? organizations.WithinBudget(facts.Client.Settings.Tokens.OrganizationBudgetBytes, endpoint)
            : organizations.InFull();

    /// <param name="scopes">The scopes of this token: those of the grant, or fewer.</param>
    /// <param name="dpopJkt">The key that it is bound to, if any.</param>
    public async Task<string> AccessTokenAsync(
        GrantFacts facts, OrganizationProjection organizations, IReadOnlyList<string> scopes, string? dpopJkt, CancellationToken cancellationToken)
    {
        RealmKey key = await SignerAsync(facts.Realm.Id, facts.Client, facts.Grant.Door, cancellationToken);
        return Jwt.Sign(key, Jwt.AccessTokenType, json =>
        {
            WriteAccessClaims(json, facts, organizations, scopes);
            WriteConfirmation(json, dpopJkt);
        });
    }

    /// <summary>What an access token says (RFC 9068 section 2.2), into the JSON object that is being written.</summary>
    public void WriteAccessClaims(Utf8JsonWriter json, GrantFacts facts, OrganizationProjection organizations, IReadOnlyList<string> scopes)
    {
        long now = clock.GetUtcNow().ToUnixTimeSeconds();
        json.WriteString("iss"u8, IssuerOf(facts));
        json.WriteString("sub"u8, facts.User.Id.ToString());
        json.WriteString("aud"u8, TokenAudience.Of(facts.Client, facts.Grant.Resource));
        json.WriteNumber("iat"u8, now);
        json.WriteNumber("exp"u8, now + AccessTokenAge(facts.Client, facts.Grant.Door));
        json.WriteNumber("auth_time"u8, facts.Session.AuthenticatedAt.ToUnixTimeSeconds());
        json.WriteString("acr"u8, AuthenticationLevels.NameOf(AuthenticationLevels.Of(facts.Session.Proofs)));
        json.WriteString("jti"u8, TokenId.New(facts.Grant.Id));
        json.WriteString("sid"u8, facts.Session.Id.ToString());
        json.WriteString("client_id"u8, facts.Client.ClientId);
        if (scopes.Count > 0)
            json.WriteString("scope"u8, string.Join(' ', scopes));
        if (facts.Grant.Profile == TokenProfile.MultiOrg)
        {
            json.WriteStartObject("dat"u8);
            json.WriteString("type"u8, "identity"u8);
            json.WriteEndObject();
        }

        organizations.WriteTo(json);
    }

    /// <summary>OpenID Connect Core section 2.</summary>
    public async Task<string> IdTokenAsync(
        GrantFacts facts, OrganizationProjection organizations, string? nonce, CancellationToken cancellationToken)
    {
        RealmKey key = await SignerAsync(facts.Realm.Id, facts.Client, facts.Grant.Door, cancellationToken);
        long now = clock.GetUtcNow().ToUnixTimeSeconds();
        return Jwt.Sign(key, type: null, json =>
        {
            json.WriteString("iss"u8, IssuerOf(facts));
            json.WriteString("sub"u8, facts.User.Id.ToString());
            json.WriteString("aud"u8, facts.Client.ClientId);
            json.WriteString("azp"u8, facts.Client.ClientId);
            json.WriteNumber("iat"u8, now);
            json.WriteNumber("exp"u8, now + facts.Client.Settings.Openid.DefaultIdTokenAge);
            json.WriteNumber("auth_time"u8, facts.Session.AuthenticatedAt.ToUnixTimeSeconds());
            json.WriteString("acr"u8, AuthenticationLevels.NameOf(AuthenticationLevels.Of(facts.Session.Proofs)));
            json.WriteString("sid"u8, facts.Session.Id.ToString());
            if (facts.Grant.Door == Door.AppNative)
                json.WriteString("isk"u8, facts.Session.Id.ToString());
            if (nonce is not null)
                json.WriteString("nonce"u8, nonce);
            WriteMethods(json, facts.Session.Proofs);
            WriteProfile(json, facts.User, facts.Grant.Scopes);
            organizations.WriteTo(json);
        });
    }

    /// <summary>A refresh token of a multi-org grant is a JWT that others may look into; the stored grant decides, never its text.</summary>
    /// <param name="secret">What the token is stored under the hash of: the JWT names that hash; of every other profile it is the token.</param>
    public async Task<Secret> RefreshTokenAsync(GrantFacts facts, Secret secret, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        if (facts.Grant.Profile != TokenProfile.MultiOrg)
            return secret;

        RealmKey key = await SignerAsync(facts.Realm.Id, facts.Client, facts.Grant.Door, cancellationToken);
        return new Secret(Jwt.Sign(key, type: null, json =>
        {
            json.WriteString("iss"u8, IssuerOf(facts));
            json.WriteString("sub"u8, facts.User.Id.ToString());
            json.WriteString("aud"u8, IssuerOf(facts));
            json.WriteString("sid"u8, facts.Session.Id.ToString());
            json.WriteString("client_id"u8, facts.Client.ClientId);
            if (facts.Grant.Scopes.Count > 0)
                json.WriteString("scope"u8, string.Join(' ', facts.Grant.Scopes));
            if (facts.Grant.Choice.Selected is { } selected)
                json.WriteString("org_id"u8, selected.ToString());
            WriteOneTime(json, RefreshTokenLookup.TokenIdOf(secret.Hash()), expiresAt);
        }));
    }

    /// <summary>
    /// The successor of a refresh token, in its form and saying what it says but for the id and the times. It can be made before the token is
    /// known to be one of ours, and only becomes one of ours if that is.
    /// </summary>
    public async Task<Secret> SuccessorAsync(Id<Realm> realm, Secret token, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        if (Jwt.Peek(token.Reveal()) is not var (algorithm, claims) || await keys.FindSignerAsync(realm, algorithm, cancellationToken) is not { } key)
            return Secret.New();

        return new Secret(Jwt.Sign(key, type: null, json =>
        {
            foreach (JsonProperty claim in claims.EnumerateObject().Where(static claim => claim.Name is not ("iat" or "exp" or "jti")))
                claim.WriteTo(json);
            WriteOneTime(json, TokenId.New(), expiresAt);
        }));
    }

    /// <summary>A client that speaks for itself (RFC 6749 section 4.4): no person, no session, no organizations.</summary>
    public async Task<string> ClientTokenAsync(
        Realm realm, Presenter presenter, string? resource, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        Client client = presenter.Client;
        RealmKey key = await SignerAsync(realm.Id, client, Door.OAuth, cancellationToken);
        long now = clock.GetUtcNow().ToUnixTimeSeconds();
        return Jwt.Sign(key, Jwt.AccessTokenType, json =>
        {
            json.WriteString("iss"u8, publicUrl.Issuer(Door.OAuth, realm.Handle, client, organization: null));
            json.WriteString("sub"u8, client.ClientId);
            json.WriteString("aud"u8, TokenAudience.Of(client, resource));
            json.WriteNumber("iat"u8, now);
            json.WriteNumber("exp"u8, now + AccessTokenAge(client, Door.OAuth));
            json.WriteString("jti"u8, TokenId.New());
            json.WriteString("client_id"u8, client.ClientId);
            if (scopes.Count > 0)
                json.WriteString("scope"u8, string.Join(' ', scopes));
            WriteConfirmation(json, presenter.DpopJkt);
        });
    }

    /// <summary>
    /// What tells a client that a session has ended (OpenID Connect Back-Channel Logout 1.0 section 2.4), from the issuer of the ID token that it has. A
    /// nonce is forbidden: nothing that looks for one takes it for an ID token.
    /// </summary>
    public async Task<string> LogoutTokenAsync(Realm realm, Client client, LogoutNotice notice, CancellationToken cancellationToken)
    {
        RealmKey key = await SignerAsync(realm.Id, client, notice.Door, cancellationToken);
        long now = clock.GetUtcNow().ToUnixTimeSeconds();
        return Jwt.Sign(key, Jwt.LogoutTokenType, json =>
        {
            json.WriteString("iss"u8, publicUrl.Issuer(notice.Door, realm.Handle, client, notice.OrganizationId));
            json.WriteString("aud"u8, client.ClientId);
            json.WriteNumber("iat"u8, now);
            json.WriteNumber("exp"u8, now + LogoutTokenAge);
            json.WriteString("jti"u8, TokenId.New());
            json.WriteString("sub"u8, notice.UserId.ToString());
            json.WriteString("sid"u8, notice.SessionId.ToString());
            json.WriteStartObject("events"u8);
            json.WriteStartObject("http://schemas.openid.net/event/backchannel-logout"u8);
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    /// <summary>The standard claims that the scopes ask for (OpenID Connect Core section 5.4); a value that is not known is left out.</summary>
    public static void WriteProfile(Utf8JsonWriter json, User user, IReadOnlyList<string> scopes)
    {
        if (scopes.Contains("profile"))
        {
            WriteKnown("name", user.DisplayName);
            WriteKnown("given_name", user.GivenName);
            WriteKnown("family_name", user.FamilyName);
            WriteKnown("preferred_username", user.Username);
            WriteKnown("picture", user.Picture);
            WriteKnown("locale", user.Locale);
            json.WriteNumber("updated_at"u8, user.UpdatedAt.ToUnixTimeSeconds());
        }

        if (scopes.Contains("email"))
        {
            json.WriteString("email"u8, user.Email);
            json.WriteBoolean("email_verified"u8, user.EmailVerified);
        }

        if (scopes.Contains("phone") && user.PhoneNumber is { } phoneNumber)
        {
            json.WriteString("phone_number"u8, phoneNumber);
            json.WriteBoolean("phone_number_verified"u8, user.PhoneNumberVerified);
        }

        if (scopes.Contains("address") && user.Address is { } address)
        {
            json.WriteStartObject("address"u8);
            WriteKnown("formatted", address.Formatted);
            WriteKnown("street_address", address.StreetAddress);
            WriteKnown("locality", address.Locality);
            WriteKnown("region", address.Region);
            WriteKnown("postal_code", address.PostalCode);
            WriteKnown("country", address.Country);
            json.WriteEndObject();
        }

        void WriteKnown(string name, string? value)
        {
            if (value is not null)
                json.WriteString(name, value);
        }
    }

    /// <summary>RFC 9449 section 6.1: whoever uses the token must hold this key.</summary>
    private static void WriteConfirmation(Utf8JsonWriter json, string? dpopJkt)
    {
        if (dpopJkt is null)
            return;
        json.WriteStartObject("cnf"u8);
        json.WriteString("jkt"u8, dpopJkt);
        json.WriteEndObject();
    }

    private void WriteOneTime(Utf8JsonWriter json, string tokenId, DateTimeOffset expiresAt)
    {
        json.WriteNumber("iat"u8, clock.GetUtcNow().ToUnixTimeSeconds());
        json.WriteNumber("exp"u8, expiresAt.ToUnixTimeSeconds());
        json.WriteString("jti"u8, tokenId);
    }

    /// <summary>
    /// RFC 8176: how the person authenticated. Every code that works once is an <c>otp</c>, a recovery code too; <c>mfa</c> goes with the level.
    /// </summary>
    private static void WriteMethods(Utf8JsonWriter json, IReadOnlyList<Proof> proofs)
    {
        json.WriteStartArray("amr"u8);
        foreach (string method in proofs.Select(static proof => proof.Method == AuthenticationMethod.Password ? "pwd" : "otp").Distinct())
            json.WriteStringValue(method);

        // A mailed code beside a password is no second factor: whoever has the mailbox can have the password changed.
        if (AuthenticationLevels.Of(proofs) == AuthenticationLevel.MultiFactor)
            json.WriteStringValue("mfa"u8);
        json.WriteEndArray();
    }

    /// <summary>A client chooses for the OAuth door. The SDKs of the other two know RS256, which is all that their metadata names.</summary>
    private ValueTask<RealmKey> SignerAsync(Id<Realm> realm, Client client, Door door, CancellationToken cancellationToken) =>
        keys.SignerAsync(realm, door == Door.OAuth ? client.SignatureAlgorithm ?? RealmKeys.ES256 : RealmKeys.RS256, cancellationToken);
}
