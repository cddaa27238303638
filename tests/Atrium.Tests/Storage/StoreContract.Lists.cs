using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

public abstract partial class StoreContract
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Walking_a_list_forwards_sees_everything_once_while_things_are_added(bool ascending)
    {
        List<Id<User>> made = await MakeUsers(10);
        List<Id<User>> seen = [];
        Id<User>? after = null;
        do
        {
            Page<User> page = await List(new PageRequest<User>(3, After: after, Ascending: ascending));
            page.HasBefore.ShouldBe(after is not null);
            seen.AddRange(page.Items.Select(static user => user.Id));
            if (seen.Count == 3)
                await MakeUsers(1);
            after = page.HasAfter ? page.Items[^1].Id : null;
        }
        while (after is not null);

        seen.ShouldBeUnique();
        if (!ascending)
            made.Reverse();
        seen.Take(10).ShouldBe(made);
        seen.Count.ShouldBe(ascending ? 11 : 10);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Walking_backwards_gives_the_same_order_and_stops_at_the_front(bool ascending)
    {
        List<Id<User>> made = await MakeUsers(7);
        if (!ascending)
            made.Reverse();
        Page<User> page = await List(new PageRequest<User>(3, Before: made[6], Ascending: ascending));
        page.Items.Select(static user => user.Id).ShouldBe(made[3..6]);
        (page.HasBefore, page.HasAfter).ShouldBe((true, true));
        page = await List(new PageRequest<User>(3, Before: page.Items[0].Id, Ascending: ascending));
        page.Items.Select(static user => user.Id).ShouldBe(made[..3]);
        (page.HasBefore, page.HasAfter).ShouldBe((false, true));
        page = await List(new PageRequest<User>(3, Before: made[0], Ascending: ascending));
        page.Items.ShouldBeEmpty();
        page.HasBefore.ShouldBeFalse();
        page = await List(new PageRequest<User>(10, After: made[1], Before: made[4], Ascending: ascending));
        page.Items.Select(static user => user.Id).ShouldBe(made[2..4]);
    }

    [Fact]
    public async Task A_page_of_exactly_as_many_as_there_are_has_no_next()
    {
        await MakeUsers(3);
        (await List(new PageRequest<User>(3))).HasAfter.ShouldBeFalse();
        (await List(new PageRequest<User>(2))).HasAfter.ShouldBeTrue();
    }

    [Fact]
    public async Task Things_made_in_one_moment_are_listed_in_the_order_they_were_made()
    {
        List<Id<User>> made = await MakeUsers(30, apart: TimeSpan.Zero);
        (await List(new PageRequest<User>(50, Ascending: true))).Items.Select(static user => user.Id).ShouldBe(made);
    }

    [Fact]
    public async Task People_are_listed_by_address_and_by_organization()
    {
        User mia = await MakeUser("mia@example.test");
        User sam = await MakeUser("sam@example.test");
        Organization organization = await MakeOrganization("northwind");
        await MakeMembership(sam, organization);
        (await Users.ListAsync(Realm.Id, new UserFilter { Email = "MIA@example.test" }, new PageRequest<User>(10), None)).Items.ShouldHaveSingleItem().Id.ShouldBe(mia.Id);
        (await Users.ListAsync(Realm.Id, new UserFilter { Organization = organization.Id }, new PageRequest<User>(10), None)).Items.ShouldHaveSingleItem().Id.ShouldBe(sam.Id);
        (await Users.ListAsync(Realm.Id, new UserFilter { Email = mia.Email, Organization = organization.Id }, new PageRequest<User>(10), None)).Items.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("north", "northwind")]
    [InlineData("WIND", "northwind")]
    [InlineData("100%", "percent")]
    [InlineData("%", "percent")]
    [InlineData("a_b", "underscore")]
    [InlineData("\\", "backslash")]
    [InlineData("über", "umlaut")]
    [InlineData("ÜBER", "umlaut")]
    [InlineData("u\u0308ber", "umlaut")]
    [InlineData("nothing", null)]
    [InlineData("'; DROP TABLE organizations; --", null)]
    public async Task Organizations_are_searched_by_part_of_their_name_in_any_case_and_letter_for_letter(string search, string? handle)
    {
        (string Handle, string Name)[] all =
        [
            ("northwind", "Northwind Traders"), ("percent", "100% Pure"), ("underscore", "a_b"), ("plain", "aXb"), ("backslash", "back\\slash"),
            ("umlaut", "Über GmbH"),
        ];
        foreach ((string one, string name) in all)
            await Organizations.CreateAsync(NewOrganization(one) with { Name = name }, [], Origin.System, None);
        (await Organizations.ListAsync(Realm.Id, new OrganizationFilter { Search = search }, new PageRequest<Organization>(10), None)).Items
            .Select(static found => found.Handle).ShouldBe(handle is null ? [] : [handle]);
    }

    [Fact]
    public async Task A_renamed_organization_is_found_under_its_new_name()
    {
        Organization organization = await MakeOrganization("northwind");
        await Organizations.UpdateAsync(organization with { Name = "Süd" }, null, None);
        (await Organizations.ListAsync(Realm.Id, new OrganizationFilter { Search = "SÜD" }, new PageRequest<Organization>(10), None)).Items.ShouldHaveSingleItem();
        (await Organizations.ListAsync(Realm.Id, new OrganizationFilter { Search = "northwind" }, new PageRequest<Organization>(10), None)).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task Organizations_are_listed_by_their_domains()
    {
        Organization northwind = NewOrganization("northwind");
        Organization contoso = NewOrganization("contoso");
        await Organizations.CreateAsync(northwind, [NewDomain(northwind, "northwind.test"), NewDomain(northwind, "n.test")], Origin.System, None);
        await Organizations.CreateAsync(contoso, [NewDomain(contoso, "contoso.test")], Origin.System, None);
        (await ByDomain("n.test")).ShouldBe(["northwind"]);
        (await ByDomain("n.test", "northwind.test", "contoso.test")).ShouldBe(["contoso", "northwind"]);
        (await ByDomain("unknown.test")).ShouldBeEmpty();
        ILookup<Id<Organization>, OrganizationDomain> domains = await Domains.OfAsync(Realm.Id, [northwind.Id, contoso.Id], None);
        domains[northwind.Id].Count().ShouldBe(2);
        domains[contoso.Id].ShouldHaveSingleItem().Domain.ShouldBe("contoso.test");

        async Task<IEnumerable<string>> ByDomain(params string[] names) =>
            (await Organizations.ListAsync(Realm.Id, new OrganizationFilter { Domains = names }, new PageRequest<Organization>(10), None)).Items.Select(static one => one.Handle);
    }

    [Fact]
    public async Task Live_sessions_are_listed_with_the_organizations_of_their_newest_grants()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Organization northwind = await MakeOrganization("northwind");
        Organization contoso = await MakeOrganization("contoso");
        SignInCompletion first = await MakeGrant(client, user, choice: new OrganizationChoice.Chosen(northwind.Id));
        await MakeGrant(client, user, choice: new OrganizationChoice.Chosen(contoso.Id), standing: first.Session);
        SignInCompletion second = await MakeGrant(client, user);
        SignInCompletion ended = await MakeGrant(client, user);
        (await Sessions.EndAsync(Realm.Id, ended.Session.Id, SessionEnd.Revoked, Now, Origin.System, None)).ShouldNotBeNull().EndedAt.ShouldBeNull();
        (await Sessions.EndAsync(Realm.Id, ended.Session.Id, SessionEnd.SignedOut, Now, Origin.System, None)).ShouldNotBeNull().EndReason.ShouldBe(SessionEnd.Revoked);
        (await IsLive(ended.Grant)).ShouldBeFalse();

        IReadOnlyList<Session> live = (await Sessions.ListLiveAsync(Realm.Id, user.Id, Now, new PageRequest<Session>(10), None)).Items;
        live.Select(static session => session.Id).ShouldBe([second.Session.Id, first.Session.Id]);
        IReadOnlyDictionary<Id<Session>, Id<Organization>> organizations =
            await Sessions.OrganizationsAsync(Realm.Id, [first.Session.Id, second.Session.Id], None);
        organizations.ShouldHaveSingleItem();
        organizations[first.Session.Id].ShouldBe(contoso.Id);
        (await Sessions.OrganizationsAsync(Realm.Id, [], None)).ShouldBeEmpty();

        Clock.Advance(TimeSpan.FromDays(31));
        (await Sessions.ListLiveAsync(Realm.Id, user.Id, Now, new PageRequest<Session>(10), None)).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_browsers_session_is_found_by_its_cookie_until_another_replaces_it()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Secret cookie = Secret.New();
        SignInCompletion first = await MakeGrant(client, user, cookie: cookie);
        (await Sessions.FindByCookieAsync(Realm.Id, cookie.Hash(), None))!.Id.ShouldBe(first.Session.Id);
        Secret next = Secret.New();
        SignInCompletion second = NewCompletion(NewSignIn(client, user), user, isStored: false, cookie: next) with { ReplacedSession = first.Session.Id };
        (await SignIns.CompleteAsync(second, None)).ShouldBeTrue();
        (await Sessions.FindByCookieAsync(Realm.Id, cookie.Hash(), None)).ShouldBeNull();
        (await Sessions.FindByCookieAsync(Realm.Id, next.Hash(), None))!.Id.ShouldBe(second.Session.Id);
    }

    private async Task<List<Id<User>>> MakeUsers(int count, TimeSpan? apart = null)
    {
        List<Id<User>> made = [];
        for (int i = 0; i < count; i++)
        {
            Clock.Advance(apart ?? TimeSpan.FromMilliseconds(1));
            made.Add((await MakeUser($"{Guid.NewGuid()}@example.test")).Id);
        }

        return made;
    }

    private Task<Page<User>> List(PageRequest<User> page) => Users.ListAsync(Realm.Id, new UserFilter(), page, None);
}
