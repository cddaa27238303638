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

/// <summary>What is queued when a session ends, who gets it to tell, and how many sessions there are.</summary>
public abstract partial class StoreContract
{
    private LogoutNoticeStore Notices => new(Database);

    [Fact]
    public async Task The_end_of_a_session_and_the_notice_of_it_are_one()
    {
        Client told = await MakeToldClient("told");
        Client deaf = await MakeClient("deaf");
        User mia = await MakeUser("mia@example.test");
        SignInCompletion first = await MakeGrant(told, mia, TokenProfile.MultiOrg);
        await MakeGrant(told, mia, TokenProfile.MultiOrg, standing: first.Session);
        await MakeGrant(deaf, mia, TokenProfile.MultiOrg, standing: first.Session);
        await MakeGrant(told, mia, TokenProfile.MultiOrg);
        (await Notices.ClientsWithDueAsync(Now, None)).ShouldBeEmpty();

        await Sessions.EndAsync(Realm.Id, first.Session.Id, SessionEnd.SignedOut, Now, Origin.System, None);
        await Sessions.EndAsync(Realm.Id, first.Session.Id, SessionEnd.SignedOut, Now, Origin.System, None);
        ClientWithNotices due = (await Notices.ClientsWithDueAsync(Now, None)).ShouldHaveSingleItem();
        (due.RealmId, due.ClientId).ShouldBe((Realm.Id, told.Id));
        LogoutNotice notice = (await Notices.TakeAsync(Realm.Id, told.Id, 10, Now, Now.AddMinutes(1), None)).ShouldHaveSingleItem();
        (notice.SessionId, notice.UserId, notice.Door, notice.Attempts).ShouldBe((first.Session.Id, mia.Id, Door.AuthKit, 1));
        notice.ExpiresAt.ShouldBe(Now + LogoutNotice.Patience);
        (await Notices.TakeAsync(Other.Id, told.Id, 10, Now.AddHours(1), Now.AddHours(2), None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_notice_is_taken_by_one_and_by_the_next_when_that_one_died()
    {
        Client told = await MakeToldClient("told");
        User mia = await MakeUser("mia@example.test");
        for (int i = 0; i < 5; i++)
            await MakeGrant(told, mia, TokenProfile.MultiOrg);
        await Sessions.EndAllAsync(Realm.Id, mia.Id, SessionEnd.Revoked, Now, Origin.System, None);
        IReadOnlyList<LogoutNotice>[] taken = await AtOnce(_ => Notices.TakeAsync(Realm.Id, told.Id, 2, Now, Now.AddMinutes(1), None));
        taken.Sum(static some => some.Count).ShouldBe(5);
        taken.SelectMany(static some => some).Select(static notice => notice.SessionId).Distinct().Count().ShouldBe(5);

        LogoutNotice lost = taken.First(static some => some.Count > 0)[0];
        Clock.Advance(TimeSpan.FromMinutes(1));
        IReadOnlyList<LogoutNotice> again = await Notices.TakeAsync(Realm.Id, told.Id, 10, Now, Now.AddMinutes(1), None);
        again.Count.ShouldBe(5);
        again.ShouldAllBe(static notice => notice.Attempts == 2);

        // Who took too long has no say any more.
        await Notices.ToldAsync(lost, None);
        await Notices.RetryAsync(lost, "late", Now, None);
        await Notices.GiveUpAsync(lost, told, "late", None);
        (await Notices.TakeAsync(Realm.Id, told.Id, 10, Now, Now.AddMinutes(1), None)).ShouldBeEmpty();
        foreach (LogoutNotice notice in again.Skip(1))
            await Notices.ToldAsync(notice, None);
        await Notices.RetryAsync(again[0], "It was away.", Now.AddMinutes(5), None);
        Clock.Advance(TimeSpan.FromMinutes(5));
        (await Notices.TakeAsync(Realm.Id, told.Id, 10, Now, Now.AddMinutes(1), None)).ShouldHaveSingleItem().LastError.ShouldBe("It was away.");
    }

    [Theory]
    [InlineData("membership deleted")]
    [InlineData("organization suspended")]
    [InlineData("person deleted")]
    public async Task Sessions_that_end_with_something_else_are_told_of_too(string change)
    {
        Client told = await MakeToldClient("told");
        User mia = await MakeUser("mia@example.test");
        Organization northwind = await MakeOrganization("northwind");
        Membership membership = await MakeMembership(mia, northwind);
        SignInCompletion made = await MakeGrant(told, mia, TokenProfile.SingleOrg, new OrganizationChoice.Chosen(northwind.Id));
        switch (change)
        {
            case "membership deleted":
                await Memberships.DeleteAsync(membership, Now, None);
                break;
            case "organization suspended":
                await Organizations.UpdateAsync(northwind with { Status = OrganizationStatus.Suspended, UpdatedAt = Now }, null, None);
                break;
            default:
                await Users.DeleteAsync(Realm.Id, mia.Id, static _ => true, Origin.System, None);
                break;
        }

        LogoutNotice notice = (await Notices.TakeAsync(Realm.Id, told.Id, 10, Now, Now.AddMinutes(1), None)).ShouldHaveSingleItem();
        (notice.SessionId, notice.OrganizationId).ShouldBe((made.Session.Id, northwind.Id));
    }

    [Fact]
    public async Task A_session_that_is_not_used_in_time_lives_no_more_and_a_refresh_is_a_use()
    {
        Client client = await MakeClient();
        User mia = await MakeUser("mia@example.test");
        SignInCompletion completion = NewCompletion(NewSignIn(client, mia), mia, isStored: false);
        completion = completion with { Session = completion.Session with { IdleTimeout = 60 } };
        (await SignIns.CompleteAsync(completion, None)).ShouldBeTrue();
        RefreshToken token = NewToken(completion.Grant);
        (await Redeem(completion, token)).ShouldBeTrue();

        Clock.Advance(TimeSpan.FromSeconds(59));
        RefreshToken second = NewToken(completion.Grant);
        (await Rotate(token, completion.Grant, [1], second)).ShouldBeTrue();
        (await Sessions.FindAsync(Realm.Id, completion.Session.Id, None)).ShouldNotBeNull().LastUsedAt.ShouldBe(Now);
        Clock.Advance(TimeSpan.FromSeconds(60));
        (await Rotate(second, completion.Grant, [2], NewToken(completion.Grant))).ShouldBeFalse();
        (await IsLive(completion.Grant)).ShouldBeFalse();
        (await Sessions.ListLiveAsync(Realm.Id, mia.Id, Now, new PageRequest<Session>(10), None)).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_person_has_fifty_sessions_and_the_oldest_makes_room_together_with_the_new_one()
    {
        Client told = await MakeToldClient("told");
        User mia = await MakeUser("mia@example.test");
        List<SignInCompletion> made = [];
        for (int i = 0; i < 50; i++)
        {
            made.Add(await MakeGrant(told, mia, TokenProfile.MultiOrg));
            Clock.Advance(TimeSpan.FromSeconds(1));
        }

        (await Notices.ClientsWithDueAsync(Now, None)).ShouldBeEmpty();
        SignInCompletion last = await MakeGrant(told, mia, TokenProfile.MultiOrg);
        (await IsLive(made[0].Grant)).ShouldBeFalse();
        (await IsLive(made[1].Grant)).ShouldBeTrue();
        (await IsLive(last.Grant)).ShouldBeTrue();
        Session displaced = (await Sessions.FindAsync(Realm.Id, made[0].Session.Id, None)).ShouldNotBeNull();
        (displaced.EndReason, displaced.EndedAt).ShouldBe((SessionEnd.Displaced, Now));
        (await Notices.TakeAsync(Realm.Id, told.Id, 10, Now, Now.AddMinutes(1), None)).ShouldHaveSingleItem().SessionId.ShouldBe(made[0].Session.Id);

        // One that is refused makes no room.
        SignInCompletion stale = NewCompletion(NewSignIn(told, mia), mia);
        (await SignIns.CompleteAsync(stale, None)).ShouldBeFalse();
        (await IsLive(made[1].Grant)).ShouldBeTrue();

        // A grant of a standing session takes none.
        await MakeGrant(told, mia, TokenProfile.MultiOrg, standing: last.Session);
        (await IsLive(made[1].Grant)).ShouldBeTrue();
        (await AtOnce(_ => MakeGrant(told, mia, TokenProfile.MultiOrg), 5)).Length.ShouldBe(5);
        (await Sessions.ListLiveAsync(Realm.Id, mia.Id, Now, new PageRequest<Session>(100), None)).Items.Count.ShouldBeInRange(50, 54);
        await MakeGrant(told, mia, TokenProfile.MultiOrg);
        (await Sessions.ListLiveAsync(Realm.Id, mia.Id, Now, new PageRequest<Session>(100), None)).Items.Count.ShouldBe(50, "the next one makes up for it");
    }

    private async Task<Client> MakeToldClient(string clientId)
    {
        Client client = NewClient(clientId) with
        {
            Status = ClientStatus.Active, SharedWithAll = true, Settings = new ClientSettings { Logout = new LogoutSettings { BackchannelUri = "https://told.test/" } },
        };
        (await Clients.CreateAsync(client, Origin.System, None)).Outcome.ShouldBe(ClientWrite.Done);
        return client;
    }
}
