using System.Buffers.Text;
using System.Net;
using System.Text;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

public sealed class TokenEndpointTests(DemoServer server) : TokenEndpointContract(server), IClassFixture<DemoServer>;

public sealed class PostgresTokenEndpointTests(PostgresDemoServer server) : TokenEndpointContract(server), IClassFixture<PostgresDemoServer>;

/// <summary>The token endpoint: what it gives, once, and what it refuses.</summary>
public abstract class TokenEndpointContract(DemoServer server)
{
    private const string Form = "application/x-www-form-urlencoded";
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    public static TheoryData<string, string, string, int, string, string> BadInput => new()
    {
        { "JSON", "application/json", """{"grant_type":"client_credentials"}""", 400, "invalid_request", "ATR1110" },
        { "malformed JSON", "application/json", "{", 400, "invalid_request", "ATR1110" },
        { "no type", "", "grant_type=client_credentials", 400, "invalid_request", "ATR1110" },
        { "multipart", "multipart/form-data; boundary=x", "--x--", 400, "invalid_request", "ATR1110" },
        { "nothing", Form, "", 401, "invalid_client", "ATR1103" },
        { "no pairs", Form, "%%%&&&===", 401, "invalid_client", "ATR1103" },
        { "no UTF-8", Form, "client_id=\u0001", 400, "invalid_request", "ATR1112" },
        { "1 MB", Form, "MEGABYTE", 413, "invalid_request", "ATR1111" },
        { "client_id twice", Form, "client_id=demo-web&client_id=demo-web&grant_type=refresh_token", 400, "invalid_request", "ATR1113" },
        { "grant_type twice", Form, "client_id=demo-web&grant_type=refresh_token&grant_type=refresh_token", 400, "invalid_request", "ATR1113" },
        { "unknown client", Form, "client_id=nobody&grant_type=refresh_token", 401, "invalid_client", "ATR1101" },
        { "another realm's client", Form, "client_id=globex-authkit&grant_type=refresh_token", 401, "invalid_client", "ATR1101" },
        { "wrong secret", Form, "client_id=demo-m2m&client_secret=wrong&grant_type=client_credentials", 401, "invalid_client", "ATR1101" },
        { "no secret", Form, "client_id=demo-m2m&grant_type=client_credentials", 401, "invalid_client", "ATR1101" },
        { "secret of a public client", Form, "client_id=demo-web&client_secret=x&grant_type=refresh_token", 401, "invalid_client", "ATR1101" },
        { "no grant type", Form, "client_id=demo-web", 400, "invalid_request", "ATR1401" },
        { "password grant", Form, "client_id=demo-web&grant_type=password&username=sam@example.test&password=x", 400, "unsupported_grant_type", "ATR1402" },
        { "implicit", Form, "client_id=demo-web&grant_type=implicit", 400, "unsupported_grant_type", "ATR1402" },
        { "public client for itself", Form, "client_id=demo-web&grant_type=client_credentials", 400, "unauthorized_client", "ATR1403" },
        { "m2m with a code", Form, "client_id=demo-m2m&client_secret=demo-m2m-secret&grant_type=authorization_code&code=x", 400, "unauthorized_client", "ATR1403" },
        { "no code", Form, "client_id=demo-web&grant_type=authorization_code", 400, "invalid_request", "ATR1411" },
        { "unknown code", Form, "client_id=demo-web&grant_type=authorization_code&code=unknown", 400, "invalid_grant", "ATR1421" },
        { "no refresh token", Form, "client_id=demo-web&grant_type=refresh_token&refresh_token=", 400, "invalid_request", "ATR1413" },
        { "unknown refresh token", Form, "client_id=demo-web&grant_type=refresh_token&refresh_token=a.b.c", 400, "invalid_grant", "ATR1421" },
        { "NUL in the token", Form, "client_id=demo-web&grant_type=refresh_token&refresh_token=%00", 400, "invalid_grant", "ATR1421" },
        { "NUL in the client", Form, "client_id=%00&grant_type=refresh_token&refresh_token=x", 401, "invalid_client", "ATR1101" },
        { "foreign organization", Form, "client_id=demo-m2m&client_secret=demo-m2m-secret&grant_type=client_credentials&org=org_0000000000000000000000001", 400, "invalid_request", "ATR1414" },
        { "malformed organization", Form, "client_id=demo-web&grant_type=refresh_token&refresh_token=x&org=nonsense", 400, "invalid_request", "ATR1114" },
        { "malformed scope", Form, "client_id=demo-m2m&client_secret=demo-m2m-secret&grant_type=client_credentials&scope=%22", 400, "invalid_scope", "ATR1115" },
        { "malformed resource", Form, "client_id=demo-m2m&client_secret=demo-m2m-secret&grant_type=client_credentials&resource=api", 400, "invalid_target", "ATR1116" },
        { "two resources", Form, "client_id=demo-m2m&resource=https://a.example&resource=https://b.example", 400, "invalid_target", "ATR1116" },
    };

    [Theory, MemberData(nameof(BadInput))]
    public async Task Bad_input_gets_an_oauth_error_with_its_id(string what, string type, string body, int status, string error, string id)
    {
        byte[] bytes = body == "MEGABYTE" ? new byte[1024 * 1024] : [.. Encoding.UTF8.GetBytes(body).Select(static b => b == 1 ? (byte)0xff : b)];
        using HttpRequestMessage request = new(HttpMethod.Post, "/t/acme/token") { Content = new ByteArrayContent(bytes) };
        if (type.Length > 0)
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, $"{what}: {text}");
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        System.Text.Json.JsonElement json = System.Text.Json.JsonElement.Parse(text);
        json.GetProperty("error").GetString().ShouldBe(error);
        json.GetProperty("error_description").GetString()!.ShouldEndWith($"({id})");
    }

    [Theory]
    [InlineData("/t/nowhere/token", HttpStatusCode.NotFound)]
    [InlineData("/t/acme/o/nonsense/oauth2/token", HttpStatusCode.NotFound)]
    [InlineData("/t/acme/oauth2/token", HttpStatusCode.OK)]
    [InlineData("/t/acme/oauth2/token/", HttpStatusCode.OK)]
    [InlineData("/t/acme/o/org_0000000000000000000000001/oauth2/token", HttpStatusCode.OK)]
    public async Task The_paths_of_the_endpoint(string path, HttpStatusCode status) =>
        (await browser.TokenAtAsync(path, Machine())).Status.ShouldBe(status);

    [Theory]
    [InlineData("Basic ZGVtby1tMm06ZGVtby1tMm0tc2VjcmV0", "", HttpStatusCode.OK)]
    [InlineData("basic ZGVtby1tMm06ZGVtby1tMm0tc2VjcmV0", "&client_id=demo-m2m", HttpStatusCode.OK)]
    [InlineData("Basic ZGVtby1tMm06ZGVtby1tMm0tc2VjcmV0", "&client_id=demo-server", HttpStatusCode.Unauthorized)]
    [InlineData("Basic ZGVtby1tMm06ZGVtby1tMm0tc2VjcmV0", "&client_secret=demo-m2m-secret", HttpStatusCode.BadRequest)]
    [InlineData("Basic ZGVtby1tMm06d3Jvbmc=", "", HttpStatusCode.Unauthorized)]
    [InlineData("Basic !", "", HttpStatusCode.Unauthorized)]
    [InlineData("Basic", "", HttpStatusCode.Unauthorized)]
    public async Task The_secret_in_the_header_is_read_strictly(string header, string more, HttpStatusCode status)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/t/acme/token") { Content = new StringContent($"grant_type=client_credentials{more}", Encoding.UTF8, Form) };
        request.Headers.TryAddWithoutValidation("Authorization", header);
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        response.StatusCode.ShouldBe(status);
        if (status == HttpStatusCode.Unauthorized && header.Length > 6)
            response.Headers.WwwAuthenticate.ToString().ShouldStartWith("Basic");
    }

    [Fact]
    public async Task A_client_gets_a_token_of_its_own_with_what_it_asks_for_and_without_people()
    {
        TokenReply reply = await browser.TokenAsync([.. Machine(), ("scope", "jobs:run jobs:read jobs:run"), ("resource", "https://api.example.test")]);
        (reply.Status, reply.IsNeverStored).ShouldBe((HttpStatusCode.OK, true));
        reply.Json.EnumerateObject().Select(static member => member.Name).ShouldBe(["access_token", "token_type", "expires_in", "scope"]);
        reply.Json.GetProperty("scope").GetString().ShouldBe("jobs:run jobs:read");
        (reply.Access.GetProperty("sub").GetString(), reply.Access.GetProperty("aud").GetString()).ShouldBe(("demo-m2m", "https://api.example.test"));
        reply.Access.TryGetProperty("organizations", out _).ShouldBeFalse();
        (await browser.UserInfoAsync(reply.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_code_is_its_clients_its_redirect_uris_and_sixty_seconds_old_at_most()
    {
        Arrival arrival = await browser.SignInAsync("sam@example.test");
        (string, string)[] others =
        [
            ("grant_type", "authorization_code"), ("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret), ("code", arrival.Code),
            ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier),
        ];
        (await browser.TokenAsync(others)).ShouldBeRefused("invalid_grant", "ATR1421");
        (await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", "demo-web"), ("code", arrival.Code), ("code_verifier", OAuthBrowser.Verifier)))
            .ShouldBeRefused("invalid_grant", "ATR1424");
        foreach (string altered in new[] { arrival.Code[..^1], arrival.Code + "A", " " + arrival.Code })
            (await browser.RedeemAsync(altered)).ShouldBeRefused("invalid_grant", "ATR1421");
        server.Clock.Advance(TimeSpan.FromSeconds(59));
        Arrival second = await browser.SilentlyAsync();
        (await browser.RedeemAsync(arrival.Code)).Status.ShouldBe(HttpStatusCode.OK);
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        (await browser.RedeemAsync(second.Code)).ShouldBeRefused("invalid_grant", "ATR1421");
    }

    [Fact]
    public async Task A_code_redeemed_again_ends_what_it_gave()
    {
        Arrival arrival = await browser.SignInAsync("sam@example.test");
        TokenReply tokens = await browser.RedeemAsync(arrival.Code);
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.OK);
        (await browser.RedeemAsync(arrival.Code)).ShouldBeRefused("invalid_grant", "ATR1422");
        (await browser.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Of_twenty_redemptions_at_once_one_succeeds()
    {
        Arrival arrival = await browser.SignInAsync("sam@example.test");
        TokenReply[] replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => browser.RedeemAsync(arrival.Code)));
        replies.Count(static reply => reply.Status == HttpStatusCode.OK).ShouldBe(1);
        replies.Where(static reply => reply.Status != HttpStatusCode.OK).ShouldAllBe(static reply => reply.Error == "invalid_grant");
    }

    [Fact]
    public async Task Of_twenty_refreshes_at_once_every_success_names_one_successor()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        TokenReply[] replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => browser.RefreshAsync(tokens.RefreshToken)));
        replies.ShouldAllBe(static reply => reply.Status == HttpStatusCode.OK);
        replies.Select(static reply => reply.RefreshToken).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
        (await browser.RefreshAsync(replies[0].RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_spent_refresh_token_answers_the_same_successor_within_the_grace_and_ends_the_family_after_it()
    {
        TokenReply first = await browser.TokensAsync("sam@example.test");
        TokenReply second = await browser.RefreshAsync(first.RefreshToken);
        second.RefreshToken.ShouldNotBe(first.RefreshToken);
        server.Clock.Advance(TimeSpan.FromSeconds(30));
        (await browser.RefreshAsync(first.RefreshToken)).RefreshToken.ShouldBe(second.RefreshToken);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        (await browser.RefreshAsync(first.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1423");
        (await browser.RefreshAsync(second.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
    }

    [Fact]
    public async Task A_client_may_have_no_grace_at_all()
    {
        await world.ClientAsync("graceless", new ClientSettings { Openid = new OpenIdSettings { RefreshGraceSeconds = 0 } });
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", "graceless"));
        (string, string)[] code = [("grant_type", "authorization_code"), ("client_id", "graceless"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier)];
        string token = (await browser.TokenAsync(code)).RefreshToken;
        (string, string)[] refresh = [("grant_type", "refresh_token"), ("client_id", "graceless"), ("refresh_token", token)];
        (await browser.TokenAsync(refresh)).Status.ShouldBe(HttpStatusCode.OK);
        (await browser.TokenAsync(refresh)).ShouldBeRefused("invalid_grant", "ATR1423");
    }

    [Fact]
    public async Task A_refresh_may_ask_for_less_and_gets_all_again_the_next_time_and_never_more()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test", ("scope", "openid email projects:read"));
        TokenReply narrow = await browser.RefreshAsync(tokens.RefreshToken, ("scope", "projects:read"));
        (narrow.Json.GetProperty("scope").GetString(), narrow.Json.TryGetProperty("id_token", out _)).ShouldBe(("projects:read", false));
        (await browser.UserInfoAsync(narrow.AccessToken)).Status.ShouldBe(HttpStatusCode.Forbidden);
        (await browser.RefreshAsync(narrow.RefreshToken, ("scope", "openid profile"))).ShouldBeRefused("invalid_scope", "ATR1428");
        (await browser.RefreshAsync(narrow.RefreshToken)).Json.GetProperty("scope").GetString().ShouldBe("openid email projects:read");
    }

    [Fact]
    public async Task Refresh_tokens_live_a_week_from_their_making_and_no_other_text_is_one()
    {
        TokenReply tokens;
        await using (await SessionLimits.SetAsync(server, new SessionSettings { MaxAge = 30 * 24 * 3600, IdleTimeout = 30 * 24 * 3600 }))
            tokens = await browser.TokensAsync("sam@example.test");
        string token = tokens.RefreshToken;
        foreach (string altered in new[] { token[..^4], token + "A", token[..^1] + (token[^1] == 'A' ? 'B' : 'A'), tokens.AccessToken, tokens.Json.GetProperty("id_token").GetString()! })
            (await browser.RefreshAsync(altered)).ShouldBeRefused("invalid_grant", "ATR1421");
        server.Clock.Advance(TimeSpan.FromDays(6));
        TokenReply refreshed = await browser.RefreshAsync(token);
        refreshed.Status.ShouldBe(HttpStatusCode.OK);
        server.Clock.Advance(TimeSpan.FromDays(7));
        (await browser.RefreshAsync(refreshed.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1421");
    }

    [Fact]
    public async Task The_id_of_a_refresh_token_is_no_refresh_token()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        (await browser.RefreshAsync(tokens.Refresh.GetProperty("jti").GetString()!)).ShouldBeRefused("invalid_grant", "ATR1421");
        (await browser.RefreshAsync(tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("""{"alg":"\ud800"}""", "{}")]
    [InlineData("""{"alg":"ES256","kid":"\ud800"}""", """{"jti":"rt.x"}""")]
    [InlineData("""{"alg":"ES256"}""", """{"jti":"\udfff"}""")]
    [InlineData("""{"alg":"ES256"}""", """{"\ud800":"name"}""")]
    [InlineData("""{"alg":"ES256"}""", """{"sub":"\ud800 half a pair"}""")]
    [InlineData("""{"alg":"ES256"}""", """{"sub":{"deep":["\ud800"]}}""")]
    [InlineData("""{"alg":"ES256"}""", "{\"sub\":\"\u00ff\"}")]
    [InlineData("{\"alg\":\"\u00ff\"}", "{\"jti\":\"\u00ff\"}")]
    [InlineData("""{"alg":"ES256","alg":"RS256"}""", """{"jti":"rt.","jti":"rt.AA","sub":1e999999}""")]
    [InlineData("""[]""", "[]")]
    public async Task What_only_looks_like_a_JWT_is_no_refresh_token(string header, string claims)
    {
        string token = $"{Encoded(header)}.{Encoded(claims)}.AAAA";
        (await browser.RefreshAsync(token)).ShouldBeRefused("invalid_grant", "ATR1421");
        (await browser.UserInfoAsync(token)).Status.ShouldBe(HttpStatusCode.Unauthorized);

        static string Encoded(string json) => Base64Url.EncodeToString(Encoding.Latin1.GetBytes(json));
    }

    [Fact]
    public async Task A_client_that_may_not_refresh_gets_no_refresh_token()
    {
        await world.ClientAsync("code-only", new ClientSettings(), static client => client with { GrantTypes = ["authorization_code"] });
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", "code-only"), ("scope", "openid offline_access"));
        TokenReply reply = await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", "code-only"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback),
            ("code_verifier", OAuthBrowser.Verifier));
        (reply.Status, reply.Json.TryGetProperty("refresh_token", out _)).ShouldBe((HttpStatusCode.OK, false));
    }

    private static (string Name, string Value)[] Machine() =>
        [("grant_type", "client_credentials"), ("client_id", "demo-m2m"), ("client_secret", DemoRealm.MachineSecret)];
}
