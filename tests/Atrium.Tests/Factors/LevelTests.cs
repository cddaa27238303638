using Atrium.Core.Clients;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Tests.Engine;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Factors;

/// <summary>What the engine makes of levels, of new factors, and of accounts to be selected.</summary>
public sealed class LevelTests
{
    [Fact]
    public void A_sign_in_that_completes_has_the_level_that_its_client_asks_for() => Worlds.ForAll(static world =>
        SignInEngine.Next(world.SignIn, world.Facts) is not SignInStep.Complete
        || AuthenticationLevels.AskedBy(world.SignIn.Request) is not { } asked
        || AuthenticationLevels.Of(world.SignIn.Proofs) >= asked);

    [Fact]
    public void A_request_for_the_lesser_level_asks_for_nothing_more() => Worlds.ForAll(static world =>
    {
        SignIn plain = world.SignIn with { Request = new AuthorizationRequest() };
        SignIn asks = world.SignIn with { Request = new AuthorizationRequest { AcrValues = [AuthenticationLevels.SingleFactor] } };
        return SignInEngine.Next(plain, world.Facts).GetType() == SignInEngine.Next(asks, world.Facts).GetType();
    });

    [Fact]
    public void One_second_factor_is_as_good_as_the_other() => Worlds.ForAll(static world =>
        Swapped(AuthenticationMethod.Totp) is var app
        && Swapped(AuthenticationMethod.RecoveryCode) is var code
        && SignInEngine.Next(world.SignIn with { Proofs = app(world) }, world.Facts).GetType()
            == SignInEngine.Next(world.SignIn with { Proofs = code(world) }, world.Facts).GetType());

    [Fact]
    public void Nobody_sets_up_a_second_factor_who_has_not_shown_the_password_lately() => Worlds.ForAll(static world =>
        SignInEngine.Next(world.SignIn, world.Facts) is not SignInStep.EnrolFactor
        || (world.SignIn.Proofs.Any(proof => proof.Method == AuthenticationMethod.Password && world.Now - proof.At <= TimeSpan.FromMinutes(30))
            && SignInEngine.Next(world.SignIn with { ExpiresAt = Worlds.Start.AddDays(1) }, world.Facts with { Now = Worlds.Start.AddMinutes(31) })
                is SignInStep.Prove or SignInStep.Refuse or SignInStep.UseConnection));

    [Theory]
    [InlineData("", null)]
    [InlineData("urn:atrium:acr:1fa", AuthenticationLevel.SingleFactor)]
    [InlineData("urn:atrium:acr:mfa", AuthenticationLevel.MultiFactor)]
    [InlineData("urn:atrium:acr:mfa urn:atrium:acr:1fa", AuthenticationLevel.SingleFactor)]
    public void Any_one_of_the_levels_that_are_named_will_do(string values, AuthenticationLevel? asked) =>
        AuthenticationLevels.AskedBy(new AuthorizationRequest { AcrValues = values.Split(' ', StringSplitOptions.RemoveEmptyEntries) }).ShouldBe(asked);

    [Theory]
    [InlineData(AuthenticationLevel.SingleFactor)]
    [InlineData(AuthenticationLevel.SingleFactor, AuthenticationMethod.Password)]
    [InlineData(AuthenticationLevel.SingleFactor, AuthenticationMethod.Totp)]
    [InlineData(AuthenticationLevel.SingleFactor, AuthenticationMethod.Password, AuthenticationMethod.EmailCode)]
    [InlineData(AuthenticationLevel.MultiFactor, AuthenticationMethod.Password, AuthenticationMethod.Totp)]
    [InlineData(AuthenticationLevel.MultiFactor, AuthenticationMethod.Password, AuthenticationMethod.RecoveryCode)]
    public void Two_factors_are_a_password_and_something_beside_it(AuthenticationLevel level, params AuthenticationMethod[] methods) =>
        AuthenticationLevels.Of([.. methods.Select(static method => new Proof(method, Worlds.Start))]).ShouldBe(level);

    [Fact]
    public void New_recovery_codes_are_kept_before_anything_else_goes_on() => Worlds.ForAll(static world =>
        SignInEngine.Next(world.SignIn with { SealedCodes = [1] }, world.Facts)
            is not (SignInStep.Complete or SignInStep.ChooseOrganization));

    [Fact]
    public void Whom_the_browser_is_signed_in_as_is_asked_about_before_anything_is_shown()
    {
        int asked = 0;
        Worlds.ForAll(world =>
        {
            SignIn selects = world.SignIn with { SessionId = Worlds.IdOf<Session>(1), Request = new AuthorizationRequest { SelectAccount = true } };
            SignInStep step = SignInEngine.Next(selects, world.Facts);
            asked += step is SignInStep.ConfirmAccount ? 1 : 0;
            return step is SignInStep.ConfirmAccount or SignInStep.Refuse or SignInStep.Prove
                && SignInEngine.Next(selects with { AccountConfirmed = true }, world.Facts) is not SignInStep.ConfirmAccount
                && SignInEngine.Next(selects with { SessionId = null }, world.Facts) is not SignInStep.ConfirmAccount
                && SignInEngine.Next(selects.ForSomebodyElse(), world.Facts with { User = null }) is SignInStep.Prove or SignInStep.Refuse;
        });
        asked.ShouldBeGreaterThan(20);
    }

    [Theory]
    [InlineData("mia@example.test", false)]
    [InlineData(" MIA@Example.Test", false)]
    [InlineData("m@ia", false)]
    [InlineData("mia", false)]
    [InlineData("+49 30 1234", false)]
    [InlineData("sam@example.test", true)]
    public void A_hint_is_somebody_elses_when_it_is_an_address_of_another(string hint, bool asks)
    {
        User mia = new()
        {
            RealmId = Worlds.IdOf<Atrium.Core.Realms.Realm>(1), Id = Worlds.IdOf<User>(1), Email = "mia@example.test", Username = "m@ia", EmailVerified = true,
            CreatedAt = Worlds.Start, UpdatedAt = Worlds.Start,
        };
        Client client = new()
        {
            RealmId = mia.RealmId, Id = Worlds.IdOf<Client>(1), ClientId = "c", Name = "c", Type = ClientType.Spa, GrantTypes = [], CreatedAt = Worlds.Start, UpdatedAt = Worlds.Start,
        };
        SignIn signIn = new()
        {
            RealmId = mia.RealmId, Id = Worlds.IdOf<SignIn>(1), ClientId = client.Id, Door = Door.OAuth, Request = new AuthorizationRequest { LoginHint = hint },
            UserId = mia.Id, SessionId = Worlds.IdOf<Session>(1), Proofs = [new Proof(AuthenticationMethod.Password, Worlds.Start)],
            CreatedAt = Worlds.Start, ExpiresAt = Worlds.Start.AddMinutes(30),
        };
        (SignInEngine.Next(signIn, new SignInFacts { Now = Worlds.Start, Client = client, User = mia }) is SignInStep.ConfirmAccount).ShouldBe(asks);
    }

    [Fact]
    public void Recovery_codes_are_read_however_they_are_typed_and_nothing_else_is_one()
    {
        IReadOnlyList<string> codes = RecoveryCode.NewSet();
        codes.Count.ShouldBe(RecoveryCode.Count);
        codes.ShouldAllBe(static code => code.Length == 19 && !code.Any(char.IsAsciiLetterUpper));
        foreach (string code in codes)
        {
            RecoveryCode.HashOf(code.ToUpperInvariant()).ShouldBe(RecoveryCode.HashOf(code));
            RecoveryCode.HashOf($" {code.Replace("-", "", StringComparison.Ordinal)} ").ShouldBe(RecoveryCode.HashOf(code));
            foreach (string wrong in new[] { code[..^1], code + "a", code[..^1] + "1", "", "123456", code + "\0" })
                RecoveryCode.HashOf(wrong).ShouldBeNull();
        }
    }

    private static Func<World, IReadOnlyList<Proof>> Swapped(AuthenticationMethod second) => world =>
        [.. world.SignIn.Proofs.Select(proof => SignInPolicy.IsSecondFactor(proof.Method) ? proof with { Method = second } : proof)];
}
