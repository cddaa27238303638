using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth.Logout;

/// <summary>How long a session lasts, how long it lasts without a use, and how many of them a person has.</summary>
public sealed class SessionLimitTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly LogoutCalls calls = new(server);
    private readonly OAuthBrowser browser = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task A_session_that_nobody_uses_for_twelve_hours_gives_no_silent_sign_in_and_no_refresh()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        server.Clock.Advance(TimeSpan.FromHours(12) - TimeSpan.FromSeconds(1));
        TokenReply again = await browser.RefreshAsync(tokens.RefreshToken);
        again.Status.ShouldBe(HttpStatusCode.OK);

        server.Clock.Advance(TimeSpan.FromHours(12));
        (await browser.RefreshAsync(again.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        (await browser.UserInfoAsync(again.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_silent_sign_in_is_a_use_too()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        server.Clock.Advance(TimeSpan.FromHours(11));
        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
        server.Clock.Advance(TimeSpan.FromHours(11));
        (await browser.RefreshAsync(tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task However_often_it_is_used_it_ends_after_seven_days_and_no_refresh_token_reaches_beyond()
    {
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        DateTimeOffset end = server.Clock.GetUtcNow().AddDays(7);
        while (server.Clock.GetUtcNow() + TimeSpan.FromHours(8) < end)
        {
            server.Clock.Advance(TimeSpan.FromHours(8));
            tokens = await browser.RefreshAsync(tokens.RefreshToken);
            tokens.Status.ShouldBe(HttpStatusCode.OK);
        }

        server.Clock.Advance(TimeSpan.FromHours(8));
        (await browser.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1421");
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact]
    public async Task The_realm_says_how_long_and_a_session_keeps_what_held_when_it_began()
    {
        TokenReply before = await browser.TokensAsync("sam@example.test");
        await using IAsyncDisposable shorter = await SessionLimits.SetAsync(server, new SessionSettings { MaxAge = 7200, IdleTimeout = 60 });
        OAuthBrowser other = new(server);
        TokenReply after = await other.TokensAsync("mia@example.test");
        JsonElement shown = (await api.GetAsync($"/users/{after.Access.GetProperty("sub").GetString()}/sessions/{after.Access.GetProperty("sid").GetString()}"))
            .Expect(200).Data;
        shown.GetProperty("idle_timeout").GetInt32().ShouldBe(60);
        (shown.GetProperty("expires_at").GetInt64() - shown.GetProperty("created_at").GetInt64()).ShouldBe(7_200_000);
        server.Clock.Advance(TimeSpan.FromSeconds(60));
        (await other.RefreshAsync(after.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
        (await browser.RefreshAsync(before.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_fifty_first_session_ends_the_oldest_and_whoever_had_something_of_it_is_told()
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync();
        Client client = await calls.ToldAsync(receiver);
        User user = await calls.World.PersonAsync("many@sessions.test");
        List<(OAuthBrowser Browser, TokenReply Tokens)> all = [];
        for (int i = 0; i < 50; i++)
        {
            OAuthBrowser one = new(server);
            all.Add((one, await calls.TokensAsync(one, client, user.Email)));
            server.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        await calls.TellAsync();
        receiver.All.ShouldBeEmpty();
        OAuthBrowser last = new(server);
        TokenReply newest = await calls.TokensAsync(last, client, user.Email);
        string oldest = all[0].Tokens.Identity.GetProperty("sid").GetString()!;
        LogoutCalls.SidOf(await receiver.NextAsync()).ShouldBe(oldest);
        (await LogoutCalls.RefreshAsync(last, client, all[0].Tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
        (await LogoutCalls.RefreshAsync(last, client, all[1].Tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
        (await LogoutCalls.RefreshAsync(last, client, newest.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);

        JsonElement ended = (await api.GetAsync($"/events?types=session.ended&user_id={user.Id}")).Expect(200).Items.Single().GetProperty("data");
        (ended.GetProperty("id").GetString(), ended.GetProperty("end_reason").GetString()).ShouldBe((oldest, "displaced"));
        (await api.GetAsync($"/users/{user.Id}/sessions/{oldest}")).Expect(200)["end_reason"].ShouldBe("displaced");
        await calls.TellAsync();
        receiver.All.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Sessions_that_are_over_by_themselves_take_no_room()
    {
        User user = await calls.World.PersonAsync("idle@sessions.test");
        OAuthBrowser kept = new(server);
        TokenReply tokens = await kept.TokensAsync(user.Email);
        for (int i = 0; i < 49; i++)
            await new OAuthBrowser(server).SignInAsync(user.Email);
        for (int hours = 0; hours < 12; hours += 6)
        {
            server.Clock.Advance(TimeSpan.FromHours(6));
            tokens = await kept.RefreshAsync(tokens.RefreshToken);
            tokens.Status.ShouldBe(HttpStatusCode.OK);
        }

        await new OAuthBrowser(server).SignInAsync(user.Email);
        (await kept.RefreshAsync(tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }
}
