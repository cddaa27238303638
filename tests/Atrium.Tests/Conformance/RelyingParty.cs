using System.Buffers.Text;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;

namespace Atrium.Tests.Conformance;

/// <summary>
/// The relying party of the OpenID Foundation's suite: a confidential client without PKCE, which discovers the provider and believes nothing that
/// is not signed by a key that it found there.
/// </summary>
internal sealed class RelyingParty(DemoServer server)
{
    public const string Secret = "the-secret-of-the-relying-party";

    private readonly string clientId = $"relying-party-{Guid.NewGuid():n}";

    public OAuthBrowser Browser { get; } = new(server);

    public string ClientId => clientId;

    public async Task RegisterAsync() => await new World(server).ClientAsync(
        clientId,
        new ClientSettings { PkceRequired = false, FirstParty = true },
        static client => client with { Type = ClientType.Web, SecretHash = new Secret(Secret).Hash() });

    /// <summary>The suite's authorization request, with these parameters changed; null takes one away.</summary>
    public (string Name, string? Value)[] Request(params (string Name, string? Value)[] changes) =>
        [("client_id", clientId), ("code_challenge", null), ("code_challenge_method", null), .. changes];

    public string Address(params (string Name, string? Value)[] changes) => OAuthBrowser.Authorize(Request(changes));

    /// <summary>Over the sign-in page to the client's callback.</summary>
    public async Task<Arrival> SignInAsync(string email, params (string Name, string? Value)[] changes)
    {
        Arrival arrival = await Browser.SignInAsync(email, Request(changes));
        Accept(arrival);
        return arrival;
    }

    /// <summary>To the callback at once: the suite sees no page.</summary>
    public async Task<Arrival> WithoutPageAsync(params (string Name, string? Value)[] changes)
    {
        Arrival arrival = await Browser.SilentlyAsync(Request(changes));
        Accept(arrival);
        return arrival;
    }

    public Task<TokenReply> RedeemAsync(Arrival arrival) => RedeemAsync(arrival.Code, ClientAuth.Basic);

    /// <summary>The token request, the client authenticated in one of the two ways (OpenID Connect Core section 9).</summary>
    public async Task<TokenReply> RedeemAsync(string code, ClientAuth by, params (string Name, string Value)[] more)
    {
        (string, string)[] own = by == ClientAuth.Post ? [("client_id", clientId), ("client_secret", Secret)] : [];
        using HttpRequestMessage request = OAuthBrowser.FormOf(
            $"{OAuthBrowser.Root}/token", [.. own, ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", DemoRealm.Callback), .. more]);
        if (by == ClientAuth.Basic)
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{clientId}:{Secret}")));
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        return new TokenReply(response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync()), response.Headers.CacheControl?.NoStore == true);
    }

    public Task<TokenReply> RefreshAsync(TokenReply tokens) => Browser.TokenAsync(
        ("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken), ("client_id", clientId), ("client_secret", Secret));

    /// <summary>Redeems and looks at what comes as the suite does: type, cache, ID token (OpenID Connect Core section 3.1.3.7).</summary>
    public async Task<TokenReply> TokensAsync(Arrival arrival, string? nonce = "the-nonce")
    {
        TokenReply tokens = await RedeemAsync(arrival);
        await CheckAsync(tokens, nonce);
        return tokens;
    }

    public async Task CheckAsync(TokenReply tokens, string? nonce)
    {
        tokens.Status.ShouldBe(HttpStatusCode.OK, tokens.Json.ToString());
        tokens.IsNeverStored.ShouldBeTrue();
        tokens.Json.GetProperty("token_type").GetString()!.ShouldBe("Bearer", StringCompareShould.IgnoreCase);
        tokens.Json.GetProperty("expires_in").GetInt32().ShouldBeGreaterThan(0);
        JsonElement claims = await VerifiedAsync(tokens.Json.GetProperty("id_token").GetString()!);
        long now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        claims.GetProperty("iss").GetString().ShouldBe(Browser.Issuer);
        claims.GetProperty("aud").GetString().ShouldBe(clientId);
        if (claims.TryGetProperty("azp", out JsonElement party))
            party.GetString().ShouldBe(clientId);
        claims.GetProperty("sub").GetString()!.Length.ShouldBeInRange(1, 255);
        claims.GetProperty("exp").GetInt64().ShouldBeGreaterThan(now);
        claims.GetProperty("iat").GetInt64().ShouldBeInRange(now - 5, now);
        claims.GetProperty("auth_time").GetInt64().ShouldBeLessThanOrEqualTo(now);
        (claims.TryGetProperty("nonce", out JsonElement echoed) ? echoed.GetString() : null).ShouldBe(nonce);
    }

    /// <summary>The claims of a token, once its signature is verified with the key of the JWKS that its <c>kid</c> names.</summary>
    public async Task<JsonElement> VerifiedAsync(string token)
    {
        JsonElement header = Jwts.HeaderOf(token);
        using HttpResponseMessage response = await Browser.GetAsync($"{OAuthBrowser.Root}/jwks.json");
        JsonElement key = JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetProperty("keys").EnumerateArray()
            .Single(key => key.GetProperty("kid").GetString() == header.GetProperty("kid").GetString());
        key.GetProperty("alg").GetString().ShouldBe(header.GetProperty("alg").GetString());
        header.GetProperty("alg").GetString().ShouldBe("ES256");
        using ECDsa curve = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Bytes("x"), Y = Bytes("y") } });
        string[] parts = token.Split('.');
        curve.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256).ShouldBeTrue();
        return Jwts.ClaimsOf(token);

        byte[] Bytes(string name) => Base64Url.DecodeFromChars(key.GetProperty(name).GetString()!);
    }

    public async Task<JsonElement> UserInfoAsync(TokenReply tokens)
    {
        (HttpStatusCode status, JsonElement info, _) = await Browser.UserInfoAsync(tokens.AccessToken);
        status.ShouldBe(HttpStatusCode.OK);
        info.GetProperty("sub").GetString().ShouldBe(tokens.Identity.GetProperty("sub").GetString(), "OpenID Connect Core section 5.3.2");
        return info;
    }

    /// <summary>Whether it is a page to sign in on that the request leads to.</summary>
    public async Task<HostedForm> SeesThePageAsync(params (string Name, string? Value)[] changes)
    {
        HostedForm form = await Browser.OpenAsync(Address(changes));
        form.Asks("password").ShouldBeTrue();
        return form;
    }

    public async Task<Arrival> SubmitAsync(HostedForm form, string email)
    {
        using HttpResponseMessage done = await Browser.SubmitPasswordAsync(form, email);
        Arrival arrival = Arrival.At(done);
        Accept(arrival);
        return arrival;
    }

    /// <summary>The answer is this request's, of this provider (RFC 9207), and in no fragment.</summary>
    private void Accept(Arrival arrival)
    {
        (arrival["state"], arrival["iss"], arrival.Url.Fragment).ShouldBe((OAuthBrowser.State, Browser.Issuer, ""));
    }
}
