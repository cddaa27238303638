using System.Net;
using System.Text.Json;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AuthKit;

public sealed class EmailVerificationTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly AuthKitCalls door = new(server);

    [Fact]
    public async Task The_mailed_code_verifies_the_address_and_signs_in()
    {
        User user = await door.NewUserAsync(emailVerified: false, "northwind");
        (string pending, string code) = await UntilCodeAsync(user);
        Answer answer = (await VerifyAsync(pending, code)).ShouldBe(HttpStatusCode.OK);

        answer["organization_id"].ShouldBe(await door.OrganizationIdAsync("northwind"));
        answer["authentication_method"].ShouldBe("Password");
        answer.Json.GetProperty("user").GetProperty("email_verified").GetBoolean().ShouldBeTrue();
        (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("northwind")]
    [InlineData("northwind", "contoso")]
    public async Task An_address_that_is_verified_on_the_way_in_is_told_of_once(params string[] organizations)
    {
        User user = await door.NewUserAsync(emailVerified: false, organizations);
        (string pending, string code) = await UntilCodeAsync(user);
        (await VerifyAsync(pending, code)).Status.ShouldBe(organizations.Length == 1 ? HttpStatusCode.OK : HttpStatusCode.Forbidden);
        JsonElement told = (await new ManagementCalls(server).GetAsync($"/events?types=user.updated&user_id={user.Id}")).Expect(200).Items.ShouldHaveSingleItem();
        told.GetProperty("changed").ToString().ShouldBe("""["email_verified"]""");
        told.GetProperty("data").GetProperty("email_verified").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task A_wrong_code_leaves_the_token_good_until_five_tries_are_used_up()
    {
        User user = await door.NewUserAsync(emailVerified: false);
        (string pending, string code) = await UntilCodeAsync(user);
        string wrong = code == "000000" ? "000001" : "000000";
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => VerifyAsync(pending, wrong)));
        answers.Count(static answer => answer["code"] == "invalid_one_time_code").ShouldBe(5);
        answers.Count(static answer => answer["code"] == "one_time_code_too_many_attempts").ShouldBe(7);
        (await VerifyAsync(pending, code)).ShouldBe(HttpStatusCode.BadRequest, "one_time_code_too_many_attempts");

        // Signing in again makes a new code.
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        (pending, string next) = await UntilCodeAsync(user);
        (await VerifyAsync(pending, next)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Signing_in_again_keeps_the_open_code_and_a_late_one_is_refused()
    {
        User user = await door.NewUserAsync(emailVerified: false);
        Answer first = await door.PasswordAsync(user.Email);
        Answer second = await door.PasswordAsync(user.Email);
        second["email_verification_id"].ShouldBe(first["email_verification_id"]);
        second["email"].ShouldBe(user.Email);

        (string pending, string code) = await UntilCodeAsync(user);
        server.Clock.Advance(TimeSpan.FromMinutes(10));
        (await VerifyAsync(pending, code)).ShouldBe(HttpStatusCode.BadRequest, "one_time_code_expired");
    }

    [Fact]
    public async Task A_code_for_a_former_address_is_worthless()
    {
        User user = await door.NewUserAsync(emailVerified: false);
        (string pending, string code) = await UntilCodeAsync(user);
        await server.Get<UserStore>().UpdateAsync(user with { Email = $"new-{user.Email}" }, null, default);

        (await VerifyAsync(pending, code)).ShouldBe(HttpStatusCode.BadRequest, "invalid_one_time_code");
    }

    [Fact]
    public async Task A_choice_does_not_stand_in_for_the_code()
    {
        User user = await door.NewUserAsync(emailVerified: false, "northwind", "contoso");
        (string pending, string code) = await UntilCodeAsync(user);
        string northwind = await door.OrganizationIdAsync("northwind");
        (await door.SelectAsync(pending, northwind)).ShouldBe(HttpStatusCode.Forbidden, "email_verification_required");
        Answer next = (await VerifyAsync(pending, code)).ShouldBe(HttpStatusCode.Forbidden, "organization_selection_required");
        (await door.SelectAsync(next["pending_authentication_token"], northwind)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_verification_is_not_seen_from_another_realm()
    {
        User user = await door.NewUserAsync(emailVerified: false);
        string id = (await door.PasswordAsync(user.Email))["email_verification_id"]!;
        (await door.GetAsync($"/user_management/email_verification/{id}", DemoRealm.NeighbourApiKey)).ShouldBe(HttpStatusCode.NotFound, "entity_not_found");
        (await door.GetAsync("/user_management/email_verification/nonsense")).ShouldBe(HttpStatusCode.NotFound, "entity_not_found");
    }

    private async Task<(string Pending, string Code)> UntilCodeAsync(User user)
    {
        Answer asked = (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.Forbidden, "email_verification_required");
        Answer verification = (await door.GetAsync($"/user_management/email_verification/{asked["email_verification_id"]}")).ShouldBe(HttpStatusCode.OK);
        verification["user_id"].ShouldBe(user.Id.ToString());
        verification["code"].ShouldNotBeNull().ShouldMatch("^[0-9]{6}$");
        return (asked["pending_authentication_token"]!, verification["code"]!);
    }

    private Task<Answer> VerifyAsync(string pending, string code) =>
        door.AuthenticateAsync(AuthKitCalls.EmailGrant, ("pending_authentication_token", pending), ("code", code));
}
