using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Storage;
using Dapper;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>What people let applications have, and what they picked: written with the sign-in that it was said in, or not at all.</summary>
public abstract partial class StoreContract
{
    private ConsentStore Consents => new(Database);

    [Fact]
    public async Task A_consent_is_written_with_the_grant_grows_and_is_found_by_the_next_sign_in()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Organization organization = await MakeOrganization("northwind");
        Core.SignIns.Consent given = NewConsent(client, user, new(["openid"], new OrganizationChoice.Chosen(organization.Id), "https://api.test"));
        (await SignIns.CompleteAsync(Completing(client, user) with { Given = given }, None)).ShouldBeTrue();
        (await FactsOf(client, user)).Consents.ShouldHaveSingleItem().ShouldBe(given);

        Core.SignIns.Consent wider = given with { Terms = given.Terms with { Scopes = ["openid", "email"] }, GrantedAt = Now.AddMinutes(1) };
        Clock.Advance(TimeSpan.FromMinutes(1));
        (await SignIns.CompleteAsync(Completing(client, user) with { Given = wider }, None)).ShouldBeTrue();
        (await FactsOf(client, user)).Consents.ShouldHaveSingleItem().ShouldBe(wider);
        Page<NamedConsent> page = await Consents.ListAsync(Realm.Id, user.Id, new PageRequest<Core.SignIns.Consent>(10), None);
        NamedConsent named = page.Items.ShouldHaveSingleItem();
        (named.Consent, named.Client.Id, named.Organization).ShouldBe((wider, client.Id, organization.Name));

        (await FactsOf(await MakeClient("other"), user)).Consents.ShouldBeEmpty();
        (await FactsOf(client, await MakeUser("sam@example.test"))).Consents.ShouldBeEmpty();
        (await Consents.FindAsync(Other.Id, user.Id, given.Id, None)).ShouldBeNull();
        (await Consents.ListAsync(Other.Id, user.Id, new PageRequest<Core.SignIns.Consent>(10), None)).Items.ShouldBeEmpty();
        (await Consents.RevokeAsync(Other.Id, user.Id, given.Id, static _ => true, Now, Origin.System, None)).ShouldBeNull();
        (await Consents.RevokeAllAsync(Other.Id, user.Id, client.Id, Now, Origin.System, None)).ShouldBeFalse();
        (await FactsOf(client, user)).Consents.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_sign_in_that_is_completed_twice_leaves_no_consent_of_the_second()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        SignIn signIn = NewSignIn(client, user);
        (await SignIns.CreateAsync(signIn, Secret.New().Hash(), browser: null, password: null, None)).ShouldBeTrue();
        bool[] completed = await AtOnce(_ => SignIns.CompleteAsync(
            NewCompletion(signIn, user) with { Given = NewConsent(client, user, new(["openid"], OrganizationChoice.AllMemberships, null)) }, None));
        completed.Count(static one => one).ShouldBe(1);
        (await FactsOf(client, user)).Consents.Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_rests_on_a_consent_is_not_completed_once_it_is_taken_away_and_ends_with_it_when_it_was_before()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        for (int round = 0; round < 10; round++)
        {
            Core.SignIns.Consent given = NewConsent(client, user, new(["openid"], OrganizationChoice.AllMemberships, null));
            SignInCompletion first = Completing(client, user) with { Given = given };
            (await SignIns.CompleteAsync(first, None)).ShouldBeTrue();
            SignInCompletion[] silent = [.. Enumerable.Range(0, 8).Select(_ => Completing(client, user) with { RestsOn = given.Id })];
            Task<bool> revoking = Task.Run(() => Consents.RevokeAllAsync(Realm.Id, user.Id, client.Id, Now, Origin.System, None));
            bool[] completed = await AtOnce(i => SignIns.CompleteAsync(silent[i], None), silent.Length);
            (await revoking).ShouldBeTrue();
            (await IsLive(first.Grant)).ShouldBeFalse();
            foreach (SignInCompletion one in silent)
                (await IsLive(one.Grant)).ShouldBeFalse("no grant outlives the consent that it rests on");
            completed.Length.ShouldBe(8);
            (await SignIns.CompleteAsync(Completing(client, user) with { RestsOn = given.Id }, None)).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task Taking_a_consent_away_ends_the_clients_grants_of_that_person_and_no_others_and_is_in_the_log_once()
    {
        Client client = await MakeClient(), other = await MakeClient("other");
        User user = await MakeUser("mia@example.test"), neighbour = await MakeUser("sam@example.test");
        Core.SignIns.Consent given = NewConsent(client, user, new(["openid"], OrganizationChoice.AllMemberships, null));
        SignInCompletion ended = Completing(client, user) with { Given = given };
        SignInCompletion ofOther = Completing(other, user) with { Given = NewConsent(other, user, given.Terms) };
        SignInCompletion ofNeighbour = Completing(client, neighbour) with { Given = NewConsent(client, neighbour, given.Terms) };
        foreach (SignInCompletion one in new[] { ended, ofOther, ofNeighbour })
            (await SignIns.CompleteAsync(one, None)).ShouldBeTrue();

        (await Consents.RevokeAsync(Realm.Id, neighbour.Id, given.Id, static _ => true, Now, Origin.System, None)).ShouldBeNull("it is another person's");
        (await Consents.RevokeAsync(Realm.Id, user.Id, given.Id, static _ => false, Now, Origin.System, None)).ShouldBeNull();
        (await IsLive(ended.Grant)).ShouldBeTrue();
        NamedConsent?[] revoked = await AtOnce(_ => Consents.RevokeAsync(Realm.Id, user.Id, given.Id, static _ => true, Now, Origin.System, None));
        revoked.Count(static one => one is not null).ShouldBe(1);
        (await IsLive(ended.Grant)).ShouldBeFalse();
        (await IsLive(ofOther.Grant)).ShouldBeTrue();
        (await IsLive(ofNeighbour.Grant)).ShouldBeTrue();
        (await Database.QueryAsync(
            static connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM fresh_events WHERE type = 'user.consent.revoked'"), None)).ShouldBe(1);
    }

    [Fact]
    public async Task The_last_choice_is_the_persons_and_the_clients_and_goes_with_the_organization()
    {
        Client client = await MakeClient(), other = await MakeClient("other");
        User user = await MakeUser("mia@example.test");
        Organization northwind = await MakeOrganization("northwind"), contoso = await MakeOrganization("contoso");
        (await LastOf(client, user)).ShouldBe(OrganizationChoice.Unchosen);
        foreach (OrganizationChoice choice in new[] { new OrganizationChoice.Chosen(northwind.Id), OrganizationChoice.AllMemberships, new OrganizationChoice.Chosen(contoso.Id) })
        {
            (await SignIns.CompleteAsync(Completing(client, user, choice) with { RemembersChoice = true }, None)).ShouldBeTrue();
            (await LastOf(client, user)).ShouldBe(choice);
        }

        (await SignIns.CompleteAsync(Completing(client, user, new OrganizationChoice.Chosen(northwind.Id)), None)).ShouldBeTrue();
        (await LastOf(client, user)).ShouldBe(new OrganizationChoice.Chosen(contoso.Id), "nobody picked the other one");
        (await LastOf(other, user)).ShouldBe(OrganizationChoice.Unchosen);

        (await SignIns.CompleteAsync(
            Completing(client, user) with { Given = NewConsent(client, user, new(["openid"], new OrganizationChoice.Chosen(contoso.Id), null)) }, None)).ShouldBeTrue();
        await Organizations.DeleteAsync(Realm.Id, contoso.Id, static _ => true, Now, Origin.System, None);
        await new OrganizationRemains(Database).RemoveAsync(Realm.Id, contoso.Id, Now, None);
        (await LastOf(client, user)).ShouldBe(OrganizationChoice.Unchosen);
        (await FactsOf(client, user)).Consents.ShouldBeEmpty();
        (await SignIns.CompleteAsync(
            Completing(client, user, new OrganizationChoice.Chosen(contoso.Id)) with
            {
                RemembersChoice = true,
                Given = NewConsent(client, user, new(["openid"], new OrganizationChoice.Chosen(contoso.Id), null)),
            },
            None)).ShouldBeTrue("what is gone is not remembered, and in nobody's way");
        (await FactsOf(client, user)).Consents.ShouldBeEmpty();
    }

    private SignInCompletion Completing(Client client, User user, OrganizationChoice? choice = null) =>
        NewCompletion(NewSignIn(client, user), user, TokenProfile.MultiOrg, choice ?? OrganizationChoice.AllMemberships, isStored: false);

    private Core.SignIns.Consent NewConsent(Client client, User user, ConsentTerms terms) =>
        new() { RealmId = Realm.Id, Id = Id<Core.SignIns.Consent>.New(Clock), UserId = user.Id, ClientId = client.Id, Terms = terms, GrantedAt = Now };

    private Task<SignInFacts> FactsOf(Client client, User user) => SignIns.LoadFactsAsync(NewSignIn(client, user), client, Now, None);

    private async Task<OrganizationChoice> LastOf(Client client, User user)
    {
        Client asking = client with { Settings = new ClientSettings { OrganizationPicker = OrganizationPicker.Always } };
        return (await SignIns.LoadFactsAsync(NewSignIn(client, user) with { Door = Door.OAuth, Choice = OrganizationChoice.Unchosen }, asking, Now, None)).LastChoice;
    }
}
