using System.Net;
using System.Text.Json;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

public class RoleTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly ManagementCalls api = new(server);
    private readonly World world = new(server);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_role_is_made_shown_changed_and_deleted(bool ofOrganization)
    {
        string? organization = ofOrganization ? (await world.NewOrganizationAsync(Unique())).Id.ToString() : null;
        string path = organization is null ? "/roles" : $"/organizations/{organization}/roles";
        string slug = Unique();
        ManagementAnswer made = (await api.PostAsync(path, new { slug, name = "Auditor", permissions = new[] { "books:read" } })).Expect(201);
        (made["slug"], made["organization_id"]).ShouldBe((slug, organization));
        (await api.GetAsync($"{path}/{slug}")).Expect(200).Text.ShouldBe(made.Text);
        (await api.PostAsync(path, new { slug, name = "Again" })).Expect(409, "conflict");
        ManagementAnswer changed = (await api.PatchAsync($"{path}/{slug}", new { permissions = new[] { "books:read", "books:write" } }, ("If-Match", made.ETag))).Expect(200);
        (changed["name"], changed.Data.GetProperty("permissions").GetArrayLength()).ShouldBe(("Auditor", 2));
        (await api.PatchAsync($"{path}/{slug}", new { name = "Stale" }, ("If-Match", made.ETag))).Expect(412);
        (await api.PatchAsync($"{path}/{slug}", new { slug = "other" })).Expect(422).WrongFields.ShouldBe(["/slug"]);
        (await api.Globex.GetAsync($"{path}/{slug}")).Expect(404, "not_found");
        (await api.DeleteAsync($"{path}/{slug}")).Expect(204);
        (await api.GetAsync($"{path}/{slug}")).Expect(404, "not_found");
        (await api.DeleteAsync($"{path}/{slug}")).Expect(404, "not_found");

        string kind = ofOrganization ? "organization.role" : "role";
        (await api.GetAsync($"/events?types={kind}.*&limit=3")).Items.Select(static item => item.GetProperty("type").GetString())
            .ShouldBe([$"{kind}.deleted", $"{kind}.updated", $"{kind}.created"]);
    }

    [Fact]
    public async Task Roles_are_listed_page_by_page_in_the_order_of_their_slugs()
    {
        string path = $"/organizations/{(await world.NewOrganizationAsync(Unique())).Id}/roles";
        foreach (string slug in new[] { "c", "a", "b:write", "d" })
            (await api.PostAsync(path, new { slug, name = slug })).Expect(201);
        ManagementAnswer first = (await api.GetAsync($"{path}?limit=2")).Expect(200);
        SlugsOf(first).ShouldBe(["a", "b:write"]);
        (await api.PostAsync(path, new { slug = "aa", name = "Behind the cursor" })).Expect(201);
        ManagementAnswer second = (await api.GetAsync($"{path}?limit=2&cursor={Uri.EscapeDataString(first.NextCursor!)}")).Expect(200);
        SlugsOf(second).ShouldBe(["c", "d"]);
        (second.HasMore, second.NextCursor).ShouldBe((false, null));
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("..")]
    [InlineData("é")]
    [InlineData("")]
    public async Task What_can_stand_in_no_path_is_no_slug(string slug) =>
        (await api.PostAsync("/roles", new { slug, name = "x" })).Expect(422).WrongFields.ShouldBe(["/slug"]);

    [Fact]
    public async Task An_organizations_own_role_counts_there_in_place_of_the_realms()
    {
        AuthKitCalls door = new(server);
        string slug = Unique();
        Organization here = await world.NewOrganizationAsync(Unique());
        Organization there = await world.NewOrganizationAsync(Unique());
        User user = await world.PersonAsync($"{Guid.NewGuid():n}@example.test");
        await world.JoinAsync(user, here, slug, "extra:read");
        await world.JoinAsync(user, there, slug);
        (await api.PostAsync("/roles", new { slug, name = "Realm's", permissions = new[] { "all:read" } })).Expect(201);
        (await api.PostAsync($"/organizations/{here.Id}/roles", new { slug, name = "Own", permissions = new[] { "own:write" } })).Expect(201);

        Answer signedIn = (await door.SelectAsync(await door.PendingTokenOfAsync(user.Email), here.Id.ToString())).ShouldBe(HttpStatusCode.OK);
        Said(signedIn).ShouldBe((slug, "own:write extra:read"));
        Answer moved = (await door.RefreshAsync(signedIn["refresh_token"], there.Id.ToString())).ShouldBe(HttpStatusCode.OK);
        Said(moved).ShouldBe((slug, "all:read"));

        (await api.PatchAsync($"/roles/{slug}", new { permissions = new[] { "less:read" } })).Expect(200);
        Answer refreshed = (await door.RefreshAsync(moved["refresh_token"])).ShouldBe(HttpStatusCode.OK);
        Said(refreshed).ShouldBe((slug, "less:read"));
        (await api.DeleteAsync($"/roles/{slug}")).Expect(204);
        Said((await door.RefreshAsync(refreshed["refresh_token"])).ShouldBe(HttpStatusCode.OK)).ShouldBe((slug, ""), "the scope stays, and brings nothing");
        Answer listed = await door.GetAsync($"/user_management/organization_memberships?user_id={user.Id}&organization_id={here.Id}");
        listed.Json.GetProperty("data")[0].GetProperty("role").GetProperty("slug").GetString().ShouldBe(slug);
    }

    [Fact]
    public async Task A_member_is_given_an_organizations_own_role_at_the_AuthKit_door()
    {
        AuthKitCalls door = new(server);
        Organization organization = await world.NewOrganizationAsync(Unique());
        Organization other = await world.NewOrganizationAsync(Unique());
        User user = await world.PersonAsync($"{Guid.NewGuid():n}@example.test");
        string slug = Unique();
        (await api.PostAsync($"/organizations/{organization.Id}/roles", new { slug, name = "Own" })).Expect(201);
        (await JoinAsync(other)).ShouldBe(HttpStatusCode.UnprocessableEntity, "invalid_role");
        (await JoinAsync(organization)).ShouldBe(HttpStatusCode.Created);

        Task<Answer> JoinAsync(Organization into) => door.PostAsync(
            "/user_management/organization_memberships", new { user_id = user.Id.ToString(), organization_id = into.Id.ToString(), role_slug = slug });
    }

    private static string Unique() => $"r{Guid.NewGuid():n}"[..20];

    private static IEnumerable<string?> SlugsOf(ManagementAnswer page) => page.Items.Select(static item => item.GetProperty("slug").GetString());

    private static (string? Role, string Permissions) Said(Answer tokens)
    {
        JsonElement claims = AuthKitCalls.ClaimsOf(tokens);
        return (claims.GetProperty("role").GetString(), string.Join(' ', claims.GetProperty("permissions").EnumerateArray().Select(static one => one.GetString())));
    }
}

public sealed class PostgresRoleTests(PostgresDemoServer server) : RoleTests(server), IClassFixture<PostgresDemoServer>;
