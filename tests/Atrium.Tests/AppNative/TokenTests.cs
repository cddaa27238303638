using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AppNative;

/// <summary>What the code of a completed flow is worth at the token endpoint, which this door shares.</summary>
public sealed class TokenTests(DemoServer server) : IClassFixture<DemoServer>
{
    // RFC 7636 appendix B.
    private const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    private const string Challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    private readonly NativeApp app = new(server);

    [Fact]
    public async Task On_the_organizations_path_the_tokens_speak_of_the_organization()
    {
        string path = await app.PathOfAsync("northwind");
        Answer flow = await app.PasswordAsync(await app.StartAtAsync(path, ("nonce", "n1")), "mia@example.test");
        JsonElement tokens = await TokensAsync(path, flow.Code);
        tokens.GetProperty("token_type").GetString().ShouldBe("Bearer");
        tokens.GetProperty("expires_in").GetInt32().ShouldBe(1800);
        tokens.GetProperty("scope").GetString().ShouldBe("openid profile internal_login");

        string northwind = (await app.OrganizationAsync("northwind")).ToString();
        foreach (JsonElement claims in new[] { Claims(tokens, "access_token"), Claims(tokens, "id_token") })
        {
            claims.GetProperty("iss").GetString().ShouldBe($"{server.Url}/t/acme/oauth2/token");
            Organization(claims).ShouldBe((northwind, "Northwind", "northwind", northwind));
            claims.GetProperty("aud").GetString().ShouldBe("demo-native");
        }

        JsonElement identity = Claims(tokens, "id_token");
        identity.GetProperty("nonce").GetString().ShouldBe("n1");
        identity.GetProperty("azp").GetString().ShouldBe("demo-native");
        identity.GetProperty("isk").GetString().ShouldNotBeNullOrEmpty();
        identity.GetProperty("amr").ToString().ShouldBe("""["pwd"]""");
        identity.GetProperty("given_name").GetString().ShouldBe("Mia");

        JsonElement header = Jwts.HeaderOf(tokens.GetProperty("id_token").GetString()!);
        header.GetProperty("alg").GetString().ShouldBe("RS256");
        foreach (string keysAt in new[] { $"{path}/oauth2/jwks", "/t/acme/oauth2/jwks" })
        {
            using JsonDocument keys = JsonDocument.Parse(await server.Http.GetStringAsync(keysAt));
            keys.RootElement.GetProperty("keys").EnumerateArray().Select(static key => key.GetProperty("kid").GetString())
                .ShouldContain(header.GetProperty("kid").GetString());
        }
    }

    [Fact]
    public async Task From_the_root_into_an_organization_they_speak_of_the_realm_and_name_the_organization_entered()
    {
        Answer entered = await app.AnswerAsync(await app.StartAsync(), NativeApp.Sso, new { orgHandle = "contoso" });
        JsonElement tokens = await TokensAsync(NativeApp.Root, (await app.PasswordAsync(entered, "mia@example.test")).Code);
        string realm = (await app.World.RealmAsync()).Id.ToString();
        string contoso = (await app.OrganizationAsync("contoso")).ToString();
        Organization(Claims(tokens, "access_token")).ShouldBe((realm, "Acme", "acme", contoso));
        Organization(Claims(tokens, "id_token")).ShouldBe((realm, "Acme", "acme", contoso));

        JsonElement refreshed = await RefreshAsync(NativeApp.Root, tokens);
        Organization(Claims(refreshed, "access_token")).ShouldBe((realm, "Acme", "acme", contoso));
        Claims(refreshed, "access_token").GetProperty("iss").GetString().ShouldBe($"{server.Url}/t/acme/oauth2/token");
    }

    [Fact]
    public async Task At_the_root_they_speak_of_the_realm_alone()
    {
        JsonElement tokens = await TokensAsync(NativeApp.Root, (await app.PasswordAsync(await app.StartAsync(), "zoe@example.test")).Code);
        Organization(Claims(tokens, "access_token")).ShouldBe(((await app.World.RealmAsync()).Id.ToString(), "Acme", "acme", null));
    }

    [Fact]
    public async Task A_code_is_taken_at_the_root_and_on_the_path_alike_and_the_refresh_keeps_the_organization()
    {
        string path = await app.PathOfAsync("northwind");
        JsonElement first = await TokensAsync(NativeApp.Root, (await app.PasswordAsync(await app.StartAtAsync(path), "sam@example.test")).Code);
        JsonElement second = await RefreshAsync(path, first);
        Organization(Claims(second, "id_token")).ShouldBe(Organization(Claims(first, "id_token")));

        using HttpRequestMessage request = new(HttpMethod.Get, $"{path}/oauth2/userinfo");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", second.GetProperty("access_token").GetString());
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        using JsonDocument userinfo = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Organization(userinfo.RootElement).ShouldBe(Organization(Claims(first, "id_token")));
    }

    [Fact]
    public async Task A_client_can_have_the_organization_as_issuer()
    {
        NativeApp own = new(server, "native-own-issuer");
        await own.MakeClientAsync(
            static client => client with
            {
                Settings = client.Settings with { AppNative = client.Settings.AppNative with { TokenIssuer = TokenIssuerSetting.Organization } },
            },
            "northwind");
        string path = await own.PathOfAsync("northwind");
        JsonElement tokens = await TokensAsync(path, (await own.PasswordAsync(await own.StartAtAsync(path), "mia@example.test")).Code, ("client_id", "native-own-issuer"));
        Claims(tokens, "id_token").GetProperty("iss").GetString().ShouldBe($"{server.Url}{path}/oauth2/token");
    }

    [Fact]
    public async Task A_challenge_that_was_sent_is_checked()
    {
        (string, string?)[] pkce = [("code_challenge", Challenge), ("code_challenge_method", "S256")];
        (await RedeemAsync(NativeApp.Root, (await app.PasswordAsync(await app.StartAsync(pkce), "zoe@example.test")).Code)).Status.ShouldBe(HttpStatusCode.BadRequest);
        await TokensAsync(NativeApp.Root, (await app.PasswordAsync(await app.StartAsync(pkce), "zoe@example.test")).Code, ("code_verifier", Verifier));
    }

    [Fact]
    public async Task The_second_factor_is_said_in_the_token()
    {
        NativeApp mfa = new(server, "demo-native-mfa");
        Answer second = await mfa.PasswordAsync(await mfa.StartAtAsync(await mfa.PathOfAsync("contoso")), "tom@example.test");
        Answer done = await mfa.AnswerAsync(second, NativeApp.Totp, new { token = mfa.FreshTotp() });
        JsonElement tokens = await TokensAsync(NativeApp.Root, done.Code, ("client_id", "demo-native-mfa"));
        Claims(tokens, "id_token").GetProperty("amr").ToString().ShouldBe("""["pwd","otp","mfa"]""");
    }

    [Fact]
    public async Task When_the_membership_ends_so_does_the_grant()
    {
        User sam = await app.World.UserAsync("sam@example.test");
        Membership membership = await app.World.JoinAsync(sam, await app.World.OrganizationAsync("contoso"), "member");
        string path = await app.PathOfAsync("contoso");
        JsonElement tokens = await TokensAsync(path, (await app.PasswordAsync(await app.StartAtAsync(path), "sam@example.test")).Code);

        await server.Get<MembershipStore>().DeleteAsync(membership, server.Clock.GetUtcNow(), TestContext.Current.CancellationToken);
        Answer refused = await PostFormAsync(path, ("grant_type", "refresh_token"), ("refresh_token", tokens.GetProperty("refresh_token").GetString()!), ("client_id", "demo-native"));
        refused.Status.ShouldBe(HttpStatusCode.BadRequest);
        refused.Json.GetProperty("error").GetString().ShouldBe("invalid_grant");
        (await app.PasswordAsync(await app.StartAtAsync(path), "sam@example.test")).ShouldFail("ABA-60003", NativeApp.Basic);
    }

    private async Task<JsonElement> TokensAsync(string basePath, string code, params (string Name, string Value)[] more)
    {
        Answer answer = await RedeemAsync(basePath, code, more);
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Json.ToString());
        return answer.Json;
    }

    private Task<Answer> RedeemAsync(string basePath, string code, params (string Name, string Value)[] more) =>
        PostFormAsync(
            basePath,
            [
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", DemoRealm.NativeCallback),
                .. more.Any(static parameter => parameter.Name == "client_id") ? more : [("client_id", "demo-native"), .. more],
            ]);

    private async Task<JsonElement> RefreshAsync(string basePath, JsonElement tokens)
    {
        Answer answer = await PostFormAsync(
            basePath, ("grant_type", "refresh_token"), ("refresh_token", tokens.GetProperty("refresh_token").GetString()!), ("client_id", "demo-native"));
        answer.Status.ShouldBe(HttpStatusCode.OK, answer.Json.ToString());
        return answer.Json;
    }

    private async Task<Answer> PostFormAsync(string basePath, params (string Name, string Value)[] form)
    {
        using FormUrlEncodedContent content = new(form.Select(static pair => KeyValuePair.Create(pair.Name, pair.Value)));
        return await app.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"{basePath}/oauth2/token") { Content = content });
    }

    private static (string Id, string Name, string Handle, string? Entered) Organization(JsonElement claims) => (
        claims.GetProperty("org_id").GetString()!,
        claims.GetProperty("org_name").GetString()!,
        claims.GetProperty("org_handle").GetString()!,
        claims.TryGetProperty("user_org", out JsonElement entered) ? entered.GetString() : null);

    private static JsonElement Claims(JsonElement tokens, string name) => Jwts.ClaimsOf(tokens.GetProperty(name).GetString()!);
}
