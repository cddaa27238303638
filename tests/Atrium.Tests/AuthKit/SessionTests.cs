using System.Net;
using System.Text.Json;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AuthKit;

public sealed class SessionTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly AuthKitCalls door = new(server);

    [Fact]
    public async Task Sessions_are_listed_with_what_is_known_of_them()
    {
        User user = await door.NewUserAsync(true, "northwind");
        Answer first = await door.AuthenticateAsync(
            "password", ("email", user.Email), ("password", DemoRealm.Password), ("user_agent", "first"), ("ip_address", "192.0.2.1"));
        await door.PasswordAsync(user.Email);
        JsonElement[] listed = [.. (await ListAsync(user)).EnumerateArray()];

        listed.Length.ShouldBe(2);
        JsonElement known = listed.Single(entry => entry.GetProperty("id").GetString() == AuthKitCalls.SessionOf(first));
        known.GetProperty("user_agent").GetString().ShouldBe("first");
        known.GetProperty("ip_address").GetString().ShouldBe("192.0.2.1");
        known.GetProperty("organization_id").GetString().ShouldBe(await door.OrganizationIdAsync("northwind"));
        known.GetProperty("auth_method").GetString().ShouldBe("password");
        known.GetProperty("status").GetString().ShouldBe("active");
        known.GetProperty("ended_at").ValueKind.ShouldBe(JsonValueKind.Null);
        listed.Single(entry => entry.GetProperty("id").GetString() != AuthKitCalls.SessionOf(first))
            .GetProperty("ip_address").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_revoked_session_is_gone_and_refreshes_no_more_and_others_live()
    {
        User user = await door.NewUserAsync();
        Answer first = await door.PasswordAsync(user.Email);
        Answer second = await door.PasswordAsync(user.Email);
        string id = AuthKitCalls.SessionOf(first);
        Answer revoked = (await door.PostAsync("/user_management/sessions/revoke", new { session_id = id })).ShouldBe(HttpStatusCode.OK);
        revoked["status"].ShouldBe("revoked");
        (await door.PostAsync("/user_management/sessions/revoke", new { session_id = id })).ShouldBe(HttpStatusCode.OK);

        (await ListAsync(user)).EnumerateArray().Select(static entry => entry.GetProperty("id").GetString()).ShouldBe([AuthKitCalls.SessionOf(second)]);
        (await door.RefreshAsync(first["refresh_token"])).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");
        (await door.RefreshAsync(second["refresh_token"])).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Pages_of_sessions_follow_each_other_in_every_order()
    {
        User user = await door.NewUserAsync();
        List<string> made = [];
        for (int number = 0; number < 5; number++)
        {
            server.Clock.Advance(TimeSpan.FromSeconds(1));
            made.Add(AuthKitCalls.SessionOf(await door.PasswordAsync(user.Email)));
        }

        foreach ((string order, string cursor) in new[] { ("asc", "after"), ("desc", "after"), ("normal", "before") })
        {
            List<string> seen = [];
            string? next = "";
            while (next is not null)
            {
                string query = next.Length == 0 ? "" : $"&{cursor}={next}";
                Answer page = (await door.GetAsync($"/user_management/users/{user.Id}/sessions?limit=2&order={order}{query}")).ShouldBe(HttpStatusCode.OK);
                seen.AddRange(page.Json.GetProperty("data").EnumerateArray().Select(static entry => entry.GetProperty("id").GetString()!));
                next = page.Json.GetProperty("list_metadata").GetProperty(cursor).GetString();
            }

            seen.ShouldBe(order == "asc" ? made : [.. made.AsEnumerable().Reverse()], order);
        }
    }

    [Fact]
    public async Task Signing_out_ends_the_session_and_goes_to_a_registered_page_only()
    {
        Answer answer = await door.PasswordAsync("sam@example.test");
        string id = AuthKitCalls.SessionOf(answer);
        string path = $"/user_management/sessions/logout?session_id={id}";
        foreach (string bad in new[]
                 {
                     $"{path}&return_to=https%3A%2F%2Fattacker.test%2F", $"{path}&return_to=", $"{path}&return_to=http%3A%2F%2Flocalhost%3A3000",
                     $"{path}&return_to=http%3A%2F%2Flocalhost%3A3000%2F&return_to=http%3A%2F%2Flocalhost%3A3000%2F",
                     "/user_management/sessions/logout", "/user_management/sessions/logout?session_id=nonsense",
                     "/user_management/sessions/logout?session_id=s_0000000000000000000000001", $"{path}&session_id={id}",
                 })
        {
            Answer refused = (await door.GetAsync(bad, key: null)).ShouldBe(HttpStatusCode.UnprocessableEntity);
            refused["message"].ShouldNotBeNullOrEmpty();
            refused.Message.Headers.Location.ShouldBeNull();
        }

        (await door.RefreshAsync(answer["refresh_token"])).ShouldBe(HttpStatusCode.OK);
        Answer gone = (await door.GetAsync($"{path}&return_to=http%3A%2F%2Flocalhost%3A3000%2F", key: null)).ShouldBe(HttpStatusCode.Found);
        gone.Message.Headers.Location!.OriginalString.ShouldBe(DemoRealm.AfterSignOut);
        (await door.RefreshAsync(answer["refresh_token"])).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");

        // Who signs out twice still arrives, here at the page that is registered first.
        (await door.GetAsync(path, key: null)).ShouldBe(HttpStatusCode.Found).Message.Headers.Location!.OriginalString.ShouldBe(DemoRealm.AfterSignOut);
    }

    [Fact]
    public async Task The_published_keys_are_those_the_SDKs_can_use()
    {
        Answer answer = (await door.GetAsync("/sso/jwks/demo-authkit", key: null)).ShouldBe(HttpStatusCode.OK);
        JsonElement[] keys = [.. answer.Json.GetProperty("keys").EnumerateArray()];
        keys.Length.ShouldBe(2, "the one that signs, and the next one");
        foreach (JsonElement key in keys)
        {
            key.GetProperty("alg").GetString().ShouldBe("RS256");
            key.GetProperty("x5c").GetArrayLength().ShouldBe(1);
            key.GetProperty("x5t#S256").GetString().ShouldNotBeNullOrEmpty();
            key.TryGetProperty("d", out _).ShouldBeFalse();
        }

        answer.Message.Headers.CacheControl!.MaxAge!.Value.ShouldBeLessThanOrEqualTo(TimeSpan.FromMinutes(5));

        foreach (string unknown in new[] { "nobody", "demo-web" })
            (await door.GetAsync($"/sso/jwks/{unknown}", key: null)).ShouldBe(HttpStatusCode.NotFound).Text.ShouldBe("""{"message":"Not Found"}""");
    }

    private async Task<JsonElement> ListAsync(User user) =>
        (await door.GetAsync($"/user_management/users/{user.Id}/sessions")).ShouldBe(HttpStatusCode.OK).Json.GetProperty("data");
}
