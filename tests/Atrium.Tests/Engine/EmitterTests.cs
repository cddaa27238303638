using System.Text;
using System.Text.Json;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Tokens;
using Atrium.Server.Doors;
using Atrium.Server.Tokens;
using Atrium.Tests.Harness;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

/// <summary>Whatever says something about organizations says the same.</summary>
public sealed class EmitterTests(DemoServer server) : IClassFixture<DemoServer>
{
    private static readonly string[] Claims = ["_claim_names", "_claim_sources", "organizations", "org_id", "org_name", "org_handle", "user_org", "role", "roles", "permissions"];

    [Fact]
    public async Task Access_token_and_ID_token_say_the_same_about_organizations()
    {
        Realm acme = (await server.Get<RealmDirectory>().RealmAsync("acme", CancellationToken.None))!;
        TokenIssuer issuer = server.Get<TokenIssuer>();
        var cases =
            from world in Worlds.Any.Generator
            from profile in Worlds.AnyProfile()
            from choice in Worlds.AnyChoice()
            from onPath in Worlds.Of(true, false)
            from budget in Worlds.Of(2, 100, 256, 4096)
            select world.GrantFacts(profile, choice, onPath).WithBudget(budget);
        foreach (GrantFacts facts in cases.Sample(150).Select(facts => facts with { Realm = acme }))
        {
            OrganizationProjection organizations = issuer.Project(facts, facts.OrganizationsAt(Worlds.Start));
            string access = await issuer.AccessTokenAsync(facts, organizations, facts.Grant.Scopes, dpopJkt: null, CancellationToken.None);
            string id = await issuer.IdTokenAsync(facts, organizations, nonce: null, CancellationToken.None);
            Said(access).ShouldBe(Said(id));
            Said(access).ShouldBe(Said(organizations));
        }
    }

    [Fact]
    public void A_token_within_the_budget_says_what_userinfo_says_and_one_over_it_only_where_that_is() => Worlds.ForAll(
        from world in Worlds.Any.Generator
        from profile in Worlds.AnyProfile()
        from choice in Worlds.AnyChoice()
        from onPath in Worlds.Of(true, false)
        from budget in Gen.Choose(2, 1000)
        select (Claims: world.Resolve(profile, choice, onPath), Budget: budget),
        static x =>
        {
            JsonElement full = Json(x.Claims.InFull());
            OrganizationProjection projection = x.Claims.WithinBudget(x.Budget, "https://a.test/userinfo");
            int size = full.TryGetProperty("organizations", out JsonElement array) ? Encoding.UTF8.GetByteCount(array.GetRawText()) : 0;
            return projection.IsElsewhere == (size > x.Budget)
                && (x.Claims is not OrganizationClaims.Many many || OrganizationArray.SizeOf(many.Memberships) == size)
                && Json(projection).GetRawText() == (projection.IsElsewhere
                    ? """{"_claim_names":{"organizations":"userinfo"},"_claim_sources":{"userinfo":{"endpoint":"https://a.test/userinfo"}}}"""
                    : full.GetRawText());
        });

    [Fact]
    public void So_many_memberships_as_are_enough_to_exceed_a_budget_exceed_it_whatever_they_say() => Worlds.ForAll(
        from budget in Gen.Choose(0, 5000)
        from scopes in Worlds.Scopes()
        select (Budget: budget, Scopes: scopes),
        static x =>
        {
            MembershipFacts smallest = Worlds.FactsOf(Worlds.Membership(
                Worlds.Organization(1, OrganizationStatus.Active), MembershipStatus.Active, x.Scopes, joinedDay: 0)) with { JoinedAt = DateTimeOffset.UnixEpoch };
            return OrganizationArray.IsLarger(Enumerable.Repeat(smallest, OrganizationArray.EnoughToExceed(x.Budget)), x.Budget);
        });

    private static string Said(string token) => Said(Jwts.ClaimsOf(token));

    private static string Said(OrganizationProjection organizations) => Said(Json(organizations));

    private static JsonElement Json(OrganizationProjection organizations)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            organizations.WriteTo(json);
            json.WriteEndObject();
        }

        return JsonElement.Parse(stream.ToArray());
    }

    private static string Said(JsonElement token) => string.Join(
        '\n', Claims.Where(name => token.TryGetProperty(name, out JsonElement _)).Select(name => $"{name} {token.GetProperty(name).GetRawText()}"));
}
