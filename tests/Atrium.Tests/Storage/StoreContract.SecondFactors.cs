using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Storage;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

public abstract partial class StoreContract
{
    private FactorEnrolmentStore Enrolments => new(Database);

    private RecoveryCodeStore RecoveryCodeStore => new(Database);

    [Fact]
    public async Task A_factor_that_is_prepared_twice_is_the_first_one_and_goes_with_its_sign_in()
    {
        User user = await MakeUser("mia@example.test");
        (SignIn signIn, _) = await MakeSignIn(await MakeClient(), user);
        Factor factor = Prepared(user);
        bool[] made = await AtOnce(i => Enrolments.PrepareAsync(signIn.Id, i == 0 ? factor : Prepared(user), None));
        made.Count(static one => one).ShouldBe(1);
        Factor kept = (await Enrolments.FindAsync(Realm.Id, signIn.Id, user.Id, None)).ShouldNotBeNull();
        (await Enrolments.PrepareAsync(signIn.Id, Prepared(user), None)).ShouldBeFalse();
        (await Enrolments.FindAsync(Realm.Id, signIn.Id, user.Id, None))!.Id.ShouldBe(kept.Id);
        (await Factors.ListAsync(Realm.Id, user.Id, new PageRequest<Factor>(10), None)).Items.ShouldBeEmpty();
        (await Enrolments.FindAsync(Other.Id, signIn.Id, user.Id, None)).ShouldBeNull();
        (await Enrolments.FindAsync(Realm.Id, signIn.Id, Id<User>.New(Clock), None)).ShouldBeNull();
        (await Enrolments.PrepareAsync(Id<SignIn>.New(Clock), Prepared(user), None)).ShouldBeFalse();

        await SignIns.DeleteAsync(signIn, None);
        (await Enrolments.FindAsync(Realm.Id, signIn.Id, user.Id, None)).ShouldBeNull();
    }

    [Fact]
    public async Task Of_many_confirmations_of_a_prepared_factor_at_once_one_counts_and_brings_its_codes()
    {
        User user = await MakeUser("mia@example.test");
        (SignIn signIn, Secret handle) = await MakeSignIn(await MakeClient(), user);
        Factor factor = Prepared(user);
        await Enrolments.PrepareAsync(signIn.Id, factor, None);
        SignIn proved = signIn with { Proofs = [.. signIn.Proofs, new Proof(AuthenticationMethod.Totp, Now)], SealedCodes = [7] };
        Factor confirmed = factor with { Confirmed = true, LastUsedStep = 100 };
        (await Enrolments.ConfirmAsync(proved with { Version = 9 }, confirmed, Hashes(0), letter: null, Origin.System, None)).ShouldBeFalse("the sign-in has changed");
        (await Enrolments.ConfirmAsync(proved with { RealmId = Other.Id }, confirmed with { RealmId = Other.Id }, Hashes(0), letter: null, Origin.System, None)).ShouldBeFalse();

        bool[] won = await AtOnce(i => Enrolments.ConfirmAsync(proved, confirmed, Hashes(i), letter: null, Origin.System, None));
        won.Count(static one => one).ShouldBe(1);
        Factor made = (await Factors.FindAsync(Realm.Id, factor.Id, None)).ShouldNotBeNull();
        (made.Confirmed, made.LastUsedStep).ShouldBe((true, 100));
        RecoveryCodes left = await RecoveryCodeStore.FindAsync(Realm.Id, user.Id, None);
        left.Unused.Count.ShouldBe(3);
        Hashes(Array.IndexOf(won, true)).ShouldAllBe(hash => left.Contains(hash));
        SignIn stored = (await SignIns.FindAsync(Realm.Id, handle.Hash(), Now, None))!.SignIn;
        stored.SealedCodes.ShouldBe([7]);
        stored.HasSecondFactor.ShouldBeTrue();
        (await SignIns.ChangeAsync(stored with { SealedCodes = null, AccountConfirmed = true }, newHandle: null, proof: null, Origin.System, None)).ShouldBeTrue();
        stored = (await SignIns.FindAsync(Realm.Id, handle.Hash(), Now, None))!.SignIn;
        (stored.SealedCodes, stored.AccountConfirmed).ShouldBe((null, true));
    }

    [Fact]
    public async Task Of_sign_ins_in_which_one_person_sets_up_a_factor_at_once_one_makes_it()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        List<(SignIn SignIn, Factor Factor)> attempts = [];
        for (int i = 0; i < 20; i++)
        {
            (SignIn signIn, _) = await MakeSignIn(client, user);
            attempts.Add((signIn, Prepared(user)));
            await Enrolments.PrepareAsync(signIn.Id, attempts[i].Factor, None);
        }

        bool[] won = await AtOnce(i => Enrolments.ConfirmAsync(
            attempts[i].SignIn, attempts[i].Factor with { Confirmed = true, LastUsedStep = 100 }, Hashes(i), letter: null, Origin.System, None));
        won.Count(static one => one).ShouldBe(1);
        (await Factors.ListAsync(Realm.Id, user.Id, new PageRequest<Factor>(10), None)).Items.ShouldHaveSingleItem();
        RecoveryCodes left = await RecoveryCodeStore.FindAsync(Realm.Id, user.Id, None);
        Hashes(Array.IndexOf(won, true)).ShouldAllBe(hash => left.Contains(hash));
    }

    [Fact]
    public async Task Of_many_uses_of_a_recovery_code_at_once_one_counts_and_one_that_comes_too_late_spends_nothing()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test"), other = await MakeUser("sam@example.test");
        (await RecoveryCodeStore.ReplaceAsync(Realm.Id, user.Id, Hashes(0), Now, Origin.System, None)).ShouldBeTrue();
        (await RecoveryCodeStore.ReplaceAsync(Other.Id, user.Id, Hashes(0), Now, Origin.System, None)).ShouldBeFalse();
        (await RecoveryCodeStore.FindAsync(Other.Id, user.Id, None)).Unused.ShouldBeEmpty();
        SpentProof first = Spent(user, 0), second = Spent(user, 1);

        (SignIn signIn, _) = await MakeSignIn(client, user);
        (await SignIns.ChangeAsync(signIn with { Version = 9 }, newHandle: null, first, Origin.System, None)).ShouldBeFalse();
        (await SignIns.CompleteAsync(NewCompletion(signIn with { Version = 9 }, user) with { Proof = first }, None)).ShouldBeFalse();
        (await SignIns.CompleteAsync(NewCompletion(NewSignIn(client, other), other, isStored: false) with { Proof = Spent(other, 0) }, None)).ShouldBeFalse();
        (await RecoveryCodeStore.FindAsync(Realm.Id, user.Id, None)).Unused.Count.ShouldBe(3);

        bool[] completed = await AtOnce(_ => SignIns.CompleteAsync(NewCompletion(NewSignIn(client, user), user, isStored: false) with { Proof = first }, None));
        completed.Count(static one => one).ShouldBe(1);
        bool[] changed = await AtOnce(_ => SignIns.ChangeAsync(signIn, newHandle: null, second, Origin.System, None));
        changed.Count(static one => one).ShouldBe(1);
        RecoveryCodes left = await RecoveryCodeStore.FindAsync(Realm.Id, user.Id, None);
        left.Unused.ShouldHaveSingleItem().ShouldBe(Hashes(0)[2]);
        left.MadeAt.ShouldBe(Now);
    }

    [Fact]
    public async Task Of_sets_of_recovery_codes_made_at_once_one_is_left_whole()
    {
        User user = await MakeUser("mia@example.test");
        await AtOnce(i => RecoveryCodeStore.ReplaceAsync(Realm.Id, user.Id, Hashes(i), Now, Origin.System, None));
        RecoveryCodes left = await RecoveryCodeStore.FindAsync(Realm.Id, user.Id, None);
        left.Unused.Count.ShouldBe(3);
        Enumerable.Range(0, 20).Count(i => Hashes(i).All(left.Contains)).ShouldBe(1);

        await Users.DeleteAsync(Realm.Id, user.Id, static _ => true, Origin.System, None);
        (await RecoveryCodeStore.FindAsync(Realm.Id, user.Id, None)).Unused.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_try_is_counted_against_the_sign_in_as_it_was_read_or_not_at_all()
    {
        (SignIn signIn, _) = await MakeSignIn(await MakeClient(), await MakeUser("mia@example.test"));
        (await SignIns.CountTryAsItIsAsync(signIn, None)).ShouldBe(1);
        (await SignIns.ChangeAsync(signIn, newHandle: null, proof: null, Origin.System, None)).ShouldBeTrue();
        (await SignIns.CountTryAsItIsAsync(signIn, None)).ShouldBeNull();
        (await SignIns.CountTryAsItIsAsync(signIn with { Version = 1 }, None)).ShouldBe(1);
    }

    [Fact]
    public async Task Other_sessions_end_and_this_one_stays()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test"), other = await MakeUser("sam@example.test");
        SignInCompletion own = await MakeGrant(client, user), elsewhere = await MakeGrant(client, user), others = await MakeGrant(client, other);
        (await Sessions.EndOthersAsync(Realm.Id, user.Id, own.Session.Id, SessionEnd.SignedOut, Now, Origin.System, None)).ShouldBe(1);
        ((await IsLive(own.Grant)), (await IsLive(elsewhere.Grant)), (await IsLive(others.Grant))).ShouldBe((true, false, true));
        (await Sessions.EndOthersAsync(Other.Id, user.Id, except: null, SessionEnd.SignedOut, Now, Origin.System, None)).ShouldBe(0);
        (await Sessions.EndOthersAsync(Realm.Id, user.Id, except: null, SessionEnd.SignedOut, Now, Origin.System, None)).ShouldBe(1);
    }

    private static SpentProof Spent(User user, int code) =>
        new(RecoveryCode: new(user.Id, Hashes(0)[code], Core.Resources.RecoveryCodesResource.Of(user.Id, 2, null)));

    /// <summary>Three codes, others for each number.</summary>
    private static SecretHash[] Hashes(int number) => [.. Enumerable.Range(0, 3).Select(i => new Secret($"{number} {i}").Hash())];

    private Factor Prepared(User user) => new()
    {
        RealmId = user.RealmId, Id = Id<Factor>.New(Clock), UserId = user.Id, Issuer = "Acme", Account = user.Email, SealedSecret = [1, 2, 3], Confirmed = false,
        CreatedAt = Now, UpdatedAt = Now,
    };
}
