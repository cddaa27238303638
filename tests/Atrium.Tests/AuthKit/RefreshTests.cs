using System.Net;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Server.SignIns;
using Atrium.Server.Tokens;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AuthKit;

public sealed class RefreshTests(DemoServer server) : RefreshContract(server), IClassFixture<DemoServer>;

public sealed class PostgresRefreshTests(PostgresDemoServer server) : RefreshContract(server), IClassFixture<PostgresDemoServer>;

public abstract class RefreshContract(DemoServer server)
{
    private const string Mia = "mia@example.test";

    private readonly AuthKitCalls door = new(server);

    [Fact]
    public async Task A_refresh_rotates_and_stays_in_the_organization_and_the_session()
    {
        string contoso = await door.OrganizationIdAsync("contoso");
        Answer first = await door.SignInToAsync(Mia, contoso);
        Answer second = (await door.RefreshAsync(first["refresh_token"])).ShouldBe(HttpStatusCode.OK);
        Answer third = (await door.RefreshAsync(second["refresh_token"])).ShouldBe(HttpStatusCode.OK);

        new[] { first, second, third }.Select(static answer => answer["refresh_token"]).Distinct().Count().ShouldBe(3);
        third["organization_id"].ShouldBe(contoso);
        third["authentication_method"].ShouldBe("Password");
        third.Json.GetProperty("user").GetProperty("email").GetString().ShouldBe(Mia);
        AuthKitCalls.SessionOf(third).ShouldBe(AuthKitCalls.SessionOf(first));
    }

    [Fact]
    public async Task A_public_client_needs_no_secret_and_a_wrong_one_is_refused()
    {
        Answer first = await door.PasswordAsync("sam@example.test");
        Answer second = await door.AuthenticateAsync("demo-authkit", null, "refresh_token", ("refresh_token", first["refresh_token"]));
        second.ShouldBe(HttpStatusCode.OK);
        (await door.AuthenticateAsync("demo-authkit", "sk_wrong", "refresh_token", ("refresh_token", second["refresh_token"])))
            .ShouldBe(HttpStatusCode.BadRequest, "invalid_client");

        // The go SDK sends the scheme with an empty key for public clients.
        Answer third = await door.SendAsync(
            HttpMethod.Post,
            AuthKitCalls.AuthenticatePath,
            new { client_id = "demo-authkit", grant_type = "refresh_token", refresh_token = second["refresh_token"] },
            key: null,
            static request => request.Headers.TryAddWithoutValidation("Authorization", "Bearer "));
        third.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Within_the_grace_a_spent_token_answers_its_successor_and_later_ends_the_family()
    {
        Answer first = await door.PasswordAsync("sam@example.test");
        Answer second = await door.RefreshAsync(first["refresh_token"]);
        server.Clock.Advance(TimeSpan.FromSeconds(29));
        (await door.RefreshAsync(first["refresh_token"])).ShouldBe(HttpStatusCode.OK)["refresh_token"].ShouldBe(second["refresh_token"]);

        server.Clock.Advance(TimeSpan.FromSeconds(2));
        Answer late = (await door.RefreshAsync(first["refresh_token"])).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");
        late["error"].ShouldBe("invalid_grant");
        late["error_description"].ShouldBe("Refresh token already exchanged.");
        (await door.RefreshAsync(second["refresh_token"])).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");
    }

    [Fact]
    public async Task Twenty_refreshes_at_once_name_one_successor()
    {
        Answer first = await door.PasswordAsync("sam@example.test");
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => door.RefreshAsync(first["refresh_token"])));

        answers.Select(static answer => answer.ShouldBe(HttpStatusCode.OK)["refresh_token"]).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_switch_moves_the_session_and_stays()
    {
        string northwind = await door.OrganizationIdAsync("northwind");
        Answer first = await door.SignInToAsync(Mia, await door.OrganizationIdAsync("contoso"));
        Answer switched = (await door.RefreshAsync(first["refresh_token"], northwind)).ShouldBe(HttpStatusCode.OK);

        switched["organization_id"].ShouldBe(northwind);
        AuthKitCalls.ClaimsOf(switched).GetProperty("role").GetString().ShouldBe("owner");
        AuthKitCalls.SessionOf(switched).ShouldBe(AuthKitCalls.SessionOf(first));
        (await door.RefreshAsync(switched["refresh_token"])).ShouldBe(HttpStatusCode.OK)["organization_id"].ShouldBe(northwind);
    }

    [Fact]
    public async Task A_switch_that_comes_second_in_a_race_moves_the_session_all_the_same()
    {
        string northwind = await door.OrganizationIdAsync("northwind");
        Answer first = await door.SignInToAsync(Mia, await door.OrganizationIdAsync("contoso"));
        Answer plain = await door.RefreshAsync(first["refresh_token"]);
        Answer switched = (await door.RefreshAsync(first["refresh_token"], northwind)).ShouldBe(HttpStatusCode.OK);

        switched["refresh_token"].ShouldBe(plain["refresh_token"]);
        switched["organization_id"].ShouldBe(northwind);
        (await door.RefreshAsync(plain["refresh_token"]))["organization_id"].ShouldBe(northwind);
    }

    [Fact]
    public async Task A_refused_switch_costs_nothing()
    {
        string contoso = await door.OrganizationIdAsync("contoso");
        Answer first = await door.SignInToAsync(Mia, contoso);
        string[] foreign =
        [
            await door.OrganizationIdAsync("fabrikam"),
            await door.OrganizationIdAsync("tailspin"),
            await door.OrganizationIdAsync("initech", DemoRealm.NeighbourHandle),
            "org_0000000000000000000000001",
            "nonsense",
        ];
        foreach (string id in foreign)
        {
            (await door.RefreshAsync(first["refresh_token"], id)).ShouldBe(HttpStatusCode.BadRequest, "organization_membership_not_found")
                ["error"].ShouldBe("organization_membership_not_found");
        }

        (await door.RefreshAsync(first["refresh_token"])).ShouldBe(HttpStatusCode.OK)["organization_id"].ShouldBe(contoso);
    }

    [Fact]
    public async Task A_grant_of_another_door_is_not_switched_here()
    {
        SignInDesk desk = server.Get<SignInDesk>();
        Client client = (await server.Get<ClientStore>().FindByClientIdAsync("demo-authkit", default)).ShouldNotBeNull();
        SignInProgress begun = desk.Begin(client, Door.OAuth, new AuthorizationRequest(), OrganizationChoice.Unchosen, Origin.System);
        SignInProgress proved = (await desk.ProvePasswordAsync(begun, Mia, DemoRealm.Password, default))
            .ShouldBeOfType<ProofResult.Proved>().Progress;
        SignInStep.Complete step = (await desk.NextAsync(proved, default)).ShouldBeOfType<SignInStep.Complete>();
        CompletedSignIn completed = (await desk.CompleteAsync(proved, step, cookie: null, default)).ShouldNotBeNull();
        GrantResult.Issued issued = (await server.Get<GrantDesk>().RedeemAsync(client, completed.Code, null, null, RestatedTerms.None, default))
            .ShouldBeOfType<GrantResult.Issued>();
        string token = issued.Tokens.RefreshToken!.Value.Reveal();

        (await door.RefreshAsync(token, await door.OrganizationIdAsync("northwind"))).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");
        (await door.RefreshAsync(token)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_switch_obeys_the_policy_of_the_organization()
    {
        User user = await door.NewUserAsync(true, "northwind");
        Organization mfa = await door.NewOrganizationAsync(new OrganizationSettings { MfaRequired = true });
        Organization sso = await door.NewOrganizationAsync(new OrganizationSettings { SsoOnly = true });
        Answer first = (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.OK);
        await door.JoinAsync(user, mfa);
        await door.JoinAsync(user, sso);

        (await door.RefreshAsync(first["refresh_token"], mfa.Id.ToString())).ShouldBe(HttpStatusCode.BadRequest, "mfa_enrollment");
        Answer refused = (await door.RefreshAsync(first["refresh_token"], sso.Id.ToString())).ShouldBe(HttpStatusCode.BadRequest, "sso_required");
        refused["email"].ShouldBe(user.Email);
        (await door.RefreshAsync(first["refresh_token"])).ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_membership_that_ended_ends_the_session_whatever_organization_the_refresh_names(bool names)
    {
        User user = await door.NewUserAsync(true, "northwind");
        string northwind = await door.OrganizationIdAsync("northwind");
        Answer first = await door.PasswordAsync(user.Email);
        await door.DeactivateAsync(user, "northwind");

        (await door.RefreshAsync(first["refresh_token"], names ? northwind : null)).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");
        (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.OK).Json.TryGetProperty("organization_id", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_disabled_person_refreshes_no_more()
    {
        User user = await door.NewUserAsync();
        Answer first = await door.PasswordAsync(user.Email);
        await server.Get<UserStore>().UpdateAsync(user with { Status = UserStatus.Disabled }, null, default);

        (await door.RefreshAsync(first["refresh_token"])).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");
    }

    [Fact]
    public async Task A_token_is_good_for_its_client_its_text_and_its_time()
    {
        string token = (await door.PasswordAsync("sam@example.test"))["refresh_token"]!;
        foreach (string other in new[] { "never-issued", token[..^1], token + "x" })
            (await door.RefreshAsync(other)).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant")["error_description"].ShouldBe("Invalid refresh token.");
        (await door.AuthenticateAsync("globex-authkit", DemoRealm.NeighbourApiKey, "refresh_token", ("refresh_token", token)))
            .ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");

        server.Clock.Advance(TimeSpan.FromDays(7));
        (await door.RefreshAsync(token)).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");
    }
}
