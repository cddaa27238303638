using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

/// <summary>Why somebody can or can't sign in, told by the engine that decides it.</summary>
public class ExplainTests(DemoServer server) : IClassFixture<DemoServer>
{
    /// <summary>What differs in each token.</summary>
    private static readonly string[] OfOneTokenAlone = ["jti", "sid", "iat", "exp", "auth_time"];

    private readonly ManagementCalls api = new(server);
    private readonly World world = new(server);

    [Fact]
    public async Task The_claims_are_those_of_the_token_that_a_sign_in_gives()
    {
        TokenReply tokens = await new OAuthBrowser(server).TokensAsync("mia@example.test", ("scope", null));
        Same(await ExplainAsync("mia@example.test", "demo-web"), tokens.Access);

        AuthKitCalls authKit = new(server);
        string northwind = await authKit.OrganizationIdAsync("northwind");
        JsonElement chosen = await ExplainAsync("mia@example.test", "demo-authkit", "northwind");
        chosen.GetProperty("profile").GetString().ShouldBe("single_org");
        Same(chosen, AuthKitCalls.ClaimsOf(await authKit.SignInToAsync("mia@example.test", northwind)));
        Steps(chosen).ShouldBe(["prove", "choose_organization", "complete"]);

        static void Same(JsonElement explained, JsonElement claims)
        {
            explained.GetProperty("outcome").GetString().ShouldBe("signs_in");
            explained.GetProperty("claims").EnumerateObject().Where(static claim => !OfOneTokenAlone.Contains(claim.Name)).Select(static claim => $"{claim.Name} {claim.Value}")
                .ShouldBe(claims.EnumerateObject().Where(static claim => !OfOneTokenAlone.Contains(claim.Name)).Select(static claim => $"{claim.Name} {claim.Value}"));
        }
    }

    [Fact]
    public async Task Everything_in_the_way_is_named_at_once()
    {
        Organization organization = await world.NewOrganizationAsync($"explained-{Guid.NewGuid():n}");
        User user = await world.PersonAsync($"{Guid.NewGuid():n}@example.test");
        (await ObstaclesAsync()).ShouldBe(["not_member"]);
        await world.JoinAsync(user.Id, organization.Id, MembershipStatus.Suspended, "member");
        (await ObstaclesAsync()).ShouldBe(["membership_suspended"]);
        (await api.PatchAsync($"/organizations/{organization.Id}", new { status = "suspended" })).Expect(200);
        (await ObstaclesAsync()).ShouldBe(["suspended", "membership_suspended"]);
        Client restricted = await world.ClientAsync(
            $"restricted-{Guid.NewGuid():n}", new ClientSettings { Restrictions = new() { Organizations = new() { Policy = OrganizationPolicy.None } } });
        (await ObstaclesAsync(restricted.ClientId)).ShouldBe(["suspended", "not_for_client", "membership_suspended"]);
        JsonElement listed = (await ExplainAsync(user.Email, "demo-web")).GetProperty("organizations")[0];
        listed.GetProperty("in_token").GetBoolean().ShouldBeFalse();
        Codes(listed).ShouldBe(["suspended", "membership_suspended"]);

        JsonElement unknown = await ExplainAsync(user.Email, "demo-web", "org_0000000000000000000000000");
        (unknown.GetProperty("outcome").GetString(), Codes(unknown).Single()).ShouldBe(("refused", "unknown"));
        unknown.GetProperty("claims").ValueKind.ShouldBe(JsonValueKind.Null);

        async Task<string[]> ObstaclesAsync(string client = "demo-web") => Codes(await ExplainAsync(user.Email, client, organization.Handle));
    }

    [Fact]
    public async Task What_is_asked_for_on_the_way_is_a_step_and_no_obstacle()
    {
        Organization strict = await world.NewOrganizationAsync($"strict-{Guid.NewGuid():n}", new OrganizationSettings { MfaRequired = true });
        Organization closed = await world.NewOrganizationAsync($"closed-{Guid.NewGuid():n}", new OrganizationSettings { SsoOnly = true });
        User user = await world.PersonAsync($"{Guid.NewGuid():n}@example.test", strict, closed);
        JsonElement explained = await ExplainAsync(user.Email, "demo-web", strict.Handle);
        Steps(explained).ShouldBe(["prove", "enrol_factor", "complete"]);
        (explained.GetProperty("outcome").GetString(), Codes(explained).Length).ShouldBe(("signs_in", 0));

        JsonElement all = await ExplainAsync(user.Email, "demo-web");
        all.GetProperty("claims").GetProperty("organizations").GetArrayLength().ShouldBe(0, "the session of all shows no second factor");
        all.GetProperty("organizations").EnumerateArray().SelectMany(Codes).Order().ShouldBe(["connection_needed", "second_factor_needed"]);

        JsonElement sso = await ExplainAsync(user.Email, "demo-web", closed.Handle);
        (sso.GetProperty("outcome").GetString(), Codes(sso).Single()).ShouldBe(("needs_connection", "connection_needed"));
    }

    [Fact]
    public async Task Who_is_disabled_is_refused_and_whoever_must_choose_is_asked()
    {
        User user = await world.PersonAsync($"{Guid.NewGuid():n}@example.test");
        await server.Get<Atrium.Storage.UserStore>().ChangeAsync(
            user.RealmId, user.Id, static current => current with { Status = UserStatus.Disabled }, null, Origin.System, default);
        JsonElement disabled = await ExplainAsync(user.Id.ToString(), "demo-web");
        disabled.GetProperty("outcome").GetString().ShouldBe("refused");
        disabled.GetProperty("summary").GetString()!.ShouldContain("disabled");
        (await ExplainAsync("mia@example.test", "demo-authkit")).GetProperty("outcome").GetString().ShouldBe("must_choose");
    }

    [Fact]
    public async Task What_there_is_not_is_said_where_it_was_named()
    {
        ManagementAnswer nothing = await api.PostAsync("/explain/sign-in", new { user = "nobody@example.test", client_id = "no-client", organization = "nowhere" });
        nothing.Expect(422, "unprocessable").WrongFields.ShouldBe(["/user", "/client_id", "/organization"]);
        (await api.Globex.PostAsync("/explain/sign-in", new { user = "mia@example.test", client_id = "demo-web" })).Expect(422).WrongFields.ShouldBe(["/user", "/client_id"]);
        (await api.PostAsync("/explain/sign-in", new { user = "mia@example.test", client_id = "demo-m2m" })).Expect(422).WrongFields.ShouldBe(["/client_id"]);
    }

    private static string[] Steps(JsonElement explained) => [.. explained.GetProperty("steps").EnumerateArray().Select(static step => step.GetProperty("step").GetString()!)];

    private static string[] Codes(JsonElement explained) => [.. explained.GetProperty("obstacles").EnumerateArray().Select(static obstacle => obstacle.GetProperty("code").GetString()!)];

    private async Task<JsonElement> ExplainAsync(string user, string client, string? organization = null) =>
        (await api.PostAsync("/explain/sign-in", new { user, client_id = client, organization })).Expect(200).Data;
}
