using Atrium.Core;
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

public abstract partial class StoreContract
{
    [Fact]
    public async Task Nothing_of_one_realm_is_found_from_another()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Organization organization = NewOrganization("northwind") with { ExternalId = "ext" };
        await Organizations.CreateAsync(organization, [NewDomain(organization, "northwind.test")], Origin.System, None);
        Membership membership = await MakeMembership(user, organization);
        Factor factor = await MakeFactor(user);
        FactorChallenge challenge = await MakeChallenge(factor);
        Secret cookie = Secret.New();
        SignInCompletion completion = await MakeGrant(client, user, cookie: cookie);
        RefreshToken token = NewToken(completion.Grant);
        await Redeem(completion, token);

        (await Users.FindAsync(Other.Id, user.Id, None)).ShouldBeNull();
        (await Users.FindByEmailAsync(Other.Id, user.Email, None)).ShouldBeNull();
        (await Users.FindForSignInAsync(Other.Id, user.Email, memberOf: null, None)).ShouldBeNull();
        (await Users.ListAsync(Other.Id, new UserFilter(), new PageRequest<User>(10), None)).Items.ShouldBeEmpty();
        (await Users.ListAsync(Other.Id, new UserFilter { Organization = organization.Id }, new PageRequest<User>(10), None)).Items.ShouldBeEmpty();
        (await Users.UpdateAsync(user with { RealmId = Other.Id }, null, None)).ShouldBe(UserWrite.NotFound);
        (await Users.DeleteAsync(Other.Id, user.Id, static _ => true, Origin.System, None)).ShouldBeNull();
        (await Organizations.FindAsync(Other.Id, organization.Id, None)).ShouldBeNull();
        (await Organizations.FindByHandleAsync(Other.Id, "northwind", None)).ShouldBeNull();
        (await Organizations.FindByExternalIdAsync(Other.Id, "ext", None)).ShouldBeNull();
        (await Organizations.FindByDomainAsync(Other.Id, "northwind.test", None)).ShouldBeNull();
        (await Domains.OfAsync(Other.Id, [organization.Id], None)).ShouldBeEmpty();
        (await Organizations.ListAsync(Other.Id, OrganizationFilter.None, new PageRequest<Organization>(10), None)).Items.ShouldBeEmpty();
        (await Organizations.UpdateAsync(organization with { RealmId = Other.Id }, null, None)).ShouldBe(OrganizationWrite.NotFound);
        (await Organizations.DeleteAsync(Other.Id, organization.Id, Now, None)).ShouldBeFalse();
        (await Memberships.FindAsync(Other.Id, membership.Id, None)).ShouldBeNull();
        (await Memberships.FindAsync(Other.Id, user.Id, organization.Id, None)).ShouldBeNull();
        (await Memberships.UpdateAsync(membership with { RealmId = Other.Id }, None)).ShouldBeFalse();
        (await Memberships.DeleteAsync(membership with { RealmId = Other.Id }, Now, None)).ShouldBeFalse();
        (await Memberships.CreateAsync(NewMembership(user with { RealmId = Other.Id }, organization), Origin.System, None)).ShouldBe(MembershipWrite.NotFound);
        (await Factors.FindAsync(Other.Id, factor.Id, None)).ShouldBeNull();
        (await Factors.FindChallengeAsync(Other.Id, challenge.Id, None)).ShouldBeNull();
        (await Factors.SpendAsync(Other.Id, new SpentProof(Factor: factor.Id, Step: 1), Now, Origin.System, None)).ShouldBeFalse();
        (await Factors.DeleteAsync(Other.Id, user: null, factor.Id, static _ => true, Origin.System, None)).ShouldBeNull();
        (await Sessions.FindAsync(Other.Id, completion.Session.Id, None)).ShouldBeNull();
        (await Sessions.FindByCookieAsync(Other.Id, cookie.Hash(), None)).ShouldBeNull();
        (await Sessions.EndAsync(Other.Id, completion.Session.Id, SessionEnd.Revoked, Now, Origin.System, None)).ShouldBeNull();
        (await Grants.LoadAsync(Other.Id, completion.Grant.Id, None)).ShouldBeNull();
        (await Grants.FindCodeAsync(Other.Id, completion.Code.CodeHash, None)).ShouldBeNull();
        (await Grants.FindRefreshTokenAsync(Other.Id, token.TokenHash, switchTo: null, None)).ShouldBeNull();
        await Grants.EndAsync(Other.Id, completion.Grant.Id, Now, None);
        (await IsLive(completion.Grant)).ShouldBeTrue();
        (await SigningKeys.AllAsync(Other.Id, None)).ShouldHaveSingleItem().RealmId.ShouldBe(Other.Id);
    }

    [Fact]
    public async Task Two_realms_may_use_the_same_names()
    {
        (await Users.CreateAsync(NewUser("mia@example.test"), null, Origin.System, None)).ShouldBe(UserWrite.Done);
        (await Users.CreateAsync(NewUser("mia@example.test", Other), null, Origin.System, None)).ShouldBe(UserWrite.Done);
        (await Organizations.CreateAsync(NewOrganization("northwind"), [], Origin.System, None)).Outcome.ShouldBe(OrganizationWrite.Done);
        (await Organizations.CreateAsync(NewOrganization("northwind", Other), [], Origin.System, None)).Outcome.ShouldBe(OrganizationWrite.Done);
    }
}
