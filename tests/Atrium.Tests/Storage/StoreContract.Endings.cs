using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>What ends when something that it rested on ends: by the grant's profile, whoever made the change.</summary>
public abstract partial class StoreContract
{
    [Theory]
    [InlineData("membership suspended")]
    [InlineData("membership pending again")]
    [InlineData("membership deleted")]
    [InlineData("organization suspended")]
    [InlineData("organization deleted")]
    public async Task When_a_membership_is_over_grants_of_one_organization_end_and_multi_org_lives_on(string change)
    {
        Client client = await MakeClient();
        User mia = await MakeUser("mia@example.test");
        User sam = await MakeUser("sam@example.test");
        Organization northwind = await MakeOrganization("northwind");
        Organization contoso = await MakeOrganization("contoso");
        Membership membership = await MakeMembership(mia, northwind);
        await MakeMembership(mia, contoso);
        await MakeMembership(sam, northwind);
        OrganizationChoice here = new OrganizationChoice.Chosen(northwind.Id);
        OrganizationChoice elsewhere = new OrganizationChoice.Chosen(contoso.Id);

        SignInCompletion single = await MakeGrant(client, mia, TokenProfile.SingleOrg, here);
        SignInCompletion named = await MakeGrant(client, mia, TokenProfile.Organization, here);
        SignInCompletion multi = await MakeGrant(client, mia, TokenProfile.MultiOrg, here);
        SignInCompletion all = await MakeGrant(client, mia, TokenProfile.MultiOrg, OrganizationChoice.AllMemberships);
        SignInCompletion away = await MakeGrant(client, mia, TokenProfile.SingleOrg, elsewhere);
        SignInCompletion nowhere = await MakeGrant(client, mia, TokenProfile.Organization, OrganizationChoice.NoOrganization);
        SignInCompletion colleague = await MakeGrant(client, sam, TokenProfile.SingleOrg, here);
        SignInCompletion shared = await MakeGrant(client, mia, TokenProfile.SingleOrg, here);
        SignInCompletion beside = await MakeGrant(client, mia, TokenProfile.SingleOrg, elsewhere, standing: shared.Session);
        SignInCompletion browser = await MakeGrant(client, mia, TokenProfile.SingleOrg, here, cookie: Atrium.Core.Secret.New());

        bool wholeOrganization = change.StartsWith("organization", StringComparison.Ordinal);
        switch (change)
        {
            case "membership suspended":
                await Memberships.UpdateAsync(membership with { Status = MembershipStatus.Suspended }, None);
                break;
            case "membership pending again":
                await Memberships.UpdateAsync(membership with { Status = MembershipStatus.Pending }, None);
                break;
            case "membership deleted":
                await Memberships.DeleteAsync(membership, Now, None);
                break;
            case "organization suspended":
                await Organizations.UpdateAsync(northwind with { Status = OrganizationStatus.Suspended }, null, None);
                break;
            default:
                await Organizations.DeleteAsync(Realm.Id, northwind.Id, Now, None);
                break;
        }

        (await IsLive(single.Grant)).ShouldBeFalse();
        (await IsLive(named.Grant)).ShouldBeFalse();
        (await IsLive(shared.Grant)).ShouldBeFalse();
        (await IsLive(browser.Grant)).ShouldBeFalse();
        (await IsLive(multi.Grant)).ShouldBeTrue();
        (await IsLive(all.Grant)).ShouldBeTrue();
        (await IsLive(away.Grant)).ShouldBeTrue();
        (await IsLive(nowhere.Grant)).ShouldBeTrue();
        (await IsLive(beside.Grant)).ShouldBeTrue();
        (await IsLive(colleague.Grant)).ShouldBe(!wholeOrganization);

        (await Sessions.FindAsync(Realm.Id, single.Session.Id, None))!.IsLive(Now).ShouldBeFalse("it was made for nothing else");
        (await Sessions.FindAsync(Realm.Id, shared.Session.Id, None))!.IsLive(Now).ShouldBeTrue("another grant rests on it");
        (await Sessions.FindAsync(Realm.Id, browser.Session.Id, None))!.IsLive(Now).ShouldBeTrue("a browser's session is for all organizations");
        GrantFacts facts = (await Grants.LoadAsync(Realm.Id, multi.Grant.Id, None))!;
        facts.OrganizationsAt(Now).ShouldBeOfType<OrganizationClaims.Many>().Memberships.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_change_of_scopes_ends_nothing()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Organization organization = await MakeOrganization("northwind");
        Membership membership = await MakeMembership(user, organization);
        SignInCompletion grant = await MakeGrant(client, user, TokenProfile.SingleOrg, new OrganizationChoice.Chosen(organization.Id));
        await Memberships.UpdateAsync(membership with { Scopes = ["owner"] }, None);
        await Organizations.UpdateAsync(organization with { Name = "North" }, null, None);
        (await IsLive(grant.Grant)).ShouldBeTrue();
    }

    [Fact]
    public async Task Deleting_a_membership_that_is_gone_does_not_end_what_its_successor_gives()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Organization organization = await MakeOrganization("northwind");
        Membership old = await MakeMembership(user, organization);
        await Memberships.DeleteAsync(old, Now, None);
        await MakeMembership(user, organization);
        SignInCompletion grant = await MakeGrant(client, user, TokenProfile.SingleOrg, new OrganizationChoice.Chosen(organization.Id));
        (await Memberships.DeleteAsync(old, Now, None)).ShouldBeFalse();
        (await IsLive(grant.Grant)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("disabled", false)]
    [InlineData("new password", false)]
    [InlineData("renamed", true)]
    public async Task A_person_who_is_disabled_or_has_a_new_password_is_signed_in_nowhere(string change, bool lives)
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        User other = await MakeUser("sam@example.test");
        SignInCompletion single = await MakeGrant(client, user, TokenProfile.SingleOrg);
        SignInCompletion multi = await MakeGrant(client, user, TokenProfile.MultiOrg, OrganizationChoice.AllMemberships, cookie: Atrium.Core.Secret.New());
        SignInCompletion others = await MakeGrant(client, other);
        await (change switch
        {
            "disabled" => Users.UpdateAsync(user with { Status = UserStatus.Disabled }, null, None),
            "new password" => Users.UpdateAsync(user, "new hash", None),
            _ => Users.UpdateAsync(user with { Name = "Mia" }, null, None),
        });
        (await IsLive(single.Grant)).ShouldBe(lives);
        (await IsLive(multi.Grant)).ShouldBe(lives);
        (await Sessions.FindAsync(Realm.Id, multi.Session.Id, None))!.IsLive(Now).ShouldBe(lives);
        (await IsLive(others.Grant)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_deleted_person_leaves_nothing_behind()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Organization organization = await MakeOrganization("northwind");
        Membership membership = await MakeMembership(user, organization);
        Factor factor = await MakeFactor(user);
        FactorChallenge challenge = await MakeChallenge(factor);
        (SignInCompletion completion, RefreshToken token) = await MakeFamily(client, user);
        (_, Atrium.Core.Secret handle) = await MakeSignIn(client, user);
        (await Users.DeleteAsync(Realm.Id, user.Id, static _ => true, Origin.System, None)).ShouldNotBeNull();
        (await Memberships.FindAsync(Realm.Id, membership.Id, None)).ShouldBeNull();
        (await Factors.FindAsync(Realm.Id, factor.Id, None)).ShouldBeNull();
        (await Factors.FindChallengeAsync(Realm.Id, challenge.Id, None)).ShouldBeNull();
        (await Sessions.FindAsync(Realm.Id, completion.Session.Id, None)).ShouldBeNull();
        (await Grants.LoadAsync(Realm.Id, completion.Grant.Id, None)).ShouldBeNull();
        (await Grants.FindRefreshTokenAsync(Realm.Id, token.TokenHash, switchTo: null, None)).ShouldBeNull();
        (await SignIns.FindAsync(Realm.Id, handle.Hash(), Now, None)).ShouldBeNull();
        (await Users.CreateAsync(NewUser("mia@example.test"), null, Origin.System, None)).ShouldBe(Atrium.Storage.UserWrite.Done);
    }
}
