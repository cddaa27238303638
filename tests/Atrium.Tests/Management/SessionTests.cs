using System.Net;
using System.Text.Json;
using Atrium.Core.Users;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

/// <summary>Sessions, as a back end sees and ends them; and what is told of their end, whoever ends them.</summary>
public class SessionTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly ManagementCalls api = new(server);
    private readonly AuthKitCalls door = new(server);

    [Fact]
    public async Task A_session_is_shown_and_ended_with_what_came_from_it()
    {
        User user = await door.NewUserAsync();
        Answer first = await SignInAsync(user), second = await SignInAsync(user);
        string path = $"/users/{user.Id}/sessions";
        ManagementAnswer list = (await api.GetAsync(path)).Expect(200);
        list.Ids.ShouldBe([AuthKitCalls.SessionOf(second), AuthKitCalls.SessionOf(first)]);
        ManagementAnswer shown = (await api.GetAsync($"{path}/{list.Ids[1]}")).Expect(200);
        shown["user_id"].ShouldBe(user.Id.ToString());
        shown.Data.GetProperty("methods").ToString().ShouldBe("""["password"]""");
        shown.Data.GetProperty("ended_at").ValueKind.ShouldBe(JsonValueKind.Null);

        (await api.DeleteAsync($"{path}/{shown.Id}", ("If-Match", "\"stale\""))).Expect(412, "precondition_failed");
        (await api.DeleteAsync($"{path}/{shown.Id}", ("If-Match", shown.ETag))).Expect(204);
        (await door.RefreshAsync(first["refresh_token"])).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await door.RefreshAsync(second["refresh_token"])).ShouldBe(HttpStatusCode.OK);
        ManagementAnswer ended = (await api.GetAsync($"{path}/{shown.Id}")).Expect(200);
        ended["end_reason"].ShouldBe("revoked");
        (await api.DeleteAsync($"{path}/{shown.Id}")).Expect(204);
        (await EndingsAsync(user)).ShouldBe(["revoked"], "ending it again is no mistake, and nothing that happens");
    }

    [Fact]
    public async Task A_new_session_is_told_of_as_it_is_shown()
    {
        User user = await door.NewUserAsync();
        string session = AuthKitCalls.SessionOf(await SignInAsync(user));
        JsonElement made = (await api.GetAsync($"/events?types=session.created&user_id={user.Id}")).Expect(200).Items.ShouldHaveSingleItem();
        made.GetProperty("client_id").GetString().ShouldBe("demo-authkit");
        JsonElement.DeepEquals(made.GetProperty("data"), (await api.GetAsync($"/users/{user.Id}/sessions/{session}")).Data).ShouldBeTrue();
    }

    [Fact]
    public async Task All_of_a_persons_sessions_end_at_once()
    {
        User user = await door.NewUserAsync(), other = await door.NewUserAsync();
        Answer first = await SignInAsync(user), second = await SignInAsync(user), others = await SignInAsync(other);
        (await api.DeleteAsync($"/users/{user.Id}/sessions")).Expect(204);
        (await door.RefreshAsync(first["refresh_token"])).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await door.RefreshAsync(second["refresh_token"])).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await door.RefreshAsync(others["refresh_token"])).ShouldBe(HttpStatusCode.OK);
        (await EndingsAsync(user)).ShouldBe(["revoked", "revoked"]);
        (await api.DeleteAsync($"/users/{user.Id}/sessions")).Expect(204);
        (await EndingsAsync(user)).Count.ShouldBe(2);
        (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Nobody_hears_of_a_session_that_was_over_by_itself()
    {
        User user = await door.NewUserAsync();
        await SignInAsync(user);
        server.Clock.Advance(TimeSpan.FromDays(31));
        (await api.DeleteAsync($"/users/{user.Id}/sessions")).Expect(204);
        (await EndingsAsync(user)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_session_is_that_persons_of_that_realm_or_not_found()
    {
        User user = await door.NewUserAsync(), other = await door.NewUserAsync();
        Answer signedIn = await SignInAsync(user);
        string session = AuthKitCalls.SessionOf(signedIn);
        foreach (string path in new[] { $"/users/{other.Id}/sessions/{session}", $"/users/{user.Id}/sessions/s_0000000000000000000000001", $"/users/usr_x/sessions/{session}" })
        {
            (await api.GetAsync(path)).Expect(404, "not_found");
            (await api.DeleteAsync(path)).Expect(404, "not_found");
        }

        (await api.Globex.DeleteAsync($"/users/{user.Id}/sessions/{session}")).Expect(404);
        (await api.Globex.DeleteAsync($"/users/{user.Id}/sessions")).Expect(404);
        (await door.RefreshAsync(signedIn["refresh_token"])).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_sign_out_at_any_door_is_told_with_its_reason()
    {
        User user = await door.NewUserAsync();
        Answer revoked = await SignInAsync(user), signedOut = await SignInAsync(user);
        (await door.PostAsync("/user_management/sessions/revoke", new { session_id = AuthKitCalls.SessionOf(revoked) })).ShouldBe(HttpStatusCode.OK);
        (await door.GetAsync($"/user_management/sessions/logout?session_id={AuthKitCalls.SessionOf(signedOut)}", key: null)).Status.ShouldBe(HttpStatusCode.Redirect);
        OAuthBrowser browser = new(server);
        TokenReply tokens = await browser.TokensAsync(user.Email);
        using HttpResponseMessage done = await browser.GetAsync($"/t/acme/logout?id_token_hint={tokens.Json.GetProperty("id_token").GetString()}");
        done.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await EndingsAsync(user)).ShouldBe(["signed_out", "signed_out", "revoked"]);
        JsonElement last = (await api.GetAsync($"/events?types=session.ended&user_id={user.Id}")).Expect(200).Items[0];
        last.GetProperty("client_id").GetString().ShouldBe("demo-web");
        last.GetProperty("actor").GetProperty("type").GetString().ShouldBe("user");
        last.GetProperty("actor").GetProperty("id").GetString().ShouldBe(user.Id.ToString());
    }

    private async Task<Answer> SignInAsync(User user)
    {
        server.Clock.Advance(TimeSpan.FromMilliseconds(1));
        return (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>Why this person's sessions ended, the latest first.</summary>
    private async Task<IReadOnlyList<string?>> EndingsAsync(User user) =>
    [
        .. (await api.GetAsync($"/events?types=session.ended&user_id={user.Id}")).Expect(200).Items
            .Select(static item => item.GetProperty("data").GetProperty("end_reason").GetString()),
    ];
}

public sealed class PostgresSessionTests(PostgresDemoServer server) : SessionTests(server), IClassFixture<PostgresDemoServer>;
