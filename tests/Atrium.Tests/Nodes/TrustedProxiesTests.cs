using System.Net;
using Atrium.Core.Users;
using Atrium.Server.Hosting;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;
using Answer = Atrium.Tests.AuthKit.Answer;

namespace Atrium.Tests.Nodes;

/// <summary>Behind two proxies, one on this machine; the public URL is https.</summary>
public sealed class ServerBehindProxies : DemoServer
{
    protected override AtriumOptions Change(AtriumOptions options) =>
        options with { PublicUrl = "https://id.example.com", TrustedProxies = "127.0.0.1, 10.1.0.0/16" };
}

public sealed class TrustedProxiesTests(ServerBehindProxies server) : IClassFixture<ServerBehindProxies>
{
    private const string Root = "/t/acme";

    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("203.0.113.7, 10.1.2.3", "203.0.113.7")]
    [InlineData("198.51.100.1, 203.0.113.7, 10.1.2.3, 10.1.9.9", "203.0.113.7")]
    [InlineData("10.1.2.3, 203.0.113.7", "203.0.113.7")]
    [InlineData("2001:db8::1, 10.1.2.3", "2001:db8::1")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7")]
    [InlineData("203.0.113.7:4711", "203.0.113.7")]
    [InlineData("203.0.113.7, nonsense, 10.1.2.3", "10.1.2.3")]
    [InlineData("nonsense", "127.0.0.1")]
    [InlineData("", "127.0.0.1")]
    [InlineData(null, "127.0.0.1")]
    public async Task The_callers_address_is_the_nearest_that_no_trusted_proxy_stands_for(string? forwardedFor, string address)
    {
        User user = await new World(server).PersonAsync($"{Guid.NewGuid():n}@example.test");
        (await SignInAsync(server, user, forwardedFor)).ShouldBe(address);
    }

    [Fact]
    public async Task Cookies_are_secure_and_of_this_host_alone_and_links_and_redirects_are_https()
    {
        OAuthBrowser browser = new(server);
        using HttpResponseMessage started = await browser.SendAsync(ForwardedAs("https", OAuthBrowser.Authorize()));
        CookieOf(started).ShouldStartWith("__Host-atrium_browser.acme=");
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(await browser.FollowAsync(started), "mia@example.test");
        CookieOf(done).ShouldStartWith("__Host-atrium_session.acme=");
        done.Headers.GetValues("Set-Cookie").Single(static cookie => cookie.StartsWith("__Host-atrium_state.acme=", StringComparison.Ordinal)).ShouldEndWith("path=/; secure; samesite=none");
        Arrival arrival = Arrival.At(done);
        arrival["iss"].ShouldBe($"https://id.example.com{Root}");
        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
        TokenReply tokens = await browser.RedeemAsync(arrival.Code);
        using HttpResponseMessage signedOut = await browser.GetAsync($"{Root}/logout?id_token_hint={tokens.Json.GetProperty("id_token").GetString()}");
        browser.Cookies.Keys.ShouldBe(["__Host-atrium_browser.acme"]);
        foreach (string cookie in new[] { CookieOf(started), CookieOf(done), CookieOf(signedOut) })
        {
            string[] attributes = cookie.Split("; ")[1..];
            attributes.ShouldContain("secure");
            attributes.ShouldContain("path=/");
            attributes.ShouldContain("httponly");
            attributes.ShouldContain("samesite=lax");
            attributes.ShouldNotContain(static attribute => attribute.StartsWith("domain", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task A_cookie_that_a_neighbour_of_the_domain_could_plant_is_not_read()
    {
        OAuthBrowser browser = new(server);
        await browser.SignInAsync("mia@example.test");
        OAuthBrowser victim = new(server) { Cookies = { ["atrium_session"] = browser.Cookies["__Host-atrium_session.acme"] } };
        (await victim.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact]
    public async Task No_host_but_the_public_urls_ever_comes_into_a_link()
    {
        using HttpRequestMessage request = ForwardedAs("https", $"{Root}/.well-known/openid-configuration");
        request.Headers.Add("X-Forwarded-Host", "evil.example");
        request.Headers.Add("X-Forwarded-Prefix", "/evil");
        request.Headers.Add("Forwarded", "for=203.0.113.7;host=evil.example;proto=https");
        request.Headers.Host = "also-evil.example";
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        string metadata = await response.Content.ReadAsStringAsync();
        metadata.ShouldNotContain("evil");
        metadata.ShouldContain("\"issuer\":\"https://id.example.com/t/acme\"");
    }

    [Theory]
    [InlineData("https", "max-age=31536000")]
    [InlineData("http", null)]
    [InlineData(null, null)]
    public async Task Browsers_that_came_over_TLS_are_told_to_stay_with_it(string? scheme, string? policy)
    {
        using HttpResponseMessage response = await server.Http.SendAsync(ForwardedAs(scheme, "/"));
        (response.Headers.TryGetValues("Strict-Transport-Security", out IEnumerable<string>? values) ? values.Single() : null).ShouldBe(policy);
    }

    [Theory]
    [InlineData("203.0.113.99", "203.0.113.99", "203.0.113.98")]
    [InlineData("2001:db8:0:7::1", "2001:db8:0:7:ffff:1:2:3", "2001:db8:0:8::1")]
    public async Task Guesses_are_counted_by_the_callers_address_of_IPv6_by_its_64(string address, string same, string other)
    {
        User user = await new World(server).PersonAsync($"{Guid.NewGuid():n}@example.test");
        OAuthBrowser browser = new(server);
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        for (int guess = 0; guess < 30; guess++)
            (await GuessAsync(address)).ShouldNotBe(HttpStatusCode.TooManyRequests);
        (await GuessAsync(same)).ShouldBe(HttpStatusCode.TooManyRequests);
        (await GuessAsync(other)).ShouldNotBe(HttpStatusCode.TooManyRequests, "somebody else at the same proxy");

        async Task<HttpStatusCode> GuessAsync(string address)
        {
            using HttpRequestMessage request = OAuthBrowser.FormOf($"{Root}/sign-in", [.. form.Hidden, ("email", user.Email), ("password", "wrong")]);
            request.Headers.Add("X-Forwarded-For", address);
            using HttpResponseMessage response = await browser.SendAsync(request);
            return response.StatusCode;
        }
    }

    [Theory]
    [InlineData("10.0.0.5", "10.0.0.5/32")]
    [InlineData("10.0.0.5,10.1.0.0/16; fd00::/8  ::1", "10.0.0.5/32,10.1.0.0/16,fd00::/8,::1/128")]
    [InlineData("10.1.2.3/16", "10.1.0.0/16")]
    [InlineData("::ffff:10.0.0.5", "10.0.0.5/32")]
    [InlineData("", "")]
    public void A_list_has_addresses_and_networks(string list, string networks) =>
        string.Join(',', TrustedProxies.Parse(list)).ShouldBe(networks);

    [Theory]
    [InlineData("proxy.example.com", "neither an address nor a network")]
    [InlineData("10.0.0.5, 10.1", "\"10.1\"")]
    [InlineData("10.0.0.300", "neither")]
    [InlineData("10.0.0.0/33", "not a network")]
    [InlineData("10.0.0.0/", "not a network")]
    [InlineData("0.0.0.0/0", "everybody")]
    [InlineData("::/0", "everybody")]
    public void A_list_with_anything_else_is_refused_in_a_sentence_that_names_it(string list, string what) =>
        Should.Throw<FormatException>(() => TrustedProxies.Parse(list)).Message.ShouldContain(what);

    /// <summary>Signs in through the hosted page; the address that the session keeps.</summary>
    internal static async Task<string?> SignInAsync(DemoServer server, User user, string? forwardedFor)
    {
        OAuthBrowser browser = new(server);
        using HttpRequestMessage request = ForwardedAs("https", OAuthBrowser.Authorize());
        if (forwardedFor is not null)
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwardedFor);
        using HttpResponseMessage started = await browser.SendAsync(request);
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(await browser.FollowAsync(started), user.Email);
        Arrival.At(done);
        Answer sessions = await new AuthKitCalls(server).GetAsync($"/user_management/users/{user.Id}/sessions");
        return sessions.Json.GetProperty("data")[0].GetProperty("ip_address").GetString();
    }

    private static HttpRequestMessage ForwardedAs(string? scheme, string path)
    {
        HttpRequestMessage request = new(HttpMethod.Get, path);
        if (scheme is not null)
            request.Headers.Add("X-Forwarded-Proto", scheme);
        return request;
    }

    /// <summary>The one that scripts and other sites can't reach. Beside the session's there is one that the application's frames read (session management).</summary>
    private static string CookieOf(HttpResponseMessage response) =>
        response.Headers.GetValues("Set-Cookie").Where(static cookie => !cookie.StartsWith("__Host-atrium_state.acme=", StringComparison.Ordinal)).ShouldHaveSingleItem();
}

/// <summary>With nobody trusted, what a caller forwards about itself is worth nothing.</summary>
public sealed class NoTrustedProxiesTests(DemoServer server) : IClassFixture<DemoServer>
{
    [Theory]
    [InlineData("203.0.113.7")]
    [InlineData("127.0.0.1, 203.0.113.7")]
    public async Task A_forwarded_address_is_not_believed(string forwardedFor)
    {
        User user = await new World(server).PersonAsync($"{Guid.NewGuid():n}@example.test");
        (await TrustedProxiesTests.SignInAsync(server, user, forwardedFor)).ShouldBe("127.0.0.1");
    }

    [Fact]
    public async Task Nobody_is_told_to_stay_with_TLS_that_is_not_there()
    {
        using HttpRequestMessage request = new(HttpMethod.Get, "/") { Headers = { { "X-Forwarded-Proto", "https" } } };
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        response.Headers.Contains("Strict-Transport-Security").ShouldBeFalse();
    }
}
