using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Storage;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>Proofs of possession are spent once; codes and refresh tokens that are bound to a key are spent by who holds it.</summary>
public abstract partial class StoreContract
{
    [Fact]
    public async Task Of_many_uses_of_one_proof_at_once_one_counts_and_another_realm_has_its_own()
    {
        DpopProofStore proofs = new(Database);
        SecretHash proof = Secret.New().Hash();
        bool[] won = await AtOnce(_ => proofs.SpendAsync(Realm.Id, proof, Now, None));
        won.Count(static one => one).ShouldBe(1);
        (await proofs.SpendAsync(Realm.Id, proof, Now.AddDays(1), None)).ShouldBeFalse();
        (await proofs.SpendAsync(Other.Id, proof, Now, None)).ShouldBeTrue();
        (await proofs.SpendAsync(Realm.Id, Secret.New().Hash(), Now, None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_bound_code_is_spent_by_the_key_that_it_names_and_the_refresh_tokens_are_bound_to_its_holder()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        SignIn signIn = (await MakeSignIn(client, user)).SignIn;
        SignInCompletion completion = NewCompletion(signIn, user);
        completion = completion with { Code = completion.Code with { DpopJkt = "the key" } };
        (await SignIns.CompleteAsync(completion, None)).ShouldBeTrue();
        (await Grants.FindCodeAsync(Realm.Id, completion.Code.CodeHash, None))!.Value.Code.DpopJkt.ShouldBe("the key");

        CodeRedemption redemption = new()
        {
            RealmId = Realm.Id, CodeHash = completion.Code.CodeHash, ClientId = client.Id, RedirectUri = completion.Code.RedirectUri,
            CodeChallenge = completion.Code.CodeChallenge, Now = Now, Mark = Secret.New().Hash(), GivesRefreshToken = true, RefreshExpiresAt = Now.AddDays(7),
        };
        foreach (string? wrong in new[] { null, "", "another", "THE KEY" })
            (await Grants.RedeemAsync(redemption with { DpopJkt = wrong, HolderJkt = wrong }, None))!.IsSpentNow.ShouldBeFalse();
        Spending<AuthorizationCode> spending = (await Grants.RedeemAsync(redemption with { DpopJkt = "the key", HolderJkt = "the key" }, None))!;
        spending.IsSpentNow.ShouldBeTrue();

        RefreshRotation rotation = new()
        {
            RealmId = Realm.Id, TokenHash = redemption.Mark, ClientId = client.Id, Now = Now, SuccessorHash = Secret.New().Hash(), SealedSuccessor = [7],
            ExpiresAt = Now.AddDays(7),
        };
        foreach (string? wrong in new[] { null, "", "another" })
            (await Grants.RotateAsync(rotation with { DpopJkt = wrong, HolderJkt = wrong }, None))!.IsSpentNow.ShouldBeFalse();
        Spending<RefreshToken> rotated = (await Grants.RotateAsync(rotation with { DpopJkt = "the key", HolderJkt = "the key" }, None))!;
        (rotated.IsSpentNow, rotated.Shown.DpopJkt).ShouldBe((true, "the key"));
        (await Grants.FindRefreshTokenAsync(Realm.Id, rotation.SuccessorHash, switchTo: null, None))!.Value.Token.DpopJkt.ShouldBe("the key");
    }

    [Fact]
    public async Task A_successor_is_bound_to_the_first_holder_of_a_key_and_what_it_came_from_stays_unbound()
    {
        (SignInCompletion completion, RefreshToken token) = await MakeFamily(await MakeClient(), await MakeUser("mia@example.test"));
        RefreshRotation rotation = new()
        {
            RealmId = Realm.Id, TokenHash = token.TokenHash, ClientId = completion.Grant.ClientId, Now = Now, SuccessorHash = Secret.New().Hash(), SealedSuccessor = [1],
            ExpiresAt = Now.AddDays(7),
        };
        SecretHash HashOf(int i) => new Secret($"successor {i}").Hash();
        Spending<RefreshToken>?[] spendings = await AtOnce(i => Grants.RotateAsync(
            rotation with { SuccessorHash = HashOf(i), SealedSuccessor = [(byte)i], DpopJkt = $"key {i}", HolderJkt = $"key {i}" }, None));
        int winner = Array.FindIndex(spendings, static spending => spending!.IsSpentNow);
        spendings.Count(static spending => spending!.IsSpentNow).ShouldBe(1);
        (await Grants.FindRefreshTokenAsync(Realm.Id, HashOf(winner), switchTo: null, None))!.Value.Token.DpopJkt.ShouldBe($"key {winner}");
        (await Grants.FindRefreshTokenAsync(Realm.Id, token.TokenHash, switchTo: null, None))!.Value.Token.DpopJkt.ShouldBeNull();
    }
}
