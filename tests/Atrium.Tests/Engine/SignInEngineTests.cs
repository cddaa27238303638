using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

public sealed class SignInEngineTests
{
    [Fact]
    public void Nobody_gets_in_without_a_password() =>
        Completed(static (world, _) => world.SignIn.HasProved(AuthenticationMethod.Password) && world.UserIsKnown);

    [Fact]
    public void A_disabled_person_a_disabled_client_and_an_expired_attempt_never_complete() =>
        Completed(static (world, step) =>
            step.User.Status == UserStatus.Active
            && world.Client.Status == ClientStatus.Active
            && world.Now < world.SignIn.ExpiresAt);

    [Fact]
    public void A_confirmed_factor_is_always_asked_for() =>
        Completed(static (world, _) =>
            !world.Factors.Any(static factor => factor.Confirmed) || world.SignIn.HasSecondFactor);

    [Fact]
    public void A_factor_that_was_never_confirmed_is_never_asked_for() =>
        Worlds.ForAll(static world => Next(world) is not SignInStep.ProveFactor ask || ask.Factors.All(static factor => factor.Confirmed));

    [Fact]
    public void The_clients_own_second_step_is_asked_for_through_every_door() =>
        Completed(static (world, _) =>
            !(world.Client.Settings.AppNative.Enabled && world.Client.Settings.AppNative.Steps.Any(static step => step.Contains("totp")))
            || world.SignIn.HasSecondFactor);

    [Fact]
    public void The_policy_of_the_organization_entered_is_kept() =>
        Completed(static (world, step) =>
            world.Memberships.FirstOrDefault(entry => entry.IsEffective && entry.Organization.Id == step.Choice.Selected) is not { } entered
            || (!entered.Organization.Settings.SsoOnly
                && (!entered.Organization.Settings.MfaRequired || world.SignIn.HasSecondFactor)));

    [Fact]
    public void An_organization_is_entered_only_by_its_active_members_where_the_token_speaks_of_one() =>
        Completed(static (world, step) =>
            step.Choice.Selected is not { } organization
            || world.Profile == TokenProfile.MultiOrg
            || world.Memberships.Any(entry => entry.IsEffective && entry.Organization.Id == organization));

    [Fact]
    public void An_organization_is_entered_only_where_its_policy_is_met() =>
        Completed(static (world, step) =>
            step.Choice.Selected is not { } organization
            || world.Memberships.Where(entry => entry.IsEffective && entry.Organization.Id == organization).All(world.IsOpen));

    [Fact]
    public void What_a_sign_in_completes_for_is_what_its_tokens_speak_of() =>
        Completed(static (world, step) =>
            world.Profile == TokenProfile.MultiOrg || world.Resolve(world.Profile, step.Choice) is not OrganizationClaims.Ended);

    [Fact]
    public void A_person_is_asked_only_for_what_the_organization_takes() =>
        Worlds.ForAll(static world =>
            Next(world) is not SignInStep.Prove prove
            || world.SignIn.Choice.Selected is not { } organization
            || world.Profile == TokenProfile.MultiOrg
            || world.Memberships.Single(entry => entry.Organization.Id == organization).Organization.Settings.AllowedMethods is not { } allowed
            || (prove.Methods.Count > 0 && prove.Methods.All(allowed.Contains)));

    [Fact]
    public void An_organization_that_the_clients_tokens_may_not_speak_of_is_not_entered_where_the_token_speaks_of_one() =>
        Completed(static (world, step) =>
            step.Choice.Selected is not { } organization || world.Profile == TokenProfile.MultiOrg || world.Restriction.Allows(organization));

    [Fact]
    public void What_was_chosen_is_what_is_completed() =>
        Completed(static (world, step) => world.SignIn.Choice == OrganizationChoice.Unchosen || step.Choice == world.SignIn.Choice);

    [Fact]
    public void Nothing_completes_without_saying_what_for() => Completed(static (_, step) => step.Choice != OrganizationChoice.Unchosen);

    [Fact]
    public void Too_many_wrong_codes_end_the_attempt() =>
        Worlds.ForAll(static world =>
            world.SignIn.FailedTries < SignIn.MaxFactorTries || Next(world) is SignInStep.Refuse);

    [Fact]
    public void The_same_sign_in_and_facts_give_the_same_step() =>
        Worlds.ForAll(static world => Describe(Next(world)) == Describe(Next(world)));

    [Fact]
    public void The_order_in_which_memberships_are_read_makes_no_difference() =>
        Worlds.ForAll(Worlds.Shuffled(), static pair => Describe(Next(pair.World)) == Describe(Next(pair.Shuffled)));

    [Fact]
    public void A_suspended_membership_elsewhere_changes_nothing() =>
        Worlds.ForAll(static world =>
        {
            MembershipInOrganization suspended = Worlds.Membership(
                Worlds.Organization(99, OrganizationStatus.Active, new OrganizationSettings { MfaRequired = true }), MembershipStatus.Suspended, ["owner"], 9);
            World with = world with { Memberships = [.. world.Memberships, suspended] };
            return Describe(Next(world)) == Describe(Next(with));
        });

    [Fact]
    public void What_can_be_picked_is_effective_and_allowed_and_picking_it_is_accepted() =>
        Worlds.ForAll(static world =>
        {
            if (Next(world) is not SignInStep.ChooseOrganization choose)
                return true;
            return choose.Organizations.Count > 1 && choose.Organizations.All(entry =>
                entry.IsEffective
                && world.Restriction.Allows(entry.Organization.Id)
                && SignInEngine.MayChoose(entry.Organization.Id, world.Facts)
                && Next(world with
                {
                    SignIn = world.SignIn with { Choice = new OrganizationChoice.Chosen(entry.Organization.Id) },
                    ChosenIsShared = true,
                }) is SignInStep.Complete or SignInStep.ProveFactor or SignInStep.EnrolFactor or SignInStep.UseConnection or SignInStep.Prove
                    or SignInStep.Refuse { Reason: SignInRefusal.MethodNotAllowed });
        });

    [Fact]
    public void What_cannot_be_picked_cannot_be_chosen() =>
        Worlds.ForAll(
            from world in Worlds.Any.Generator
            from choice in Worlds.AnyChoice()
            select (World: world, Choice: choice),
            static pair =>
                pair.Choice.Selected is not { } organization
                || !SignInEngine.MayChoose(organization, pair.World.Facts)
                || pair.World.Memberships.Any(entry =>
                    entry.IsEffective && entry.Organization.Id == organization && pair.World.Restriction.Allows(organization)));

    [Fact]
    public void More_proof_never_takes_a_person_further_from_the_end() =>
        Worlds.ForAll(static world =>
            Next(world) is not SignInStep.Complete complete
            || Describe(Next(world with
            {
                SignIn = world.SignIn with { Proofs = [.. world.SignIn.Proofs, new Proof(AuthenticationMethod.Totp, Worlds.Start)] },
            })) == Describe(complete));

    [Theory]
    [InlineData(false, null, 0, true)]
    [InlineData(true, null, 0, false)]
    [InlineData(false, 60, 60, true)]
    [InlineData(false, 60, 61, false)]
    [InlineData(false, 0, 1, false)]
    public void A_standing_session_answers_unless_a_fresh_sign_in_is_asked_for(bool fresh, int? maxAge, int secondsAgo, bool answers)
    {
        Session session = SessionOf(Worlds.Start.AddSeconds(-secondsAgo));
        SignInEngine.MayBuildOn(session, fresh, maxAge, Worlds.Start).ShouldBe(answers);
        SignInEngine.MayBuildOn(session with { EndedAt = Worlds.Start }, fresh, maxAge, Worlds.Start).ShouldBeFalse();
        SignInEngine.MayBuildOn(session with { ExpiresAt = Worlds.Start }, fresh, maxAge, Worlds.Start).ShouldBeFalse();
        SignInEngine.MayBuildOn(session with { LastUsedAt = Worlds.Start.AddSeconds(-60), IdleTimeout = 60 }, fresh, maxAge, Worlds.Start).ShouldBeFalse();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(-1, false)]
    public void A_mailbox_that_a_session_showed_before_is_none_of_an_address_that_is_another_one_by_now(int secondsAfterBegin, bool counts)
    {
        User user = new()
        {
            RealmId = Worlds.IdOf<Atrium.Core.Realms.Realm>(1), Id = Worlds.IdOf<User>(1), Email = "changed@example.test", EmailVerified = false,
            CreatedAt = Worlds.Start, UpdatedAt = Worlds.Start,
        };
        Client client = new()
        {
            RealmId = user.RealmId, Id = Worlds.IdOf<Client>(1), ClientId = "c", Name = "c", Type = ClientType.Spa, GrantTypes = [], CreatedAt = Worlds.Start, UpdatedAt = Worlds.Start,
        };
        SignIn signIn = new()
        {
            RealmId = user.RealmId, Id = Worlds.IdOf<SignIn>(1), ClientId = client.Id, Door = Door.OAuth, Request = new AuthorizationRequest(), UserId = user.Id,
            Proofs = [new Proof(AuthenticationMethod.Password, Worlds.Start), new Proof(AuthenticationMethod.EmailCode, Worlds.Start.AddSeconds(secondsAfterBegin))],
            CreatedAt = Worlds.Start, ExpiresAt = Worlds.Start.AddMinutes(30),
        };
        SignInFacts facts = new() { Now = Worlds.Start, Client = client, User = user, Realm = new() { EmailVerificationRequired = true } };
        (SignInEngine.Next(signIn, facts) is SignInStep.VerifyEmail).ShouldBe(!counts);
    }

    private static Session SessionOf(DateTimeOffset authenticatedAt) => new()
    {
        RealmId = Worlds.IdOf<Atrium.Core.Realms.Realm>(1),
        Id = Worlds.IdOf<Session>(1),
        UserId = Worlds.IdOf<User>(1),
        Proofs = [new Proof(AuthenticationMethod.Password, authenticatedAt)],
        AuthenticatedAt = authenticatedAt,
        CreatedAt = authenticatedAt,
        UpdatedAt = authenticatedAt,
        LastUsedAt = authenticatedAt,
        IdleTimeout = 30 * 24 * 3600,
        ExpiresAt = authenticatedAt.AddDays(30),
    };

    private static SignInStep Next(World world) => SignInEngine.Next(world.SignIn, world.Facts);

    private static void Completed(Func<World, SignInStep.Complete, bool> holds)
    {
        int seen = 0;
        Worlds.ForAll(world =>
        {
            if (Next(world) is not SignInStep.Complete complete)
                return true;
            seen++;
            return holds(world, complete);
        });
        seen.ShouldBeGreaterThan(20, "the worlds reach the end often enough to prove something");
    }

    /// <summary>Steps hold lists, which records compare by reference.</summary>
    private static string Describe(SignInStep step) => step switch
    {
        SignInStep.Prove prove => $"prove {string.Join(' ', prove.Methods)} {prove.OrganizationOption}",
        SignInStep.ProveFactor factor => $"factor {string.Join(' ', factor.Factors.Select(static f => f.Id))}",
        SignInStep.ChooseOrganization choose => $"choose {string.Join(' ', choose.Organizations.Select(static o => o.Organization.Id))}",
        _ => step.ToString(),
    };
}
