using System.Net;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Microsoft.AspNetCore.WebUtilities;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

public sealed class PushedRequestTests(DemoServer server) : PushedRequestContract(server), IClassFixture<DemoServer>;

public sealed class PostgresPushedRequestTests(PostgresDemoServer server) : PushedRequestContract(server), IClassFixture<PostgresDemoServer>;

/// <summary>Pushed authorization requests (RFC 9126): the request is the client's alone, and the reference to it works once.</summary>
public abstract class PushedRequestContract(DemoServer server)
{
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    [Fact]
    public async Task A_request_is_pushed_and_a_browser_with_its_reference_alone_signs_the_person_in()
    {
        TokenReply pushed = await PushAsync();
        (pushed.Status, pushed.IsNeverStored).ShouldBe((HttpStatusCode.Created, true));
        pushed.Json.EnumerateObject().Select(static member => member.Name).ShouldBe(["request_uri", "expires_in"]);
        pushed.Json.GetProperty("expires_in").GetInt32().ShouldBe(60);
        string uri = UriOf(pushed);
        uri.ShouldStartWith("urn:ietf:params:oauth:request_uri:");
        uri.Length.ShouldBe("urn:ietf:params:oauth:request_uri:".Length + 43, "256 bits");

        HostedForm form = await browser.OpenAsync(Refer(uri));
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, "mia@example.test");
        Arrival arrival = Arrival.At(done);
        (arrival["state"], arrival["iss"]).ShouldBe((OAuthBrowser.State, browser.Issuer));
        TokenReply tokens = await browser.RedeemAsync(arrival.Code);
        (tokens.Identity.GetProperty("nonce").GetString(), tokens.Json.GetProperty("scope").GetString()).ShouldBe(("the-nonce", "openid profile email"));
    }

    [Fact]
    public async Task A_client_with_a_secret_pushes_with_it_in_either_way_and_without_it_not_at_all()
    {
        (string, string)[] secret = [("client_secret", DemoRealm.ServerSecret)];
        string uri = UriOf(await PushAsync([("client_id", "demo-server"), .. secret]));
        (await browser.OpenAsync(Refer(uri, "demo-server"))).Asks("password").ShouldBeTrue();

        using HttpRequestMessage inHeader = OAuthBrowser.FormOf("/t/acme/par", Fields(("client_id", "demo-server")));
        inHeader.Headers.Authorization = new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"demo-server:{DemoRealm.ServerSecret}")));
        using HttpResponseMessage answer = await server.Http.SendAsync(inHeader);
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);

        (await PushAsync(("client_id", "demo-server"))).ShouldBeRefused("invalid_client", "ATR1101");
        (await PushAsync(("client_id", "demo-server"), ("client_secret", "wrong"))).ShouldBeRefused("invalid_client", "ATR1101");
        (await PushAsync(("client_id", "nobody"))).ShouldBeRefused("invalid_client", "ATR1101");
        (await PushAsync(("client_id", "globex-authkit"))).ShouldBeRefused("invalid_client", "ATR1101");
        (await PushAsync(("client_id", ""))).ShouldBeRefused("invalid_client", "ATR1103");
    }

    [Fact]
    public async Task A_disabled_client_neither_pushes_nor_is_its_reference_followed()
    {
        Client client = await world.ClientAsync($"c-{Guid.NewGuid():n}", new());
        string uri = UriOf(await PushAsync(("client_id", client.ClientId)));
        (await new ManagementCalls(server).PatchAsync($"/clients/{client.Id}", new { status = "disabled" })).Expect(200);
        (await PushAsync(("client_id", client.ClientId))).ShouldBeRefused("invalid_client", "ATR1101");
        await ShouldBeAPageAsync(Refer(uri, client.ClientId), "ATR1201");
    }

    [Theory]
    [InlineData("request_uri", "urn:ietf:params:oauth:request_uri:another", "invalid_request", "ATR1240")]
    [InlineData("request_uri", "https://evil.example/request", "invalid_request", "ATR1240")]
    [InlineData("request", "e30.e30.", "request_not_supported", "ATR1210")]
    [InlineData("redirect_uri", null, "invalid_request", "ATR1202")]
    [InlineData("redirect_uri", "https://evil.example/", "invalid_request", "ATR1202")]
    [InlineData("response_type", null, "invalid_request", "ATR1212")]
    [InlineData("response_type", "token", "unsupported_response_type", "ATR1213")]
    [InlineData("response_type", "code id_token", "unsupported_response_type", "ATR1213")]
    [InlineData("response_mode", "direct", "invalid_request", "ATR1214")]
    [InlineData("response_mode", "fragment", "invalid_request", "ATR1214")]
    [InlineData("code_challenge", null, "invalid_request", "ATR1217")]
    [InlineData("code_challenge_method", "plain", "invalid_request", "ATR1218")]
    [InlineData("code_challenge", "too-short", "invalid_request", "ATR1219")]
    [InlineData("prompt", "none login", "invalid_request", "ATR1220")]
    [InlineData("max_age", "-1", "invalid_request", "ATR1221")]
    [InlineData("scope", "openid \"quoted\"", "invalid_scope", "ATR1115")]
    [InlineData("resource", "/relative", "invalid_target", "ATR1116")]
    [InlineData("org", "", "invalid_request", "ATR1114")]
    [InlineData("org", "nonsense", "invalid_request", "ATR1114")]
    [InlineData("id_token_hint", "not.a.token", "invalid_request", "ATR1233")]
    public async Task Every_fault_is_told_to_the_client_when_it_pushes(string name, string? value, string error, string id) =>
        (await PushAsync((name, value))).ShouldBeRefused(error, id);

    [Fact]
    public async Task What_is_too_long_is_refused_and_nothing_unknown_is()
    {
        (await PushAsync(("state", new string('s', 4097)))).ShouldBeRefused("invalid_request", "ATR1216");
        (await PushAsync(("nonce", new string('n', 1025)))).ShouldBeRefused("invalid_request", "ATR1216");
        (await PushAsync(("unknown", "1"))).Status.ShouldBe(HttpStatusCode.Created);
        TokenReply tooLarge = await PushAsync(("unknown", new string('x', 33_000)));
        (tooLarge.Status, tooLarge.Error, tooLarge.IsNeverStored).ShouldBe((HttpStatusCode.RequestEntityTooLarge, "invalid_request", true));
        tooLarge.Description!.ShouldEndWith("(ATR1241)");
        using HttpRequestMessage twice = new(HttpMethod.Post, "/t/acme/par")
        {
            Content = new FormUrlEncodedContent([.. Fields().Select(static field => KeyValuePair.Create(field.Name, field.Value)), new("scope", "openid")]),
        };
        using HttpResponseMessage refused = await server.Http.SendAsync(twice);
        (refused.StatusCode, (await refused.Content.ReadAsStringAsync()).Contains("ATR1113", StringComparison.Ordinal)).ShouldBe((HttpStatusCode.BadRequest, true));
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("GET")]
    public async Task Only_a_POST_pushes(string method)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), "/t/acme/par?client_id=demo-web");
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Fact]
    public async Task A_reference_works_once()
    {
        string uri = UriOf(await PushAsync());
        HostedForm form = await browser.OpenAsync(Refer(uri));
        await ShouldBeAPageAsync(Refer(uri), "ATR1246");

        // The sign-in that it began is not harmed: its page is another one, and can be loaded again.
        using HttpResponseMessage reloaded = await browser.GetAsync(form.Location);
        reloaded.StatusCode.ShouldBe(HttpStatusCode.OK);
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, "sam@example.test");
        (await browser.RedeemAsync(Arrival.At(done).Code)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Of_twenty_browsers_at_once_one_is_let_through()
    {
        string uri = UriOf(await PushAsync());
        HttpStatusCode[] statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using HttpResponseMessage response = await server.Http.GetAsync(Refer(uri));
            return response.StatusCode;
        }));
        statuses.Count(static status => status == HttpStatusCode.SeeOther).ShouldBe(1);
        statuses.Count(static status => status == HttpStatusCode.BadRequest).ShouldBe(19);
    }

    [Fact]
    public async Task A_reference_lives_for_sixty_seconds()
    {
        string first = UriOf(await PushAsync());
        string second = UriOf(await PushAsync());
        server.Clock.Advance(TimeSpan.FromSeconds(59));
        await browser.OpenAsync(Refer(first));
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await ShouldBeAPageAsync(Refer(second), "ATR1246");
    }

    [Fact]
    public async Task Another_client_another_realm_and_an_altered_reference_get_a_page_and_spend_nothing()
    {
        string uri = UriOf(await PushAsync());
        await ShouldBeAPageAsync(Refer(uri, "demo-server"), "ATR1246");
        await ShouldBeAPageAsync(Refer(uri, "nobody"), "ATR1201");
        await ShouldBeAPageAsync(Refer(uri).Replace("/t/acme/", "/t/globex/", StringComparison.Ordinal), "ATR1201");
        await ShouldBeAPageAsync(Refer(uri, "globex-authkit").Replace("/t/acme/", "/t/globex/", StringComparison.Ordinal), "ATR1246");
        await ShouldBeAPageAsync($"/t/acme/authorize?request_uri={Uri.EscapeDataString(uri)}", "ATR1201");
        foreach (string altered in new[] { uri[..^1], uri + "A", uri.ToUpperInvariant(), PushedRequest.UriPrefix, PushedRequest.UriPrefix + Secret.New().Reveal() })
        {
            using HttpResponseMessage response = await browser.GetAsync(Refer(altered));
            (response.StatusCode, response.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null), altered);
        }

        using HttpResponseMessage twice = await browser.GetAsync($"{Refer(uri)}&request_uri={Uri.EscapeDataString(uri)}");
        (twice.StatusCode, twice.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
        using HttpResponseMessage withObject = await browser.GetAsync($"{Refer(uri)}&request=e30.e30.");
        (withObject.StatusCode, withObject.Headers.Location).ShouldBe((HttpStatusCode.BadRequest, null));
        (await browser.OpenAsync(Refer(uri))).Asks("password").ShouldBeTrue("it is still there for its own client");
    }

    [Fact]
    public async Task What_the_browser_adds_to_the_reference_counts_for_nothing()
    {
        await browser.SignInAsync("mia@example.test");
        string northwind = (await world.OrganizationAsync("northwind")).Id.ToString();
        string contoso = (await world.OrganizationAsync("contoso")).Id.ToString();
        string uri = UriOf(await PushAsync(("org", northwind), ("resource", "https://api.example.test")));
        string url = OAuthBrowser.Authorize(
            ("request_uri", uri), ("org", contoso), ("state", "outside"), ("nonce", "outside"), ("scope", "openid"), ("redirect_uri", "https://evil.example/"),
            ("code_challenge", new string('A', 43)), ("resource", "https://other.example.test"), ("prompt", "login"));
        using HttpResponseMessage response = await browser.GetAsync(url);
        Arrival arrival = Arrival.At(response);
        arrival["state"].ShouldBe(OAuthBrowser.State);
        TokenReply tokens = await browser.RedeemAsync(arrival.Code);
        (tokens.Access.GetProperty("aud").GetString(), tokens.Access.GetProperty("scope").GetString(), tokens.Identity.GetProperty("nonce").GetString())
            .ShouldBe(("https://api.example.test", "openid profile email", "the-nonce"));
        tokens.Organizations.ShouldBe([northwind]);
    }

    [Fact]
    public async Task The_organization_of_the_path_is_part_of_what_was_pushed()
    {
        await browser.SignInAsync("mia@example.test");
        string northwind = (await world.OrganizationAsync("northwind")).Id.ToString();
        string contoso = (await world.OrganizationAsync("contoso")).Id.ToString();
        foreach (string path in new[] { "/t/acme/authorize", $"/t/acme/o/{northwind}/oauth2/authorize" })
        {
            string uri = UriOf(await PushAtAsync($"/t/acme/o/{northwind}/oauth2/par"));
            using HttpResponseMessage response = await browser.GetAsync(Refer(uri, path: path));
            (await browser.RedeemAsync(Arrival.At(response).Code)).Organizations.ShouldBe([northwind]);
        }

        foreach (string pushedOn in new[] { $"/t/acme/o/{northwind}/oauth2/par", "/t/acme/oauth2/par" })
        {
            string uri = UriOf(await PushAtAsync(pushedOn));
            using HttpResponseMessage other = await browser.GetAsync(Refer(uri, path: $"/t/acme/o/{contoso}/oauth2/authorize"));
            Arrival arrival = Arrival.At(other);
            (arrival["error"], arrival["state"], arrival["error_description"].EndsWith("(ATR1223)", StringComparison.Ordinal)).ShouldBe(("invalid_request", OAuthBrowser.State, true));
        }

        (await PushAtAsync($"/t/acme/o/{northwind}/oauth2/par", ("org", contoso))).ShouldBeRefused("invalid_request", "ATR1223");
        (await PushAtAsync("/t/acme/o/nonsense/oauth2/par")).ShouldBeRefused("invalid_request", "ATR1224");
        Client none = await world.RestrictedClientAsync($"none-{Guid.NewGuid():n}", OrganizationPolicy.None);
        (await PushAsync(("client_id", none.ClientId), ("org", northwind))).ShouldBeRefused("invalid_request", "ATR1222");
    }

    [Theory]
    [InlineData("HEAD", null)]
    [InlineData("GET", "prefetch")]
    [InlineData("GET", "prefetch;prerender")]
    public async Task Who_only_looks_spends_nothing(string method, string? purpose)
    {
        string uri = UriOf(await PushAsync());
        using HttpRequestMessage look = new(new HttpMethod(method), Refer(uri));
        if (purpose is not null)
            look.Headers.Add("Sec-Purpose", purpose);
        using HttpResponseMessage nothing = await server.Http.SendAsync(look);
        (nothing.StatusCode, nothing.Headers.CacheControl?.NoStore, nothing.Headers.Contains("Set-Cookie")).ShouldBe((HttpStatusCode.NoContent, true, false));
        (await browser.OpenAsync(Refer(uri))).Asks("password").ShouldBeTrue();
    }

    [Fact]
    public async Task A_silent_request_is_pushed_like_any_other_and_spent_by_its_answer()
    {
        string uri = UriOf(await PushAsync(("prompt", "none")));
        using HttpResponseMessage response = await browser.GetAsync(Refer(uri));
        Arrival arrival = Arrival.At(response);
        (arrival["error"], arrival["state"], arrival["iss"]).ShouldBe(("login_required", OAuthBrowser.State, browser.Issuer));
        await ShouldBeAPageAsync(Refer(uri), "ATR1246");
    }

    [Fact]
    public async Task A_reference_that_another_site_posts_is_not_spent_before_its_cookies_have_come()
    {
        await browser.SignInAsync("sam@example.test");
        string uri = UriOf(await PushAsync());
        using HttpRequestMessage crossSite = OAuthBrowser.FormOf("/t/acme/authorize", ("client_id", "demo-web"), ("request_uri", uri));
        crossSite.Headers.Add("Sec-Fetch-Site", "cross-site");
        using HttpResponseMessage bounced = await server.Http.SendAsync(crossSite);
        using HttpResponseMessage answered = await browser.GetAsync(bounced.Headers.Location!.OriginalString);
        Arrival.At(answered).Code.Length.ShouldBe(43);
    }

    [Fact]
    public async Task A_client_that_must_push_is_refused_whatever_comes_through_the_browser()
    {
        Client client = await world.ClientAsync(
            $"pushing-{Guid.NewGuid():n}",
            new ClientSettings { Openid = new OpenIdSettings { RequirePushedAuthorizationRequests = true }, AppNative = new AppNativeSettings { Enabled = true } });
        Arrival refused = await browser.SilentlyAsync(("client_id", client.ClientId));
        (refused["error"], refused["state"], refused["iss"]).ShouldBe(("invalid_request", OAuthBrowser.State, browser.Issuer));
        refused["error_description"].ShouldEndWith("(ATR1242)");
        using HttpResponseMessage direct = await browser.PostAsync("/t/acme/authorize", [.. Fields(("client_id", client.ClientId)), ("response_mode", "direct")]);
        direct.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await direct.Content.ReadAsStringAsync()).ShouldContain("must push");

        string uri = UriOf(await PushAsync(("client_id", client.ClientId)));
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(await browser.OpenAsync(Refer(uri, client.ClientId)), "sam@example.test");
        Arrival.At(done).Code.Length.ShouldBe(43);
    }

    [Theory]
    [InlineData("request_uri")]
    [InlineData("request")]
    public async Task A_direct_flow_begins_with_the_parameters_themselves(string name)
    {
        string uri = UriOf(await PushAsync());
        using HttpResponseMessage direct = await browser.PostAsync(
            "/t/acme/oauth2/authorize",
            ("client_id", "demo-native"), ("response_mode", "direct"), ("response_type", "code"), ("redirect_uri", DemoRealm.NativeCallback), (name, uri));
        direct.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await direct.Content.ReadAsStringAsync()).ShouldContain("request_not_supported");
    }

    [Fact]
    public async Task A_single_page_application_may_push_from_its_origin_and_discovery_tells_where()
    {
        JsonElement document = JsonElement.Parse(await server.Http.GetStringAsync("/t/acme/.well-known/openid-configuration"));
        document.GetProperty("pushed_authorization_request_endpoint").GetString().ShouldBe($"{server.Url}/t/acme/par");
        document.GetProperty("require_pushed_authorization_requests").GetBoolean().ShouldBeFalse();
        JsonElement direct = JsonElement.Parse(await server.Http.GetStringAsync("/t/acme/oauth2/token/.well-known/openid-configuration"));
        direct.TryGetProperty("pushed_authorization_request_endpoint", out _).ShouldBeFalse("direct flows are not pushed");
        foreach ((string origin, bool isKnown) in new[] { ("http://localhost:3000", true), ("https://evil.example", false) })
        {
            using HttpRequestMessage preflight = new(HttpMethod.Options, "/t/acme/par");
            preflight.Headers.Add("Origin", origin);
            using HttpResponseMessage response = await server.Http.SendAsync(preflight);
            response.Headers.Contains("Access-Control-Allow-Origin").ShouldBe(isKnown);
        }
    }

    [Fact]
    public async Task The_store_keeps_neither_the_reference_nor_what_proves_the_client()
    {
        string uri = UriOf(await PushAsync(("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret)));
        Client client = (await server.Get<ClientStore>().FindByClientIdAsync("demo-server", default)).ShouldNotBeNull();
        PushedRequest kept = (await server.Get<PushedRequestStore>().TakeAsync(client.RealmId, client.Id, new Secret(uri).Hash(), server.Clock.GetUtcNow(), default)).ShouldNotBeNull();
        kept.Parameters.Keys.Order().ShouldBe(["code_challenge", "code_challenge_method", "nonce", "redirect_uri", "response_type", "scope", "state"]);
    }

    /// <summary>A good authorization request of demo-web as form fields.</summary>
    private static (string Name, string Value)[] Fields(params (string Name, string? Value)[] changes) =>
    [
        .. QueryHelpers.ParseQuery(OAuthBrowser.Authorize(changes).Split('?')[1]).Select(static pair => (pair.Key, pair.Value.ToString())),
    ];

    private static string UriOf(TokenReply pushed) => pushed.Status == HttpStatusCode.Created
        ? pushed.Json.GetProperty("request_uri").GetString()!
        : throw new ShouldAssertException(pushed.Json.ToString());

    private static string Refer(string uri, string clientId = "demo-web", string path = "/t/acme/authorize") =>
        QueryHelpers.AddQueryString(path, new Dictionary<string, string?>(StringComparer.Ordinal) { ["client_id"] = clientId, ["request_uri"] = uri });

    private Task<TokenReply> PushAsync(params (string Name, string? Value)[] changes) => PushAtAsync("/t/acme/par", changes);

    private Task<TokenReply> PushAtAsync(string path, params (string Name, string? Value)[] changes) => browser.TokenAtAsync(path, Fields(changes));

    private async Task ShouldBeAPageAsync(string url, string id)
    {
        using HttpResponseMessage response = await browser.GetAsync(url);
        (response.StatusCode, response.Headers.Location, response.Content.Headers.ContentType?.MediaType).ShouldBe((HttpStatusCode.BadRequest, null, "text/html"));
        (await response.Content.ReadAsStringAsync()).ShouldContain(id);
    }
}
