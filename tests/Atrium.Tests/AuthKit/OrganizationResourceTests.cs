using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;
using static Atrium.Tests.AuthKit.ResourceCalls;

namespace Atrium.Tests.AuthKit;

public sealed class OrganizationResourceTests(DemoServer server) : IClassFixture<DemoServer>
{
    /// <summary>Keys that the schemas Organization and OrganizationDomainStandAlone require, and those that SDKs index.</summary>
    private static readonly string[] RequiredKeys =
        ["object", "id", "name", "domains", "metadata", "external_id", "created_at", "updated_at", "allow_profiles_outside_organization"];

    private static readonly string[] RequiredDomainKeys = ["object", "id", "organization_id", "domain", "state", "created_at", "updated_at"];

    private readonly ResourceCalls api = new(server);

    [Fact]
    public async Task An_organization_is_created_with_what_was_given_and_read_back_the_same()
    {
        string domain = $"{Unique("dom")}.test";
        string externalId = Unique("ext/a");
        ResourceAnswer created = await api.NewOrganizationAsync(new
        {
            name = "Created",
            domain_data = new[] { new { domain = $"{domain.ToUpperInvariant()}.", state = "verified" }, new { domain = $"other-{domain}", state = "pending" } },
            external_id = externalId,
            metadata = new { tier = "one" },
            allow_profiles_outside_organization = false,
        });
        foreach (string key in RequiredKeys)
            created.Json.TryGetProperty(key, out _).ShouldBeTrue(key);
        created["object"].ShouldBe("organization");
        created.Id.ShouldMatch("^org_[0-9a-z]{25}$");
        created["name"].ShouldBe("Created");
        created["external_id"].ShouldBe(externalId);
        created.Json.GetProperty("metadata").GetProperty("tier").GetString().ShouldBe("one");
        created.Json.GetProperty("allow_profiles_outside_organization").GetBoolean().ShouldBeFalse();
        JsonElement[] domains = [.. created.Json.GetProperty("domains").EnumerateArray()];
        DomainsOf(created).ShouldBe([$"{domain} verified", $"other-{domain} pending"]);
        foreach (string key in RequiredDomainKeys)
            domains[0].TryGetProperty(key, out _).ShouldBeTrue(key);
        domains[0].GetProperty("organization_id").GetString().ShouldBe(created.Id);

        (await api.GetAsync($"{OrganizationsPath}/{created.Id}")).Expect(200).Text.ShouldBe(created.Text);
        (await api.GetAsync($"{OrganizationsPath}/external_id/{Uri.EscapeDataString(externalId)}")).Expect(200).Text.ShouldBe(created.Text);
    }

    [Fact]
    public async Task What_was_not_given_is_null_or_empty_and_never_missing()
    {
        ResourceAnswer created = await api.NewOrganizationAsync(new
        {
            name = "Bare",
            external_id = (string?)null,
            metadata = (object?)null,
            domains = (object?)null,
            domain_data = (object?)null,
            id = "org_0000000000000000000000001",
            status = "suspended",
            handle = "northwind",
            realm_id = "realm_0000000000000000000000001",
            settings = new { mfa_required = true },
            stripe_customer_id = "cus_1",
        });
        foreach (string key in RequiredKeys)
            created.Json.TryGetProperty(key, out _).ShouldBeTrue(key);
        created.Id.ShouldNotBe("org_0000000000000000000000001");
        created.Json.GetProperty("external_id").ValueKind.ShouldBe(JsonValueKind.Null);
        created.Json.GetProperty("domains").GetArrayLength().ShouldBe(0);
        created.Json.GetProperty("metadata").EnumerateObject().ShouldBeEmpty();
        Organization stored = await StoredAsync(created.Id);
        stored.Status.ShouldBe(OrganizationStatus.Active);
        stored.Handle.ShouldBe("bare");
        stored.Settings.MfaRequired.ShouldBeFalse();
    }

    [Fact]
    public async Task Each_organization_gets_a_handle_of_its_own_from_its_name()
    {
        string name = Unique("Łódź & Söhne");
        List<string> handles = [];
        for (int number = 0; number < 12; number++)
            handles.Add((await StoredAsync((await api.NewOrganizationAsync(new { name })).Id)).Handle);
        handles.Distinct().Count().ShouldBe(12);
        handles.ShouldAllBe(static handle => Handles.IsValid(handle));
        handles[1].ShouldBe($"{handles[0]}-2");
        handles[11].ShouldStartWith($"{handles[0]}-");

        ResourceAnswer nameless = await api.NewOrganizationAsync(new { name = "株式会社" });
        (await StoredAsync(nameless.Id)).Handle.ShouldBe($"org-{nameless.Id[^12..]}");
        ResourceAnswer endless = await api.NewOrganizationAsync(new { name = new string('x', 256) });
        ResourceAnswer another = await api.NewOrganizationAsync(new { name = new string('x', 256) });
        Handles.IsValid((await StoredAsync(endless.Id)).Handle).ShouldBeTrue();
        Handles.IsValid((await StoredAsync(another.Id)).Handle).ShouldBeTrue();
    }

    [Fact]
    public async Task Twenty_organizations_of_one_name_can_be_made_at_once()
    {
        string name = Unique("Crowd");
        ResourceAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => api.PostAsync(OrganizationsPath, new { name })));
        answers.ShouldAllBe(static answer => answer.Status == 201);
    }

    [Fact]
    public async Task A_domain_and_an_external_id_belong_to_one_organization()
    {
        string domain = $"{Unique("dom")}.test";
        string externalId = Unique("ext");
        ResourceAnswer first = await api.NewOrganizationAsync(new { name = "First", domain_data = new[] { new { domain, state = "verified" } }, external_id = externalId });
        ResourceAnswer other = await api.NewOrganizationAsync();

        object taken = new { name = "Second", domains = new[] { $"free-{domain}", domain.ToUpperInvariant() } };
        (await api.PostAsync(OrganizationsPath, taken)).Expect(409).Text.ShouldBe($$"""{"message":"An Organization with the domain {{domain}} already exists."}""");
        (await api.PutAsync($"{OrganizationsPath}/{other.Id}", taken)).Expect(409)["message"].ShouldBe($"An Organization with the domain {domain} already exists.");
        (await api.PostAsync(OrganizationsPath, new { name = "Third", external_id = externalId })).Expect(400, "external_id_already_used");
        (await api.PutAsync($"{OrganizationsPath}/{other.Id}", new { external_id = externalId })).Expect(400, "external_id_already_used");
        (await api.GetAsync($"{OrganizationsPath}/{other.Id}")).Text.ShouldBe(other.Text);

        // The neighbour realm has domains and external ids of its own, and what was deleted is free again.
        (await api.Globex.PostAsync(OrganizationsPath, new { name = "First", domains = new[] { domain }, external_id = externalId })).Expect(201);
        (await api.DeleteAsync($"{OrganizationsPath}/{first.Id}")).Expect(202);
        (await api.PostAsync(OrganizationsPath, new { name = "First", domains = new[] { domain }, external_id = externalId })).Expect(201);
    }

    [Fact]
    public async Task An_update_changes_what_it_names_and_leaves_the_rest()
    {
        string domain = $"{Unique("dom")}.test";
        ResourceAnswer created = await api.NewOrganizationAsync(new
        {
            name = "Before",
            external_id = Unique("ext"),
            metadata = new { tier = "one", color = "red" },
            domain_data = new[] { new { domain, state = "verified" } },
        });
        string path = $"{OrganizationsPath}/{created.Id}";
        ResourceAnswer renamed = (await api.PutAsync(path, new { name = "After", metadata = new { color = (string?)null, size = "L" }, id = "org_0000000000000000000000001", status = "suspended" })).Expect(200);
        renamed.Id.ShouldBe(created.Id);
        renamed["name"].ShouldBe("After");
        renamed["external_id"].ShouldBe(created["external_id"]);
        renamed.Json.GetProperty("metadata").EnumerateObject().Select(static pair => $"{pair.Name}={pair.Value}").ShouldBe(["tier=one", "size=L"], ignoreOrder: true);
        renamed.Json.GetProperty("domains").GetRawText().ShouldBe(created.Json.GetProperty("domains").GetRawText());
        (await api.GetAsync(path)).Text.ShouldBe(renamed.Text);

        server.Clock.Advance(TimeSpan.FromMilliseconds(1));

        // A domain that stays keeps its id and, where the body says nothing of it, its state.
        ResourceAnswer more = (await api.PutAsync(path, new { domains = new[] { domain, $"more-{domain}" } })).Expect(200);
        DomainsOf(more).ShouldBe([$"{domain} verified", $"more-{domain} pending"]);
        more.Json.GetProperty("domains")[0].GetProperty("id").GetString().ShouldBe(created.Json.GetProperty("domains")[0].GetProperty("id").GetString());
        ResourceAnswer verified = (await api.PutAsync(path, new { domain_data = new[] { new { domain = $"more-{domain}", state = "verified" } } })).Expect(200);
        DomainsOf(verified).ShouldBe([$"more-{domain} verified"]);
        (await api.GetAsync(path)).Text.ShouldBe(verified.Text);
        DomainsOf((await api.PutAsync(path, new { domains = Array.Empty<string>(), external_id = (string?)null })).Expect(200)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{}""", 422, null)]
    [InlineData("""{"name":""}""", 422, null)]
    [InlineData("""{"name":"  "}""", 422, null)]
    [InlineData("""{"name":null}""", 422, null)]
    [InlineData("""{"name":["a"]}""", 422, null)]
    [InlineData("""{"name":"a\nb"}""", 422, null)]
    [InlineData("""{"name":"x","domains":"x.test"}""", 422, null)]
    [InlineData("""{"name":"x","domains":["not a domain"]}""", 422, null)]
    [InlineData("""{"name":"x","domains":["localhost"]}""", 422, null)]
    [InlineData("""{"name":"x","domain_data":[{"domain":"x.test"}]}""", 422, null)]
    [InlineData("""{"name":"x","domain_data":[{"domain":"x.test","state":"failed"}]}""", 422, null)]
    [InlineData("""{"name":"x","domain_data":["x.test"]}""", 422, null)]
    [InlineData("""{"name":"x","allow_profiles_outside_organization":"true"}""", 422, null)]
    [InlineData("""{"name":"x","external_id":7}""", 422, null)]
    [InlineData("""{"name":"x","metadata":{"a":{}}}""", 422, null)]
    [InlineData("""{"name":"x","metadata":{"\u00e4":"1"}}""", 400, "invalid_metadata")]
    [InlineData("""{"name":"x","metadata":{"a":"1","b":"1","c":"1","d":"1","e":"1","f":"1","g":"1","h":"1","i":"1","j":"1","k":"1"}}""", 400, "invalid_metadata")]
    [InlineData("""{"name":"x","name":"y"}""", 400, "invalid_json")]
    [InlineData("""{"name":"x" """, 400, "invalid_json")]
    [InlineData("""null""", 400, "invalid_json")]
    public async Task Bad_input_is_refused_in_the_doors_envelope(string body, int status, string? code)
    {
        ResourceAnswer answer = await api.SendAsync(HttpMethod.Post, OrganizationsPath, body);
        answer.Status.ShouldBe(status, answer.Text);
        answer.Code.ShouldBe(code ?? "invalid_request_parameters", answer.Text);
        answer["message"].ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task A_hundred_and_one_domains_are_too_many()
    {
        string[] domains = [.. Enumerable.Range(0, 101).Select(static number => $"d{number}.many.test")];
        (await api.PostAsync(OrganizationsPath, new { name = "Many", domains })).Expect(422, "invalid_request_parameters");
        (await api.PostAsync(OrganizationsPath, new { name = "Many", domains = domains[1..] })).Expect(201).Json.GetProperty("domains").GetArrayLength().ShouldBe(100);
    }

    [Fact]
    public async Task The_list_can_be_searched_by_any_part_of_the_name()
    {
        string mark = Unique("100%_Search");
        ResourceAnswer created = await api.NewOrganizationAsync(new { name = $"The {mark} Company" });
        await api.NewOrganizationAsync(new { name = mark.Replace("%_", "xx", StringComparison.Ordinal) });
        (await api.GetAsync($"{OrganizationsPath}?search={Uri.EscapeDataString(mark.ToUpperInvariant())}")).Ids.ShouldBe([created.Id]);
        (await api.GetAsync($"{OrganizationsPath}?search=Initech")).Data.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("domains={0},{1}")]
    [InlineData("domains={0}&domains={1}")]
    [InlineData("domains[]={0}&domains[]={1}")]
    [InlineData("domains[0]={0}&domains[1]={1}")]
    [InlineData("domains%5B0%5D={0}&domains%5B1%5D={1}")]
    public async Task The_list_can_be_asked_for_domains_in_every_encoding(string encoding)
    {
        string one = $"{Unique("dom")}.test";
        string two = $"{Unique("dom")}.test";
        string first = (await api.NewOrganizationAsync(new { name = "One", domain_data = new[] { new { domain = one, state = "pending" } } })).Id;
        string second = (await api.NewOrganizationAsync(new { name = "Two", domain_data = new[] { new { domain = two, state = "verified" } } })).Id;
        (await api.GetAsync($"{OrganizationsPath}?{string.Format(encoding, one, two.ToUpperInvariant())}")).Expect(200).Ids.ShouldBe([second, first]);
        (await api.GetAsync($"{OrganizationsPath}?{string.Format(encoding, one, "nobody.test")}")).Expect(200).Ids.ShouldBe([first]);
        (await api.GetAsync($"{OrganizationsPath}?domains=nonsense")).Expect(200).Data.ShouldBeEmpty();
        (await api.Globex.GetAsync($"{OrganizationsPath}?domains={one}")).Expect(200).Data.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_list_shows_the_realms_organizations_with_their_domains_and_no_other()
    {
        List<string?> names = [];
        string? after = null;
        do
        {
            ResourceAnswer page = await api.GetAsync($"{OrganizationsPath}?limit=3&order=asc&after={after}");
            names.AddRange(page.Data.Select(static item => item.GetProperty("name").GetString()));
            after = page.After;
        }
        while (after is not null);
        foreach (string name in new[] { "Northwind", "Contoso", "Fabrikam", "Tailspin" })
            names.ShouldContain(name);
        names.ShouldNotContain("Initech");
        ResourceAnswer northwind = await api.GetAsync($"{OrganizationsPath}?search=northwind");
        northwind.Data[0].GetProperty("domains")[0].GetProperty("domain").GetString().ShouldBe("northwind.test");
        (await api.Globex.GetAsync($"{OrganizationsPath}?search=initech")).Data.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Pages_follow_each_other_while_organizations_are_added()
    {
        string mark = Unique("Page");
        List<string> expected = [];
        for (int number = 0; number < 5; number++)
            expected.Add((await api.NewOrganizationAsync(new { name = $"{mark} {number}" })).Id);
        string list = $"{OrganizationsPath}?search={mark}&limit=2";
        ResourceAnswer first = await api.GetAsync(list);
        first.Ids.ShouldBe([expected[4], expected[3]]);
        await api.NewOrganizationAsync(new { name = $"{mark} new" });
        ResourceAnswer second = await api.GetAsync($"{list}&after={first.After}");
        second.Ids.ShouldBe([expected[2], expected[1]]);
        (await api.GetAsync($"{list}&before={second.Before}")).Ids.ShouldBe([expected[4], expected[3]]);
        (await api.GetAsync($"{list}&after={second.After}")).Ids.ShouldBe([expected[0]]);
    }

    [Fact]
    public async Task A_deleted_organization_is_gone_with_its_memberships_and_its_people_stay()
    {
        ResourceAnswer created = await api.NewOrganizationAsync();
        ResourceAnswer user = await api.NewUserAsync();
        ResourceAnswer membership = await api.NewMembershipAsync(user.Id, created.Id);
        ResourceAnswer deleted = (await api.DeleteAsync($"{OrganizationsPath}/{created.Id}")).Expect(202);
        deleted.Text.ShouldBeEmpty();
        (await api.GetAsync($"{OrganizationsPath}/{created.Id}")).Expect(404).Text.ShouldBe("""{"message":"Not Found"}""");
        (await api.DeleteAsync($"{OrganizationsPath}/{created.Id}")).Expect(404);
        (await api.GetAsync($"{MembershipsPath}/{membership.Id}")).Expect(404);
        (await api.GetAsync($"{UsersPath}/{user.Id}")).Expect(200);
    }

    [Fact]
    public async Task An_id_that_is_malformed_unknown_or_another_realms_is_not_found()
    {
        string initech = (await api.Globex.GetAsync($"{OrganizationsPath}?search=Initech")).Ids[0];
        await api.Globex.NewOrganizationAsync(new { name = "Hidden", external_id = "globex-only" });
        foreach (string id in new[] { "nonsense", "org_0000000000000000000000001", "usr_0000000000000000000000001", initech })
        {
            (await api.GetAsync($"{OrganizationsPath}/{id}")).Expect(404).Text.ShouldBe("""{"message":"Not Found"}""");
            (await api.PutAsync($"{OrganizationsPath}/{id}", new { name = "Mine" })).Expect(404);
            (await api.DeleteAsync($"{OrganizationsPath}/{id}")).Expect(404);
        }

        (await api.GetAsync($"{OrganizationsPath}/external_id/globex-only")).Expect(404);
        (await api.Globex.GetAsync($"{OrganizationsPath}/{initech}")).Expect(200)["name"].ShouldBe("Initech");
    }

    [Fact]
    public async Task A_key_may_do_what_its_scopes_name_and_nothing_else()
    {
        ResourceAnswer created = await api.NewOrganizationAsync();
        string path = $"{OrganizationsPath}/{created.Id}";
        ResourceCalls reader = await WithScopesAsync(server, "organizations:read", "users:write");
        (await reader.GetAsync(path)).Expect(200);
        (await reader.PostAsync(OrganizationsPath, new { name = "No" })).Expect(403, "insufficient_scope");
        (await reader.PutAsync(path, new { name = "No" })).Expect(403, "insufficient_scope");
        (await reader.DeleteAsync(path)).Expect(403, "insufficient_scope");
        ResourceCalls other = await WithScopesAsync(server, "users:read");
        foreach (string refused in new[] { OrganizationsPath, path, $"{OrganizationsPath}/external_id/x" })
            (await other.GetAsync(refused)).Expect(403, "insufficient_scope");
    }

    private static IEnumerable<string> DomainsOf(ResourceAnswer organization) => organization.Json.GetProperty("domains").EnumerateArray()
        .Select(static domain => $"{domain.GetProperty("domain").GetString()} {domain.GetProperty("state").GetString()}");

    private async Task<Organization> StoredAsync(string id)
    {
        Realm realm = (await server.Get<RealmStore>().FindByHandleAsync(DemoRealm.Handle, CancellationToken.None))!;
        return (await server.Get<OrganizationStore>().FindAsync(realm.Id, Id<Organization>.Parse(id)!.Value, CancellationToken.None))!;
    }
}
