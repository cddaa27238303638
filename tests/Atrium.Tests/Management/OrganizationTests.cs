using System.Text.Json;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

public class OrganizationTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Path = "/organizations";

    private readonly ManagementCalls api = new(server);
    private readonly World world = new(server);

    [Fact]
    public async Task An_organization_is_made_shown_changed_and_deleted()
    {
        string name = Unique("North & Söhne");
        ManagementAnswer made = (await api.PostAsync(Path, new
        {
            name,
            external_id = Unique("ext"),
            metadata = new { plan = "gold" },
            settings = new { default_member_scopes = new[] { "member" }, mfa_required = true, allowed_methods = new[] { "password", "totp" }, max_members = 5, session_max_age = 3600 },
        })).Expect(201);
        made.Id.ShouldStartWith("org_");
        made["handle"].ShouldBe(Handles.FromName(name));
        made["status"].ShouldBe("active");
        made.Data.GetProperty("settings").GetRawText().ShouldBe(
            """{"default_member_scopes":["member"],"mfa_required":true,"allowed_methods":["password","totp"],"sso_only":false,"max_members":5,"session_max_age":3600,"allow_profiles_outside":true}""");
        ManagementAnswer shown = (await api.GetAsync($"{Path}/{made.Id}")).Expect(200);
        (shown.Text, shown.ETag).ShouldBe((made.Text, made.ETag));

        server.Clock.Advance(TimeSpan.FromSeconds(1));
        ManagementAnswer changed = (await api.PatchAsync($"{Path}/{made.Id}", new
        {
            name = "Renamed", external_id = (string?)null, metadata = new { plan = (string?)null, size = "L" }, settings = new { max_members = (int?)null, sso_only = true },
        })).Expect(200);
        (changed["name"], changed["handle"], changed["external_id"]).ShouldBe(("Renamed", made["handle"], null));
        changed.Data.GetProperty("metadata").GetRawText().ShouldBe("""{"size":"L"}""");
        JsonElement settings = changed.Data.GetProperty("settings");
        (settings.GetProperty("sso_only").GetBoolean(), settings.GetProperty("mfa_required").GetBoolean()).ShouldBe((true, true));
        settings.GetProperty("max_members").ValueKind.ShouldBe(JsonValueKind.Null);
        (await api.PatchAsync($"{Path}/{made.Id}", new { name = "Stale" }, ("If-Match", made.ETag))).Expect(412, "precondition_failed");
        (await api.PatchAsync($"{Path}/{made.Id}", new { name = "Renamed" }, ("If-Match", changed.ETag))).Expect(200).Text.ShouldBe(changed.Text, "nothing changed");

        (await api.DeleteAsync($"{Path}/{made.Id}", ("If-Match", made.ETag))).Expect(412);
        (await api.DeleteAsync($"{Path}/{made.Id}", ("If-Match", changed.ETag))).Expect(204);
        (await api.GetAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(404);
        (await TypesOfAsync(made.Id)).ShouldBe(["organization.deleted", "organization.updated", "organization.created"]);
    }

    [Fact]
    public async Task A_new_status_has_an_event_of_its_own_and_its_reason_goes_with_it()
    {
        ManagementAnswer made = await NewAsync();
        (await api.PatchAsync($"{Path}/{made.Id}", new { status = "suspended", status_reason = "Unpaid" })).Expect(200)["status_reason"].ShouldBe("Unpaid");
        (await api.GetAsync($"{Path}?status=suspended&limit=1")).Ids.ShouldBe([made.Id]);
        (await api.GetAsync($"{Path}?status=active")).Ids.ShouldNotContain(made.Id);
        ManagementAnswer active = (await api.PatchAsync($"{Path}/{made.Id}", new { status = "active", name = "Paid" })).Expect(200);
        (active["status"], active["status_reason"]).ShouldBe(("active", null));
        (await api.PatchAsync($"{Path}/{made.Id}", new { status = "deleting" })).Expect(422).WrongFields.ShouldBe(["/status"]);
        (await TypesOfAsync(made.Id)).ShouldBe(["organization.updated", "organization.activated", "organization.suspended", "organization.created"]);
    }

    [Fact]
    public async Task Everything_wrong_with_a_body_is_told_at_once_with_its_place()
    {
        ManagementAnswer refused = (await api.PostAsync(Path, new
        {
            name = " ",
            handle = "-no-",
            parent_id = "org_1",
            external_id = "ä",
            colour = "red",
            metadata = new { ok = 1 },
            settings = new { allowed_methods = Array.Empty<string>(), session_max_age = 1, default_member_scopes = new[] { "a", "a" }, more = true },
        })).Expect(422, "unprocessable");
        refused.WrongFields.Order(StringComparer.Ordinal).ShouldBe(
        [
            "/colour", "/external_id", "/handle", "/metadata/ok", "/name", "/parent_id", "/settings/allowed_methods", "/settings/default_member_scopes",
            "/settings/more", "/settings/session_max_age",
        ]);
        (await api.PostAsync(Path, new { name = "x", settings = new { mfa_required = true, allowed_methods = new[] { "password" } } }))
            .Expect(422).WrongFields.ShouldBe(["/settings/allowed_methods"]);
        ManagementAnswer made = await NewAsync();
        (await api.PatchAsync($"{Path}/{made.Id}", new { name = (string?)null, handle = (string?)null })).Expect(422).WrongFields.ShouldBe(["/name", "/handle"]);
    }

    [Fact]
    public async Task Names_that_only_one_can_have_are_taken_once()
    {
        string handle = Unique("taken");
        ManagementAnswer first = (await api.PostAsync(Path, new { name = "First", handle, external_id = handle })).Expect(201);
        (await api.PostAsync(Path, new { name = "Second", handle })).Expect(409, "conflict");
        (await api.PostAsync(Path, new { name = "Second", external_id = handle })).Expect(409, "conflict");
        (await api.PatchAsync($"{Path}/{(await NewAsync()).Id}", new { handle })).Expect(409, "conflict");
        (await api.GetAsync($"{Path}?handle={handle}")).Ids.ShouldBe([first.Id]);
        (await api.GetAsync($"{Path}?external_id={handle}")).Ids.ShouldBe([first.Id]);
        (await api.Globex.PostAsync(Path, new { name = "Theirs", handle, external_id = handle })).Expect(201);
        (await api.DeleteAsync($"{Path}/{first.Id}")).Expect(204);
        (await api.PostAsync(Path, new { name = "Second", handle, external_id = handle })).Expect(201);
    }

    [Fact]
    public async Task An_organization_belongs_to_another_without_circles_and_not_too_deep()
    {
        ManagementAnswer root = await NewAsync();
        ManagementAnswer above = root;
        for (int depth = 2; depth <= OrganizationRules.MaxDepth; depth++)
            above = (await api.PostAsync(Path, new { name = $"Level {depth}", parent_id = above.Id })).Expect(201);
        (await api.PostAsync(Path, new { name = "Too deep", parent_id = above.Id })).Expect(422).WrongFields.ShouldBe(["/parent_id"]);
        (await api.GetAsync($"{Path}?parent_id={root.Id}")).Items.ShouldHaveSingleItem().GetProperty("parent_id").GetString().ShouldBe(root.Id);

        (await api.PatchAsync($"{Path}/{root.Id}", new { parent_id = above.Id })).Expect(409, "conflict");
        (await api.PatchAsync($"{Path}/{above.Id}", new { parent_id = above.Id })).Expect(422).WrongFields.ShouldBe(["/parent_id"]);
        ManagementAnswer foreign = (await api.Globex.PostAsync(Path, new { name = "Theirs" })).Expect(201);
        (await api.PatchAsync($"{Path}/{above.Id}", new { parent_id = foreign.Id })).Expect(422).WrongFields.ShouldBe(["/parent_id"]);
        (await api.DeleteAsync($"{Path}/{root.Id}")).Expect(409, "conflict");

        (await api.PatchAsync($"{Path}/{above.Id}", new { parent_id = (string?)null })).Expect(200)["parent_id"].ShouldBeNull();
        (await api.DeleteAsync($"{Path}/{above.Id}")).Expect(204);
    }

    [Fact]
    public async Task Of_two_that_are_put_below_each_other_at_once_one_is()
    {
        for (int round = 0; round < 5; round++)
        {
            ManagementAnswer[] two = [await NewAsync(), await NewAsync()];
            ManagementAnswer[] answers = await Task.WhenAll(
                api.PatchAsync($"{Path}/{two[0].Id}", new { parent_id = two[1].Id }), api.PatchAsync($"{Path}/{two[1].Id}", new { parent_id = two[0].Id }));
            answers.Select(static answer => answer.Status).Order().ShouldBe([200, 409]);
        }
    }

    [Fact]
    public async Task A_parent_that_is_deleted_while_it_gets_a_child_has_one_or_is_gone()
    {
        for (int round = 0; round < 5; round++)
        {
            ManagementAnswer parent = await NewAsync();
            ManagementAnswer[] answers = await Task.WhenAll(
                api.DeleteAsync($"{Path}/{parent.Id}"), api.PostAsync(Path, new { name = "Child", parent_id = parent.Id }));
            (answers[0].Status, answers[1].Status).ShouldBeOneOf((204, 422), (409, 201));
        }
    }

    [Fact]
    public async Task Deleted_an_organization_leaves_nothing_but_the_people()
    {
        Organization organization = await world.NewOrganizationAsync(Unique("crowd"));
        User[] people = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => world.PersonAsync($"{Guid.NewGuid():n}@example.test", organization)));
        string path = $"{Path}/{organization.Id}";
        (await api.PostAsync($"{path}/domains", new { domain = $"{organization.Handle}.test" })).Expect(201);
        (await api.PostAsync($"{path}/roles", new { slug = "own", name = "Own" })).Expect(201);
        (await api.DeleteAsync(path)).Expect(204);
        foreach (string gone in new[] { "", "/members", $"/members/{people[0].Id}", "/domains", "/roles", "/roles/own" })
            (await api.GetAsync(path + gone)).Expect(404, "not_found");
        (await api.PostAsync($"{path}/members", new { user_id = people[0].Id.ToString() })).Expect(404);
        (await api.PostAsync($"{path}/domains", new { domain = "late.test" })).Expect(404);
        (await api.PostAsync($"{path}/roles", new { slug = "late", name = "Late" })).Expect(404);
        (await api.GetAsync($"/users/{people[0].Id}/memberships")).Expect(200).Items.ShouldBeEmpty();
    }

    [Fact]
    public async Task Another_realms_organization_is_not_found()
    {
        ManagementAnswer made = await NewAsync();
        (await api.Globex.GetAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
        (await api.Globex.PatchAsync($"{Path}/{made.Id}", new { name = "Theirs" })).Expect(404, "not_found");
        (await api.Globex.DeleteAsync($"{Path}/{made.Id}")).Expect(404, "not_found");
        (await api.Globex.GetAsync($"{Path}?handle={made["handle"]}")).Items.ShouldBeEmpty();
        (await api.GetAsync($"{Path}/org_{new string('z', 25)}")).Expect(404);
        ManagementCalls reader = api.With(await world.NewKeyAsync(null, ApiScopes.OrganizationsRead));
        (await reader.GetAsync($"{Path}/{made.Id}")).Expect(200);
        (await reader.DeleteAsync($"{Path}/{made.Id}")).Expect(403, "insufficient_scope");
    }

    [Fact]
    public async Task Sent_twice_under_one_key_it_is_made_once()
    {
        string name = Unique("Once");
        (string, string) key = ("Idempotency-Key", Guid.NewGuid().ToString());
        ManagementAnswer first = (await api.PostAsync(Path, new { name }, key)).Expect(201);
        (await api.PostAsync(Path, new { name }, key)).Expect(201).Text.ShouldBe(first.Text);
        (await api.GetAsync($"{Path}?handle={first["handle"]}-2")).Items.ShouldBeEmpty();
    }

    private static string Unique(string name) => $"{name}-{Guid.NewGuid().ToString("n")[..12]}";

    private async Task<ManagementAnswer> NewAsync() => (await api.PostAsync(Path, new { name = Unique("Organization") })).Expect(201);

    /// <summary>What the log has of an organization, newest first.</summary>
    private async Task<IEnumerable<string?>> TypesOfAsync(string id) =>
        (await api.GetAsync($"/events?organization_id={id}")).Expect(200).Items.Select(static item => item.GetProperty("type").GetString());
}

public sealed class PostgresOrganizationTests(PostgresDemoServer server) : OrganizationTests(server), IClassFixture<PostgresDemoServer>;
