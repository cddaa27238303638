using System.Net;
using System.Text.Json;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AuthKit;

public sealed class OrganizationSelectionTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Mia = "mia@example.test";

    private readonly AuthKitCalls door = new(server);

    [Fact]
    public async Task A_person_of_several_organizations_is_asked_for_one_that_can_be_chosen()
    {
        Answer answer = (await door.PasswordAsync(Mia)).ShouldBe(HttpStatusCode.Forbidden, "organization_selection_required");

        answer["pending_authentication_token"].ShouldNotBeNullOrEmpty();
        answer.Json.GetProperty("user").GetProperty("email").GetString().ShouldBe(Mia);
        answer.Json.GetProperty("organizations").EnumerateArray()
            .Select(static entry => (entry.GetProperty("id").GetString(), entry.GetProperty("name").GetString()))
            .ShouldBe([(await door.OrganizationIdAsync("northwind"), "Northwind"), (await door.OrganizationIdAsync("contoso"), "Contoso")]);
        answer.Json.TryGetProperty("error", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task The_choice_is_in_the_answer_and_the_token_and_spends_the_pending_token()
    {
        string contoso = await door.OrganizationIdAsync("contoso");
        string pending = await door.PendingTokenOfAsync(Mia);
        Answer answer = (await door.SelectAsync(pending, contoso)).ShouldBe(HttpStatusCode.OK);

        answer["organization_id"].ShouldBe(contoso);
        answer["authentication_method"].ShouldBe("Password");
        JsonElement claims = AuthKitCalls.ClaimsOf(answer);
        claims.GetProperty("org_id").GetString().ShouldBe(contoso);
        claims.GetProperty("role").GetString().ShouldBe("member");
        claims.GetProperty("permissions").EnumerateArray().Select(static entry => entry.GetString()).ShouldContain("projects:read");
        (await door.SelectAsync(pending, contoso)).ShouldBe(HttpStatusCode.BadRequest, "invalid_pending_authentication_token");
    }

    [Fact]
    public async Task A_refused_choice_says_one_thing_and_leaves_the_token_good()
    {
        string pending = await door.PendingTokenOfAsync(Mia);
        string[] foreign =
        [
            await door.OrganizationIdAsync("fabrikam"),
            await door.OrganizationIdAsync("tailspin"),
            await door.OrganizationIdAsync("initech", DemoRealm.NeighbourHandle),
            "org_0000000000000000000000001",
            "nonsense",
        ];
        string[] bodies = await Task.WhenAll(foreign.Select(async id =>
            (await door.SelectAsync(pending, id)).ShouldBe(HttpStatusCode.BadRequest, "organization_membership_not_found").Text));

        bodies.Distinct().Count().ShouldBe(1);
        (await door.SelectAsync(pending, await door.OrganizationIdAsync("northwind"))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Of_twenty_choices_at_once_one_succeeds()
    {
        string contoso = await door.OrganizationIdAsync("contoso");
        string pending = await door.PendingTokenOfAsync(Mia);
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => door.SelectAsync(pending, contoso)));

        answers.Count(static answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
        foreach (Answer answer in answers.Where(static answer => answer.Status != HttpStatusCode.OK))
            answer.ShouldBe(HttpStatusCode.BadRequest, "invalid_pending_authentication_token");
    }

    [Fact]
    public async Task Membership_is_looked_up_when_the_choice_is_made()
    {
        User user = await door.NewUserAsync(true, "northwind", "contoso");
        string pending = await door.PendingTokenOfAsync(user.Email);
        await door.DeactivateAsync(user, "contoso");

        (await door.SelectAsync(pending, await door.OrganizationIdAsync("contoso"))).ShouldBe(HttpStatusCode.BadRequest, "organization_membership_not_found");
        (await door.SelectAsync(pending, await door.OrganizationIdAsync("northwind"))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_person_disabled_meanwhile_gets_nothing()
    {
        User user = await door.NewUserAsync(true, "northwind", "contoso");
        string pending = await door.PendingTokenOfAsync(user.Email);
        await server.Get<UserStore>().UpdateAsync(user with { Status = UserStatus.Disabled }, null, default);

        (await door.SelectAsync(pending, await door.OrganizationIdAsync("northwind")))
            .ShouldBe(HttpStatusCode.BadRequest, "invalid_pending_authentication_token");
    }

    [Fact]
    public async Task An_organization_of_single_sign_on_is_refused_in_its_own_words()
    {
        User user = await door.NewUserAsync(true, "northwind");
        Organization organization = await door.NewOrganizationAsync(new OrganizationSettings { SsoOnly = true });
        await door.JoinAsync(user, organization);
        string pending = await door.PendingTokenOfAsync(user.Email);

        (await door.SelectAsync(pending, organization.Id.ToString())).ShouldBe(HttpStatusCode.BadRequest)
            .Text.ShouldBe("""{"message":"Must use SSO for selected organization"}""");
        (await door.SelectAsync(pending, await door.OrganizationIdAsync("northwind"))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_pending_token_belongs_to_its_client_and_its_time()
    {
        string contoso = await door.OrganizationIdAsync("contoso");
        string pending = await door.PendingTokenOfAsync(Mia);
        foreach (string token in new[] { pending[..^2], pending + "x", "never-made" })
            (await door.SelectAsync(token, contoso)).ShouldBe(HttpStatusCode.BadRequest, "invalid_pending_authentication_token");
        (await door.AuthenticateAsync(
            "globex-authkit", DemoRealm.NeighbourApiKey, AuthKitCalls.SelectionGrant, ("pending_authentication_token", pending), ("organization_id", contoso)))
            .ShouldBe(HttpStatusCode.BadRequest, "invalid_pending_authentication_token");

        server.Clock.Advance(TimeSpan.FromMinutes(31));
        (await door.SelectAsync(pending, contoso)).ShouldBe(HttpStatusCode.BadRequest, "invalid_pending_authentication_token");
    }
}
