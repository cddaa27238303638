using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Tests.Engine;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Consent;

public sealed class ConsentRulesTests
{
    private static readonly Id<Organization> A = Worlds.IdOf<Organization>(1);
    private static readonly Id<Organization> B = Worlds.IdOf<Organization>(2);

    private static readonly OrganizationChoice[] Choices =
        [OrganizationChoice.NoOrganization, new OrganizationChoice.Chosen(A), new OrganizationChoice.Chosen(B), OrganizationChoice.AllMemberships];

    private static readonly Gen<ConsentTerms[]> AnyTerms = (
        from choice in Gen.Elements(Choices)
        from scopes in Gen.SubListOf("openid", "email", "projects:read")
        from resource in Gen.Elements<string?>(null, "https://api.example.test", "https://other.example.test")
        select new ConsentTerms([.. scopes], choice, resource)).ArrayOf();

    [Fact]
    public void What_was_allowed_is_covered_from_then_on_and_never_more_than_was_allowed() =>
        Worlds.ForAll(AnyTerms, static all =>
        {
            List<Core.SignIns.Consent> given = [];
            foreach (ConsentTerms terms in all)
            {
                bool wasCovered = ConsentRules.CoveringOf(terms, given) is not null;
                bool isWithinOne = given.Any(consent =>
                    consent.Terms.Resource == terms.Resource
                    && Reaches(consent.Terms.Choice, terms.Choice)
                    && terms.Scopes.All(consent.Terms.Scopes.Contains));
                if (wasCovered != isWithinOne)
                    return false;
                given = Give(given, terms);
                if (ConsentRules.CoveringOf(terms, given) is null || given.DistinctBy(static one => (one.Terms.Choice, one.Terms.Resource)).Count() != given.Count)
                    return false;
            }

            return true;
        });

    [Fact]
    public void Scopes_of_one_organization_are_not_lent_to_another()
    {
        List<Core.SignIns.Consent> given = Give(Give([], new(["openid", "admin"], new OrganizationChoice.Chosen(A), null)), new(["openid"], new OrganizationChoice.Chosen(B), null));
        ConsentRules.CoveringOf(new(["openid", "admin"], new OrganizationChoice.Chosen(A), null), given).ShouldNotBeNull();
        ConsentRules.CoveringOf(new(["openid", "admin"], new OrganizationChoice.Chosen(B), null), given).ShouldBeNull();
        ConsentRules.CoveringOf(new(["openid"], OrganizationChoice.AllMemberships, null), given).ShouldBeNull("two organizations are not all of them");
    }

    [Fact]
    public void What_is_new_is_told_apart_from_what_is_known()
    {
        ConsentRules.NewsIn(new(["openid"], Only(A), null), []).ShouldBeNull("of what is asked for the first time, nothing is known");
        List<Core.SignIns.Consent> given = Give([], new(["openid", "email"], Only(A), null));
        ConsentNews more = ConsentRules.NewsIn(new(["openid", "email", "admin"], Only(A), null), given).ShouldNotBeNull();
        (string.Join(' ', more.Scopes), more.Organizations, more.Resource).ShouldBe(("admin", false, false));
        ConsentNews further = ConsentRules.NewsIn(new(["openid", "email"], OrganizationChoice.AllMemberships, null), given).ShouldNotBeNull();
        (string.Join(' ', further.Scopes), further.Organizations, further.Resource).ShouldBe(("", true, false), "the place is new, what is done there is not");
        ConsentRules.NewsIn(new(["openid"], Only(A), "https://api.example.test"), given).ShouldNotBeNull().Resource.ShouldBeTrue();
        given = Give(given, new(["openid", "admin"], Only(B), null));
        string.Join(' ', ConsentRules.NewsIn(new(["openid", "admin"], Only(A), null), given).ShouldNotBeNull().Scopes).ShouldBe("admin", "it was given for another organization alone");
    }

    [Fact]
    public void A_client_that_may_speak_of_no_organization_asks_for_none() =>
        Worlds.ForAll(static world =>
        {
            Client none = world.Client with { Settings = world.Client.Settings with { Restrictions = new() { Organizations = new() { Policy = OrganizationPolicy.None } } } };
            return ConsentTerms.Of(world.SignIn, none, OrganizationChoice.AllMemberships).Choice == OrganizationChoice.NoOrganization;
        });

    [Fact]
    public void Nobody_completes_a_third_partys_sign_in_without_a_consent_that_covers_it() =>
        Worlds.ForAll(static world =>
        {
            World third = world with { Client = world.Client with { Settings = world.Client.Settings with { FirstParty = false } } };
            return SignInEngine.Next(third.SignIn, third.Facts) is not SignInStep.Complete;
        });

    [Fact]
    public void Consent_is_the_last_step_and_changes_none_before_it() =>
        Worlds.ForAll(static world =>
        {
            SignInStep first = SignInEngine.Next(world.SignIn, world.Facts);
            World third = world with { Client = world.Client with { Settings = world.Client.Settings with { FirstParty = false } } };
            SignInStep step = SignInEngine.Next(third.SignIn, third.Facts);
            return third.SignIn.Door != Door.OAuth
                ? step is SignInStep.Refuse { Reason: SignInRefusal.NotFirstParty or SignInRefusal.ClientDisabled }
                : first is SignInStep.Complete complete
                    ? step is SignInStep.Consent consent && consent.Choice == complete.Choice
                        && SignInEngine.Next(third.SignIn with { Allowed = consent.Asked }, third.Facts) is SignInStep.Complete done && done.Choice == complete.Choice
                    : step.GetType() == first.GetType();
        });

    private static bool Reaches(OrganizationChoice given, OrganizationChoice asked) =>
        given == OrganizationChoice.AllMemberships || asked == OrganizationChoice.NoOrganization || given == asked;

    private static OrganizationChoice Only(Id<Organization> organization) => new OrganizationChoice.Chosen(organization);

    private static List<Core.SignIns.Consent> Give(List<Core.SignIns.Consent> given, ConsentTerms allowed)
    {
        GivenConsent made = ConsentRules.Given(allowed, given);
        Id<Core.SignIns.Consent> id = made.Widens ?? Worlds.IdOf<Core.SignIns.Consent>(given.Count + 1);
        return
        [
            .. given.Where(consent => consent.Id != id),
            new()
            {
                RealmId = Worlds.IdOf<Core.Realms.Realm>(1), Id = id, UserId = Worlds.IdOf<Core.Users.User>(1), ClientId = Worlds.IdOf<Client>(1),
                Terms = made.Terms, GrantedAt = Worlds.Start,
            },
        ];
    }
}
