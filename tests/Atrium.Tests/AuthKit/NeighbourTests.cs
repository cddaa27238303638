using System.Net;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AuthKit;

/// <summary>What one realm's key or client is told of another realm: nothing, in the words for what doesn't exist.</summary>
public sealed class NeighbourTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly AuthKitCalls door = new(server);

    [Theory]
    [InlineData("tom@example.test", DemoRealm.Handle, DemoRealm.NeighbourApiKey)]
    [InlineData("kim@example.test", DemoRealm.NeighbourHandle, DemoRealm.ApiKey)]
    public async Task Nothing_of_a_person_is_seen_or_changed_with_the_neighbours_key(string email, string realm, string foreignKey)
    {
        string ownKey = realm == DemoRealm.Handle ? DemoRealm.ApiKey : DemoRealm.NeighbourApiKey;
        User user = await door.UserAsync(email, realm);
        Answer enrolled = (await door.PostAsync($"/user_management/users/{user.Id}/auth_factors", new { type = "totp" }, ownKey)).ShouldBe(HttpStatusCode.Created);
        string factor = enrolled.Json.GetProperty("authentication_factor").GetProperty("id").GetString()!;
        string challenge = enrolled.Json.GetProperty("authentication_challenge").GetProperty("id").GetString()!;

        Answer[] answers =
        [
            await door.GetAsync($"/user_management/users/{user.Id}/sessions", foreignKey),
            await door.GetAsync($"/user_management/users/{user.Id}/auth_factors", foreignKey),
            await door.PostAsync($"/user_management/users/{user.Id}/auth_factors", new { type = "totp" }, foreignKey),
            await door.GetAsync($"/auth/factors/{factor}", foreignKey),
            await door.SendAsync(HttpMethod.Delete, $"/auth/factors/{factor}", key: foreignKey),
            await door.PostAsync($"/auth/factors/{factor}/challenge", new { }, foreignKey),
            await door.PostAsync($"/auth/challenges/{challenge}/verify", new { code = "000000" }, foreignKey),
        ];
        foreach (Answer answer in answers)
            answer.ShouldBe(HttpStatusCode.NotFound, "entity_not_found");
        (await door.GetAsync($"/auth/factors/{factor}", ownKey)).ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("demo-authkit", DemoRealm.NeighbourApiKey)]
    [InlineData("globex-authkit", DemoRealm.ApiKey)]
    public async Task A_client_is_not_used_with_the_neighbours_key(string client, string key)
    {
        foreach (string email in new[] { "sam@example.test", "kim@example.test" })
        {
            (await door.AuthenticateAsync(client, key, "password", ("email", email), ("password", DemoRealm.Password)))
                .ShouldBe(HttpStatusCode.BadRequest, "invalid_client")["error"].ShouldBe("invalid_client");
        }
    }

    [Fact]
    public async Task A_session_is_not_revoked_with_the_neighbours_key()
    {
        Answer kim = (await door.AuthenticateAsync(
            "globex-authkit", DemoRealm.NeighbourApiKey, "password", ("email", "kim@example.test"), ("password", DemoRealm.Password)))
            .ShouldBe(HttpStatusCode.OK);
        (await door.PostAsync("/user_management/sessions/revoke", new { session_id = AuthKitCalls.SessionOf(kim) }))
            .ShouldBe(HttpStatusCode.NotFound, "entity_not_found");
        (await door.AuthenticateAsync("globex-authkit", DemoRealm.NeighbourApiKey, "refresh_token", ("refresh_token", kim["refresh_token"])))
            .ShouldBe(HttpStatusCode.OK);
        (await door.RefreshAsync(kim["refresh_token"])).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");
    }

    [Fact]
    public async Task A_challenge_of_the_neighbour_answers_nothing_here()
    {
        User kim = await door.UserAsync("kim@example.test", DemoRealm.NeighbourHandle);
        Answer enrolled = await door.PostAsync($"/user_management/users/{kim.Id}/auth_factors", new { type = "totp" }, DemoRealm.NeighbourApiKey);
        string secret = enrolled.Json.GetProperty("authentication_factor").GetProperty("totp").GetProperty("secret").GetString()!;
        string challenge = enrolled.Json.GetProperty("authentication_challenge").GetProperty("id").GetString()!;
        string pending = await door.PendingTokenOfAsync("tom@example.test");

        (await door.AuthenticateAsync(
            AuthKitCalls.TotpGrant,
            ("pending_authentication_token", pending),
            ("authentication_challenge_id", challenge),
            ("code", door.TotpCode(secret)))).ShouldBe(HttpStatusCode.NotFound, "entity_not_found");
        (await server.Get<FactorStore>().ListAsync(kim.RealmId, kim.Id, new PageRequest<Factor>(10), default)).Items.ShouldAllBe(factor => !factor.Confirmed);
    }
}
