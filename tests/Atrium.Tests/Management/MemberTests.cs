using System.Text.Json;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

public class MemberTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly ManagementCalls api = new(server);
    private readonly World world = new(server);

    [Fact]
    public async Task A_member_is_made_shown_changed_and_removed()
    {
        (string path, User user) = await NewAsync(new OrganizationSettings { DefaultMemberScopes = ["member", "reader"] });
        ManagementAnswer made = (await api.PostAsync(path, new { user_id = user.Id.ToString(), title = "Founder", metadata = new { seat = "7" } })).Expect(201);
        made.Data.GetProperty("scopes").GetRawText().ShouldBe("""["member","reader"]""", "none were named");
        (made["user_id"], made["status"], made["title"]).ShouldBe((user.Id.ToString(), "active", "Founder"));
        string member = $"{path}/{user.Id}";
        (await api.GetAsync(member)).Expect(200).Text.ShouldBe(made.Text);
        (await api.GetAsync(path)).Expect(200).Ids.ShouldBe([made.Id]);
        (await api.GetAsync($"/users/{user.Id}/memberships?status=active")).Expect(200).Ids.ShouldBe([made.Id]);
        (await api.PostAsync(path, new { user_id = user.Id.ToString() })).Expect(409, "conflict");

        ManagementAnswer changed = (await api.PatchAsync(member, new { scopes = new[] { "owner" }, title = (string?)null, metadata = new { floor = "2" } })).Expect(200);
        changed.Data.GetProperty("scopes").GetRawText().ShouldBe("""["owner"]""");
        changed["title"].ShouldBeNull();
        changed.Data.GetProperty("metadata").GetRawText().ShouldBe("""{"seat":"7","floor":"2"}""");
        (await api.PatchAsync(member, new { title = "Stale" }, ("If-Match", made.ETag))).Expect(412);
        (await api.PatchAsync(member, new { user_id = user.Id.ToString() })).Expect(422).WrongFields.ShouldBe(["/user_id"]);

        (await api.DeleteAsync(member)).Expect(204);
        (await api.GetAsync(member)).Expect(404, "not_found");
        (await api.GetAsync($"/users/{user.Id}/memberships")).Items.ShouldBeEmpty();
        JsonElement[] events = [.. (await api.GetAsync($"/events?user_id={user.Id}&types=organization.membership.*")).Expect(200).Items];
        events.Select(static item => item.GetProperty("type").GetString()).ShouldBe(["organization.membership.deleted", "organization.membership.updated", "organization.membership.created"]);
        events[1].GetProperty("changed").EnumerateArray().Select(static name => name.GetString()).ShouldBe(["scopes", "title", "metadata"]);
    }

    [Fact]
    public async Task A_pending_member_joins_when_they_become_active()
    {
        (string path, User user) = await NewAsync();
        ManagementAnswer pending = (await api.PostAsync(path, new { user_id = user.Id.ToString(), status = "pending" })).Expect(201);
        (await api.GetAsync($"{path}?status=pending")).Ids.ShouldBe([pending.Id]);
        (await api.GetAsync($"{path}?status=active")).Items.ShouldBeEmpty();
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        ManagementAnswer active = (await api.PatchAsync($"{path}/{user.Id}", new { status = "active" })).Expect(200);
        active.Data.GetProperty("joined_at").GetInt64().ShouldBe(server.Clock.GetUtcNow().ToUnixTimeMilliseconds());
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        (await api.PatchAsync($"{path}/{user.Id}", new { status = "suspended" })).Expect(200);
        (await api.PatchAsync($"{path}/{user.Id}", new { status = "active" })).Expect(200).Data.GetProperty("joined_at").GetInt64()
            .ShouldBe(active.Data.GetProperty("joined_at").GetInt64(), "they came back, and joined once");
    }

    [Fact]
    public async Task An_organization_has_no_more_members_than_it_may_however_many_join_at_once()
    {
        Organization organization = await world.NewOrganizationAsync($"o{Guid.NewGuid():n}", new OrganizationSettings { MaxMembers = 3 });
        string path = $"/organizations/{organization.Id}/members";
        User[] people = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => world.PersonAsync($"{Guid.NewGuid():n}@example.test")));
        ManagementAnswer[] answers = await Task.WhenAll(people.Select(person => api.PostAsync(path, new { user_id = person.Id.ToString() })));
        answers.Count(static answer => answer.Status == 201).ShouldBe(3);
        answers.Count(static answer => answer.Status == 409).ShouldBe(9);
        ManagementAnswer members = (await api.GetAsync(path)).Expect(200);
        members.Items.Count.ShouldBe(3);

        // A suspended member keeps the seat; one who leaves makes room, and a member who is there is told so though it is full.
        string someone = members.Items[0].GetProperty("user_id").GetString()!;
        User outside = people.First(person => members.Items.All(item => item.GetProperty("user_id").GetString() != person.Id.ToString()));
        (await api.PatchAsync($"{path}/{someone}", new { status = "suspended" })).Expect(200);
        (await api.PostAsync(path, new { user_id = outside.Id.ToString() })).Expect(409).Text.ShouldContain("max_members");
        (await api.PostAsync(path, new { user_id = someone })).Expect(409).Text.ShouldContain("already");
        (await api.DeleteAsync($"{path}/{someone}")).Expect(204);
        (await api.PostAsync(path, new { user_id = outside.Id.ToString() })).Expect(201);

        // A maximum below what is there throws nobody out.
        (await api.PatchAsync($"/organizations/{organization.Id}", new { settings = new { max_members = 1 } })).Expect(200);
        (await api.GetAsync(path)).Items.Count.ShouldBe(3);
        (await api.PatchAsync($"/organizations/{organization.Id}", new { settings = new { max_members = (int?)null } })).Expect(200);
        (await api.PostAsync(path, new { user_id = someone })).Expect(201);
    }

    [Fact]
    public async Task Pages_of_members_neither_skip_nor_repeat_while_people_join()
    {
        (string path, _) = await NewAsync();
        List<string> made = [];
        for (int i = 0; i < 5; i++)
            made.Add((await api.PostAsync(path, new { user_id = (await world.PersonAsync($"{Guid.NewGuid():n}@example.test")).Id.ToString() })).Expect(201).Id);
        ManagementAnswer first = (await api.GetAsync($"{path}?limit=2")).Expect(200);
        (await api.PostAsync(path, new { user_id = (await world.PersonAsync($"{Guid.NewGuid():n}@example.test")).Id.ToString() })).Expect(201);
        ManagementAnswer second = (await api.GetAsync($"{path}?limit=3&cursor={first.NextCursor}")).Expect(200);
        first.Ids.Concat(second.Ids).ShouldBe(Enumerable.Reverse(made));
        second.HasMore.ShouldBeFalse();
    }

    [Fact]
    public async Task Strangers_are_nobody_and_other_realms_organizations_are_not_there()
    {
        (string path, User user) = await NewAsync();
        (await api.PostAsync(path, new { user_id = $"usr_{new string('0', 25)}" })).Expect(422).WrongFields.ShouldBe(["/user_id"]);
        string kim = (await world.UserAsync("kim@example.test", "globex")).Id.ToString();
        (await api.PostAsync(path, new { user_id = kim })).Expect(422).WrongFields.ShouldBe(["/user_id"]);
        (await api.PostAsync(path, new { user_id = user.Id.ToString() })).Expect(201);
        foreach (string foreign in new[] { path, $"{path}/{user.Id}", $"/users/{user.Id}/memberships" })
            (await api.Globex.GetAsync(foreign)).Expect(404, "not_found");
        (await api.Globex.PatchAsync($"{path}/{user.Id}", new { title = "x" })).Expect(404);
        (await api.Globex.DeleteAsync($"{path}/{user.Id}")).Expect(404);
        (await api.Globex.PostAsync(path, new { user_id = kim })).Expect(404);
        string elsewhere = (await NewAsync()).Path;
        (await api.GetAsync($"{elsewhere}/{user.Id}")).Expect(404, "not_found");
    }

    private async Task<(string Path, User User)> NewAsync(OrganizationSettings? settings = null)
    {
        Organization organization = await world.NewOrganizationAsync($"o{Guid.NewGuid():n}", settings);
        return ($"/organizations/{organization.Id}/members", await world.PersonAsync($"{Guid.NewGuid():n}@example.test"));
    }
}

public sealed class PostgresMemberTests(PostgresDemoServer server) : MemberTests(server), IClassFixture<PostgresDemoServer>;
