using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>
/// CVE-2026-11800 and its kind: a verifier that lets the token say how it is to be verified. Every kind of token of ours is forged in every way and
/// put into every place where a token goes in; then every true one is put where another belongs.
/// </summary>
public sealed class AlgorithmConfusionTests(DemoServer server) : IClassFixture<DemoServer>
{
    private static readonly string[] Algorithms = ["none", "HS256", "RS256", "PS256", "ES256", "EdDSA"];

    private readonly OAuthBrowser browser = new(server);

    [Theory]
    [InlineData("ES256")]
    [InlineData("RS256")]
    [InlineData("EdDSA")]
    public async Task No_verifier_lets_the_token_say_how_it_is_verified(string algorithm)
    {
        Tokens theirs = await TokensAsync(algorithm);
        JsonElement[] keys = await KeysAsync("acme"), neighbours = await KeysAsync("globex");
        foreach (string kind in new[] { theirs.Access, theirs.Id, theirs.Refresh })
        {
            JsonObject header = JsonNode.Parse(Jwts.HeaderOf(kind).GetRawText())!.AsObject(), claims = JsonNode.Parse(Jwts.ClaimsOf(kind).GetRawText())!.AsObject();
            foreach (string forged in Forgeries(kind, header, claims, keys, neighbours).Distinct())
                await OpensNothingAsync(forged, theirs);
        }

        await theirs.AreStillGoodAsync();
    }

    /// <summary>The right key, the wrong thing: each kind where another belongs.</summary>
    [Fact]
    public async Task A_token_of_one_kind_is_none_of_another()
    {
        Tokens theirs = await TokensAsync("ES256");
        foreach (string wrong in new[] { theirs.Id, theirs.Refresh })
            (await browser.UserInfoAsync(wrong)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        foreach (string wrong in new[] { theirs.Access, theirs.Id })
            (await RefreshAsync(wrong)).ShouldBeRefused("invalid_grant", "ATR1421");
        (await IntrospectAsync(theirs.Id)).ToString().ShouldBe("""{"active":false}""");
        (await LogoutAsync(theirs.Access)).ShouldBe(HttpStatusCode.BadRequest, "an access token is no hint");
        (await AuthorizeAsync(theirs.Access)).ShouldContain("ATR1233");
        foreach (string wrong in new[] { theirs.Access, theirs.Id, theirs.Refresh })
            (await AssertAsync(wrong)).ShouldBeRefused("invalid_client", "ATR1121");
        await theirs.AreStillGoodAsync();
    }

    /// <summary>The right thing of the wrong realm, at every endpoint.</summary>
    [Fact]
    public async Task A_token_of_another_realm_is_nothing_here()
    {
        Tokens theirs = await TokensAsync("ES256");
        (string, string)[] neighbour = await NeighbourAsync();
        using HttpResponseMessage userInfo = await browser.PostAsync("/t/globex/userinfo", ("access_token", theirs.Access));
        userInfo.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        foreach (string token in new[] { theirs.Access, theirs.Refresh, theirs.Id })
        {
            (await browser.TokenAtAsync("/t/globex/introspect", [.. neighbour, ("token", token)])).Json.ToString().ShouldBe("""{"active":false}""");
            using HttpResponseMessage revoked = await browser.PostAsync("/t/globex/revoke", [.. neighbour, ("token", token)]);
            revoked.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await browser.TokenAtAsync("/t/globex/token", [.. neighbour, ("grant_type", "refresh_token"), ("refresh_token", token)])).Error.ShouldBe("invalid_grant");
            using HttpResponseMessage signedOut = await browser.GetAsync($"/t/globex/logout?id_token_hint={token}");
            signedOut.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        }

        await theirs.AreStillGoodAsync();
    }

    private static IEnumerable<string> Forgeries(string genuine, JsonObject header, JsonObject claims, JsonElement[] keys, JsonElement[] neighbours)
    {
        string[] parts = genuine.Split('.');
        string? type = header["typ"]?.GetValue<string>();

        // Without a signature, with an empty one, and with those of other tokens' length.
        foreach (string algorithm in (string[])[.. Algorithms, "None", "NONE", ""])
        {
            foreach (byte[] signature in new byte[][] { [], [0], new byte[64], new byte[256] })
                yield return SigningParty.Constant(signature).Sign(HeaderOf(algorithm, header["kid"]), claims);
        }

        yield return $"{parts[0]}.{parts[1]}.";
        yield return $"{parts[0]}.{parts[1]}";

        // By HMAC under each published key, in each spelling that libraries have taken for a secret.
        foreach (JsonElement key in keys)
        {
            byte[] number = ClientKey.Number((key.TryGetProperty("n", out JsonElement n) ? n : key.GetProperty("x")).GetString());
            foreach (byte[] secret in new[] { number, Encoding.UTF8.GetBytes(key.GetRawText()), Pem(key), Encoding.ASCII.GetBytes(Convert.ToBase64String(number)) })
                yield return SigningParty.Symmetric(secret).Sign(HeaderOf("HS256", key.GetProperty("kid").GetString()), claims);
        }

        // By a forger's key of each kind, under the name of each key of ours and of the neighbour, with the forger's key in the header.
        foreach (string own in new[] { "ES256", "RS256", "PS256", "EdDSA" })
        {
            SigningParty forger = SigningParty.Of(own);
            foreach (JsonElement key in keys.Concat(neighbours))
                yield return forger.Sign(HeaderOf(own, key.GetProperty("kid").GetString()), claims);
            foreach (string algorithm in Algorithms)
                yield return forger.Sign(HeaderOf(algorithm, header["kid"]), claims);
            yield return forger.Sign(With("jwk", forger.Jwk()), claims);
            yield return forger.Sign(With("jku", "https://forger.example/jwks.json"), claims);
            yield return forger.Sign(With("x5u", "https://forger.example/chain.pem"), claims);
            yield return forger.Sign(With("x5c", new JsonArray("MIIB")), claims);
            yield return forger.Sign(HeaderOf(own, null), claims);
            yield return forger.Sign(HeaderOf(own, "k1"), claims);

            JsonObject With(string name, JsonNode value)
            {
                JsonObject made = HeaderOf(own, header["kid"]);
                made[name] = value;
                return made;
            }
        }

        // The true signature under another header, and under other claims.
        foreach (string algorithm in Algorithms.Where(algorithm => algorithm != header["alg"]!.GetValue<string>()))
            yield return $"{Part(HeaderOf(algorithm, header["kid"]))}.{parts[1]}.{parts[2]}";
        foreach (JsonElement key in keys.Concat(neighbours).Where(key => key.GetProperty("kid").GetString() != header["kid"]!.GetValue<string>()))
            yield return $"{Part(HeaderOf(key.GetProperty("alg").GetString()!, key.GetProperty("kid").GetString()))}.{parts[1]}.{parts[2]}";
        JsonObject more = claims.DeepClone().AsObject();
        more["scope"] = "openid everything";
        yield return $"{parts[0]}.{Part(more)}.{parts[2]}";

        JsonObject HeaderOf(string algorithm, JsonNode? kid)
        {
            JsonObject made = new() { ["alg"] = algorithm };
            if (kid is not null)
                made["kid"] = kid.DeepClone();
            if (type is not null)
                made["typ"] = type;
            return made;
        }
    }

    private static string Part(JsonObject json) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));

    /// <summary>The key as it stands in a file.</summary>
    private static byte[] Pem(JsonElement key)
    {
        if (key.GetProperty("kty").GetString() == "RSA")
        {
            using RSA rsa = RSA.Create(new RSAParameters { Modulus = Number("n"), Exponent = Number("e") });
            return Encoding.ASCII.GetBytes(rsa.ExportSubjectPublicKeyInfoPem());
        }

        if (key.GetProperty("kty").GetString() != "EC")
            return Number("x");
        using ECDsa ec = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Number("x"), Y = Number("y") } });
        return Encoding.ASCII.GetBytes(ec.ExportSubjectPublicKeyInfoPem());

        byte[] Number(string name) => ClientKey.Number(key.GetProperty(name).GetString());
    }

    /// <summary>Every place where a token of ours goes in.</summary>
    private async Task OpensNothingAsync(string forged, Tokens theirs)
    {
        (await browser.UserInfoAsync(forged)).Status.ShouldBe(HttpStatusCode.Unauthorized, forged);
        (await IntrospectAsync(forged)).ToString().ShouldBe("""{"active":false}""", forged);
        (await RefreshAsync(forged)).ShouldBeRefused("invalid_grant", "ATR1421");
        (await AssertAsync(forged)).Status.ShouldBe(HttpStatusCode.Unauthorized, forged);
        (await LogoutAsync(forged)).ShouldBe(HttpStatusCode.BadRequest, forged);
        (await AuthorizeAsync(forged)).ShouldContain("ATR1233", Case.Sensitive, forged);
        using HttpResponseMessage revoked = await browser.PostAsync($"{OAuthBrowser.Root}/revoke", [.. theirs.Client, ("token", forged)]);
        revoked.StatusCode.ShouldBe(HttpStatusCode.OK, "nobody learns what is a token; that it ended nothing is seen at the end");
    }

    private async Task<JsonElement> IntrospectAsync(string token) => (await browser.TokenAtAsync(
        $"{OAuthBrowser.Root}/introspect", ("client_id", "confused"), ("client_secret", "confused-secret"), ("token", token))).Json;

    private Task<TokenReply> RefreshAsync(string token) =>
        browser.TokenAsync(("grant_type", "refresh_token"), ("client_id", "confused"), ("client_secret", "confused-secret"), ("refresh_token", token));

    private Task<TokenReply> AssertAsync(string token) => browser.TokenAsync(
        ("grant_type", "client_credentials"), ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), ("client_assertion", token));

    private async Task<HttpStatusCode> LogoutAsync(string token)
    {
        using HttpResponseMessage answer = await new OAuthBrowser(server).PostAsync($"{OAuthBrowser.Root}/logout", ("id_token_hint", token));
        return answer.StatusCode;
    }

    private async Task<string> AuthorizeAsync(string token) =>
        (await new OAuthBrowser(server).SilentlyAsync(("client_id", "confused"), ("prompt", "none"), ("id_token_hint", token)))["error_description"];

    private async Task<JsonElement[]> KeysAsync(string realm) =>
        [.. JsonElement.Parse(await server.Http.GetStringAsync($"/t/{realm}/jwks.json")).GetProperty("keys").EnumerateArray()];

    private async Task<Tokens> TokensAsync(string algorithm)
    {
        ManagementCalls api = new(server);
        World world = new(server);
        foreach (JsonElement old in (await api.GetAsync("/clients?client_id=confused")).Items)
            (await api.DeleteAsync($"/clients/{old.GetProperty("id").GetString()}")).Expect(204);
        await world.ClientAsync(
            "confused",
            new ClientSettings(),
            client => client with { Type = ClientType.Web, SecretHash = new Core.Secret("confused-secret").Hash(), SignatureAlgorithm = algorithm });
        (string, string)[] client = [("client_id", "confused"), ("client_secret", "confused-secret")];
        OAuthBrowser theirs = new(server);
        Arrival arrival = await theirs.SignInAsync("sam@example.test", ("client_id", "confused"));
        TokenReply reply = await theirs.TokenAsync(
            [.. client, ("grant_type", "authorization_code"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier)]);
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        Jwts.HeaderOf(reply.AccessToken).GetProperty("alg").GetString().ShouldBe(algorithm);
        return new Tokens(theirs, client, reply.AccessToken, reply.Json.GetProperty("id_token").GetString()!, reply.RefreshToken);
    }

    private async Task<(string Name, string Value)[]> NeighbourAsync()
    {
        JsonElement made = (await new ManagementCalls(server).Globex.PostAsync(
            "/clients", new { name = "Neighbour", type = "web", redirect_uris = new[] { DemoRealm.Callback } })).Expect(201).Data;
        return [("client_id", made.GetProperty("client_id").GetString()!), ("client_secret", made.GetProperty("client_secret").GetString()!)];
    }

    /// <summary>What one person's sign-in gave one client.</summary>
    private sealed record Tokens(OAuthBrowser Browser, (string Name, string Value)[] Client, string Access, string Id, string Refresh)
    {
        /// <summary>Nothing of what was tried has ended any of it, and the true ones still do what they are for.</summary>
        public async Task AreStillGoodAsync()
        {
            (await Browser.UserInfoAsync(Access)).Status.ShouldBe(HttpStatusCode.OK);
            (await Browser.SilentlyAsync(("client_id", "confused"), ("prompt", "none"), ("id_token_hint", Id))).Code.ShouldNotBeEmpty();
            (await Browser.TokenAsync([.. Client, ("grant_type", "refresh_token"), ("refresh_token", Refresh)])).Status.ShouldBe(HttpStatusCode.OK);
        }
    }
}
