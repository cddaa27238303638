using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.AppNative;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>Clients that prove themselves by a JWT signed with a key of their own (RFC 7523, OpenID Connect Core section 9).</summary>
public abstract class ClientAssertionTests(DemoServer server)
{
    private const string JwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private readonly ManagementCalls api = new(server);
    private readonly OAuthBrowser browser = new(server);

    private string Issuer => browser.Issuer;

    [Theory]
    [InlineData("ES256", "ES256")]
    [InlineData("RS256", "RS256")]
    [InlineData("PS256", "PS256")]
    [InlineData("EdDSA", "EdDSA")]
    [InlineData("EdDSA", "Ed25519")]
    public async Task A_client_proves_itself_by_its_key_at_every_endpoint(string algorithm, string header)
    {
        SigningParty key = SigningParty.Of(algorithm);
        string client = await NewClientAsync(key);
        TokenReply own = await TokenAsync(key.Sign(header, Claims(client)));
        own.Status.ShouldBe(HttpStatusCode.OK, own.Json.ToString());
        own.Access.GetProperty("sub").GetString().ShouldBe(client);

        TokenReply told = await browser.TokenAtAsync("/t/acme/introspect", [.. Assertion(key.Sign(header, Claims(client))), ("token", own.AccessToken)]);
        told.Json.GetProperty("active").GetBoolean().ShouldBeTrue(told.Json.ToString());
        using HttpResponseMessage revoked = await browser.PostAsync("/t/acme/revoke", [.. Assertion(key.Sign(header, Claims(client))), ("token", own.AccessToken)]);
        revoked.StatusCode.ShouldBe(HttpStatusCode.OK);

        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", client));
        TokenReply tokens = await TokenAsync(
            key.Sign(header, Claims(client)),
            ("grant_type", "authorization_code"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier), ("client_id", client));
        tokens.Status.ShouldBe(HttpStatusCode.OK, tokens.Json.ToString());
        (await TokenAsync(key.Sign(header, Claims(client)), ("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_issuer_is_the_only_audience()
    {
        SigningParty key = SigningParty.Of("ES256");
        string client = await NewClientAsync(key);
        foreach (JsonNode good in new JsonNode[] { Issuer, $"{Issuer}/oauth2/token", new JsonArray(Issuer) })
            (await TokenAsync(key.Sign("ES256", Claims(client, ("aud", good))))).Status.ShouldBe(HttpStatusCode.OK, good.ToJsonString());
        foreach (JsonNode? bad in new JsonNode?[]
        {
            $"{Issuer}/token", $"{Issuer}/introspect", $"{Issuer}/", Issuer.Replace("acme", "globex", StringComparison.Ordinal), server.Url, client, "", null, 7, new JsonArray(),
            new JsonArray(Issuer, "https://other.example"), new JsonArray(Issuer, Issuer), new JsonArray(new JsonArray(Issuer)), new JsonObject(),
        })
        {
            (await TokenAsync(key.Sign("ES256", Claims(client, ("aud", bad))))).ShouldBeRefused("invalid_client", "ATR1123");
        }

        JsonObject without = Claims(client);
        without.Remove("aud");
        (await TokenAsync(key.Sign("ES256", without))).ShouldBeRefused("invalid_client", "ATR1123");
    }

    /// <summary>FAPI 2.0 Security Profile section 5.3.2.1: a few seconds are taken, a minute is refused.</summary>
    [Theory]
    [InlineData("exp", 60, true)]
    [InlineData("exp", 308, true)]
    [InlineData("exp", 360, false)]
    [InlineData("exp", 86400, false)]
    [InlineData("exp", -8, true)]
    [InlineData("exp", -10, false)]
    [InlineData("exp", -60, false)]
    [InlineData("nbf", 8, true)]
    [InlineData("nbf", 60, false)]
    [InlineData("nbf", -3600, true)]
    [InlineData("iat", 8, true)]
    [InlineData("iat", 60, false)]
    [InlineData("iat", -3600, true)]
    public async Task Times_are_taken_with_a_leeway_of_seconds(string claim, int seconds, bool isGood)
    {
        SigningParty key = SigningParty.Of("ES256");
        string client = await NewClientAsync(key);
        TokenReply reply = await TokenAsync(key.Sign("ES256", Claims(client, (claim, server.Clock.GetUtcNow().ToUnixTimeSeconds() + seconds))));
        if (isGood)
            reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        else
            reply.ShouldBeRefused("invalid_client", "ATR1124");
    }

    [Fact]
    public async Task What_an_assertion_must_say_is_said_and_of_the_right_type()
    {
        SigningParty key = SigningParty.Of("ES256");
        string client = await NewClientAsync(key);
        (await RefusedWithoutAsync("exp")).ShouldBe("ATR1124");
        (await RefusedWithoutAsync("jti")).ShouldBe("ATR1125");
        (await RefusedWithoutAsync("iss")).ShouldBe("ATR1121");
        (await RefusedWithoutAsync("sub")).ShouldBe("ATR1121");
        foreach ((string claim, JsonNode? value, string id) in new (string, JsonNode?, string)[]
        {
            ("exp", "1790000000", "ATR1121"), ("exp", 1e300, "ATR1121"), ("exp", -1, "ATR1121"), ("exp", null, "ATR1121"), ("nbf", true, "ATR1121"), ("iat", new JsonArray(), "ATR1121"),
            ("jti", "", "ATR1125"), ("jti", 7, "ATR1125"), ("jti", new string('x', 257), "ATR1125"),
            ("iss", "demo-server", "ATR1121"), ("sub", "demo-server", "ATR1121"), ("iss", Issuer, "ATR1121"), ("sub", new JsonArray(client), "ATR1121"),
        })
        {
            (await TokenAsync(key.Sign("ES256", Claims(client, (claim, value))))).ShouldBeRefused("invalid_client", id);
        }

        (await TokenAsync(key.Sign("ES256", Claims(client, ("jti", new string('x', 256)))))).Status.ShouldBe(HttpStatusCode.OK);
        (await TokenAsync(key.Sign("ES256", Claims(client)), ("grant_type", "client_credentials"), ("client_id", client))).Status.ShouldBe(HttpStatusCode.OK);
        (await TokenAsync(key.Sign("ES256", Claims(client)), ("grant_type", "client_credentials"), ("client_id", "demo-m2m"))).ShouldBeRefused("invalid_client", "ATR1121");

        async Task<string> RefusedWithoutAsync(string claim)
        {
            JsonObject claims = Claims(client);
            claims.Remove(claim);
            return (await TokenAsync(key.Sign("ES256", claims))).Description![^8..^1];
        }
    }

    [Fact]
    public async Task An_assertion_is_good_once_and_until_it_has_ended()
    {
        SigningParty key = SigningParty.Of("ES256");
        string client = await NewClientAsync(key), other = await NewClientAsync(key);
        JsonObject claims = Claims(client, ("exp", server.Clock.GetUtcNow().ToUnixTimeSeconds() + 300));
        string assertion = key.Sign("ES256", claims);
        (await TokenAsync(assertion)).Status.ShouldBe(HttpStatusCode.OK);
        (await TokenAsync(assertion)).ShouldBeRefused("invalid_client", "ATR1126");
        (await browser.TokenAtAsync("/t/acme/introspect", [.. Assertion(assertion), ("token", "x")])).ShouldBeRefused("invalid_client", "ATR1126");
        (await TokenAsync(key.Sign("ES256", claims))).ShouldBeRefused("invalid_client", "ATR1126");
        (await TokenAsync(key.Sign("ES256", Claims(other, ("jti", claims["jti"]!.GetValue<string>()))))).Status.ShouldBe(HttpStatusCode.OK, "another client's jti is another one");
        server.Clock.Advance(TimeSpan.FromSeconds(309));
        (await TokenAsync(assertion)).ShouldBeRefused("invalid_client", "ATR1126");
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        (await TokenAsync(assertion)).ShouldBeRefused("invalid_client", "ATR1124");
        (await TokenAsync(key.Sign("ES256", Claims(client, ("jti", claims["jti"]!.GetValue<string>()))))).Status.ShouldBe(HttpStatusCode.OK, "what has ended is forgotten, cleaned or not");
    }

    /// <summary>GHSA-3p3g-vpw6-4w66.</summary>
    [Fact]
    public async Task Of_many_uses_of_one_assertion_at_once_one_succeeds()
    {
        SigningParty key = SigningParty.Of("ES256");
        string client = await NewClientAsync(key), assertion = key.Sign("ES256", Claims(client));
        TokenReply[] replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TokenAsync(assertion)));
        replies.Count(static reply => reply.Status == HttpStatusCode.OK).ShouldBe(1);
        foreach (TokenReply refused in replies.Where(static reply => reply.Status != HttpStatusCode.OK))
            refused.ShouldBeRefused("invalid_client", "ATR1126");
    }

    [Fact]
    public async Task Who_did_not_sign_it_spends_nothing_of_it()
    {
        SigningParty key = SigningParty.Of("ES256"), forger = SigningParty.Of("ES256");
        string client = await NewClientAsync(key);
        JsonObject claims = Claims(client);
        (await TokenAsync(forger.Sign("ES256", claims))).ShouldBeRefused("invalid_client", "ATR1122");
        (await TokenAsync(key.Sign("ES256", claims))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_header_names_one_of_the_clients_keys_and_that_keys_algorithm()
    {
        SigningParty elliptic = SigningParty.Of("ES256", "ec"), rsa = SigningParty.Of("RS256", "rsa"), pss = SigningParty.Of("PS256", "pss"), stranger = SigningParty.Of("ES256", "ec");
        string several = await NewClientAsync(elliptic, rsa, pss), one = await NewClientAsync(elliptic), nameless = await NewClientAsync(SigningParty.Of("ES256", kid: null));
        string foreign = await NewClientAsync(SigningParty.Of("RS256", "rsa"));
        foreach (string refused in new[]
        {
            elliptic.Sign(Header("ES256", null), Claims(several)),
            elliptic.Sign(Header("ES256", "other"), Claims(several)),
            elliptic.Sign(Header("ES256", "other"), Claims(one)),
            elliptic.Sign(Header("ES256", "rsa"), Claims(several)),
            elliptic.Sign(Header("RS256", "ec"), Claims(several)),
            elliptic.Sign(Header("ES384", "ec"), Claims(several)),
            elliptic.Sign(Header("es256", "ec"), Claims(several)),
            rsa.Sign(Header("PS256", "rsa"), Claims(several)),
            rsa.Sign(Header("ES256", "rsa"), Claims(several)),
            rsa.Sign(Header("RS256", "pss"), Claims(several)),
            pss.Sign(Header("RS256", "pss"), Claims(several)),
            pss.Sign(Header("RS256", "rsa"), Claims(several)),
            rsa.Sign(Header("RS512", "rsa"), Claims(several)),
            rsa.Sign(Header("RS256", "rsa"), Claims(foreign)),
            stranger.Sign(Header("ES256", "ec"), Claims(several)),
            stranger.Sign(Header("ES256", "ec"), Claims(nameless)),
            stranger.Sign(With(Header("ES256", "ec"), "jwk", stranger.Jwk()), Claims(several)),
            stranger.Sign(With(Header("ES256", "ec"), "jku", $"{server.Url}/jwks"), Claims(several)),
            elliptic.Sign(With(Header("ES256", "ec"), "crit", new JsonArray("exp")), Claims(several)),
            elliptic.Sign(With(Header("ES256", "ec"), "typ", "at+jwt"), Claims(several)),
            elliptic.Sign(With(Header("ES256", "ec"), "typ", "dpop+jwt"), Claims(several)),
            elliptic.Sign(With(Header("ES256", "ec"), "typ", 7), Claims(several)),
        })
        {
            (await TokenAsync(refused)).ShouldBeRefused("invalid_client", "ATR1122");
        }

        foreach (string good in new[]
        {
            elliptic.Sign(Header("ES256", "ec"), Claims(several)),
            rsa.Sign(Header("RS256", "rsa"), Claims(several)),
            pss.Sign(Header("PS256", "pss"), Claims(several)),
            elliptic.Sign(Header("ES256", null), Claims(one)),
            elliptic.Sign(With(Header("ES256", "ec"), "typ", "JWT"), Claims(several)),
            elliptic.Sign(With(Header("ES256", "ec"), "typ", "client-authentication+jwt"), Claims(several)),
        })
        {
            (await TokenAsync(good)).Status.ShouldBe(HttpStatusCode.OK, good);
        }
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("HS256")]
    public async Task The_public_key_is_no_secret_and_no_signature_is_none(string algorithm)
    {
        SigningParty key = SigningParty.Of("RS256"), elliptic = SigningParty.Of("ES256");
        foreach (SigningParty theirs in new[] { key, elliptic })
        {
            string client = await NewClientAsync(theirs);
            foreach (byte[] secret in new[] { Encoding.UTF8.GetBytes(theirs.Jwk().ToJsonString()), Encoding.ASCII.GetBytes(theirs.Key.N ?? theirs.Key.X!), ClientKey.Number(theirs.Key.N ?? theirs.Key.X) })
                (await TokenAsync(SigningParty.Symmetric(secret).Sign(Header(algorithm, "k1"), Claims(client)))).ShouldBeRefused("invalid_client", "ATR1122");
            (await TokenAsync(SigningParty.Constant().Sign(Header(algorithm, "k1"), Claims(client)))).ShouldBeRefused("invalid_client", "ATR1121");
            (await TokenAsync(SigningParty.Constant(0).Sign(Header(algorithm, "k1"), Claims(client)))).ShouldBeRefused("invalid_client", "ATR1122");
            (await TokenAsync(SigningParty.Constant(new byte[64]).Sign(Header(theirs.Key.Algorithm, "k1"), Claims(client)))).ShouldBeRefused("invalid_client", "ATR1122");
        }
    }

    [Fact]
    public async Task What_is_no_assertion_of_the_client_is_refused()
    {
        SigningParty key = SigningParty.Of("ES256");
        string client = await NewClientAsync(key), good = key.Sign("ES256", Claims(client));
        string[] parts = good.Split('.');
        TokenReply person = await browser.TokensAsync("sam@example.test");
        TokenReply machine = await TokenAsync(key.Sign("ES256", Claims(client)));
        JsonObject tampered = Claims(client, ("jti", "tampered"));
        foreach ((string text, string id) in new[]
        {
            ("nonsense", "ATR1121"), ("a.b.c", "ATR1121"), ($"{parts[0]}.{parts[1]}", "ATR1121"), ($"{parts[0]}.{parts[1]}.", "ATR1121"), ($"{good}.x", "ATR1121"), ($"{good}=", "ATR1121"),
            ($"{parts[0]}.{key.Sign("ES256", tampered).Split('.')[1]}.{parts[2]}", "ATR1122"), (good[..^2], "ATR1122"),
            (key.Sign("ES256", Claims(client, ("filler", new string('x', 16 * 1024)))), "ATR1121"), (key.Sign("ES256", new JsonArray()), "ATR1121"),
            (person.AccessToken, "ATR1121"), (person.RefreshToken, "ATR1121"), (person.Json.GetProperty("id_token").GetString()!, "ATR1121"), (machine.AccessToken, "ATR1121"),
        })
        {
            (await TokenAsync(text)).ShouldBeRefused("invalid_client", id);
        }

        (await TokenAsync(good)).Status.ShouldBe(HttpStatusCode.OK, "none of this spent it");
        string unknown = key.Sign("ES256", Claims("nobody"));
        (await TokenAsync(unknown)).ShouldBeRefused("invalid_client", "ATR1122");
    }

    [Fact]
    public async Task The_type_is_there_and_is_jwt_bearer()
    {
        SigningParty key = SigningParty.Of("ES256");
        string client = await NewClientAsync(key);
        (string, string) grant = ("grant_type", "client_credentials");
        foreach ((string, string)[] form in new (string, string)[][]
        {
            [grant, ("client_assertion", key.Sign("ES256", Claims(client)))],
            [grant, ("client_assertion_type", JwtBearer), ("client_id", client)],
            [grant, ("client_assertion", key.Sign("ES256", Claims(client))), ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer")],
        })
        {
            (await browser.TokenAsync(form)).ShouldBeRefused("invalid_client", "ATR1120");
        }

        string good = key.Sign("ES256", Claims(client));
        (await browser.TokenAsync([grant, .. Assertion(good), ("client_assertion", good)])).ShouldBeRefused("invalid_request", "ATR1113");
    }

    [Fact]
    public async Task A_client_uses_one_method_and_only_its_own()
    {
        SigningParty key = SigningParty.Of("ES256");
        string client = await NewClientAsync(key);
        (await TokenAsync(key.Sign("ES256", Claims(client)), ("grant_type", "client_credentials"), ("client_secret", "x"))).ShouldBeRefused("invalid_request", "ATR1102");
        using HttpRequestMessage both = OAuthBrowser.FormOf("/t/acme/token", [("grant_type", "client_credentials"), .. Assertion(key.Sign("ES256", Claims(client)))]);
        both.Headers.TryAddWithoutValidation("Authorization", $"Basic {Convert.ToBase64String(Encoding.ASCII.GetBytes($"{client}:x"))}");
        using HttpResponseMessage answer = await server.Http.SendAsync(both);
        (answer.StatusCode, (await answer.Content.ReadAsStringAsync()).Contains("ATR1102", StringComparison.Ordinal)).ShouldBe((HttpStatusCode.BadRequest, true));

        (await browser.TokenAsync(("grant_type", "client_credentials"), ("client_id", client), ("client_secret", "x"))).ShouldBeRefused("invalid_client", "ATR1101");
        (await browser.TokenAsync(("grant_type", "client_credentials"), ("client_id", client))).ShouldBeRefused("invalid_client", "ATR1101");
        ManagementAnswer secretive = (await api.PostAsync("/clients", Body("m2m", null, key))).Expect(201);
        (await TokenAsync(key.Sign("ES256", Claims(secretive["client_id"]!)))).ShouldBeRefused("invalid_client", "ATR1122");
        (await browser.TokenAsync(("grant_type", "client_credentials"), ("client_id", secretive["client_id"]!), ("client_secret", secretive["client_secret"]!)))
            .Status.ShouldBe(HttpStatusCode.OK, "keys alone change nothing");
        (await TokenAsync(key.Sign("ES256", Claims("demo-web")))).ShouldBeRefused("invalid_client", "ATR1122");
    }

    [Fact]
    public async Task A_disabled_client_a_withdrawn_key_and_a_neighbour_are_refused()
    {
        SigningParty key = SigningParty.Of("ES256"), next = SigningParty.Of("ES256", "k2");
        ManagementAnswer made = (await api.PostAsync("/clients", Body("m2m", "private_key_jwt", key))).Expect(201);
        string client = made["client_id"]!;
        (await browser.TokenAtAsync("/t/globex/token", [("grant_type", "client_credentials"), .. Assertion(key.Sign("ES256", Claims(client, ("aud", $"{server.Url}/t/globex"))))]))
            .ShouldBeRefused("invalid_client", "ATR1122");
        (await api.PatchAsync($"/clients/{made.Id}", new { status = "disabled" })).Expect(200);
        string assertion = key.Sign("ES256", Claims(client));
        (await TokenAsync(assertion)).ShouldBeRefused("invalid_client", "ATR1101");
        (await api.PatchAsync($"/clients/{made.Id}", new { status = "active" })).Expect(200);
        (await TokenAsync(assertion)).Status.ShouldBe(HttpStatusCode.OK, "a refused one is not spent");
        (await api.PatchAsync($"/clients/{made.Id}", new { settings = new { jwks = new { keys = new[] { next.Jwk() } } } })).Expect(200);
        (await TokenAsync(key.Sign("ES256", Claims(client)))).ShouldBeRefused("invalid_client", "ATR1122");
        (await TokenAsync(next.Sign("ES256", Claims(client)))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task An_app_native_client_may_prove_itself_so_too()
    {
        SigningParty key = SigningParty.Of("ES256");
        ManagementAnswer made = (await api.PostAsync(
            "/clients",
            new
            {
                name = "App", type = "web", redirect_uris = new[] { DemoRealm.NativeCallback },
                settings = new { client_auth = "private_key_jwt", jwks = new { keys = new[] { key.Jwk() } }, pkce_required = false, app_native = new { enabled = true } },
            })).Expect(201);
        string client = made["client_id"]!;
        NativeApp app = new(server, client);
        AppNative.Answer begun = await app.StartAsync(
            ("client_assertion_type", JwtBearer), ("client_assertion", key.Sign("ES256", Claims(client, ("aud", $"{Issuer}/oauth2/token")))));
        begun.Json.GetProperty("flowStatus").GetString().ShouldBe("INCOMPLETE", begun.Json.ToString());
    }

    [Fact]
    public async Task The_cleaner_forgets_what_has_ended()
    {
        SigningParty key = SigningParty.Of("ES256");
        string client = await NewClientAsync(key);
        (await TokenAsync(key.Sign("ES256", Claims(client)))).Status.ShouldBe(HttpStatusCode.OK);
        server.Clock.Advance(TimeSpan.FromMinutes(6));
        CleaningStore cleaning = server.Get<CleaningStore>();
        Ending ending = CleaningStore.Endings.Single(static ending => ending.Table == "client_assertions");
        Core.Realms.Realm realm = await new World(server).RealmAsync();
        (await cleaning.RealmsWithDueAsync(ending, server.Clock.GetUtcNow(), default)).ShouldContain(realm.Id);
        while (await cleaning.DeleteAsync(realm.Id, ending, server.Clock.GetUtcNow(), default) > 0)
        {
        }

        (await cleaning.RealmsWithDueAsync(ending, server.Clock.GetUtcNow(), default)).ShouldBeEmpty();
    }

    private static JsonObject Header(string algorithm, string? kid) => kid is null ? new() { ["alg"] = algorithm } : new() { ["alg"] = algorithm, ["kid"] = kid };

    private static JsonObject With(JsonObject header, string name, JsonNode value)
    {
        header[name] = value;
        return header;
    }

    private static (string Name, string Value)[] Assertion(string assertion) => [("client_assertion_type", JwtBearer), ("client_assertion", assertion)];

    private static object Body(string type, string? authentication, params SigningParty[] keys) => new
    {
        name = "Key holder", type, redirect_uris = type == "web" ? new[] { DemoRealm.Callback } : [],
        grant_types = type == "web" ? new[] { "authorization_code", "refresh_token", "client_credentials" } : ["client_credentials"],
        settings = new { client_auth = authentication, jwks = new { keys = keys.Select(static key => key.Jwk()).ToArray() } },
    };

    /// <summary>Good claims of an assertion, with these changed.</summary>
    private JsonObject Claims(string client, params (string Name, JsonNode? Value)[] changes)
    {
        long now = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        JsonObject claims = new()
        {
            ["iss"] = client, ["sub"] = client, ["aud"] = Issuer, ["iat"] = now, ["nbf"] = now, ["exp"] = now + 60, ["jti"] = Guid.NewGuid().ToString(),
        };
        foreach ((string name, JsonNode? value) in changes)
            claims[name] = value;
        return claims;
    }

    private async Task<string> NewClientAsync(params SigningParty[] keys) => (await api.PostAsync("/clients", Body("web", "private_key_jwt", keys))).Expect(201)["client_id"]!;

    private Task<TokenReply> TokenAsync(string assertion, params (string Name, string Value)[] form) =>
        browser.TokenAsync([.. Assertion(assertion), .. form.Length > 0 ? form : [("grant_type", "client_credentials")]]);
}

public sealed class SqliteClientAssertionTests(DemoServer server) : ClientAssertionTests(server), IClassFixture<DemoServer>;

/// <summary>Each request at the other node than the one before.</summary>
public sealed class TwoNodesClientAssertionTests(TwoNodes nodes) : ClientAssertionTests(nodes), IClassFixture<TwoNodes>;
