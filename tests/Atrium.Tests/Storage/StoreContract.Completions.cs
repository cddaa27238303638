using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>A sign-in ends in a session only where what it rests on holds at that moment: the password, the person, the session that it began with.</summary>
public abstract partial class StoreContract
{
    [Fact]
    public async Task A_password_that_was_checked_opens_nothing_once_it_is_another_one()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Factor factor = await MakeFactor(user);
        (SignIn stored, Secret handle) = await MakeSignIn(client, user);
        SignIn fresh = NewSignIn(client, user);
        SpentProof old = Checked(user, "before"), present = Checked(user, "hash");
        SpentProof oldAndFactor = new SpentProof(Factor: factor.Id, Step: 7) { Password = old.Password };

        (await SignIns.CompleteAsync(NewCompletion(fresh, user, isStored: false) with { Proof = old }, None)).ShouldBeFalse();
        (await SignIns.CreateAsync(fresh, Secret.New().Hash(), browser: null, old.Password, None)).ShouldBeFalse();
        (await SignIns.ChangeAsync(stored, newHandle: null, old, Origin.System, None)).ShouldBeFalse();
        (await SignIns.ChangeAsync(stored, newHandle: null, oldAndFactor, Origin.System, None)).ShouldBeFalse();
        (await Factors.FindAsync(Realm.Id, factor.Id, None))!.LastUsedStep.ShouldBeNull("nothing is spent");
        (await LiveSessions(user)).ShouldBe(0);

        (await SignIns.CompleteAsync(NewCompletion(fresh, user, isStored: false) with { Proof = present }, None)).ShouldBeTrue();
        (await SignIns.CreateAsync(NewSignIn(client, user), Secret.New().Hash(), browser: null, present.Password, None)).ShouldBeTrue();
        (await SignIns.ChangeAsync(stored, newHandle: null, present, Origin.System, None)).ShouldBeTrue();

        (await Users.UpdateAsync(user, "newer", None)).ShouldBe(UserWrite.Done);
        (await SignIns.FindAsync(Realm.Id, handle.Hash(), Now, None)).ShouldBeNull("it is half way with the old password");
    }

    [Fact]
    public async Task Of_completions_and_a_new_password_at_once_no_session_of_the_old_password_is_left()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        await AtOnce(async i => i == 10
            ? await Users.UpdateAsync(user, "newer", None) == UserWrite.Done
            : await SignIns.CompleteAsync(NewCompletion(NewSignIn(client, user), user, isStored: false) with { Proof = Checked(user, "hash") }, None));
        (await LiveSessions(user)).ShouldBe(0);
    }

    [Fact]
    public async Task Who_is_disabled_meanwhile_gets_no_session()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        (await Users.UpdateAsync(user with { Status = UserStatus.Disabled }, null, None)).ShouldBe(UserWrite.Done);
        (await SignIns.CompleteAsync(NewCompletion(NewSignIn(client, user), user, isStored: false), None)).ShouldBeFalse();
        (await Users.UpdateAsync(user, null, None)).ShouldBe(UserWrite.Done);
        (await LiveSessions(user)).ShouldBe(0);
        (await SignIns.CompleteAsync(NewCompletion(NewSignIn(client, user), user, isStored: false), None)).ShouldBeTrue();
    }

    [Fact]
    public async Task Nothing_is_built_on_a_session_that_ended_meanwhile()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Session session = (await MakeGrant(client, user)).Session;
        SignIn signIn = NewSignIn(client, user) with { SessionId = session.Id };
        (await SignIns.CompleteAsync(NewCompletion(signIn, user, isStored: false, standing: session), None)).ShouldBeTrue();
        await Sessions.EndAsync(Realm.Id, session.Id, SessionEnd.SignedOut, Now, Origin.System, None);
        (await SignIns.CompleteAsync(NewCompletion(signIn, user, isStored: false, standing: session), None)).ShouldBeFalse();
        (await SignIns.CompleteAsync(NewCompletion(signIn, user, isStored: false) with { ReplacedSession = session.Id }, None)).ShouldBeFalse("a step-up");
        (await LiveSessions(user)).ShouldBe(0);
    }

    private static SpentProof Checked(User user, string hash) => new() { Password = new(user.Id, hash) };

    private async Task<int> LiveSessions(User user) =>
        (await Sessions.ListLiveAsync(Realm.Id, user.Id, Now, new PageRequest<Session>(50), None)).Items.Count;
}
