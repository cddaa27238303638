using System.Text.Json;
using Atrium.Server.Cli;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Cli;

public sealed class OrganizationVerbTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly Typist typist = new(server);

    [Fact]
    public async Task An_organization_is_made_changed_suspended_and_named_by_its_handle()
    {
        JsonElement made = await typist.JsonAsync(
            "orgs", "create", "--name", "Adatum", "--handle", "adatum", "--external-id", "a-1", "--set", "settings.max_members=3", "--set", "metadata.plan=gold");
        string id = made.GetProperty("id").GetString()!;
        made.GetProperty("settings").GetProperty("max_members").GetInt32().ShouldBe(3);
        foreach (string name in new[] { id, "adatum", "a-1" })
            (await typist.JsonAsync("orgs", "show", name)).GetProperty("id").GetString().ShouldBe(id);

        await typist.DoAsync("orgs", "update", "adatum", "--name", "A. Datum", "--set", "settings.max_members=null");
        JsonElement suspended = await typist.JsonAsync("orgs", "suspend", "adatum", "--reason", "unpaid");
        (suspended.GetProperty("status").GetString(), suspended.GetProperty("status_reason").GetString()).ShouldBe(("suspended", "unpaid"));
        (await typist.DoAsync("orgs", "list", "--status", "suspended")).ShouldContain("adatum");
        (await typist.JsonAsync("orgs", "activate", "adatum")).GetProperty("status").GetString().ShouldBe("active");
        (await (typist with { Answers = "y\n" }).TypeAsync("orgs", "delete", "adatum")).Errors.ShouldBe($"Delete the organization A. Datum ({id})? [y/N] ");
        VerbResult gone = await typist.TypeAsync("orgs", "show", "adatum");
        gone.ExitCode.ShouldBe(ExitCode.NotFound);
        gone.Errors.ShouldBe("atrium: There is no organization \"adatum\".\n");
    }

    [Fact]
    public async Task A_member_is_added_changed_and_removed_by_the_names_of_both()
    {
        JsonElement added = await typist.JsonAsync("members", "add", "fabrikam", "zoe@example.test", "--scope", "admin", "--scope", "billing:write", "--title", "Chief");
        added.GetProperty("scopes").GetRawText().ShouldBe("""["admin","billing:write"]""");
        (await typist.DoAsync("members", "list", "fabrikam")).ShouldContain($"{added.GetProperty("user_id").GetString()}  admin, billing:write  Chief  active ");
        (await typist.TypeAsync("members", "add", "fabrikam", "zoe@example.test")).Errors.ShouldContain("409 conflict");
        (await typist.JsonAsync("members", "update", "fabrikam", "zoe@example.test", "--scope", "member", "--set", "title=null")).GetProperty("scopes").GetRawText().ShouldBe("""["member"]""");
        (await typist.JsonAsync("members", "suspend", "fabrikam", "zoe@example.test")).GetProperty("status").GetString().ShouldBe("suspended");
        (await typist.JsonAsync("members", "activate", "fabrikam", "zoe@example.test")).GetProperty("status").GetString().ShouldBe("active");
        (await typist.LinesAsync("users", "memberships", "zoe@example.test")).ShouldHaveSingleItem();
        await typist.DoAsync("members", "remove", "fabrikam", "zoe@example.test", "--yes");
        (await typist.TypeAsync("members", "show", "fabrikam", "zoe@example.test")).ExitCode.ShouldBe(ExitCode.NotFound);
        (await typist.TypeAsync("members", "add", "nowhere", "zoe@example.test")).Errors.ShouldBe("atrium: There is no organization \"nowhere\".\n");
    }

    [Fact]
    public async Task Roles_are_the_realms_or_an_organizations_own()
    {
        await typist.DoAsync("roles", "create", "--slug", "auditor", "--name", "Auditor", "--permission", "books:read", "--organization", "contoso");
        (await typist.LinesAsync("roles", "list", "--organization", "contoso")).ShouldHaveSingleItem().GetProperty("slug").GetString().ShouldBe("auditor");
        (await typist.DoAsync("roles", "list")).ShouldNotContain("auditor");
        (await typist.TypeAsync("roles", "show", "auditor")).ExitCode.ShouldBe(ExitCode.NotFound);
        (await typist.JsonAsync("roles", "update", "auditor", "--organization", "contoso", "--permission", "books:read", "--permission", "books:sign"))
            .GetProperty("permissions").GetArrayLength().ShouldBe(2);
        await typist.DoAsync("roles", "delete", "auditor", "--organization", "contoso", "--yes");
        (await typist.TypeAsync("roles", "list", "--organization", "contoso")).Errors.ShouldBe("There are none.\n");
    }

    [Fact]
    public async Task A_domain_says_what_to_write_in_the_DNS()
    {
        string made = await typist.DoAsync("domains", "create", "contoso", "--domain", "contoso.example");
        made.ShouldContain("record.type      TXT\n");
        made.ShouldContain("_atrium-domain.contoso.example\n");
        (await typist.JsonAsync("domains", "show", "contoso", "contoso.example")).GetProperty("state").GetString().ShouldBe("pending");
        await typist.DoAsync("domains", "delete", "contoso", "contoso.example", "--yes");
        (await typist.TypeAsync("domains", "show", "contoso", "contoso.example")).Errors.ShouldBe("atrium: There is no domain \"contoso.example\".\n");
    }
}
