using System.Net;
using System.Text.Json;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Microsoft.AspNetCore.WebUtilities;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Conformance;

/// <summary>
/// The OpenID Foundation's <c>fapi2-security-profile-final-test-plan</c>, module for module; the trait names each. docs/conformance.md tells of those
/// that do not apply.
/// </summary>
public sealed partial class Fapi2SecurityProfileTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Module = "OIDF module";
    private const string Plan = "fapi2-security-profile-final-";

    [Fact, Trait(Module, Plan + "discovery-end-point-verification")]
    public async Task Discovery_tells_of_everything_that_the_profile_needs()
    {
        JsonElement document = JsonElement.Parse(await server.Http.GetStringAsync($"{OAuthBrowser.Root}/.well-known/openid-configuration"));
        document.GetProperty("issuer").GetString().ShouldBe($"{server.Url}{OAuthBrowser.Root}");
        document.GetProperty("pushed_authorization_request_endpoint").GetString().ShouldBe($"{server.Url}{OAuthBrowser.Root}/par");
        document.GetProperty("authorization_response_iss_parameter_supported").GetBoolean().ShouldBeTrue();
        Values("response_types_supported").ShouldBe(["code"]);
        Values("grant_types_supported").ShouldContain("authorization_code");
        Values("code_challenge_methods_supported").ShouldBe(["S256"]);
        Values("token_endpoint_auth_methods_supported").ShouldContain("private_key_jwt");
        Values("token_endpoint_auth_signing_alg_values_supported").ShouldContain("ES256");
        Values("token_endpoint_auth_signing_alg_values_supported").ShouldContain("PS256");
        Values("dpop_signing_alg_values_supported").ShouldContain("ES256");
        Values("id_token_signing_alg_values_supported").ShouldContain("ES256");
        Values("scopes_supported").ShouldContain("openid");

        string[] Values(string name) => [.. document.GetProperty(name).EnumerateArray().Select(static value => value.GetString()!)];
    }

    [Theory, Trait(Module, Plan + "happy-flow")]
    [InlineData("ES256")]
    [InlineData("PS256")]
    public async Task A_well_behaved_client_gets_tokens_bound_to_its_key(string algorithm)
    {
        FapiClient client = await FapiClient.RegisterAsync(server, algorithm);
        TokenReply pushed = await client.SendAsync($"{OAuthBrowser.Root}/par", client.Request(), proof: null, client.Assertion(algorithm: algorithm));
        (pushed.Status, pushed.Json.GetProperty("expires_in").GetInt32()).ShouldBe((HttpStatusCode.Created, 60), pushed.Json.ToString());
        Arrival arrival = await client.SignInAsync(FapiClient.UriOf(pushed));
        (arrival["state"], arrival["iss"]).ShouldBe((OAuthBrowser.State, client.Issuer));
        TokenReply tokens = await client.RedeemAsync(arrival.Code, assertion: client.Assertion(algorithm: algorithm));
        (tokens.Status, tokens.IsNeverStored, tokens.Json.GetProperty("token_type").GetString()).ShouldBe((HttpStatusCode.OK, true, "DPoP"));
        tokens.Access.GetProperty("cnf").GetProperty("jkt").GetString().ShouldBe(FapiClient.ThumbprintOf(client.Holder));
        tokens.Identity.GetProperty("nonce").GetString().ShouldBe("the-nonce");
        (await client.CallAsync(tokens.AccessToken, client.CallProof(tokens.AccessToken))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact, Trait(Module, Plan + "ensure-authorization-request-without-state-success")]
    public async Task A_request_without_a_state_gets_an_answer_without_one()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        Arrival arrival = await client.SignInAsync(await client.PushedAsync(("state", null)));
        QueryHelpers.ParseQuery(arrival.Url.Query).Keys.ShouldNotContain("state");
        (await client.RedeemAsync(arrival.Code)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact, Trait(Module, Plan + "ensure-authorization-request-without-nonce-success")]
    public async Task A_request_without_a_nonce_gets_an_ID_token_without_one()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        TokenReply tokens = await client.RedeemAsync(await client.CodeAsync(("nonce", null)));
        tokens.Identity.TryGetProperty("nonce", out _).ShouldBeFalse();
    }

    [Theory, Trait(Module, Plan + "ensure-authorization-request-with-64-char-nonce-success"), Trait(Module, Plan + "ensure-authorization-request-with-long-nonce")]
    [InlineData(64)]
    [InlineData(384)]
    public async Task A_long_nonce_comes_back_whole(int length)
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string nonce = new('n', length);
        (await client.RedeemAsync(await client.CodeAsync(("nonce", nonce)))).Identity.GetProperty("nonce").GetString().ShouldBe(nonce);
    }

    [Theory, Trait(Module, Plan + "ensure-authorization-request-with-long-state")]
    [InlineData(128)]
    [InlineData(1000)]
    public async Task A_long_state_comes_back_whole(int length)
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string state = new('s', length);
        (await client.SignInAsync(await client.PushedAsync(("state", state))))["state"].ShouldBe(state);
    }

    [Fact, Trait(Module, Plan + "ensure-other-scope-order-succeeds")]
    public async Task The_order_of_scopes_makes_no_difference()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        TokenReply tokens = await client.RedeemAsync(await client.CodeAsync(("scope", "email profile openid")));
        tokens.Json.GetProperty("scope").GetString()!.Split(' ').Order().ShouldBe(["email", "openid", "profile"]);
        tokens.Identity.GetProperty("sub").GetString().ShouldNotBeEmpty();
    }

    [Fact, Trait(Module, Plan + "user-rejects-authentication")]
    public async Task Who_says_no_is_led_back_with_access_denied()
    {
        FapiClient client = await FapiClient.RegisterAsync(server, firstParty: false);
        HostedForm form = await client.Browser.OpenAsync(client.Refer(await client.PushedAsync()));
        using HttpResponseMessage signedIn = await client.Browser.SubmitPasswordAsync(form, "mia@example.test");
        HostedForm consent = await client.Browser.FollowAsync(signedIn);
        using HttpResponseMessage denied = await client.Browser.SubmitAsync(consent, ("decision", "deny"));
        Arrival arrival = Arrival.At(denied);
        (arrival["error"], arrival["state"], arrival["iss"], arrival["code"]).ShouldBe(("access_denied", OAuthBrowser.State, client.Issuer, ""));
    }

    [Theory, Trait(Module, Plan + "access-token-type-header-case-sensitivity")]
    [InlineData("DPoP")]
    [InlineData("dpop")]
    [InlineData("DPOP")]
    public async Task The_scheme_of_a_token_may_be_written_in_any_case(string scheme)
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        TokenReply tokens = await client.RedeemAsync(await client.CodeAsync());
        (await client.CallAsync(tokens.AccessToken, client.CallProof(tokens.AccessToken), scheme)).ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("nonce"), Trait(Module, Plan + "ensure-different-nonce-inside-and-outside-request-object")]
    [InlineData("state"), Trait(Module, Plan + "ensure-different-state-inside-and-outside-request-object")]
    public async Task What_stands_beside_the_reference_gives_way_to_what_was_pushed(string name)
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        HostedForm form = await client.Browser.OpenAsync(QueryHelpers.AddQueryString(client.Refer(await client.PushedAsync()), name, "outside"));
        using HttpResponseMessage done = await client.Browser.SubmitPasswordAsync(form, "mia@example.test");
        Arrival arrival = Arrival.At(done);
        arrival["state"].ShouldBe(OAuthBrowser.State);
        (await client.RedeemAsync(arrival.Code)).Identity.GetProperty("nonce").GetString().ShouldBe("the-nonce");
    }

    [Fact, Trait(Module, Plan + "state-only-outside-request-object-not-used")]
    public async Task A_state_that_was_not_pushed_does_not_come_back()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        HostedForm form = await client.Browser.OpenAsync(QueryHelpers.AddQueryString(client.Refer(await client.PushedAsync(("state", null))), "state", "outside"));
        using HttpResponseMessage done = await client.Browser.SubmitPasswordAsync(form, "mia@example.test");
        Arrival.At(done)["state"].ShouldBe("");
    }

    [Fact]
    [Trait(Module, Plan + "ensure-request-object-without-redirect-uri-fails"), Trait(Module, Plan + "ensure-redirect-uri-in-authorization-request")]
    public async Task A_request_without_a_redirect_uri_is_refused()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        (await client.PushAsync(("redirect_uri", null))).ShouldBeRefused("invalid_request", "ATR1202");
    }

    [Fact, Trait(Module, Plan + "ensure-registered-redirect-uri"), Trait(Module, Plan + "plain-fapi-tolerate-unregistered-redirect-uri")]
    public async Task A_redirect_uri_that_is_not_registered_is_refused()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        (await client.PushAsync(("redirect_uri", $"{DemoRealm.Callback}/another"))).ShouldBeRefused("invalid_request", "ATR1202");
    }

    [Fact, Trait(Module, Plan + "ensure-unsigned-authorization-request-without-using-par-fails")]
    public async Task A_request_that_was_not_pushed_is_refused()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        Arrival refused = await client.Browser.SilentlyAsync(("client_id", client.Id));
        (refused["error"], refused["state"], refused["iss"], refused["code"]).ShouldBe(("invalid_request", OAuthBrowser.State, client.Issuer, ""));
    }

    [Theory]
    [InlineData("code id_token"), Trait(Module, Plan + "ensure-response-type-code-idtoken-fails")]
    [InlineData("token"), Trait(Module, Plan + "ensure-response-type-token-fails")]
    public async Task Any_response_type_but_code_is_refused(string type)
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        (await client.PushAsync(("response_type", type))).ShouldBeRefused("unsupported_response_type", "ATR1213");
    }

    [Fact, Trait(Module, Plan + "ensure-authorization-code-is-bound-to-client")]
    public async Task A_code_is_worth_nothing_to_another_client()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        FapiClient other = await FapiClient.RegisterAsync(server);
        (await other.RedeemAsync(await client.CodeAsync())).ShouldBeRefused("invalid_grant", "ATR1421");
    }

    [Fact, Trait(Module, Plan + "attempt-reuse-authorization-code-after-one-second")]
    public async Task A_code_is_refused_a_second_later_and_what_it_gave_has_ended()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string code = await client.CodeAsync();
        TokenReply tokens = await client.RedeemAsync(code);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        (await client.RedeemAsync(code)).ShouldBeRefused("invalid_grant", "ATR1422");
        (await client.CallAsync(tokens.AccessToken, client.CallProof(tokens.AccessToken))).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact, Trait(Module, Plan + "ensure-token-endpoint-fails-with-expired-auth-code")]
    public async Task An_expired_code_is_refused()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string code = await client.CodeAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        (await client.RedeemAsync(code)).ShouldBeRefused("invalid_grant", "ATR1421");
    }

    [Fact, Trait(Module, Plan + "refresh-token")]
    public async Task A_refresh_needs_the_client_and_gives_a_token_bound_to_the_key_that_asks()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        FapiClient other = await FapiClient.RegisterAsync(server);
        TokenReply tokens = await client.RedeemAsync(await client.CodeAsync());
        (string, string)[] fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken)];
        (await other.TokenAsync(fields)).ShouldBeRefused("invalid_grant", "ATR1421");
        NotAuthenticated(await client.SendAsync($"{OAuthBrowser.Root}/token", [.. fields, ("client_id", client.Id)], client.Proof($"{OAuthBrowser.Root}/token"), null));
        TokenReply unbound = await client.SendAsync($"{OAuthBrowser.Root}/token", fields, null, client.Assertion());
        (unbound.Status, unbound.Error).ShouldBe((HttpStatusCode.BadRequest, "invalid_dpop_proof"));
        TokenReply refreshed = await client.TokenAsync(fields);
        (refreshed.Status, refreshed.Json.GetProperty("token_type").GetString()).ShouldBe((HttpStatusCode.OK, "DPoP"));
        (await client.CallAsync(refreshed.AccessToken, client.CallProof(refreshed.AccessToken))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact, Trait(Module, Plan + "par-attempt-reuse-request_uri")]
    public async Task A_reference_is_followed_once()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string uri = await client.PushedAsync();
        await client.SignInAsync(uri);
        await ShouldBeAPageAsync(client, uri);
    }

    [Fact, Trait(Module, Plan + "par-attempt-to-use-expired-request_uri")]
    public async Task An_expired_reference_is_not_followed()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string uri = await client.PushedAsync();
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        await ShouldBeAPageAsync(client, uri);
    }

    [Fact, Trait(Module, Plan + "par-attempt-to-use-request_uri-for-different-client")]
    public async Task A_reference_is_not_followed_for_another_client()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        await ShouldBeAPageAsync(await FapiClient.RegisterAsync(server), await client.PushedAsync());
    }

    [Fact, Trait(Module, Plan + "par-authorization-request-containing-request_uri-form-param")]
    public async Task A_pushed_request_has_no_request_uri()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        (await client.PushAsync(("request_uri", await client.PushedAsync()))).ShouldBeRefused("invalid_request", "ATR1240");
    }

    [Theory, Trait(Module, Plan + "par-attempt-invalid-http-method")]
    [InlineData("GET")]
    [InlineData("PUT")]
    public async Task Only_a_POST_pushes(string method)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), $"{OAuthBrowser.Root}/par");
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Fact, Trait(Module, Plan + "par-ensure-pkce-required")]
    public async Task A_request_without_a_challenge_is_refused()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        (await client.PushAsync(("code_challenge", null), ("code_challenge_method", null))).ShouldBeRefused("invalid_request", "ATR1217");
    }

    [Fact, Trait(Module, Plan + "par-plain-pkce-rejected")]
    public async Task A_plain_challenge_is_refused()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        (await client.PushAsync(("code_challenge", OAuthBrowser.Verifier), ("code_challenge_method", "plain"))).ShouldBeRefused("invalid_request", "ATR1218");
    }

    [Theory]
    [InlineData(null), Trait(Module, Plan + "ensure-pkce-code-verifier-required")]
    [InlineData("another-verifier-0123456789-0123456789-0123456789"), Trait(Module, Plan + "incorrect-pkce-code-verifier-rejected")]
    public async Task A_code_without_its_verifier_is_refused(string? verifier)
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        (await client.TokenAsync(FapiClient.CodeFields(await client.CodeAsync(), verifier))).ShouldBeRefused("invalid_grant", "ATR1425");
    }

    [Fact, Trait(Module, Plan + "par-without-duplicate-parameters")]
    public async Task The_browser_brings_client_id_and_request_uri_and_nothing_else()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string url = client.Refer(await client.PushedAsync());
        QueryHelpers.ParseQuery(url.Split('?')[1]).Keys.Order().ShouldBe(["client_id", "request_uri"]);
        (await client.Browser.OpenAsync(url)).Asks("password").ShouldBeTrue();
    }

    private static async Task ShouldBeAPageAsync(FapiClient client, string uri)
    {
        using HttpResponseMessage response = await client.Browser.GetAsync(client.Refer(uri));
        (response.StatusCode, response.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
        (await response.Content.ReadAsStringAsync()).ShouldContain("ATR1246");
    }

    private static void Refused(TokenReply reply)
    {
        reply.Status.ShouldBe(HttpStatusCode.BadRequest);
        reply.Error.ShouldBeOneOf("invalid_grant", "invalid_dpop_proof");
    }
}
