using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
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
    public async Task Of_many_redemptions_of_one_code_at_once_one_succeeds()
    {
        SignInCompletion completion = await MakeGrant(await MakeClient(), await MakeUser("mia@example.test"));
        bool[] spent = await AtOnce(_ => Redeem(completion, NewToken(completion.Grant)));
        spent.Count(static won => won).ShouldBe(1);
    }

    [Fact]
    public async Task Of_many_rotations_of_one_refresh_token_at_once_one_succeeds_and_its_successor_is_the_one_kept()
    {
        (SignInCompletion completion, RefreshToken token) = await MakeFamily(await MakeClient(), await MakeUser("mia@example.test"));
        RefreshToken[] successors = [.. Enumerable.Range(0, 20).Select(_ => NewToken(completion.Grant))];
        bool[] won = await AtOnce(i => Rotate(token, completion.Grant, [(byte)i], successors[i]));
        int winner = Array.IndexOf(won, true);
        won.Count(static one => one).ShouldBe(1);
        (await Grants.FindRefreshTokenAsync(Realm.Id, token.TokenHash, switchTo: null, None))!.Value.Token.SealedSuccessor.ShouldBe([(byte)winner]);
        for (int i = 0; i < successors.Length; i++)
            (await Grants.FindRefreshTokenAsync(Realm.Id, successors[i].TokenHash, switchTo: null, None)).HasValue.ShouldBe(i == winner);
    }

    [Fact]
    public async Task Of_many_completions_of_one_sign_in_at_once_one_leaves_a_grant()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        (SignIn signIn, Secret handle) = await MakeSignIn(client, user);
        SignInCompletion[] completions = [.. Enumerable.Range(0, 20).Select(_ => NewCompletion(signIn, user))];
        bool[] won = await AtOnce(i => SignIns.CompleteAsync(completions[i], None));
        won.Count(static one => one).ShouldBe(1);
        (await SignIns.FindAsync(Realm.Id, handle.Hash(), Now, None)).ShouldBeNull();
        for (int i = 0; i < won.Length; i++)
            (await Grants.LoadAsync(Realm.Id, completions[i].Grant.Id, None) is not null).ShouldBe(won[i]);
        (await Sessions.ListLiveAsync(Realm.Id, user.Id, Now, new PageRequest<Session>(50), None)).Items.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Of_many_uses_of_one_code_of_an_authenticator_at_once_one_counts()
    {
        Client client = await MakeClient();
        User user = await MakeUser("tom@example.test");
        Factor factor = await MakeFactor(user);
        bool[] won = await AtOnce(_ => SignIns.CompleteAsync(
            NewCompletion(NewSignIn(client, user), user, isStored: false) with { Proof = new SpentProof(Factor: factor.Id, Step: 100) }, None));
        won.Count(static one => one).ShouldBe(1);
        Factor used = (await Factors.FindAsync(Realm.Id, factor.Id, None)).ShouldNotBeNull();
        used.LastUsedStep.ShouldBe(100);
        used.Confirmed.ShouldBeTrue();
        (await Factors.SpendAsync(Realm.Id, new SpentProof(Factor: factor.Id, Step: 99), Now, Origin.System, None)).ShouldBeFalse("an earlier step is over too");
        (await Factors.SpendAsync(Realm.Id, new SpentProof(Factor: factor.Id, Step: 101), Now, Origin.System, None)).ShouldBeTrue();
    }

    [Fact]
    public async Task Of_many_changes_of_one_sign_in_at_once_one_counts()
    {
        (SignIn signIn, Secret handle) = await MakeSignIn(await MakeClient(), await MakeUser("mia@example.test"));
        bool[] won = await AtOnce(i => SignIns.ChangeAsync(signIn with { FailedTries = i + 1 }, newHandle: null, proof: null, Origin.System, None));
        won.Count(static one => one).ShouldBe(1);
        SignIn stored = (await SignIns.FindAsync(Realm.Id, handle.Hash(), Now, None))!.SignIn;
        stored.FailedTries.ShouldBe(Array.IndexOf(won, true) + 1);
        stored.Version.ShouldBe(signIn.Version + 1);
    }

    [Fact]
    public async Task A_change_that_comes_too_late_leaves_what_it_was_proved_with_unspent()
    {
        Client client = await MakeClient();
        User user = await MakeUser("tom@example.test");
        Factor factor = await MakeFactor(user);
        FactorChallenge challenge = await MakeChallenge(factor);
        (SignIn signIn, _) = await MakeSignIn(client, user);
        SpentProof proof = new(Factor: factor.Id, Step: 100, Challenge: challenge.Id);

        (await SignIns.ChangeAsync(signIn with { Version = 9 }, newHandle: null, proof, Origin.System, None)).ShouldBeFalse();
        (await SignIns.CompleteAsync(NewCompletion(signIn with { Version = 9 }, user) with { Proof = proof }, None)).ShouldBeFalse();
        await UnspentAsync();

        // The challenge is good, the code is not.
        await Factors.SpendAsync(Realm.Id, new SpentProof(Factor: factor.Id, Step: 100), Now, Origin.System, None);
        (await Factors.SpendAsync(Realm.Id, proof, Now, Origin.System, None)).ShouldBeFalse();
        (await Factors.FindChallengeAsync(Realm.Id, challenge.Id, None))!.SpentAt.ShouldBeNull();
        (await SignIns.ChangeAsync(signIn, newHandle: null, proof, Origin.System, None)).ShouldBeFalse();
        (await Factors.FindChallengeAsync(Realm.Id, challenge.Id, None))!.SpentAt.ShouldBeNull();

        async Task UnspentAsync()
        {
            (await Factors.FindChallengeAsync(Realm.Id, challenge.Id, None))!.SpentAt.ShouldBeNull();
            (await Factors.FindAsync(Realm.Id, factor.Id, None))!.LastUsedStep.ShouldBeNull();
        }
    }

    [Theory]
    [InlineData(TokenProfile.MultiOrg)]
    [InlineData(TokenProfile.SingleOrg)]
    public async Task A_membership_that_ends_during_refreshes_is_in_no_answer_to_a_later_one(TokenProfile profile)
    {
        User user = await MakeUser("mia@example.test");
        Organization organization = await MakeOrganization("northwind");
        Membership membership = await MakeMembership(user, organization);
        await MakeMembership(user, await MakeOrganization("contoso"));
        OrganizationChoice choice = profile == TokenProfile.MultiOrg ? OrganizationChoice.AllMemberships : new OrganizationChoice.Chosen(organization.Id);
        (SignInCompletion completion, RefreshToken token) = await MakeFamily(await MakeClient(), user, profile, choice);
        TaskCompletionSource underWay = new();
        bool ended = false;
        Task<(int Before, int After)> refreshing = Task.Run(async () =>
        {
            int before = 0, after = 0;
            for (int i = 0; after < 5; i++)
            {
                bool isLater = Volatile.Read(ref ended);
                RefreshToken successor = NewToken(completion.Grant);
                Spending<RefreshToken> spending = (await Grants.RotateAsync(NewRotation(token, completion.Grant, [(byte)i, 1], successor), None))!;
                bool speaks = spending.Facts.IsLive(Now) && spending.Facts.Memberships.Any(one => one.OrganizationId == organization.Id);
                if (isLater)
                    speaks.ShouldBeFalse();
                if (spending.IsSpentNow)
                    token = successor;
                before += speaks ? 1 : 0;
                after += isLater ? 1 : 0;
                if (before == 3)
                    underWay.TrySetResult();
            }

            return (before, after);
        });
        await underWay.Task;
        (await Memberships.DeleteAsync(membership, Now, None)).ShouldBeTrue();
        Volatile.Write(ref ended, true);
        (await refreshing).Before.ShouldBeGreaterThanOrEqualTo(3);
        (await IsLive(completion.Grant)).ShouldBe(profile == TokenProfile.MultiOrg);
    }

    [Fact]
    public async Task A_grant_that_ended_redeems_and_rotates_nothing()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        (SignInCompletion completion, RefreshToken token) = await MakeFamily(client, user);
        SignInCompletion unredeemed = await MakeGrant(client, user);
        await Grants.EndAsync(Realm.Id, completion.Grant.Id, Now, None);
        await Grants.EndAsync(Realm.Id, unredeemed.Grant.Id, Now, None);
        (await Rotate(token, completion.Grant, [1], NewToken(completion.Grant))).ShouldBeFalse();
        (await Redeem(unredeemed, NewToken(unredeemed.Grant))).ShouldBeFalse();
    }

    [Fact]
    public async Task What_is_done_for_a_person_who_is_being_deleted_fails_as_a_value()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        (SignIn stored, _) = await MakeSignIn(client, user);
        await Users.DeleteAsync(Realm.Id, user.Id, static _ => true, Origin.System, None);

        (await SignIns.CompleteAsync(NewCompletion(stored, user), None)).ShouldBeFalse();
        (await SignIns.CompleteAsync(NewCompletion(NewSignIn(client, user), user, isStored: false), None)).ShouldBeFalse();
        (await SignIns.ChangeAsync(stored, newHandle: null, proof: null, Origin.System, None)).ShouldBeFalse();
        (await Users.UpdateAsync(user, newPasswordHash: null, None)).ShouldBe(UserWrite.NotFound);
        (await Users.DeleteAsync(Realm.Id, user.Id, static _ => true, Origin.System, None)).ShouldBeNull();
        (await Memberships.CreateAsync(NewMembership(user, await MakeOrganization("northwind")), Origin.System, None)).ShouldBe(MembershipWrite.NotFound);
    }

    [Fact]
    public async Task Reading_a_grant_while_its_person_is_deleted_finds_all_of_it_or_nothing()
    {
        Client client = await MakeClient();
        for (int round = 0; round < 10; round++)
        {
            User user = await MakeUser($"mia{round}@example.test");
            (SignInCompletion completion, RefreshToken token) = await MakeFamily(client, user);
            Task<GrantFacts?[]> reading = AtOnce(_ => Grants.LoadAsync(Realm.Id, completion.Grant.Id, None));
            await Users.DeleteAsync(Realm.Id, user.Id, static _ => true, Origin.System, None);
            await reading;
            (await Grants.FindRefreshTokenAsync(Realm.Id, token.TokenHash, switchTo: null, None)).ShouldBeNull();
        }
    }

    [Fact]
    public async Task Several_reads_of_one_question_see_one_moment()
    {
        User user = await MakeUser("mia@example.test");
        (int before, int after) = await Database.ReadAsync(
            async connection =>
            {
                int first = await Count(connection);
                await Task.Run(() => Users.CreateAsync(NewUser("sam@example.test"), passwordHash: null, Origin.System, None));
                return (first, await Count(connection));
            },
            None);
        after.ShouldBe(before);
        (await Users.FindByEmailAsync(user.RealmId, "sam@example.test", None)).ShouldNotBeNull();

        static Task<int> Count(System.Data.Common.DbConnection connection) =>
            Dapper.SqlMapper.ExecuteScalarAsync<int>(connection, "SELECT count(*) FROM users");
    }

    [Fact]
    public async Task Of_many_requests_with_one_idempotency_key_one_goes_first_and_all_later_ones_get_its_answer()
    {
        SecretHash key = new Secret("key").Hash();
        SecretHash fingerprint = new Secret("request").Hash();
        SecretHash[] owners = [.. Enumerable.Range(0, 20).Select(static _ => Secret.New().Hash())];
        IdempotentAnswer?[] answers = await AtOnce(i => Reserve(owners[i]));
        SecretHash first = owners[answers.Index().Single(static answer => answer.Item is null).Index];
        answers.OfType<IdempotentAnswer>().ShouldAllBe(static answer => answer.Status == null && answer.SealedBody == null);

        await Idempotency.ReleaseAsync(Realm.Id, key, owners.First(owner => owner != first), None);
        (await Reserve(Secret.New().Hash())).ShouldNotBeNull("nobody gives free what another reserved");
        await Idempotency.KeepAsync(Realm.Id, key, first, new KeptAnswer(201, [1, 2, 3]), None);
        IdempotentAnswer kept = (await Reserve(Secret.New().Hash())).ShouldNotBeNull();
        (kept.Status, kept.Fingerprint).ShouldBe((201, fingerprint));
        kept.SealedBody.ShouldBe([1, 2, 3]);
        await Idempotency.ReleaseAsync(Realm.Id, key, first, None);
        (await Reserve(Secret.New().Hash())).ShouldNotBeNull("an answer is not given back");
        await Idempotency.KeepAsync(Realm.Id, key, first, new KeptAnswer(500, [9]), None);
        (await Reserve(Secret.New().Hash()))!.Status.ShouldBe(201, "the first answer stays");

        Clock.Advance(TimeSpan.FromHours(25));
        (await Reserve(Secret.New().Hash())).ShouldBeNull("an expired answer is forgotten");

        Task<IdempotentAnswer?> Reserve(SecretHash owner) =>
            Idempotency.ReserveAsync(Realm.Id, key, fingerprint, owner, Now, Now.AddMinutes(-1), Now.AddHours(-24), None);
    }

    [Fact]
    public async Task A_reservation_whose_owner_died_is_taken_over_by_one()
    {
        SecretHash key = new Secret("key").Hash();
        SecretHash[] owners = [.. Enumerable.Range(0, 20).Select(static _ => Secret.New().Hash())];
        await Reserve(new Secret("first").Hash(), Secret.New().Hash());
        Clock.Advance(TimeSpan.FromSeconds(61));
        IdempotentAnswer?[] answers = await AtOnce(i => Reserve(new Secret("second").Hash(), owners[i]));
        SecretHash heir = owners[answers.Index().Single(static answer => answer.Item is null).Index];
        await Idempotency.ReleaseAsync(Realm.Id, key, heir, None);
        (await Reserve(new Secret("third").Hash(), Secret.New().Hash())).ShouldBeNull("a released key is free");
        (await Idempotency.ReserveAsync(Other.Id, key, key, heir, Now, Now.AddMinutes(-1), Now.AddHours(-24), None)).ShouldBeNull("the neighbour's keys are its own");

        Task<IdempotentAnswer?> Reserve(SecretHash fingerprint, SecretHash owner) =>
            Idempotency.ReserveAsync(Realm.Id, key, fingerprint, owner, Now, Now.AddMinutes(-1), Now.AddHours(-24), None);
    }

    [Fact]
    public async Task An_answer_is_kept_with_its_change_or_neither_is_there()
    {
        SecretHash key = new Secret("key").Hash();
        SecretHash owner = Secret.New().Hash();
        await Idempotency.ReserveAsync(Realm.Id, key, key, owner, Now, Now, Now, None);
        ApiKey made = NewApiKey();
        await Keys.CreateAsync(made, Secret.New().Hash(), Asked(owner), None);
        IdempotentAnswer kept = (await Idempotency.ReserveAsync(Realm.Id, key, key, owner, Now, Now.AddMinutes(-1), Now.AddHours(-24), None)).ShouldNotBeNull();
        (kept.Status, kept.SealedBody![0]).ShouldBe((201, (byte)7));

        ApiKey late = NewApiKey();
        await Should.ThrowAsync<ReservationLostException>(() => Keys.CreateAsync(late, Secret.New().Hash(), Asked(Secret.New().Hash()), None));
        (await Keys.FindAsync(Realm.Id, late.Id, None)).ShouldBeNull("whoever lost the key has changed nothing");

        Origin Asked(SecretHash by) => Origin.System with { Receipt = new Receipt(key, by, static result => result is ApiKey ? new KeptAnswer(201, [7]) : null) };
    }

    [Fact]
    public async Task Wrong_guesses_at_once_are_all_counted()
    {
        SecretHash account = new Secret("account").Hash();
        SecretHash address = new Secret("address").Hash();
        await AtOnce(async _ =>
        {
            await Guesses.AddAsync(Realm.Id, [account, address], Now, told: null, Origin.System, None);
            return true;
        });
        await Guesses.AddAsync(Realm.Id, [account], Now.AddMinutes(-10), told: null, Origin.System, None);
        IReadOnlyDictionary<SecretHash, long> counts = await Guesses.CountAsync(new GuessWatch(Realm.Id, [account, address], Now.AddMinutes(-5)), None);
        (counts[account], counts[address]).ShouldBe((20, 20));
        (await Guesses.CountAsync(new GuessWatch(Realm.Id, [account], Now.AddMinutes(-10)), None))[account].ShouldBe(21);
        (await Guesses.CountAsync(new GuessWatch(Other.Id, [account], Now.AddMinutes(-5)), None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Of_many_with_one_address_at_once_one_is_made()
    {
        UserWrite[] users = await AtOnce(_ => Users.CreateAsync(NewUser("Mia@Example.test"), passwordHash: null, Origin.System, None));
        users.Count(static result => result == UserWrite.Done).ShouldBe(1);
        users.Count(static result => result == UserWrite.EmailTaken).ShouldBe(19);
        MadeOrganization[] organizations = await AtOnce(_ => Organizations.CreateAsync(NewOrganization("northwind"), [], Origin.System, None));
        organizations.Count(static result => result.Outcome == OrganizationWrite.Done).ShouldBe(1);
        organizations.Count(static result => result.Outcome == OrganizationWrite.HandleTaken).ShouldBe(19);
    }

    [Fact]
    public async Task Of_many_memberships_of_one_pair_at_once_one_is_made()
    {
        User user = await MakeUser("mia@example.test");
        Organization organization = await MakeOrganization("northwind");
        MembershipWrite[] made = await AtOnce(_ => Memberships.CreateAsync(NewMembership(user, organization), Origin.System, None));
        made.Count(static one => one == MembershipWrite.Done).ShouldBe(1);
        made.Count(static one => one == MembershipWrite.MemberAlready).ShouldBe(19);
    }
}
