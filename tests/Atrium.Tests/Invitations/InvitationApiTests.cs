using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Invitations;

/// <summary>Invitations as a back end makes, follows and accepts them.</summary>
public abstract class InvitationApiTests(DemoServer server)
{
    private readonly ManagementCalls api = new(server);
    private readonly World world = new(server);
    private readonly Mailbox mailbox = new(server);

    [Fact]
    public async Task An_invitation_is_made_mailed_and_shown_and_its_secret_is_in_the_letter_alone()
    {
        Organization organization = await OrganizationAsync();
        string address = ResourceCalls.UniqueEmail();
        ManagementAnswer made = (await api.PostAsync(PathOf(organization), new
        {
            email_invited = address.ToUpperInvariant(), scopes = new[] { "member", "billing:read" }, user_title = "Head of <finance>",
            message = "Welcome!\nSee you.", inviter = new { name = "Mia Moreno" }, metadata = new { crm = "42" },
        })).Expect(201);
        made.Id.ShouldStartWith("inv_");
        made["email_invited"].ShouldBe(address);
        made["state"].ShouldBe("pending");
        made.Data.GetProperty("inviter").GetProperty("name").GetString().ShouldBe("Mia Moreno");
        made.Data.GetProperty("expires_in_seconds").GetInt64().ShouldBe(7 * 24 * 3600);
        made.Data.GetProperty("expires_at").GetInt64().ShouldBe(server.Clock.GetUtcNow().AddDays(7).ToUnixTimeMilliseconds());
        (await api.GetAsync($"{PathOf(organization)}/{made.Id}")).Expect(200).Text.ShouldBe(made.Text);
        (await api.GetAsync(PathOf(organization))).Expect(200).Ids.ShouldBe([made.Id]);

        EmlFile letter = await mailbox.NewestAsync(address);
        letter.Subject.ShouldBe($"Mia Moreno invites you to {organization.Name}");
        letter.From.ShouldBe("\"Acme\" <atrium@localhost>");
        letter.Html.ShouldContain("Head of &lt;finance&gt;");
        string token = await TokenAsync(address);
        letter.Html.ShouldContain(token);
        made.Text.ShouldNotContain(token);
        string events = (await api.GetAsync($"/events?organization_id={organization.Id}")).Expect(200).Text;
        events.ShouldContain("organization.invitation.created");
        events.ShouldNotContain(token);
    }

    [Fact]
    public async Task Scopes_are_those_of_the_organization_unless_named_and_there_is_at_least_one()
    {
        Organization plain = await OrganizationAsync();
        (await api.PostAsync(PathOf(plain), new { email_invited = ResourceCalls.UniqueEmail() })).Expect(422).WrongFields.ShouldBe(["/scopes"]);
        Organization withDefaults = await OrganizationAsync(new OrganizationSettings { DefaultMemberScopes = ["guest"] });
        ManagementAnswer made = (await api.PostAsync(PathOf(withDefaults), new { email_invited = ResourceCalls.UniqueEmail() })).Expect(201);
        made.Data.GetProperty("scopes")[0].GetString().ShouldBe("guest");
        ManagementAnswer wrong = await api.PostAsync(PathOf(plain), new
        {
            email_invited = "nobody", scopes = Array.Empty<string>(), expires_in_seconds = 1, message = "\u0007", inviter = new { nome = "x" }, extra = 1,
        });
        wrong.Expect(422, "unprocessable").WrongFields.ShouldBe(
            ["/email_invited", "/scopes", "/expires_in_seconds", "/message", "/inviter/name", "/inviter/nome", "/extra"], ignoreOrder: true);
    }

    [Fact]
    public async Task A_new_person_gets_an_account_with_the_address_verified_and_the_membership()
    {
        Organization organization = await OrganizationAsync();
        string address = ResourceCalls.UniqueEmail();
        ManagementAnswer made = await InviteAsync(organization, address, title: "Intern");
        ManagementAnswer accepted = (await AcceptAsync(address, new { given_name = "Sam" }, "A-Long-Passw0rd!")).Expect(200);
        accepted.Id.ShouldBe(made.Id);
        accepted["state"].ShouldBe("accepted");
        User user = await world.UserAsync(address);
        user.EmailVerified.ShouldBeTrue();
        user.GivenName.ShouldBe("Sam");
        accepted["user_id"].ShouldBe(user.Id.ToString());
        Membership membership = (await server.Get<MembershipStore>().FindAsync(user.RealmId, user.Id, organization.Id, default)).ShouldNotBeNull();
        (membership.Title, membership.Status).ShouldBe(("Intern", MembershipStatus.Active));
        membership.Scopes.ShouldBe(["member"]);
        (await new AuthKitCalls(server).PasswordAsync(address, "A-Long-Passw0rd!")).ShouldBe(System.Net.HttpStatusCode.OK);
        (await api.GetAsync($"/events?user_id={user.Id}&types=organization.*,user.*")).Items.Select(static one => one.GetProperty("type").GetString())
            .ShouldBe(["organization.invitation.accepted", "organization.membership.created", "user.created"], ignoreOrder: true);
    }

    [Fact]
    public async Task Somebody_with_an_account_joins_with_it_and_the_letter_verifies_the_address()
    {
        Organization organization = await OrganizationAsync();
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail(), emailVerified: false);
        await InviteAsync(organization, user.Email);
        (await AcceptAsync(user.Email, password: "Another-Passw0rd!")).Expect(409, "conflict");
        (await AcceptAsync(user.Email)).Expect(200)["user_id"].ShouldBe(user.Id.ToString());
        (await world.UserAsync(user.Email)).EmailVerified.ShouldBeTrue();
        (await new AuthKitCalls(server).PasswordAsync(user.Email)).ShouldBe(System.Net.HttpStatusCode.OK);
    }

    [Fact]
    public async Task Accepted_twice_or_twenty_times_at_once_there_is_one_membership()
    {
        Organization organization = await OrganizationAsync();
        string address = ResourceCalls.UniqueEmail();
        await InviteAsync(organization, address);
        string token = await TokenAsync(address);
        ManagementAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => api.PostAsync("/invitations/accept", new { token })));
        answers.Count(static answer => answer.Status == 200).ShouldBe(1);
        answers.Where(static answer => answer.Status != 200).ShouldAllBe(static answer => answer.Status == 409);
        (await api.PostAsync("/invitations/accept", new { token })).Expect(409, "conflict");
        User user = await world.UserAsync(address);
        (await server.Get<MembershipStore>().ListDetailsAsync(user.RealmId, user.Id, null, [MembershipStatus.Active], new PageRequest<Membership>(10), default))
            .Items.Count.ShouldBe(1);
        (await api.GetAsync($"/events?user_id={user.Id}&types=organization.membership.created")).Items.Count.ShouldBe(1);
    }

    [Fact]
    public async Task The_same_request_sent_again_is_answered_as_before()
    {
        Organization organization = await OrganizationAsync();
        string address = ResourceCalls.UniqueEmail();
        object body = new { email_invited = address, scopes = new[] { "member" } };
        (string, string) key = ("Idempotency-Key", Guid.NewGuid().ToString());
        ManagementAnswer first = (await api.PostAsync(PathOf(organization), body, key)).Expect(201);
        (await api.PostAsync(PathOf(organization), body, key)).Expect(201).Text.ShouldBe(first.Text);
        (await mailbox.LettersAsync(address)).Count.ShouldBe(1);
        object acceptance = new { token = await TokenAsync(address) };
        key = ("Idempotency-Key", Guid.NewGuid().ToString());
        ManagementAnswer accepted = (await api.PostAsync("/invitations/accept", acceptance, key)).Expect(200);
        (await api.PostAsync("/invitations/accept", acceptance, key)).Expect(200).Text.ShouldBe(accepted.Text);
    }

    [Fact]
    public async Task Sent_again_it_has_a_new_secret_and_its_whole_time_once_more()
    {
        Organization organization = await OrganizationAsync();
        string address = ResourceCalls.UniqueEmail();
        ManagementAnswer made = await InviteAsync(organization, address, seconds: 3600);
        string old = await TokenAsync(address);
        server.Clock.Advance(TimeSpan.FromMinutes(59));
        (await api.PostAsync($"{PathOf(organization)}/{made.Id}/resend")).Expect(200).Data.GetProperty("expires_at").GetInt64()
            .ShouldBe(server.Clock.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds());
        (await mailbox.LettersAsync(address)).Count.ShouldBe(2);
        (await api.PostAsync("/invitations/accept", new { token = old })).Expect(404, "not_found");

        // One that expired can be sent again, too.
        server.Clock.Advance(TimeSpan.FromHours(1));
        (await AcceptAsync(address)).Expect(409);
        (await api.GetAsync($"{PathOf(organization)}/{made.Id}"))["state"].ShouldBe("expired");
        (await api.PostAsync($"{PathOf(organization)}/{made.Id}/resend", new { expires_in_seconds = 600 })).Expect(200)["state"].ShouldBe("pending");
        server.Clock.Advance(TimeSpan.FromMinutes(9));
        (await AcceptAsync(address)).Expect(200);
        (await api.PostAsync($"{PathOf(organization)}/{made.Id}/resend")).Expect(409, "conflict");
        (await api.PostAsync($"{PathOf(organization)}/{made.Id}/revoke")).Expect(409, "conflict");
        (await api.GetAsync($"/events?organization_id={organization.Id}&types=organization.invitation.resent")).Items.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Taken_back_it_opens_nothing_and_a_letter_that_waits_is_not_sent()
    {
        Organization organization = await OrganizationAsync();
        string address = ResourceCalls.UniqueEmail();
        ManagementAnswer made = await InviteAsync(organization, address);
        string token = await TokenAsync(address);
        (await api.PostAsync($"{PathOf(organization)}/{made.Id}/revoke")).Expect(200)["state"].ShouldBe("revoked");
        (await api.PostAsync($"{PathOf(organization)}/{made.Id}/revoke")).Expect(200)["state"].ShouldBe("revoked");
        (await api.PostAsync("/invitations/accept", new { token })).Expect(409, "conflict");
        (await api.PostAsync($"{PathOf(organization)}/{made.Id}/resend")).Expect(409, "conflict");
        (await api.GetAsync($"/events?organization_id={organization.Id}&types=organization.invitation.revoked")).Items.Count.ShouldBe(1);
        await InviteAsync(organization, address);
    }

    [Fact]
    public async Task One_address_has_one_pending_invitation_and_a_member_none()
    {
        Organization organization = await OrganizationAsync();
        string address = ResourceCalls.UniqueEmail();
        ManagementAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ =>
            api.PostAsync(PathOf(organization), new { email_invited = address, scopes = new[] { "member" } })));
        answers.Count(static answer => answer.Status == 201).ShouldBe(1);
        answers.Where(static answer => answer.Status != 201).ShouldAllBe(static answer => answer.Status == 409);
        (await mailbox.LettersAsync(address)).Count.ShouldBe(1);
        (await AcceptAsync(address)).Expect(200);
        (await api.PostAsync(PathOf(organization), new { email_invited = address, scopes = new[] { "member" } })).Expect(409, "conflict");
    }

    [Fact]
    public async Task While_the_organization_is_suspended_its_invitations_are_frozen_and_then_they_go_on()
    {
        Organization organization = await OrganizationAsync();
        string address = ResourceCalls.UniqueEmail();
        ManagementAnswer made = await InviteAsync(organization, address);
        await SetStatusAsync(organization, OrganizationStatus.Suspended);
        (await AcceptAsync(address)).Expect(409, "conflict");
        (await api.PostAsync($"{PathOf(organization)}/{made.Id}/resend")).Expect(409, "conflict");
        (await api.PostAsync(PathOf(organization), new { email_invited = ResourceCalls.UniqueEmail(), scopes = new[] { "member" } })).Expect(409, "conflict");
        await SetStatusAsync(organization, OrganizationStatus.Active);
        (await AcceptAsync(address)).Expect(200);
    }

    [Fact]
    public async Task The_invitations_of_a_deleted_organization_end_with_it()
    {
        Organization organization = await OrganizationAsync();
        string address = ResourceCalls.UniqueEmail();
        ManagementAnswer made = await InviteAsync(organization, address);
        string token = await TokenAsync(address);
        (await new ResourceCalls(server).DeleteAsync($"/organizations/{organization.Id}")).Status.ShouldBeInRange(200, 299);
        (await api.PostAsync("/invitations/accept", new { token })).Expect(404, "not_found");
        (await api.GetAsync($"{PathOf(organization)}/{made.Id}")).Expect(404, "not_found");
        (await server.Get<UserStore>().FindByEmailAsync(organization.RealmId, address, default)).ShouldBeNull();
    }

    [Fact]
    public async Task A_suspended_membership_is_not_lifted_and_a_disabled_account_does_not_join()
    {
        Organization organization = await OrganizationAsync();
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        await InviteAsync(organization, user.Email);
        await world.JoinAsync(user.Id, organization.Id, MembershipStatus.Suspended, "member");
        (await AcceptAsync(user.Email)).Expect(409, "conflict");
        (await api.GetAsync(PathOf(organization))).Items[0].GetProperty("state").GetString().ShouldBe("pending", "nothing was spent");

        User disabled = await world.PersonAsync(ResourceCalls.UniqueEmail());
        await InviteAsync(organization, disabled.Email);
        await server.Get<UserStore>().UpdateAsync(disabled with { Status = UserStatus.Disabled }, null, default);
        (await AcceptAsync(disabled.Email)).Expect(409, "conflict");
    }

    [Fact]
    public async Task Where_there_is_no_room_nothing_is_spent()
    {
        Organization organization = await OrganizationAsync(new OrganizationSettings { MaxMembers = 1 });
        string address = ResourceCalls.UniqueEmail();
        await InviteAsync(organization, address);
        User first = await world.PersonAsync(ResourceCalls.UniqueEmail(), organization);
        (await AcceptAsync(address)).Expect(409, "conflict");
        (await server.Get<UserStore>().FindByEmailAsync(organization.RealmId, address, default)).ShouldBeNull("all of it was undone");
        await world.LeaveAsync(first, organization);
        (await AcceptAsync(address)).Expect(200);
    }

    [Fact]
    public async Task A_pending_membership_becomes_what_the_invitation_says()
    {
        Organization organization = await OrganizationAsync();
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        await InviteAsync(organization, user.Email);
        await world.JoinAsync(user.Id, organization.Id, MembershipStatus.Pending, "guest");
        (await AcceptAsync(user.Email)).Expect(200);
        Membership membership = (await server.Get<MembershipStore>().FindAsync(user.RealmId, user.Id, organization.Id, default)).ShouldNotBeNull();
        (membership.Status, membership.Scopes.Single()).ShouldBe((MembershipStatus.Active, "member"));
    }

    [Fact]
    public async Task Another_realm_another_organization_and_a_key_without_the_scope_reach_nothing()
    {
        Organization organization = await OrganizationAsync();
        Organization other = await OrganizationAsync();
        string address = ResourceCalls.UniqueEmail();
        ManagementAnswer made = await InviteAsync(organization, address);
        string token = await TokenAsync(address);
        (await api.Globex.GetAsync($"{PathOf(organization)}/{made.Id}")).Expect(404, "not_found");
        (await api.Globex.PostAsync("/invitations/accept", new { token })).Expect(404, "not_found");
        (await api.GetAsync($"{PathOf(other)}/{made.Id}")).Expect(404, "not_found");
        (await api.PostAsync($"{PathOf(other)}/{made.Id}/resend")).Expect(404, "not_found");
        (await api.PostAsync($"{PathOf(other)}/{made.Id}/revoke")).Expect(404, "not_found");
        ManagementCalls reader = api.With(await world.NewKeyAsync(null, ApiScopes.InvitationsRead));
        (await reader.GetAsync(PathOf(organization))).Expect(200);
        (await reader.PostAsync(PathOf(organization), new { })).Expect(403, "insufficient_scope");
        (await reader.PostAsync("/invitations/accept", new { token })).Expect(403, "insufficient_scope");
    }

    [Fact]
    public async Task A_secret_that_is_not_whole_opens_nothing()
    {
        Organization organization = await OrganizationAsync();
        string address = ResourceCalls.UniqueEmail();
        await InviteAsync(organization, address);
        string token = await TokenAsync(address);
        foreach (string altered in new[] { token[..^1], token + "A", token.ToUpperInvariant(), $" {token}" })
            (await api.PostAsync("/invitations/accept", new { token = altered })).Expect(404, "not_found");
        (await api.PostAsync("/invitations/accept", new { token = new string('x', 129) })).Expect(422);
        (await api.PostAsync("/invitations/accept", new { token, password = "short" })).Expect(422).WrongFields.ShouldBe(["/password"]);
        (await AcceptAsync(address)).Expect(200);
    }

    private static string PathOf(Organization organization) => $"/organizations/{organization.Id}/invitations";

    private Task<Organization> OrganizationAsync(OrganizationSettings? settings = null) =>
        world.NewOrganizationAsync(ResourceCalls.Unique("inviting"), settings);

    private async Task<ManagementAnswer> InviteAsync(Organization organization, string address, string? title = null, int? seconds = null) =>
        (await api.PostAsync(PathOf(organization), new { email_invited = address, scopes = new[] { "member" }, user_title = title, expires_in_seconds = seconds })).Expect(201);

    private async Task<string> TokenAsync(string address) => (await mailbox.InvitationAsync(address)).Split('/')[^1];

    private async Task<ManagementAnswer> AcceptAsync(string address, object? profile = null, string? password = null) =>
        await api.PostAsync("/invitations/accept", new { token = await TokenAsync(address), profile, password });

    private async Task SetStatusAsync(Organization organization, OrganizationStatus status) =>
        (await server.Get<OrganizationStore>().UpdateAsync(organization with { Status = status }, null, default)).ShouldBe(OrganizationWrite.Done);
}

public sealed class SqliteInvitationApiTests(DemoServer server) : InvitationApiTests(server), IClassFixture<DemoServer>;

public sealed class PostgresInvitationApiTests(PostgresDemoServer server) : InvitationApiTests(server), IClassFixture<PostgresDemoServer>;
