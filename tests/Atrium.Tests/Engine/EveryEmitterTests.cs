using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

/// <summary>
/// Random people in random organizations at random clients, through the whole server: whoever says something about organizations (the token of a
/// code, of a refresh, the ID tokens, userinfo, introspection of either token, explain) says what the others say.
/// </summary>
public sealed class EveryEmitterTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const int Organizations = 6;
    private const string Secret = "the-secret-of-every-random-client";

    private readonly Harness.World world = new(server);
    private readonly ManagementCalls api = new(server);

    private static Gen<Case> Cases { get; } =
        from memberships in Gen.CollectToArray(Enumerable.Range(0, Organizations).Select(static _ => AnyMembership()))
        from policy in Worlds.Of(OrganizationPolicy.All, OrganizationPolicy.All, OrganizationPolicy.Allowlist, OrganizationPolicy.None)
        from allowed in Gen.SubListOf(0, 1, 2, 3, 4, 5)
        from budget in Worlds.Of(256, 256, 256, 400, 4096)
        from selected in Worlds.Of<int?>(null, null, null, null, null, null, 0, 1, 2, 3, 4, 5)
        from scope in Worlds.Of("openid profile email", "openid", "email", "")
        select new Case(memberships, policy, [.. allowed], budget, selected, scope);

    [Fact]
    public async Task Whatever_speaks_of_organizations_says_the_same()
    {
        Organization[] organizations =
        [
            await world.NewOrganizationAsync("open-one"),
            await world.NewOrganizationAsync("open-two"),
            await world.NewOrganizationAsync("open-three"),
            await world.NewOrganizationAsync("strict", new OrganizationSettings { MfaRequired = true }),
            await world.NewOrganizationAsync("by-connection", new OrganizationSettings { SsoOnly = true }),
            await world.NewOrganizationAsync("suspended"),
        ];
        (await api.PatchAsync($"/organizations/{organizations[^1].Id}", new { status = "suspended" })).Expect(200);
        int issued = 0, elsewhere = 0;
        foreach (Case one in Cases.Sample(80))
        {
            if (await OfOneAsync(one, organizations) is not { } isElsewhere)
                continue;
            issued++;
            elsewhere += isElsewhere ? 1 : 0;
        }

        issued.ShouldBeGreaterThan(15, "most of them get tokens");
        elsewhere.ShouldBeGreaterThan(1, "and some of these are over the budget");
    }

    /// <summary>Whether the tokens say that the organizations are elsewhere; null where there are none.</summary>
    private async Task<bool?> OfOneAsync(Case one, Organization[] organizations)
    {
        string about = one.ToString();
        string client = (await world.ClientAsync(
            $"random-{Guid.NewGuid():n}",
            new ClientSettings
            {
                Restrictions = new() { Organizations = new() { Policy = one.Policy, AllowedOrgIds = [.. one.Allowed.Select(i => organizations[i].Id.ToString())] } },
                Tokens = new() { OrganizationBudgetBytes = one.Budget },
            },
            static client => client with { Type = ClientType.Web, SecretHash = new Core.Secret(Secret).Hash() })).ClientId;
        User user = await world.PersonAsync($"{Guid.NewGuid():n}@example.test");
        foreach ((AnyOf membership, Organization organization) in one.Memberships.Zip(organizations).Where(static pair => pair.First.Exists))
        {
            await world.JoinAsync(user.Id, organization.Id, membership.Status, [.. membership.Scopes]);
            await world.ChangeAsync(user, organization, stored => stored with { Title = membership.Title });
        }

        string? selected = one.Selected is { } index ? organizations[index].Id.ToString() : null;
        OAuthBrowser browser = new(server);
        (string, string?)[] changes = [("client_id", client), ("scope", one.Scope.Length == 0 ? null : one.Scope), ("org", selected)];
        using HttpResponseMessage begun = await browser.GetAsync(OAuthBrowser.Authorize(changes));
        string location = begun.Headers.Location!.OriginalString;
        JsonElement explained = (await api.PostAsync("/explain/sign-in", new { user = user.Email, client_id = client, organization = selected })).Expect(200).Data;
        if (location.StartsWith("http://localhost:3000", StringComparison.Ordinal))
        {
            explained.GetProperty("claims").ValueKind.ShouldBe(JsonValueKind.Null, about);
            return null;
        }

        HostedForm form = await browser.FollowAsync(begun);
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, user.Email);
        if (!done.Headers.Location!.OriginalString.StartsWith("http://localhost:3000", StringComparison.Ordinal))
            return null; // There is another page before it is over, such as the second factor's.
        Arrival arrival = Arrival.At(done);
        (string, string)[] authentication = [("client_id", client), ("client_secret", Secret)];
        TokenReply tokens = await browser.TokenAsync(
            [
                .. authentication, ("grant_type", "authorization_code"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback),
                ("code_verifier", OAuthBrowser.Verifier),
            ]);
        if (explained.GetProperty("claims").ValueKind == JsonValueKind.Null)
        {
            tokens.Error.ShouldBe("invalid_grant", about);
            return null;
        }

        tokens.Status.ShouldBe(HttpStatusCode.OK, about);
        TokenReply refreshed = await browser.TokenAsync([.. authentication, ("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken)]);
        string said = Said(tokens.Access);
        Said(explained.GetProperty("claims")).ShouldBe(said, about);
        Said(refreshed.Access).ShouldBe(said, about);
        bool isOpenId = one.Scope.Contains("openid", StringComparison.Ordinal);
        if (isOpenId)
        {
            Said(tokens.Identity).ShouldBe(said, about);
            Said(refreshed.Identity).ShouldBe(said, about);
        }

        bool isElsewhere = tokens.Access.TryGetProperty("_claim_names", out _);
        JsonElement full = await IntrospectAsync(refreshed.AccessToken);
        Said(await IntrospectAsync(refreshed.RefreshToken)).ShouldBe(Said(full), about);
        (HttpStatusCode status, JsonElement info, _) = await browser.UserInfoAsync(refreshed.AccessToken);
        status.ShouldBe(isOpenId || isElsewhere ? HttpStatusCode.OK : HttpStatusCode.Forbidden, about);
        if (status == HttpStatusCode.OK)
            Said(info).ShouldBe(Said(full), about);
        if (!isElsewhere)
            Said(full).ShouldBe(said, about);
        else
            full.GetProperty("organizations").GetRawText().Length.ShouldBeGreaterThan(one.Budget, about);
        return isElsewhere;

        async Task<JsonElement> IntrospectAsync(string token) => (await browser.TokenAtAsync($"{OAuthBrowser.Root}/introspect", [.. authentication, ("token", token)])).Json;
    }

    private static string Said(JsonElement json) => string.Join(
        '\n',
        json.EnumerateObject().Where(static member => member.Name is "organizations" or "_claim_names" or "_claim_sources" or "org_id")
            .Select(static member => $"{member.Name} {member.Value.GetRawText()}"));

    private static Gen<AnyOf> AnyMembership() =>
        from exists in Gen.Frequency((4, Gen.Constant(true)), (1, Gen.Constant(false)))
        from status in Worlds.Of(MembershipStatus.Active, MembershipStatus.Active, MembershipStatus.Active, MembershipStatus.Suspended, MembershipStatus.Pending)
        from scopes in Worlds.Scopes()
        from title in Worlds.Of(null, "Founder", "\"<&'\u2028ü")
        select new AnyOf(exists, status, [.. scopes.Distinct()], title);

    private sealed record AnyOf(bool Exists, MembershipStatus Status, string[] Scopes, string? Title);

    private sealed record Case(AnyOf[] Memberships, OrganizationPolicy Policy, int[] Allowed, int Budget, int? Selected, string Scope)
    {
        public override string ToString() =>
            $"""
            policy {Policy} [{string.Join(' ', Allowed)}] budget {Budget} selected {Selected} scope {Scope}
            {string.Join('\n', Memberships.Select(static (membership, i) => $"  {i} {membership.Exists} {membership.Status} {membership.Title} [{string.Join(' ', membership.Scopes)}]"))}
            """;
    }
}
