using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth.Logout;

/// <summary>Whatever ends a session, every client that has something of it is told at its own server, once it can be.</summary>
public sealed class BackChannelTests(DemoServer server) : IClassFixture<DemoServer>, IAsyncLifetime
{
    private readonly LogoutCalls calls = new(server);
    private readonly OAuthBrowser browser = new(server);
    private readonly ManagementCalls api = new(server);
    private WebhookReceiver receiver = null!;

    public async ValueTask InitializeAsync() => receiver = await WebhookReceiver.StartAsync();

    public ValueTask DisposeAsync() => receiver.DisposeAsync();

    [Fact]
    public async Task Every_client_of_the_session_is_told_and_no_other()
    {
        Client first = await calls.ToldAsync(receiver);
        Client second = await calls.ToldAsync(receiver);
        Client stranger = await calls.ToldAsync(receiver);
        Client silent = await calls.ClientAsync(new LogoutSettings());
        TokenReply tokens = await calls.TokensAsync(browser, first);
        await calls.TokensAsync(browser, second);
        await calls.TokensAsync(browser, silent);
        await calls.TokensAsync(new OAuthBrowser(server), stranger, "mia@example.test");

        await LogoutCalls.SignOutAsync(browser, tokens);
        ReceivedMessage[] told = [await receiver.NextAsync(), await receiver.NextAsync()];
        told.Select(static message => LogoutCalls.ClaimsOf(message).GetProperty("aud").GetString()).ShouldBe([first.ClientId, second.ClientId], ignoreOrder: true);
        await calls.TellAsync();
        receiver.All.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("management, one session")]
    [InlineData("management, all sessions")]
    [InlineData("AuthKit, revoke")]
    [InlineData("AuthKit, sign-out")]
    [InlineData("the person is disabled")]
    [InlineData("the person is deleted")]
    [InlineData("a new password")]
    public async Task It_does_not_matter_what_ended_the_session(string way)
    {
        Client client = await calls.ToldAsync(
            receiver, static client => client with { Settings = client.Settings with { Authkit = new AuthKitSettings { Enabled = true } } });
        User user = await calls.World.PersonAsync($"{Guid.NewGuid():N}@ends.test");
        TokenReply tokens = await calls.TokensAsync(browser, client, user.Email);
        string sid = tokens.Identity.GetProperty("sid").GetString()!;
        AuthKitCalls authKit = new(server);
        switch (way)
        {
            case "management, one session":
                (await api.DeleteAsync($"/users/{user.Id}/sessions/{sid}")).Expect(204);
                break;
            case "management, all sessions":
                (await api.DeleteAsync($"/users/{user.Id}/sessions")).Expect(204);
                break;
            case "AuthKit, revoke":
                (await authKit.PostAsync("/user_management/sessions/revoke", new { session_id = sid })).ShouldBe(HttpStatusCode.OK);
                break;
            case "AuthKit, sign-out":
                (await authKit.GetAsync($"/user_management/sessions/logout?session_id={sid}", key: null)).ShouldBe(HttpStatusCode.Redirect);
                break;
            case "the person is disabled":
                (await api.PatchAsync($"/users/{user.Id}", new { status = "disabled" })).Expect(200);
                break;
            case "the person is deleted":
                (await api.DeleteAsync($"/users/{user.Id}")).Expect(204);
                break;
            default:
                (await api.PostAsync($"/users/{user.Id}/password", new { password = "another-password-of-theirs-1" })).Status.ShouldBeInRange(200, 204);
                break;
        }

        await calls.TellAsync();
        JsonElement claims = LogoutCalls.ClaimsOf(await receiver.NextAsync());
        (claims.GetProperty("sid").GetString(), claims.GetProperty("sub").GetString()).ShouldBe((sid, user.Id.ToString()));
        (await LogoutCalls.RefreshAsync(browser, client, tokens.RefreshToken)).Error.ShouldBe("invalid_grant");
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task What_came_of_an_ended_session_is_worth_nothing_any_more()
    {
        Client client = await calls.ClientAsync(new LogoutSettings(), static client => client with { Type = ClientType.Web, SecretHash = new Core.Secret("its secret").Hash() });
        (string, string)[] itself = [("client_id", client.ClientId), ("client_secret", "its secret")];
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", client.ClientId));
        TokenReply tokens = await browser.TokenAsync(
            [("grant_type", "authorization_code"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier), .. itself]);
        await LogoutCalls.SignOutAsync(browser, tokens);

        (await browser.TokenAsync([("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken), .. itself])).ShouldBeRefused("invalid_grant", "ATR1426");
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        foreach (string token in new[] { tokens.AccessToken, tokens.RefreshToken })
            (await browser.TokenAtAsync("/t/acme/introspect", [("token", token), .. itself])).Json.ToString().ShouldBe("""{"active":false}""");
    }

    [Fact]
    public async Task A_client_that_can_not_be_told_is_told_later()
    {
        Client client = await calls.ToldAsync(receiver);
        receiver.AnswerWith(503);
        TokenReply tokens = await calls.TokensAsync(browser, client);
        await LogoutCalls.SignOutAsync(browser, tokens);
        string first = LogoutCalls.TokenOf(await receiver.NextAsync());
        await calls.TellAsync();
        receiver.All.Count.ShouldBe(1, "not before its time");

        receiver.AnswerWith(204);
        server.Clock.Advance(TimeSpan.FromSeconds(10));
        await calls.TellAsync();
        string second = LogoutCalls.TokenOf(await receiver.NextAsync());
        Jwts.ClaimsOf(second).GetProperty("iat").GetInt64().ShouldBe(server.Clock.GetUtcNow().ToUnixTimeSeconds(), "it is made when it is sent");
        Jwts.ClaimsOf(second).GetProperty("jti").GetString().ShouldNotBe(Jwts.ClaimsOf(first).GetProperty("jti").GetString());
        server.Clock.Advance(TimeSpan.FromMinutes(59));
        await calls.TellAsync();
        receiver.All.Count.ShouldBe(2, "told once is told");
    }

    [Theory]
    [InlineData(400, 1)]
    [InlineData(404, 8)]
    [InlineData(302, 8)]
    [InlineData(500, 8)]
    public async Task One_that_refuses_is_not_asked_again_and_one_that_fails_is_given_up_after_an_hour_and_the_log_says_so(int status, int atMost)
    {
        Client client = await calls.ToldAsync(receiver);
        receiver.AnswerWith(status, ("Location", receiver.Url));
        TokenReply tokens = await calls.TokensAsync(browser, client);
        string sid = tokens.Identity.GetProperty("sid").GetString()!;
        await LogoutCalls.SignOutAsync(browser, tokens);
        await receiver.NextAsync();
        for (int minute = 0; minute < 62; minute++)
        {
            server.Clock.Advance(TimeSpan.FromMinutes(1));
            await calls.TellAsync();
        }

        int tries = receiver.All.Count;
        (tries <= atMost && (status == 400 || tries > 4)).ShouldBeTrue($"{tries} tries");
        JsonElement failed = (await api.GetAsync("/events?types=session.logout_failed&limit=1")).Expect(200).Items[0].GetProperty("data");
        failed.GetProperty("session_id").GetString().ShouldBe(sid);
        failed.GetProperty("client_id").GetString().ShouldBe(client.ClientId);
        failed.GetProperty("attempts").GetInt32().ShouldBe(tries);
        failed.GetProperty("error").GetString().ShouldBe($"The answer was {status}.");
    }

    [Fact]
    public async Task One_who_does_not_answer_keeps_nobody_else_waiting()
    {
        TaskCompletionSource held = new();
        await using WebhookReceiver dead = await WebhookReceiver.StartAsync();
        dead.Answer = (_, _) => held.Task;
        Client slow = await calls.ToldAsync(dead);
        Client quick = await calls.ToldAsync(receiver);
        TokenReply tokens = await calls.TokensAsync(browser, slow);
        await calls.TokensAsync(browser, quick);
        await LogoutCalls.SignOutAsync(browser, tokens);
        await dead.NextAsync();
        (await receiver.NextAsync()).ShouldNotBeNull();
        held.SetResult();
    }

    [Fact]
    public async Task A_client_that_is_gone_or_wants_to_hear_nothing_any_more_is_not_told()
    {
        Client gone = await calls.ToldAsync(receiver);
        Client silenced = await calls.ToldAsync(receiver);
        receiver.AnswerWith(503);
        TokenReply tokens = await calls.TokensAsync(browser, gone);
        await calls.TokensAsync(browser, silenced);
        await LogoutCalls.SignOutAsync(browser, tokens);
        await receiver.NextAsync();
        await receiver.NextAsync();
        await calls.TellAsync();

        (await api.DeleteAsync($"/clients/{gone.Id}")).Expect(204);
        (await api.PatchAsync($"/clients/{silenced.Id}", new { settings = new { logout = new { backchannel_uri = (string?)null } } })).Expect(200);
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        await calls.TellAsync();
        receiver.All.Count.ShouldBe(2);
        (await server.Get<LogoutNoticeStore>().ClientsWithDueAsync(server.Clock.GetUtcNow().AddHours(1), default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_address_that_came_later_is_told_of_the_sessions_that_end_after_it()
    {
        Client client = await calls.ClientAsync(new LogoutSettings());
        TokenReply tokens = await calls.TokensAsync(browser, client);
        (await api.PatchAsync($"/clients/{client.Id}", new { settings = new { logout = new { backchannel_uri = receiver.Url } } })).Expect(200);
        await LogoutCalls.SignOutAsync(browser, tokens);
        LogoutCalls.SidOf(await receiver.NextAsync()).ShouldBe(tokens.Identity.GetProperty("sid").GetString());
    }

    [Fact]
    public async Task A_refusal_that_came_before_ends_nothing_twice()
    {
        Client client = await calls.ToldAsync(receiver);
        TokenReply tokens = await calls.TokensAsync(browser, client);
        Session session = (await server.Get<SessionStore>().FindAsync(
            client.RealmId, Core.Id<Session>.Parse(tokens.Identity.GetProperty("sid").GetString())!.Value, default)).ShouldNotBeNull();
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.Get<SessionStore>().EndAsync(
            client.RealmId, session.Id, SessionEnd.Revoked, server.Clock.GetUtcNow(), Origin.System, default)));
        await receiver.NextAsync();
        await calls.TellAsync();
        receiver.All.Count.ShouldBe(1);
    }
}

/// <summary>A server that may reach the public internet alone, as one does that nobody has told otherwise.</summary>
public sealed class PublicInternetAlone : DemoServer
{
    protected override Atrium.Server.Hosting.AtriumOptions Change(Atrium.Server.Hosting.AtriumOptions options) => options with { OutboundAllow = "192.0.2.0/24" };
}

public sealed class BackChannelAddressTests(PublicInternetAlone server) : IClassFixture<PublicInternetAlone>
{
    [Theory]
    [InlineData("https://localhost:1/told")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://[::1]:1/told")]
    [InlineData("http://127.0.0.1:1/told")]
    public async Task Nobody_is_told_at_an_address_within_the_operators_network(string address)
    {
        LogoutCalls calls = new(server);
        OAuthBrowser browser = new(server);
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync();
        Client client = await calls.ClientAsync(
            new LogoutSettings { BackchannelUri = address.Replace(":1/", $":{new Uri(receiver.Url).Port}/", StringComparison.Ordinal) });
        await LogoutCalls.SignOutAsync(browser, await calls.TokensAsync(browser, client));
        for (int minute = 0; minute < 62; minute++)
        {
            await calls.TellAsync();
            server.Clock.Advance(TimeSpan.FromMinutes(1));
        }

        receiver.All.ShouldBeEmpty();
        JsonElement failed = (await new ManagementCalls(server).GetAsync("/events?types=session.logout_failed&limit=1")).Expect(200).Items[0].GetProperty("data");
        failed.GetProperty("client_id").GetString().ShouldBe(client.ClientId);
        failed.GetProperty("error").GetString()!.ShouldMatch("not a public address|without TLS");
    }
}
