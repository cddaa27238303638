using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

public sealed class GrantRulesTests
{
    private const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    /// <summary>RFC 7636 appendix B.</summary>
    private const string Challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    private static readonly Gen<(World World, TokenProfile Profile, OrganizationChoice Choice)> Cases =
        from world in Worlds.Any.Generator
        from profile in Worlds.AnyProfile()
        from choice in Worlds.AnyChoice()
        select (world, profile, choice);

    [Fact]
    public void The_challenge_is_that_of_the_RFC() => Pkce.ChallengeOf(Verifier).ShouldBe(Challenge);

    [Theory]
    [InlineData("a code that fits", null)]
    [InlineData("another client", GrantRefusal.Invalid)]
    [InlineData("another redirect URI", GrantRefusal.RedirectMismatch)]
    [InlineData("no redirect URI", GrantRefusal.RedirectMismatch)]
    [InlineData("a redirect URI in another case", GrantRefusal.RedirectMismatch)]
    [InlineData("no verifier", GrantRefusal.VerifierMismatch)]
    [InlineData("an empty verifier", GrantRefusal.VerifierMismatch)]
    [InlineData("the challenge as verifier", GrantRefusal.VerifierMismatch)]
    [InlineData("a verifier without a challenge", GrantRefusal.VerifierMismatch)]
    [InlineData("a proof of a key that nobody asked for", null)]
    [InlineData("the key that the code is for", null)]
    [InlineData("no key for a bound code", GrantRefusal.KeyMismatch)]
    [InlineData("another key than the code's", GrantRefusal.KeyMismatch)]
    [InlineData("at its end", GrantRefusal.Invalid)]
    [InlineData("just before its end", null)]
    [InlineData("an ended grant", GrantRefusal.Ended)]
    [InlineData("an ended session", GrantRefusal.Ended)]
    [InlineData("an expired session", GrantRefusal.Ended)]
    [InlineData("a disabled person", GrantRefusal.Ended)]
    [InlineData("a disabled client", GrantRefusal.Ended)]
    public void A_code_gives_tokens_only_to_whom_it_was_made_for(string presented, GrantRefusal? refusal)
    {
        GrantFacts facts = Plain();
        AuthorizationCode code = Code();
        Client presenter = facts.Client;
        string? dpopJkt = null;
        string? redirectUri = code.RedirectUri;
        string? verifier = Verifier;
        DateTimeOffset now = Worlds.Start.AddSeconds(1);
        switch (presented)
        {
            case "another client": presenter = presenter with { Id = Worlds.IdOf<Client>(2) }; break;
            case "another redirect URI": redirectUri += "x"; break;
            case "no redirect URI": redirectUri = null; break;
            case "a redirect URI in another case": redirectUri = redirectUri!.ToUpperInvariant(); break;
            case "no verifier": verifier = null; break;
            case "an empty verifier": verifier = ""; break;
            case "the challenge as verifier": verifier = Challenge; break;
            case "a verifier without a challenge": code = code with { CodeChallenge = null }; break;
            case "a proof of a key that nobody asked for": dpopJkt = "a key"; break;
            case "the key that the code is for": (code, dpopJkt) = (code with { DpopJkt = "a key" }, "a key"); break;
            case "no key for a bound code": code = code with { DpopJkt = "a key" }; break;
            case "another key than the code's": (code, dpopJkt) = (code with { DpopJkt = "a key" }, "another"); break;
            case "at its end": now = code.ExpiresAt; break;
            case "just before its end": now = code.ExpiresAt.AddMilliseconds(-1); break;
            case "an ended grant": facts = facts with { Grant = facts.Grant with { EndedAt = Worlds.Start } }; break;
            case "an ended session": facts = facts with { Session = facts.Session with { EndedAt = Worlds.Start } }; break;
            case "an expired session": facts = facts with { Session = facts.Session with { ExpiresAt = now } }; break;
            case "a disabled person": facts = facts with { User = facts.User with { Status = UserStatus.Disabled } }; break;
            case "a disabled client": facts = facts with { Client = facts.Client with { Status = ClientStatus.Disabled } }; break;
            default: break;
        }

        GrantDecision decision = GrantRules.Redeem(code, facts, new Presenter(presenter, dpopJkt), redirectUri, verifier, RestatedTerms.None, now);
        if (refusal is null)
            decision.ShouldBeOfType<GrantDecision.Issue>();
        else
            decision.ShouldBe(new GrantDecision.Refuse(refusal.Value));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_code_that_comes_back_ends_its_grant_even_after_its_time_but_not_for_another_client(bool own)
    {
        GrantFacts facts = Plain();
        Client presenter = own ? facts.Client : facts.Client with { Id = Worlds.IdOf<Client>(2) };
        AuthorizationCode spent = Code() with { SpentAt = Worlds.Start };
        GrantRules.Redeem(spent, facts, presenter, spent.RedirectUri, Verifier, RestatedTerms.None, Worlds.Start.AddHours(1))
            .ShouldBe(own ? new GrantDecision.End(GrantRefusal.CodeReused) : new GrantDecision.Refuse(GrantRefusal.Invalid));
    }

    [Theory]
    [InlineData(30, 0, true)]
    [InlineData(30, 30, true)]
    [InlineData(30, 31, false)]
    [InlineData(0, 0, false)]
    [InlineData(60, 45, true)]
    public void A_spent_refresh_token_replays_within_the_grace_and_ends_its_family_after_it(int grace, int secondsLater, bool replays)
    {
        GrantFacts facts = Plain(grace);
        RefreshToken spent = Token() with { SpentAt = Worlds.Start, SealedSuccessor = [1] };
        GrantDecision decision = GrantRules.Refresh(spent, facts, facts.Client, scopes: null, RestatedTerms.None, Worlds.Start.AddSeconds(secondsLater));
        if (replays)
            decision.ShouldBeOfType<GrantDecision.Replay>();
        else
            decision.ShouldBe(new GrantDecision.End(GrantRefusal.RefreshReused));
    }

    [Theory]
    [InlineData(null, null, 0)]
    [InlineData(null, "a key", 0)]
    [InlineData(null, "a key", 31)]
    [InlineData("a key", "a key", 0)]
    [InlineData("a key", "another", 0)]
    [InlineData("a key", null, 0)]
    [InlineData("a key", null, 10)]
    [InlineData("a key", "a key", 10)]
    [InlineData("a key", "another", 31)]
    public void Who_does_not_hold_the_key_of_a_bound_token_gets_nothing_and_ends_nothing(string? bound, string? shown, int secondsAfterSpending)
    {
        GrantFacts facts = Plain();
        RefreshToken token = Token() with { DpopJkt = bound };
        if (secondsAfterSpending > 0)
            token = token with { SpentAt = Worlds.Start, SealedSuccessor = [1] };
        GrantDecision decision = GrantRules.Refresh(
            token, facts, new Presenter(facts.Client, shown), scopes: null, RestatedTerms.None, Worlds.Start.AddSeconds(secondsAfterSpending));
        if (bound is not null && bound != shown)
            decision.ShouldBe(new GrantDecision.Refuse(GrantRefusal.KeyMismatch));
        else
            decision.ShouldNotBeOfType<GrantDecision.Refuse>();
    }

    [Theory]
    [InlineData(ClientType.Spa, "a key")]
    [InlineData(ClientType.Native, "a key")]
    [InlineData(ClientType.Web, null)]
    [InlineData(ClientType.M2M, null)]
    public void Only_a_public_clients_refresh_tokens_are_held_by_a_key(ClientType type, string? holder) =>
        new Presenter(Plain().Client with { Type = type }, "a key").HolderJkt.ShouldBe(holder);

    [Theory]
    [InlineData("openid", true)]
    [InlineData("openid email profile", true)]
    [InlineData("", true)]
    [InlineData("openid admin", false)]
    [InlineData("OPENID", false)]
    public void A_refresh_may_ask_for_fewer_scopes_and_never_for_more(string scopes, bool issued)
    {
        GrantFacts facts = Plain();
        GrantDecision decision = GrantRules.Refresh(Token(), facts, facts.Client, scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries), RestatedTerms.None, Worlds.Start);
        if (issued)
            decision.ShouldBeOfType<GrantDecision.Issue>();
        else
            decision.ShouldBe(new GrantDecision.Refuse(GrantRefusal.ScopeExceeded));
    }

    [Fact]
    public void Another_clients_or_an_expired_refresh_token_gives_nothing_and_harms_nothing()
    {
        GrantFacts facts = Plain();
        RefreshToken spent = Token() with { SpentAt = Worlds.Start.AddDays(-2) };
        GrantRules.Refresh(spent, facts, facts.Client with { Id = Worlds.IdOf<Client>(2) }, scopes: null, RestatedTerms.None, Worlds.Start)
            .ShouldBe(new GrantDecision.Refuse(GrantRefusal.Invalid));
        GrantRules.Refresh(Token(), facts, facts.Client, scopes: null, RestatedTerms.None, Token().ExpiresAt).ShouldBe(new GrantDecision.Refuse(GrantRefusal.Invalid));
    }

    [Fact]
    public void Whatever_is_issued_is_what_the_resolver_says() => Worlds.ForAll(Cases, static x =>
    {
        GrantFacts facts = x.World.GrantFacts(x.Profile, x.Choice);
        OrganizationClaims? issued = GrantRules.Refresh(Token(), facts, facts.Client, scopes: null, RestatedTerms.None, Worlds.Start.AddMinutes(1)) switch
        {
            GrantDecision.Issue issue => issue.Organizations,
            GrantDecision.Replay replay => replay.Organizations,
            _ => null,
        };
        return issued is null || (issued is not OrganizationClaims.Ended && issued.GetType() == facts.OrganizationsAt(Worlds.Start.AddMinutes(1)).GetType());
    });

    [Fact]
    public void Nothing_is_ever_issued_for_who_may_not_be_spoken_for() => Worlds.ForAll(Cases, static x =>
    {
        GrantFacts facts = x.World.GrantFacts(x.Profile, x.Choice);
        DateTimeOffset now = Worlds.Start.AddMinutes(1);
        return facts.IsLive(now)
            || (GrantRules.Refresh(Token(), facts, facts.Client, scopes: null, RestatedTerms.None, now) is GrantDecision.Refuse { Reason: GrantRefusal.Ended }
                && GrantRules.Redeem(Code() with { ExpiresAt = now.AddSeconds(1) }, facts, facts.Client, Code().RedirectUri, Verifier, RestatedTerms.None, now)
                    is GrantDecision.Refuse { Reason: GrantRefusal.Ended });
    });

    [Fact]
    public void A_multi_org_grant_outlives_the_organization_it_selected_and_the_others_end_with_it() => Worlds.ForAll(Cases, static x =>
    {
        GrantFacts facts = x.World.GrantFacts(x.Profile, x.Choice);
        DateTimeOffset now = Worlds.Start.AddMinutes(1);
        if (!facts.IsLive(now))
            return true;
        GrantDecision decision = GrantRules.Refresh(Token(), facts, facts.Client, scopes: null, RestatedTerms.None, now);
        return facts.OrganizationsAt(now) is OrganizationClaims.Ended
            ? decision is GrantDecision.End { Reason: GrantRefusal.NotMember } && x.Profile != TokenProfile.MultiOrg
            : decision is GrantDecision.Issue;
    });

    [Fact]
    public void The_first_token_of_a_selection_speaks_of_it_or_is_not_issued() => Worlds.ForAll(Cases, static x =>
    {
        GrantFacts facts = x.World.GrantFacts(x.Profile, x.Choice);
        GrantDecision decision = GrantRules.Redeem(Code(), facts, facts.Client, Code().RedirectUri, Verifier, RestatedTerms.None, Worlds.Start);
        return decision is not GrantDecision.Issue issue
            || x.Choice.Selected is not { } selected
            || issue.Organizations switch
            {
                OrganizationClaims.Many many => many.Memberships.Single().OrganizationId == selected,
                OrganizationClaims.One one => one.Organization == selected,
                OrganizationClaims.Named named => named.UserOrganization == selected.ToString(),
                _ => false,
            };
    });

    private static GrantFacts Plain(int grace = 30)
    {
        World world = Worlds.Any.Generator.Sample(1)[0];
        world = world with
        {
            User = world.User with { Status = UserStatus.Active },
            Client = world.Client with
            {
                Status = ClientStatus.Active,
                Settings = new ClientSettings { Openid = new OpenIdSettings { RefreshGraceSeconds = grace } },
            },
        };
        return world.GrantFacts(TokenProfile.MultiOrg, OrganizationChoice.AllMemberships);
    }

    private static AuthorizationCode Code() => new()
    {
        RealmId = Worlds.IdOf<Atrium.Core.Realms.Realm>(1),
        CodeHash = new Secret("code").Hash(),
        GrantId = Worlds.IdOf<Grant>(1),
        RedirectUri = "http://localhost:3000/callback",
        CodeChallenge = Challenge,
        CreatedAt = Worlds.Start,
        ExpiresAt = Worlds.Start + AuthorizationCode.Lifetime,
    };

    private static RefreshToken Token() => new()
    {
        RealmId = Worlds.IdOf<Atrium.Core.Realms.Realm>(1),
        TokenHash = new Secret("token").Hash(),
        GrantId = Worlds.IdOf<Grant>(1),
        CreatedAt = Worlds.Start,
        ExpiresAt = Worlds.Start.AddDays(7),
    };
}
