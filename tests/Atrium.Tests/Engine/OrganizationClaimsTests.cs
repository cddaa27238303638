using System.Text;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

public sealed class OrganizationClaimsTests
{
    private static readonly Gen<(World World, TokenProfile Profile, OrganizationChoice Choice, bool OnPath)> Cases =
        from world in Worlds.Any.Generator
        from profile in Worlds.AnyProfile()
        from choice in Worlds.AnyChoice()
        from onPath in Worlds.Of(true, false)
        select (world, profile, choice, onPath);

    [Fact]
    public void Nothing_suspended_appears_in_any_profile() => ForAllClaims(static (world, _, _, claims) =>
        SpokenOf(claims).All(id => world.Memberships.Any(entry => entry.IsEffective && entry.Organization.Id == id)));

    [Fact]
    public void A_selection_never_widens() => ForAllClaims(static (_, _, choice, claims) =>
        choice.Selected is not { } selected || SpokenOf(claims).All(id => id == selected));

    [Fact]
    public void The_clients_restriction_is_never_exceeded() => ForAllClaims(static (world, _, _, claims) =>
        SpokenOf(claims).All(world.Restriction.Allows));

    [Fact]
    public void Without_a_choice_or_with_none_no_organization_is_spoken_of() => ForAllClaims(static (_, _, choice, claims) =>
        (choice != OrganizationChoice.Unchosen && choice != OrganizationChoice.NoOrganization) || !SpokenOf(claims).Any());

    [Fact]
    public void Every_membership_that_is_effective_allowed_and_open_is_there_when_all_are_asked_for() => ForAllClaims(static (world, _, choice, claims) =>
        claims is not OrganizationClaims.Many many
        || choice != OrganizationChoice.AllMemberships
        || many.Memberships.Count == world.Memberships.Count(entry => world.IsOpen(entry) && world.Restriction.Allows(entry.Organization.Id)));

    [Fact]
    public void Nothing_is_said_of_an_organization_whose_policy_is_not_met() => ForAllClaims(static (world, _, _, claims) =>
        SpokenOf(claims).All(id => world.IsOpen(world.Memberships.Single(entry => entry.Organization.Id == id))));

    [Fact]
    public void Whoever_shows_more_is_never_in_fewer_organizations() => ForAllClaims(static (world, profile, choice, claims) =>
    {
        World more = world with { SignIn = world.SignIn with { Proofs = [.. world.SignIn.Proofs, .. Everything(world)] } };
        return SpokenOf(claims).All(SpokenOf(more.Resolve(profile, choice)).Contains);
    });

    [Fact]
    public void Whoever_shows_everything_is_in_each_organization_that_takes_it() => ForAllClaims(static (world, _, choice, claims) =>
    {
        World all = world with { SignIn = world.SignIn with { Proofs = Everything(world) } };
        return choice != OrganizationChoice.AllMemberships
            || all.Resolve(TokenProfile.MultiOrg, choice) is not OrganizationClaims.Many many
            || world.Memberships
                .Where(entry => entry.IsEffective && world.Restriction.Allows(entry.Organization.Id) && TakesEverything(entry.Organization.Settings))
                .All(entry => many.Memberships.Any(spoken => spoken.OrganizationId == entry.Organization.Id));
    });

    [Fact]
    public void Multi_org_is_always_an_array_unless_the_clients_policy_is_none() => ForAllClaims(static (world, profile, choice, claims) =>
    {
        if (profile != TokenProfile.MultiOrg)
            return true;
        JsonElement json = Json(claims);
        return world.Restriction.Policy == OrganizationPolicy.None
            ? !json.TryGetProperty("organizations", out JsonElement _)
            : json.GetProperty("organizations").ValueKind == JsonValueKind.Array;
    });

    [Fact]
    public void The_oldest_membership_comes_first() => ForAllClaims(static (_, _, _, claims) =>
        claims is not OrganizationClaims.Many many
        || many.Memberships.Zip(many.Memberships.Skip(1)).All(static pair => pair.First.JoinedAt <= pair.Second.JoinedAt));

    [Fact]
    public void The_order_does_not_depend_on_the_order_of_reading() =>
        Worlds.ForAll(
            from pair in Worlds.Shuffled()
            from profile in Worlds.AnyProfile()
            from choice in Worlds.AnyChoice()
            select (pair.World, pair.Shuffled, Profile: profile, Choice: choice),
            static x => Text(x.World.Resolve(x.Profile, x.Choice)) == Text(x.Shuffled.Resolve(x.Profile, x.Choice)));

    [Fact]
    public void A_suspended_membership_elsewhere_changes_nothing() => Worlds.ForAll(Cases, static x =>
    {
        MembershipInOrganization suspended = Worlds.Membership(
            Worlds.Organization(99, OrganizationStatus.Active), MembershipStatus.Suspended, ["owner"], 9);
        World with = x.World with { Memberships = [suspended, .. x.World.Memberships] };
        return Text(with.Resolve(x.Profile, x.Choice, x.OnPath)) == Text(x.World.Resolve(x.Profile, x.Choice, x.OnPath));
    });

    [Fact]
    public void Profiles_of_one_organization_end_with_it_and_multi_org_does_not() => ForAllClaims(static (world, profile, choice, claims) =>
    {
        bool over = choice.Selected is { } selected
            && !world.Memberships.Any(entry => world.IsOpen(entry) && entry.Organization.Id == selected && world.Restriction.Allows(selected));
        return claims is OrganizationClaims.Ended == (over && profile != TokenProfile.MultiOrg);
    });

    [Fact]
    public void What_is_issued_resolves_the_same_through_the_facts_of_a_grant() =>
        Worlds.ForAll(Cases, static x =>
            Text(x.World.GrantFacts(x.Profile, x.Choice, x.OnPath).OrganizationsAt(x.World.Now)) == Text(x.World.Resolve(x.Profile, x.Choice, x.OnPath)));

    [Fact]
    public void The_array_has_the_shape_of_the_contract()
    {
        MembershipInOrganization founder = Worlds.Membership(
            Worlds.Organization(1, OrganizationStatus.Active), MembershipStatus.Active, ["owner", "billing:write"], 2, "Founder");
        MembershipInOrganization member = Worlds.Membership(
            Worlds.Organization(2, OrganizationStatus.Active), MembershipStatus.Active, [], 1);
        Text(new OrganizationClaims.Many([Worlds.FactsOf(founder), Worlds.FactsOf(member)])).ShouldBe(
            $$"""{"organizations":[{"id":"{{founder.Organization.Id}}","title":"Founder","scopes":["owner","billing:write"],"joined_at":{{founder.Membership.JoinedAt.ToUnixTimeSeconds()}}},{"id":"{{member.Organization.Id}}","title":null,"scopes":[],"joined_at":{{member.Membership.JoinedAt.ToUnixTimeSeconds()}}}]}""");
    }

    [Fact]
    public void Roles_and_permissions_together_hold_every_scope() => ForAllScopes(static (scopes, _, split, permissions) =>
        scopes.All(scope => split.Contains(scope) || permissions.Contains(scope)));

    [Fact]
    public void Roles_are_scopes_and_nothing_is_said_twice() => ForAllScopes(static (scopes, _, split, permissions) =>
        split.All(scopes.Contains) && split.Distinct().Count() == split.Count && permissions.Distinct().Count() == permissions.Count);

    [Fact]
    public void Whoever_has_a_scope_has_a_role_and_the_first_is_the_first_that_is_named() => ForAllScopes(static (scopes, roles, split, _) =>
    {
        string? primary = scopes.FirstOrDefault(scope => roles.Any(role => role.Slug == scope)) ?? (scopes is [var first, ..] ? first : null);
        return (split is [var held, ..] ? held : null) == primary;
    });

    [Fact]
    public void A_permission_comes_from_a_role_that_is_held_or_is_a_scope() => ForAllScopes(static (scopes, roles, split, permissions) =>
        permissions.All(permission =>
            scopes.Contains(permission) || roles.Any(role => split.Contains(role.Slug) && role.Permissions.Contains(permission))));

    [Fact]
    public void Every_permission_of_a_role_that_is_held_is_there() => ForAllScopes(static (_, roles, split, permissions) =>
        roles.Where(role => split.Contains(role.Slug)).SelectMany(static role => role.Permissions).All(permissions.Contains));

    [Fact]
    public void An_organizations_own_role_stands_in_for_the_realms_there_and_nowhere_else()
    {
        IReadOnlyList<Role> roles = [Worlds.RoleOf("admin", ["all:read"]), Worlds.RoleOf("admin", ["own:write"], organization: 1)];
        foreach (IReadOnlyList<Role> inAnyOrder in new[] { roles, [.. roles.Reverse()] })
        {
            OrganizationClaims.SplitScopes(Worlds.IdOf<Organization>(1), ["admin"], inAnyOrder).Permissions.ShouldBe(["own:write"]);
            OrganizationClaims.SplitScopes(Worlds.IdOf<Organization>(2), ["admin"], inAnyOrder).Permissions.ShouldBe(["all:read"]);
        }
    }

    [Fact]
    public void Roles_of_other_organizations_change_nothing() => Worlds.ForAll(
        from scopes in Worlds.Scopes()
        from roles in Worlds.AnyRoles()
        select (Scopes: scopes, Roles: roles),
        static x =>
        {
            Id<Organization> organization = Worlds.IdOf<Organization>(1);
            IReadOnlyList<Role> seen = [.. x.Roles.Where(role => role.OrganizationId is null || role.OrganizationId == organization)];
            var all = OrganizationClaims.SplitScopes(organization, x.Scopes, x.Roles);
            var own = OrganizationClaims.SplitScopes(organization, x.Scopes, seen);
            return all.Roles.SequenceEqual(own.Roles) && all.Permissions.SequenceEqual(own.Permissions);
        });

    /// <summary>Everything that can be shown, just now.</summary>
    private static IReadOnlyList<Proof> Everything(World world) => [.. Enum.GetValues<AuthenticationMethod>().Select(method => new Proof(method, world.Now))];

    private static bool TakesEverything(OrganizationSettings settings) =>
        !settings.SsoOnly
        && settings.AllowedMethods?.Contains(AuthenticationMethod.Password) != false
        && (!settings.MfaRequired || settings.AllowedMethods?.Contains(AuthenticationMethod.Totp) != false);

    private static void ForAllClaims(Func<World, TokenProfile, OrganizationChoice, OrganizationClaims, bool> holds) =>
        Worlds.ForAll(Cases, x => holds(x.World, x.Profile, x.Choice, x.World.Resolve(x.Profile, x.Choice, x.OnPath)));

    private static void ForAllScopes(Func<IReadOnlyList<string>, IReadOnlyList<Role>, IReadOnlyList<string>, IReadOnlyList<string>, bool> holds) =>
        Worlds.ForAll(
            from scopes in Worlds.Scopes()
            from roles in Worlds.AnyRoles()
            select (Scopes: scopes, Roles: roles),
            x =>
            {
                (IReadOnlyList<string> split, IReadOnlyList<string> permissions) = OrganizationClaims.SplitScopes(Worlds.IdOf<Organization>(1), x.Scopes, x.Roles);
                return holds(x.Scopes, [.. Role.In(Worlds.IdOf<Organization>(1), x.Roles).Values], split, permissions);
            });

    /// <summary>Read back from the JSON, so that the law is about what goes out. The realm's own id names no organization.</summary>
    private static IEnumerable<Id<Organization>> SpokenOf(OrganizationClaims claims)
    {
        JsonElement json = Json(claims);
        IEnumerable<string?> ids = json.TryGetProperty("organizations", out JsonElement many)
            ? many.EnumerateArray().Select(static entry => entry.GetProperty("id").GetString())
            : new[] { "org_id", "user_org" }.Select(name => json.TryGetProperty(name, out JsonElement value) ? value.GetString() : null);
        return ids.Select(static id => Id<Organization>.Parse(id)).OfType<Id<Organization>>();
    }

    private static JsonElement Json(OrganizationClaims claims) => JsonElement.Parse(Text(claims));

    private static string Text(OrganizationClaims claims)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            claims.InFull().WriteTo(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
