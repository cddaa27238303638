using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.SignUp;

/// <summary>Who becomes a member without a word about scopes gets the organization's default ones, whichever way they come.</summary>
public sealed class DefaultMemberScopeTests(DemoServer server) : IClassFixture<DemoServer>
{
    private static readonly string[] Defaults = ["guest", "projects:read"];

    private readonly World world = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task Through_the_management_API()
    {
        (Organization organization, User user) = await NewAsync();
        (await api.PostAsync($"/organizations/{organization.Id}/members", new { user_id = user.Id.ToString() })).Expect(201);
        await ShouldHaveAsync(user, organization, Defaults);
    }

    [Fact]
    public async Task Through_AuthKit()
    {
        (Organization organization, User user) = await NewAsync();
        (await new ResourceCalls(server).PostAsync(
            "/user_management/organization_memberships", new { user_id = user.Id.ToString(), organization_id = organization.Id.ToString() })).Expect(201);
        await ShouldHaveAsync(user, organization, Defaults);
    }

    [Fact]
    public async Task By_an_invitation()
    {
        Organization organization = await OrganizationAsync();
        string email = ResourceCalls.UniqueEmail();
        (await api.PostAsync($"/organizations/{organization.Id}/invitations", new { email_invited = email })).Expect(201);
        string link = await new Mailbox(server).InvitationAsync(email);
        OAuthBrowser browser = new(server);
        using HttpResponseMessage page = await browser.GetAsync(link);
        HostedForm form = new(link, await page.Content.ReadAsStringAsync());
        using HttpResponseMessage joined = await browser.PostAsync(link, [.. form.Hidden, ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen)]);
        await ShouldHaveAsync(await world.UserAsync(email), organization, Defaults);
    }

    private async Task<(Organization Organization, User User)> NewAsync() =>
        (await OrganizationAsync(), await world.PersonAsync(ResourceCalls.UniqueEmail()));

    private Task<Organization> OrganizationAsync() =>
        world.NewOrganizationAsync(ResourceCalls.Unique("defaults"), new OrganizationSettings { DefaultMemberScopes = Defaults });

    private async Task ShouldHaveAsync(User user, Organization organization, string[] scopes) =>
        (await server.Get<MembershipStore>().FindAsync(user.RealmId, user.Id, organization.Id, default)).ShouldNotBeNull().Scopes.ShouldBe(scopes);
}
