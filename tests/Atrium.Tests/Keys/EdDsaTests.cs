using System.Net;
using System.Text;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Server.Cli;
using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Storage;
using Atrium.Tests.AppNative;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;
using static System.Buffers.Text.Base64Url;

namespace Atrium.Tests.Keys;

/// <summary>Tokens signed with EdDSA, where the server has libsodium.</summary>
public class EdDsaTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly ManagementCalls api = new(server);
    private readonly OAuthBrowser browser = new(server);

    [Fact]
    public async Task A_client_that_asks_for_EdDSA_has_all_its_tokens_signed_with_the_published_key()
    {
        string clientId = await NewClientAsync();
        TokenReply tokens = await TokensAsync(clientId);
        JsonElement key = (await KeysAsync(server)).First(static key => key.GetProperty("alg").GetString() == "EdDSA");
        key.EnumerateObject().Select(static member => member.Name).ShouldBe(["kty", "use", "alg", "kid", "crv", "x"]);
        (key.GetProperty("kty").GetString(), key.GetProperty("crv").GetString(), DecodeFromChars(key.GetProperty("x").GetString()).Length).ShouldBe(("OKP", "Ed25519", 32));
        foreach (string token in new[] { tokens.AccessToken, tokens.Json.GetProperty("id_token").GetString()!, tokens.RefreshToken })
        {
            (Jwts.HeaderOf(token).GetProperty("alg").GetString(), Jwts.HeaderOf(token).GetProperty("kid").GetString()).ShouldBe(("EdDSA", key.GetProperty("kid").GetString()));
            int end = token.LastIndexOf('.');
            new Ed25519(isWanted: true).Verify(
                Encoding.ASCII.GetBytes(token, 0, end), DecodeFromChars(token.AsSpan(end + 1)), DecodeFromChars(key.GetProperty("x").GetString())).ShouldBeTrue();
        }

        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.OK);
        TokenReply refreshed = await browser.TokenAsync(("grant_type", "refresh_token"), ("client_id", clientId), ("refresh_token", tokens.RefreshToken));
        Jwts.HeaderOf(refreshed.RefreshToken).GetProperty("alg").GetString().ShouldBe("EdDSA");
        (await browser.UserInfoAsync(refreshed.AccessToken)).Status.ShouldBe(HttpStatusCode.OK);
        using HttpResponseMessage signedOut = await browser.GetAsync($"/t/acme/logout?id_token_hint={refreshed.Json.GetProperty("id_token").GetString()}");
        (await browser.UserInfoAsync(refreshed.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Discovery_names_EdDSA_for_the_OAuth_door_alone()
    {
        (await AlgorithmsAsync("/t/acme/.well-known/openid-configuration")).ShouldBe(["ES256", "RS256", "EdDSA"]);
        (await AlgorithmsAsync("/t/acme/oauth2/token/.well-known/openid-configuration")).ShouldBe(["RS256"]);
        JsonElement authKit = JsonElement.Parse(await server.Http.GetStringAsync("/sso/jwks/demo-authkit"));
        authKit.GetProperty("keys").EnumerateArray().Select(static key => key.GetProperty("alg").GetString()).ShouldAllBe(static alg => alg == "RS256");
        (await api.PostAsync("/clients", """{"name":"A","type":"web","response_signature_alg":"EdDSA","settings":{"authkit":{"enabled":true}}}"""))
            .Expect(422).WrongFields.ShouldBe(["/response_signature_alg"]);
    }

    [Fact]
    public async Task The_app_native_door_signs_with_RS256_whatever_the_client_asks_for_elsewhere()
    {
        ManagementAnswer made = (await api.PostAsync(
            "/clients",
            new
            {
                name = "Native", type = "native", redirect_uris = new[] { DemoRealm.NativeCallback }, response_signature_alg = "EdDSA",
                settings = new { pkce_required = false, app_native = new { enabled = true } },
            })).Expect(201);
        NativeApp native = new(server, made["client_id"]!);
        AppNative.Answer done = await native.PasswordAsync(await native.StartAsync(), "mia@example.test");
        TokenReply tokens = await browser.TokenAtAsync(
            "/t/acme/oauth2/token",
            ("grant_type", "authorization_code"), ("client_id", made["client_id"]!), ("code", done.Code), ("redirect_uri", DemoRealm.NativeCallback));
        Jwts.HeaderOf(tokens.AccessToken).GetProperty("alg").GetString().ShouldBe("RS256");
    }

    internal static async Task<JsonElement[]> KeysAsync(DemoServer server) =>
        [.. JsonElement.Parse(await server.Http.GetStringAsync("/t/acme/jwks.json")).GetProperty("keys").EnumerateArray()];

    private async Task<string> NewClientAsync() => (await api.PostAsync(
        "/clients", $$"""{"name":"EdDSA","type":"spa","redirect_uris":["{{DemoRealm.Callback}}"],"response_signature_alg":"EdDSA"}""")).Expect(201)["client_id"]!;

    private async Task<TokenReply> TokensAsync(string clientId)
    {
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", clientId));
        TokenReply reply = await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", clientId), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }

    private async Task<string?[]> AlgorithmsAsync(string path) =>
    [
        .. JsonElement.Parse(await server.Http.GetStringAsync(path)).GetProperty("id_token_signing_alg_values_supported").EnumerateArray()
            .Select(static value => value.GetString()),
    ];
}

/// <summary>A machine without libsodium.</summary>
public sealed class WithoutLibsodium : DemoServer
{
    protected override AtriumOptions Change(AtriumOptions options) => options with { UsesLibsodium = false };

    /// <summary>Its realms were made there too, so they have no EdDSA keys: the demo that other servers begin with has.</summary>
    protected override Task<string> NewDatabaseAsync(string path) => Task.FromResult($"Data Source={path}");
}

/// <summary>Where libsodium is missing, EdDSA is refused by name and everything else works.</summary>
public sealed class MissingLibraryTests(WithoutLibsodium server) : IClassFixture<WithoutLibsodium>
{
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task A_realm_has_no_EdDSA_keys_and_says_so()
    {
        (await EdDsaTests.KeysAsync(server)).Select(static key => key.GetProperty("alg").GetString()).ShouldBe(["ES256", "RS256", "ES256", "RS256"], ignoreOrder: true);
        JsonElement document = JsonElement.Parse(await server.Http.GetStringAsync("/t/acme/.well-known/openid-configuration"));
        document.GetProperty("id_token_signing_alg_values_supported").ToString().ShouldBe("""["ES256","RS256"]""");
        document.GetProperty("token_endpoint_auth_signing_alg_values_supported").ToString().ShouldBe("""["ES256","RS256","PS256"]""");
        (await new OAuthBrowser(server).TokensAsync("sam@example.test")).Status.ShouldBe(HttpStatusCode.OK);
        (await api.PostAsync("/signing-keys/rotate")).Expect(200).Items.Select(static key => key.GetProperty("alg").GetString()).ShouldNotContain("EdDSA");
    }

    [Fact]
    public async Task A_client_that_wants_EdDSA_is_refused_with_what_to_install()
    {
        ManagementAnswer refused = (await api.PostAsync("/clients", """{"name":"A","type":"spa","response_signature_alg":"EdDSA"}""")).Expect(422);
        refused.WrongFields.ShouldBe(["/response_signature_alg"]);
        refused.Text.ShouldContain("libsodium23");
        ManagementAnswer plain = (await api.PostAsync("/clients", """{"name":"A","type":"spa"}""")).Expect(201);
        (await api.PatchAsync($"/clients/{plain.Id}", """{"response_signature_alg":"EdDSA"}""")).Expect(422).Text.ShouldContain("libsodium23");
        object settings = new { client_auth = "private_key_jwt", jwks = new { keys = new[] { SigningParty.Of("EdDSA").Jwk() } } };
        (await api.PostAsync("/clients", new { name = "A", type = "web", settings }))
            .Expect(422).WrongFields.ShouldBe(["/settings/jwks/keys/0/kty"]);
    }

    [Fact]
    public async Task The_doctor_tells_it()
    {
        Finding finding = (await new Doctor(server.Options, TimeProvider.System).ExamineAsync(default)).Single(static finding => finding.Matter == "signing");
        (finding.Verdict, finding.Text).ShouldBe((Verdict.Warning, "ES256 and RS256, but not EdDSA"));
        finding.Advice!.ShouldContain("libsodium23");
    }
}

/// <summary>Two nodes, of which the second has no libsodium.</summary>
public sealed class OneNodeWithout(PrivatePostgres postgres) : TwoNodes(postgres)
{
    protected override AtriumOptions ChangeSecond(AtriumOptions options) => options with { UsesLibsodium = false };
}

/// <summary>A node that lacks libsodium beside one that has it.</summary>
public sealed class OneNodeWithoutTests(OneNodeWithout nodes) : IClassFixture<OneNodeWithout>
{
    private readonly World world = new(nodes);

    [Fact]
    public async Task It_publishes_the_keys_and_says_that_it_can_neither_sign_nor_check_with_them()
    {
        JsonElement[][] published = [await EdDsaTests.KeysAsync(nodes), await EdDsaTests.KeysAsync(nodes)];
        published[0].Select(static key => key.ToString()).ShouldBe(published[1].Select(static key => key.ToString()));
        published[0].Count(static key => key.GetProperty("alg").GetString() == "EdDSA").ShouldBe(2);

        Client client = await world.ClientAsync("ed", new ClientSettings(), static client => client with { SignatureAlgorithm = "EdDSA" });
        OAuthBrowser browser = new(nodes);
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", client.ClientId));
        (string, string)[] redemption =
        [
            ("grant_type", "authorization_code"), ("client_id", client.ClientId), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier),
        ];
        nodes.BeginAt(1);
        (await browser.TokenAsync(redemption)).Error.ShouldBe("temporarily_unavailable");
        TokenReply tokens = await browser.TokenAsync(redemption);
        tokens.Status.ShouldBe(HttpStatusCode.OK, tokens.Json.ToString());

        nodes.BeginAt(1);
        (HttpStatusCode status, JsonElement error, _) = await browser.UserInfoAsync(tokens.AccessToken);
        (status, error.GetProperty("error").GetString()).ShouldBe((HttpStatusCode.ServiceUnavailable, "temporarily_unavailable"));
        error.GetProperty("error_description").GetString()!.ShouldContain("ATR9110");
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.OK, "the other node can");

        (string, string)[] refresh = [("grant_type", "refresh_token"), ("client_id", client.ClientId), ("refresh_token", tokens.RefreshToken)];
        nodes.BeginAt(1);
        (await browser.TokenAsync(refresh)).Error.ShouldBe("temporarily_unavailable");
        (await browser.TokenAsync(refresh)).Status.ShouldBe(HttpStatusCode.OK, "nothing was spent");
    }

    [Fact]
    public async Task It_spends_no_refresh_token_whose_text_needs_no_signature()
    {
        Client client = await world.ClientAsync(
            "ed-opaque",
            new ClientSettings { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } },
            static client => client with { SignatureAlgorithm = "EdDSA" });
        OAuthBrowser browser = new(nodes);
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", client.ClientId));
        nodes.BeginAt(0);
        TokenReply tokens = await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", client.ClientId), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));
        tokens.RefreshToken.ShouldNotContain('.');

        (string, string)[] refresh = [("grant_type", "refresh_token"), ("client_id", client.ClientId), ("refresh_token", tokens.RefreshToken)];
        nodes.BeginAt(1);
        (await browser.TokenAsync(refresh)).Error.ShouldBe("temporarily_unavailable");
        nodes.Clock.Advance(TimeSpan.FromMinutes(1));
        (await browser.TokenAsync(refresh)).Status.ShouldBe(HttpStatusCode.OK, "nothing was spent");
    }
}
