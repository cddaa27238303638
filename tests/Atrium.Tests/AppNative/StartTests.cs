using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AppNative;

/// <summary>The authorization request with <c>response_mode=direct</c>.</summary>
public sealed class StartTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly NativeApp app = new(server);

    [Fact]
    public async Task The_path_of_an_organization_asks_for_name_and_password_exactly_as_the_reference_shows()
    {
        string path = await app.PathOfAsync("northwind");
        Answer answer = await app.StartAtAsync(path);
        answer.ShouldPrompt("INCOMPLETE", NativeApp.Basic);
        Guid.TryParseExact(answer.FlowId, "D", out _).ShouldBeTrue();
        answer.Response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        answer.Json.ToString().ShouldBe($$"""
            {"flowId":"{{answer.FlowId}}","flowStatus":"INCOMPLETE","flowType":"AUTHENTICATION","nextStep":{"stepType":"AUTHENTICATOR_PROMPT",
            "authenticators":[{"authenticatorId":"QmFzaWNBdXRoZW50aWNhdG9yOkxPQ0FM","authenticator":"Username & Password","idp":"LOCAL",
            "metadata":{"i18nKey":"authenticator.basic","promptType":"USER_PROMPT","params":[
            {"param":"username","type":"STRING","order":0,"i18nKey":"username.param","displayName":"Username","confidential":false},
            {"param":"password","type":"STRING","order":1,"i18nKey":"password.param","displayName":"Password","confidential":true}]},
            "requiredParams":["username","password"]}]},
            "links":[{"name":"authentication","href":"{{server.Url}}{{path}}/oauth2/authn","method":"POST"}]}
            """.ReplaceLineEndings(""));
    }

    [Fact]
    public async Task The_root_offers_the_organization_beside_the_password()
    {
        Answer answer = await app.StartAsync();
        answer.ShouldPrompt("INCOMPLETE", NativeApp.Basic, NativeApp.Sso);
        answer.StepType.ShouldBe("MULTI_OPTIONS_PROMPT");
        answer.Link.ShouldBe($"{server.Url}/t/acme/oauth2/authn");
        JsonElement options = answer.Json.GetProperty("nextStep").GetProperty("authenticators");
        options[0].GetProperty("metadata").GetProperty("params").GetArrayLength().ShouldBe(2);
        options[1].ToString().ShouldBe(
            """{"authenticatorId":"T3JnYW5pemF0aW9uSWRlbnRpZmllckhhbmRsZXI6TE9DQUw","authenticator":"SSO","idp":"LOCAL","metadata":{"i18nKey":"authenticator.organization.identifier"}}""");
    }

    [Fact]
    public async Task A_client_without_enhanced_organization_authentication_offers_the_password_alone() =>
        (await new NativeApp(server, "demo-native-mfa").StartAsync()).ShouldPrompt("INCOMPLETE", NativeApp.Basic);

    [Fact]
    public async Task A_query_works_like_a_form()
    {
        using FormUrlEncodedContent form = new(app.Request);
        string query = await form.ReadAsStringAsync(TestContext.Current.CancellationToken);
        (await app.SendAsync(new HttpRequestMessage(HttpMethod.Get, $"/t/acme/oauth2/authorize?{query}")))
            .ShouldPrompt("INCOMPLETE", NativeApp.Basic, NativeApp.Sso);
    }

    [Fact]
    public async Task An_app_that_is_not_enabled_is_refused() =>
        (await new NativeApp(server, "demo-native-off").StartAsync()).ShouldBeError(400, "ABA-60007");

    [Theory]
    [InlineData("nobody")]
    [InlineData("globex-authkit")]
    public async Task An_unknown_client_or_one_of_another_realm_is_refused(string clientId) =>
        (await app.StartAsync(("client_id", clientId))).ShouldBeError(400, "ABA-60005");

    [Fact]
    public async Task A_disabled_client_is_refused()
    {
        NativeApp disabled = new(server, "native-disabled");
        await disabled.MakeClientAsync(static client => client with { Status = ClientStatus.Disabled });
        (await disabled.StartAsync()).ShouldBeError(400, "ABA-60011");
    }

    [Theory]
    [InlineData("client_id", null)]
    [InlineData("response_type", null)]
    [InlineData("response_type", "token")]
    [InlineData("response_type", "code id_token")]
    [InlineData("redirect_uri", null)]
    [InlineData("redirect_uri", "")]
    [InlineData("redirect_uri", "http://localhost:3000/elsewhere")]
    [InlineData("redirect_uri", "http://localhost:3000/cb/")]
    [InlineData("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")]
    [InlineData("code_challenge_method", "S256")]
    [InlineData("prompt", "none login")]
    public async Task A_request_that_breaks_a_rule_is_invalid(string name, string? value) =>
        (await app.StartAsync((name, value))).ShouldBeError(400, "ABA-60001");

    [Theory]
    [InlineData("plain", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")]
    [InlineData("S512", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")]
    [InlineData("S256", "too-short")]
    [InlineData("S256", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")]
    public async Task Only_a_well_formed_S256_challenge_is_taken(string method, string challenge) =>
        (await app.StartAsync(("code_challenge", challenge), ("code_challenge_method", method))).ShouldBeError(400, "ABA-60001");

    [Fact]
    public async Task A_client_that_must_use_PKCE_is_refused_without_a_challenge()
    {
        NativeApp strict = new(server, "native-pkce");
        await strict.MakeClientAsync(static client => client with { Settings = client.Settings with { PkceRequired = true } });
        (await strict.StartAsync()).ShouldBeError(400, "ABA-60001");
        (await strict.StartAsync(("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), ("code_challenge_method", "S256")))
            .Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("state", 4096)]
    [InlineData("nonce", 1024)]
    [InlineData("scope", 128)]
    public async Task What_is_stored_with_a_flow_has_a_limit(string name, int longest)
    {
        (await app.StartAsync((name, new string('x', longest)))).Status.ShouldBe(HttpStatusCode.OK);
        (await app.StartAsync((name, new string('x', longest + 1)))).ShouldBeError(400, "ABA-60001");
    }

    [Fact]
    public async Task A_request_that_may_not_ask_fails_and_is_no_success_with_an_error_inside() =>
        (await app.StartAsync(("prompt", "none"))).ShouldBeError(400, "ABA-60002");

    [Fact]
    public async Task A_repeated_parameter_is_refused()
    {
        using FormUrlEncodedContent form = new([.. app.Request, new("scope", "email")]);
        (await app.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/t/acme/oauth2/authorize") { Content = form })).ShouldBeError(400, "ABA-60001");
    }

    [Fact]
    public async Task A_confidential_client_proves_who_it_is_at_the_start()
    {
        NativeApp confidential = new(server, "native-confidential");
        await confidential.MakeClientAsync(static client => client with { Type = ClientType.Web, SecretHash = new Secret("native-secret").Hash() });

        Answer refused = await confidential.StartAsync();
        refused.ShouldBeError(401, "401");
        refused.Response.Headers.WwwAuthenticate.ShouldHaveSingleItem().ToString().ShouldBe("Basic realm=\"acme\"");
        (await confidential.StartAsync(("client_secret", "wrong"))).ShouldBeError(401, "401");
        (await confidential.StartAsync(("client_secret", "native-secret"))).Status.ShouldBe(HttpStatusCode.OK);
        (await StartWithBasicAsync(confidential, "native-confidential:wrong")).ShouldBeError(401, "401");
        (await StartWithBasicAsync(confidential, "nobody:native-secret")).ShouldBeError(401, "401");
        (await StartWithBasicAsync(confidential, "native-confidential:native-secret", ("client_secret", "native-secret"))).ShouldBeError(400, "ABA-60001");

        Answer accepted = await StartWithBasicAsync(confidential, "native-confidential:native-secret", ("client_id", null));
        accepted.Status.ShouldBe(HttpStatusCode.OK);
        accepted.Response.Headers.WwwAuthenticate.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_public_client_has_no_secret_to_show() =>
        (await app.StartAsync(("client_secret", "anything"))).ShouldBeError(401, "401");

    [Fact]
    public async Task Malformed_unknown_unshared_suspended_and_foreign_organizations_get_one_answer()
    {
        string[] organizations =
        [
            "org_0000000000000000000000001",
            "northwind",
            "%20",
            "org_zzzzzzzzzzzzzzzzzzzzzzzzz",
            (await app.OrganizationAsync("fabrikam")).ToString(),
            (await app.OrganizationAsync("tailspin")).ToString(),
            (await app.OrganizationAsync("initech", "globex")).ToString(),
        ];
        foreach (string organization in organizations)
        {
            Answer answer = await app.StartAtAsync($"/t/acme/o/{organization}");
            answer.ShouldBeError(400, "ABA-60002");
            answer.Json.GetProperty("description").GetString().ShouldBe("The application does not have access to this organization.");
        }
    }

    [Fact]
    public async Task An_organization_that_is_not_shared_is_closed_whatever_the_tokens_speak_of()
    {
        NativeApp multi = new(server, "native-multi");
        await multi.MakeClientAsync(
            static client => client with { Settings = client.Settings with { Tokens = new TokenSettings { Profile = TokenProfile.MultiOrg } } }, "northwind");
        (await multi.StartAtAsync(await app.PathOfAsync("contoso"))).ShouldBeError(400, "ABA-60002");
        (await multi.StartAtAsync(await app.PathOfAsync("northwind"))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("http://localhost:3000", true)]
    [InlineData("http://evil.example", false)]
    public async Task Browsers_may_call_from_registered_origins_only(string origin, bool known)
    {
        string flow = (await app.StartAsync()).FlowId;
        foreach (string path in new[] { "/t/acme/oauth2/authorize", "/t/acme/oauth2/authn", $"{await app.PathOfAsync("northwind")}/oauth2/authn" })
        {
            using HttpRequestMessage preflight = new(HttpMethod.Options, path);
            preflight.Headers.Add("Origin", origin);
            preflight.Headers.Add("Access-Control-Request-Method", "POST");
            preflight.Headers.Add("Access-Control-Request-Headers", "content-type");
            using HttpResponseMessage allowed = await server.Http.SendAsync(preflight, TestContext.Current.CancellationToken);
            ((int)allowed.StatusCode).ShouldBe(204);
            allowed.Headers.Contains("Access-Control-Allow-Origin").ShouldBe(known);
            if (known)
            {
                allowed.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe([origin]);
                allowed.Headers.GetValues("Access-Control-Allow-Methods").Single().ShouldContain("POST");
                allowed.Headers.GetValues("Access-Control-Allow-Headers").ShouldBe(["content-type"]);
            }
        }

        HttpRequestMessage answer = new(HttpMethod.Post, "/t/acme/oauth2/authn")
        {
            Content = JsonContent.Create(new { flowId = flow, selectedAuthenticator = new { authenticatorId = NativeApp.Basic } }),
        };
        answer.Headers.Add("Origin", origin);
        (await app.SendAsync(answer)).Response.Headers.Contains("Access-Control-Allow-Origin").ShouldBe(known);
    }

    private static async Task<Answer> StartWithBasicAsync(NativeApp app, string credentials, params (string Name, string? Value)[] changes)
    {
        using FormUrlEncodedContent form = new(app.Changed(changes));
        HttpRequestMessage request = new(HttpMethod.Post, "/t/acme/oauth2/authorize") { Content = form };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
        return await app.SendAsync(request);
    }
}
