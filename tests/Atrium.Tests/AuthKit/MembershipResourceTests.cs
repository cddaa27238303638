using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;
using static Atrium.Tests.AuthKit.ResourceCalls;

namespace Atrium.Tests.AuthKit;

public sealed class MembershipResourceTests(DemoServer server) : IClassFixture<DemoServer>
{
    /// <summary>Keys that the schema UserlandUserOrganizationMembership requires, and those that every answer has.</summary>
    private static readonly string[] RequiredKeys =
    [
        "object", "id", "user_id", "organization_id", "status", "directory_managed", "created_at", "updated_at", "role", "roles", "user",
        "organization_name", "custom_attributes",
    ];

    private readonly ResourceCalls api = new(server);

    [Fact]
    public async Task A_membership_is_created_with_a_role_and_read_back_the_same()
    {
        ResourceAnswer user = await api.NewUserAsync();
        ResourceAnswer organization = await api.NewOrganizationAsync(new { name = "Members Inc." });
        ResourceAnswer created = (await api.PostAsync(
            MembershipsPath,
            new { user_id = user.Id, organization_id = organization.Id, role_slug = "admin", id = "mem_0000000000000000000000001", status = "pending", scopes = new[] { "owner" } }))
            .Expect(201);
        foreach (string key in RequiredKeys)
            created.Json.TryGetProperty(key, out _).ShouldBeTrue(key);
        created["object"].ShouldBe("organization_membership");
        created.Id.ShouldMatch("^mem_[0-9a-z]{25}$");
        created.Id.ShouldNotBe("mem_0000000000000000000000001");
        created["user_id"].ShouldBe(user.Id);
        created["organization_id"].ShouldBe(organization.Id);
        created["organization_name"].ShouldBe("Members Inc.");
        created["status"].ShouldBe("active");
        RolesOf(created.Json).ShouldBe("admin [admin]");
        created.Json.GetProperty("directory_managed").GetBoolean().ShouldBeFalse();
        created.Json.GetProperty("custom_attributes").GetRawText().ShouldBe("{}");
        created.Json.GetProperty("user").GetRawText().ShouldBe(user.Text);
        (await api.GetAsync($"{MembershipsPath}/{created.Id}")).Expect(200).Text.ShouldBe(created.Text);
        (await api.GetAsync($"{MembershipsPath}?user_id={user.Id}")).Data.ShouldHaveSingleItem().GetRawText().ShouldBe(created.Text);
    }

    [Theory]
    [InlineData("""{}""", "member [member]")]
    [InlineData("""{"role_slug":null}""", "member [member]")]
    [InlineData("""{"role_slug":"owner"}""", "owner [owner]")]
    [InlineData("""{"role_slugs":["admin","member","admin"]}""", "admin [admin member]")]
    public async Task The_roles_are_those_that_were_named_or_the_default(string roles, string expected)
    {
        ResourceAnswer user = await api.NewUserAsync();
        ResourceAnswer organization = await api.NewOrganizationAsync();
        string body = $$"""{"user_id":"{{user.Id}}","organization_id":"{{organization.Id}}"{{(roles == "{}" ? "}" : "," + roles[1..])}}""";
        RolesOf((await api.SendAsync(HttpMethod.Post, MembershipsPath, body)).Expect(201).Json).ShouldBe(expected);
    }

    [Theory]
    [InlineData("""{"role_slug":"emperor"}""", "invalid_role")]
    [InlineData("""{"role_slug":""}""", "invalid_role")]
    [InlineData("""{"role_slugs":["member","emperor"]}""", "invalid_role")]
    [InlineData("""{"role_slugs":[]}""", "invalid_request_parameters")]
    [InlineData("""{"role_slugs":"member"}""", "invalid_request_parameters")]
    [InlineData("""{"role_slugs":[1]}""", "invalid_request_parameters")]
    [InlineData("""{"role_slug":["member"]}""", "invalid_request_parameters")]
    [InlineData("""{"role_slug":"member","role_slugs":["member"]}""", "invalid_request_parameters")]
    public async Task Roles_that_do_not_exist_or_are_no_roles_are_refused_and_change_nothing(string roles, string code)
    {
        ResourceAnswer user = await api.NewUserAsync();
        ResourceAnswer organization = await api.NewOrganizationAsync();
        string body = $$"""{"user_id":"{{user.Id}}","organization_id":"{{organization.Id}}",{{roles[1..]}}""";
        (await api.SendAsync(HttpMethod.Post, MembershipsPath, body)).Expect(422, code);
        (await api.GetAsync($"{MembershipsPath}?user_id={user.Id}")).Data.ShouldBeEmpty();

        ResourceAnswer membership = await api.NewMembershipAsync(user.Id, organization.Id, "admin");
        (await api.SendAsync(HttpMethod.Put, $"{MembershipsPath}/{membership.Id}", roles)).Expect(422, code);
        (await api.GetAsync($"{MembershipsPath}/{membership.Id}")).Text.ShouldBe(membership.Text);
    }

    [Fact]
    public async Task A_membership_needs_a_user_and_an_organization_of_this_realm()
    {
        ResourceAnswer user = await api.NewUserAsync();
        ResourceAnswer organization = await api.NewOrganizationAsync();
        string kim = (await api.Globex.GetAsync($"{UsersPath}?email=kim@example.test")).Ids[0];
        string initech = (await api.Globex.GetAsync($"{OrganizationsPath}?search=Initech")).Ids[0];
        foreach (string id in new[] { "nonsense", "usr_0000000000000000000000001", kim })
            (await api.PostAsync(MembershipsPath, new { user_id = id, organization_id = organization.Id })).Expect(404, "entity_not_found")["message"].ShouldBe($"User not found: '{id}'.");
        foreach (string id in new[] { "nonsense", "org_0000000000000000000000001", initech })
            (await api.PostAsync(MembershipsPath, new { user_id = user.Id, organization_id = id })).Expect(404, "entity_not_found")["message"].ShouldBe($"Organization not found: '{id}'.");
        (await api.PostAsync(MembershipsPath, new { })).Expect(422, "invalid_request_parameters").ErrorCodes.Count().ShouldBe(2);
        (await api.SendAsync(HttpMethod.Post, MembershipsPath, "", null)).Expect(422, "invalid_request_parameters");
        (await api.SendAsync(HttpMethod.Post, MembershipsPath, "{")).Expect(400, "invalid_json");
    }

    [Fact]
    public async Task A_pair_that_is_active_is_refused_one_that_is_inactive_comes_back_and_one_that_is_pending_does_not()
    {
        ResourceAnswer user = await api.NewUserAsync();
        ResourceAnswer organization = await api.NewOrganizationAsync();
        ResourceAnswer membership = await api.NewMembershipAsync(user.Id, organization.Id, "owner");
        object pair = new { user_id = user.Id, organization_id = organization.Id };
        (await api.PostAsync(MembershipsPath, pair)).Expect(400, "organization_membership_already_exists");

        await api.PutAsync($"{MembershipsPath}/{membership.Id}/deactivate", new { });
        ResourceAnswer back = (await api.PostAsync(MembershipsPath, pair)).Expect(201);
        back.Id.ShouldBe(membership.Id);
        back["status"].ShouldBe("active");
        RolesOf(back.Json).ShouldBe("owner [owner]");

        await api.PutAsync($"{MembershipsPath}/{membership.Id}/deactivate", new { });
        ResourceAnswer changed = (await api.PostAsync(MembershipsPath, new { user_id = user.Id, organization_id = organization.Id, role_slug = "admin" })).Expect(201);
        RolesOf(changed.Json).ShouldBe("admin [admin]");

        Membership pending = await api.StoredMembershipAsync(MembershipStatus.Pending, "member");
        (await api.PostAsync(MembershipsPath, new { user_id = $"{pending.UserId}", organization_id = $"{pending.OrganizationId}" }))
            .Expect(400, "cannot_reactivate_pending_organization_membership");
    }

    [Fact]
    public async Task Twenty_requests_for_one_pair_make_one_membership()
    {
        ResourceAnswer user = await api.NewUserAsync();
        ResourceAnswer organization = await api.NewOrganizationAsync();
        object pair = new { user_id = user.Id, organization_id = organization.Id };
        ResourceAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => api.PostAsync(MembershipsPath, pair)));
        answers.Count(static answer => answer.Status == 201).ShouldBe(1);
        answers.Where(static answer => answer.Status != 201).ShouldAllBe(static answer => answer.Code == "organization_membership_already_exists");
    }

    [Fact]
    public async Task New_roles_replace_the_scopes_that_name_roles_and_keep_the_others()
    {
        Membership stored = await api.StoredMembershipAsync(MembershipStatus.Active, "projects:read", "admin", "billing:write");
        string path = $"{MembershipsPath}/{stored.Id}";
        RolesOf((await api.GetAsync(path)).Json).ShouldBe("admin [admin]");
        RolesOf((await api.PutAsync(path, new { role_slug = "owner" })).Expect(200).Json).ShouldBe("owner [owner]");
        (await api.ScopesAsync(stored)).ShouldBe(["owner", "projects:read", "billing:write"]);
        RolesOf((await api.PutAsync(path, new { role_slugs = new[] { "member", "admin" } })).Expect(200).Json).ShouldBe("member [member admin]");
        (await api.ScopesAsync(stored)).ShouldBe(["member", "admin", "projects:read", "billing:write"]);
        RolesOf((await api.SendAsync(HttpMethod.Put, path, "", null)).Expect(200).Json).ShouldBe("member [member admin]");
    }

    [Fact]
    public async Task Where_no_scope_names_a_role_the_first_one_is_shown_and_without_scopes_the_role_has_no_name()
    {
        Membership unnamed = await api.StoredMembershipAsync(MembershipStatus.Active, "projects:read", "projects:write");
        RolesOf((await api.GetAsync($"{MembershipsPath}/{unnamed.Id}")).Json).ShouldBe("projects:read [projects:read]");
        Membership none = await api.StoredMembershipAsync(MembershipStatus.Active);
        RolesOf((await api.GetAsync($"{MembershipsPath}/{none.Id}")).Json).ShouldBe(" []");
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("", null)]
    [InlineData("", "application/json")]
    [InlineData("{}", "application/json; charset=utf-8")]
    public async Task Deactivating_and_reactivating_can_be_repeated_keep_the_role_and_need_no_body(string? body, string? contentType)
    {
        ResourceAnswer membership = await api.NewMembershipAsync((await api.NewUserAsync()).Id, (await api.NewOrganizationAsync()).Id, "admin");
        foreach ((string step, string status) in new[] { ("deactivate", "inactive"), ("reactivate", "active") })
        {
            server.Clock.Advance(TimeSpan.FromSeconds(1));
            ResourceAnswer once = (await api.SendAsync(HttpMethod.Put, $"{MembershipsPath}/{membership.Id}/{step}", body, contentType)).Expect(200);
            once["status"].ShouldBe(status);
            RolesOf(once.Json).ShouldBe("admin [admin]");
            server.Clock.Advance(TimeSpan.FromSeconds(1));
            (await api.SendAsync(HttpMethod.Put, $"{MembershipsPath}/{membership.Id}/{step}", body, contentType)).Expect(200).Text.ShouldBe(once.Text);
        }
    }

    [Fact]
    public async Task A_pending_membership_is_the_invited_persons_to_move()
    {
        Membership pending = await api.StoredMembershipAsync(MembershipStatus.Pending, "member");
        (await api.GetAsync($"{MembershipsPath}/{pending.Id}")).Expect(200)["status"].ShouldBe("pending");
        (await api.PutAsync($"{MembershipsPath}/{pending.Id}/deactivate", new { })).Expect(400, "cannot_deactivate_pending_organization_membership");
        (await api.PutAsync($"{MembershipsPath}/{pending.Id}/reactivate", new { })).Expect(400, "cannot_reactivate_pending_organization_membership");
        (await api.GetAsync($"{MembershipsPath}/{pending.Id}"))["status"].ShouldBe("pending");
        (await api.DeleteAsync($"{MembershipsPath}/{pending.Id}")).Expect(200);
    }

    [Theory]
    [InlineData("", "active")]
    [InlineData("&statuses=", "active")]
    [InlineData("&statuses=inactive", "inactive")]
    [InlineData("&statuses=pending", "pending")]
    [InlineData("&statuses=active,inactive", "active inactive")]
    [InlineData("&statuses=active&statuses=inactive", "active inactive")]
    [InlineData("&statuses[]=active&statuses[]=inactive", "active inactive")]
    [InlineData("&statuses[0]=active&statuses[1]=inactive", "active inactive")]
    [InlineData("&statuses%5B0%5D=active&statuses%5B1%5D=inactive", "active inactive")]
    [InlineData("&statuses[0][name]=Active&statuses[0][value]=active&statuses[1][name]=Inactive&statuses[1][value]=inactive", "active inactive")]
    [InlineData("&statuses=OrganizationMembershipCreatedDataStatus.INACTIVE", "inactive")]
    [InlineData("&statuses=active,inactive,pending", "active inactive pending")]
    public async Task The_list_shows_active_ones_unless_it_is_asked_for_others_in_any_encoding(string statuses, string expected)
    {
        ResourceAnswer user = await api.NewUserAsync();
        await api.NewMembershipAsync(user.Id, (await api.NewOrganizationAsync()).Id);
        ResourceAnswer inactive = await api.NewMembershipAsync(user.Id, (await api.NewOrganizationAsync()).Id);
        await api.PutAsync($"{MembershipsPath}/{inactive.Id}/deactivate", new { });
        await api.StoredMembershipAsync(MembershipStatus.Pending, Id<User>.Parse(user.Id), "member");
        ResourceAnswer list = (await api.GetAsync($"{MembershipsPath}?user_id={user.Id}{statuses}")).Expect(200);
        string.Join(' ', list.Data.Select(static item => item.GetProperty("status").GetString()).Order()).ShouldBe(expected);
    }

    [Fact]
    public async Task The_list_is_refused_without_a_user_or_an_organization_and_with_an_unknown_status()
    {
        foreach (string query in new[] { "", "?user_id=", "?statuses=active" })
            (await api.GetAsync($"{MembershipsPath}{query}")).Expect(400, "missing_user_id_or_organization_id");
        ResourceAnswer user = await api.NewUserAsync();
        (await api.GetAsync($"{MembershipsPath}?user_id={user.Id}&statuses=active,sleeping")).Expect(400, "invalid_request_parameters");
        (await api.GetAsync($"{MembershipsPath}?user_id={user.Id}&limit=1000")).Expect(422, "invalid_request_parameters");
        string kim = (await api.Globex.GetAsync($"{UsersPath}?email=kim@example.test")).Ids[0];
        string initech = (await api.Globex.GetAsync($"{OrganizationsPath}?search=Initech")).Ids[0];
        foreach (string id in new[] { "nonsense", "usr_0000000000000000000000001", kim })
            (await api.GetAsync($"{MembershipsPath}?user_id={id}")).Expect(404, "entity_not_found");
        foreach (string id in new[] { "nonsense", "org_0000000000000000000000001", initech })
            (await api.GetAsync($"{MembershipsPath}?organization_id={id}")).Expect(404, "entity_not_found");
        (await api.Globex.GetAsync($"{MembershipsPath}?organization_id={initech}")).Data.ShouldHaveSingleItem().GetProperty("user_id").GetString().ShouldBe(kim);
    }

    [Fact]
    public async Task Mia_is_listed_with_each_organizations_name_and_role()
    {
        string mia = (await api.GetAsync($"{UsersPath}?email=mia@example.test")).Ids[0];
        ResourceAnswer list = await api.GetAsync($"{MembershipsPath}?user_id={mia}&statuses=active,inactive");
        list.Data.Select(static item => $"{item.GetProperty("organization_name").GetString()} {item.GetProperty("status").GetString()} {RolesOf(item)}").Order()
            .ShouldBe(["Contoso active member [member]", "Fabrikam inactive member [member]", "Northwind active owner [owner]", "Tailspin active member [member]"]);
        list.Data.ShouldAllBe(item => item.GetProperty("user").GetProperty("id").GetString() == mia);
    }

    [Fact]
    public async Task Pages_of_an_organizations_members_follow_each_other_while_others_join()
    {
        ResourceAnswer organization = await api.NewOrganizationAsync();
        List<string> expected = [];
        async Task JoinAsync() => expected.Add((await api.NewMembershipAsync((await api.NewUserAsync()).Id, organization.Id)).Id);
        for (int number = 0; number < 5; number++)
            await JoinAsync();
        string list = $"{MembershipsPath}?organization_id={organization.Id}&limit=2";
        ResourceAnswer first = await api.GetAsync(list);
        first.Ids.ShouldBe([expected[4], expected[3]]);
        await JoinAsync();
        ResourceAnswer second = await api.GetAsync($"{list}&after={first.After}");
        second.Ids.ShouldBe([expected[2], expected[1]]);
        (await api.GetAsync($"{list}&before={second.Before}")).Ids.ShouldBe([expected[4], expected[3]]);
        ResourceAnswer last = await api.GetAsync($"{list}&after={second.After}");
        last.Ids.ShouldBe([expected[0]]);
        last.After.ShouldBeNull();
        (await api.GetAsync($"{list}&order=asc&after={expected[3]}")).Ids.ShouldBe([expected[4], expected[5]]);
        (await api.GetAsync($"{MembershipsPath}?organization_id={organization.Id}&user_id={second.Data[0].GetProperty("user_id").GetString()}")).Ids.ShouldBe([expected[2]]);
    }

    [Fact]
    public async Task A_deleted_membership_is_gone_with_an_empty_answer()
    {
        ResourceAnswer membership = await api.NewMembershipAsync((await api.NewUserAsync()).Id, (await api.NewOrganizationAsync()).Id);
        (await api.DeleteAsync($"{MembershipsPath}/{membership.Id}")).Expect(200).Text.ShouldBeEmpty();
        foreach (string path in new[] { "", "/deactivate", "/reactivate" })
            (await api.PutAsync($"{MembershipsPath}/{membership.Id}{path}", new { })).Expect(404, "entity_not_found");
    }

    [Fact]
    public async Task An_id_that_is_malformed_unknown_or_another_realms_is_not_found()
    {
        string kim = (await api.Globex.GetAsync($"{UsersPath}?email=kim@example.test")).Ids[0];
        string kims = (await api.Globex.GetAsync($"{MembershipsPath}?user_id={kim}")).Ids[0];
        foreach (string id in new[] { "nonsense", "mem_0000000000000000000000001", "usr_0000000000000000000000001", kims })
        {
            ResourceAnswer answer = (await api.GetAsync($"{MembershipsPath}/{id}")).Expect(404, "entity_not_found");
            answer["message"].ShouldBe($"Organization Membership not found: '{id}'.");
            answer["entity_id"].ShouldBe(id);
            foreach (string path in new[] { "", "/deactivate", "/reactivate" })
                (await api.PutAsync($"{MembershipsPath}/{id}{path}", new { role_slug = "member" })).Expect(404, "entity_not_found");
            (await api.DeleteAsync($"{MembershipsPath}/{id}")).Expect(404, "entity_not_found");
        }

        (await api.Globex.GetAsync($"{MembershipsPath}/{kims}")).Expect(200)["status"].ShouldBe("active");
    }

    [Fact]
    public async Task A_key_may_do_what_its_scopes_name_and_nothing_else()
    {
        ResourceAnswer membership = await api.NewMembershipAsync((await api.NewUserAsync()).Id, (await api.NewOrganizationAsync()).Id);
        string path = $"{MembershipsPath}/{membership.Id}";
        ResourceCalls reader = await WithScopesAsync(server, "organizations.members:read");
        (await reader.GetAsync(path)).Expect(200);
        (await reader.PostAsync(MembershipsPath, new { })).Expect(403, "insufficient_scope");
        foreach (string put in new[] { path, $"{path}/deactivate", $"{path}/reactivate" })
            (await reader.PutAsync(put, new { })).Expect(403, "insufficient_scope");
        (await reader.DeleteAsync(path)).Expect(403, "insufficient_scope");
        ResourceCalls other = await WithScopesAsync(server, "users:read", "organizations:read");
        (await other.GetAsync(path)).Expect(403, "insufficient_scope");
        (await other.GetAsync($"{MembershipsPath}?user_id=x")).Expect(403, "insufficient_scope");
        (await api.GetAsync(path))["status"].ShouldBe("active");
    }

    /// <summary>The primary role, and all of them.</summary>
    private static string RolesOf(JsonElement membership) =>
        $"{membership.GetProperty("role").GetProperty("slug").GetString()} [{string.Join(' ', membership.GetProperty("roles").EnumerateArray().Select(static role => role.GetProperty("slug").GetString()))}]";
}
