using System.Text.Json;
using Atrium.Core.Organizations;
using Atrium.Server.Hosting;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

public class DomainTests : IAsyncLifetime
{
    private readonly FakeDns dns = new();
    private readonly DemoServer server;
    private readonly ManagementCalls api;
    private World world = null!;

    public DomainTests()
        : this(static dns => new OnSqlite(dns))
    {
    }

    private protected DomainTests(Func<FakeDns, DemoServer> start)
    {
        server = start(dns);
        api = new ManagementCalls(server);
    }

    public async ValueTask InitializeAsync()
    {
        await server.InitializeAsync();
        world = new World(server);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await dns.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_domain_is_claimed_shown_by_its_record_and_leads_to_its_organization()
    {
        Organization organization = await world.NewOrganizationAsync("claims");
        string path = PathOf(organization);
        ManagementAnswer claim = (await api.PostAsync(path, new { domain = "Claims.Test." })).Expect(201);
        (claim["domain"], claim["state"]).ShouldBe(("claims.test", "pending"));
        JsonElement record = claim.Data.GetProperty("record");
        (record.GetProperty("type").GetString(), record.GetProperty("name").GetString()).ShouldBe(("TXT", "_atrium-domain.claims.test"));
        (await LeadsToAsync("claims.test")).ShouldBeNull();

        string one = $"{path}/{claim.Id}";
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        ManagementAnswer failed = (await api.PostAsync($"{one}/verify")).Expect(200);
        (failed["state"], failed.Data.GetProperty("checked_at").GetInt64()).ShouldBe(("failed", server.Clock.GetUtcNow().ToUnixTimeMilliseconds()));
        dns.Texts[record.GetProperty("name").GetString()!] = ["v=spf1 -all", record.GetProperty("value").GetString()!];
        ManagementAnswer verified = (await api.PostAsync($"{one}/verify")).Expect(200);
        verified["state"].ShouldBe("verified");
        (await LeadsToAsync("claims.test")).ShouldBe(organization.Id.ToString());

        // Once shown, it is not looked at again, and stays.
        dns.Texts.Clear();
        (await api.PostAsync($"{one}/verify")).Expect(200).Text.ShouldBe(verified.Text);
        (await api.GetAsync(one)).Expect(200).Text.ShouldBe(verified.Text);
        (await api.GetAsync(path)).Ids.ShouldBe([claim.Id]);
        (await api.DeleteAsync(one)).Expect(204);
        (await api.GetAsync(one)).Expect(404);
        (await LeadsToAsync("claims.test")).ShouldBeNull();
        (await api.GetAsync($"/events?organization_id={organization.Id}&types=organization.domain.*")).Items.Select(static item => item.GetProperty("type").GetString())
            .ShouldBe(["organization.domain.deleted", "organization.domain.verified", "organization.domain.verification_failed", "organization.domain.created"]);
    }

    [Fact]
    public async Task A_claim_stands_in_nobodys_way_and_a_record_proves_one_claim_only()
    {
        Organization squatter = await world.NewOrganizationAsync("squatter");
        Organization owner = await world.NewOrganizationAsync("owner");
        ManagementAnswer squatted = (await api.PostAsync(PathOf(squatter), new { domain = "wanted.test" })).Expect(201);
        ManagementAnswer owned = (await api.PostAsync(PathOf(owner), new { domain = "wanted.test" })).Expect(201);
        dns.Texts["_atrium-domain.wanted.test"] = [ValueOf(owned)];
        (await api.PostAsync($"{PathOf(squatter)}/{squatted.Id}/verify")).Expect(200)["state"].ShouldBe("failed");
        (await api.PostAsync($"{PathOf(owner)}/{owned.Id}/verify")).Expect(200)["state"].ShouldBe("verified");

        dns.Texts["_atrium-domain.wanted.test"] = [ValueOf(owned), ValueOf(squatted)];
        (await api.PostAsync($"{PathOf(squatter)}/{squatted.Id}/verify")).Expect(409, "conflict");
        (await api.PostAsync(PathOf(await world.NewOrganizationAsync("late")), new { domain = "wanted.test" })).Expect(409, "conflict");
        (await LeadsToAsync("wanted.test")).ShouldBe(owner.Id.ToString());
        (await api.DeleteAsync($"{PathOf(owner)}/{owned.Id}")).Expect(204);
        (await api.PostAsync($"{PathOf(squatter)}/{squatted.Id}/verify")).Expect(200)["state"].ShouldBe("verified");
    }

    [Fact]
    public async Task Of_many_that_are_verified_at_once_one_is()
    {
        List<(string Path, ManagementAnswer Claim)> claims = [];
        for (int i = 0; i < 6; i++)
        {
            string path = PathOf(await world.NewOrganizationAsync($"racer-{i}"));
            claims.Add((path, (await api.PostAsync(path, new { domain = "race.test" })).Expect(201)));
        }

        dns.Texts["_atrium-domain.race.test"] = [.. claims.Select(static one => ValueOf(one.Claim))];
        ManagementAnswer[] answers = await Task.WhenAll(claims.Select(one => api.PostAsync($"{one.Path}/{one.Claim.Id}/verify")));
        answers.Count(static answer => answer.Status == 200).ShouldBe(1);
        answers.Count(static answer => answer.Status == 409).ShouldBe(5);
    }

    [Fact]
    public async Task Where_nobody_can_tell_the_claim_stays_as_it_was()
    {
        string path = PathOf(await world.NewOrganizationAsync("unlucky"));
        ManagementAnswer claim = (await api.PostAsync(path, new { domain = "unlucky.test" })).Expect(201);
        dns.OverUdp = static answer =>
        {
            answer[3] = (byte)((answer[3] & 0xF0) | 2);
            return [answer];
        };
        ManagementAnswer unavailable = (await api.PostAsync($"{path}/{claim.Id}/verify")).Expect(503, "temporarily_unavailable");
        unavailable.Response.Headers.RetryAfter.ShouldNotBeNull();
        (await api.GetAsync($"{path}/{claim.Id}")).Text.ShouldBe(claim.Text);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("ex ample.test")]
    [InlineData("-a.test")]
    [InlineData("exämple.test")]
    public async Task What_is_no_domain_is_refused(string domain) =>
        (await api.PostAsync(PathOf(await world.OrganizationAsync("northwind")), new { domain })).Expect(422).WrongFields.ShouldBe(["/domain"]);

    [Fact]
    public async Task An_organization_claims_a_domain_once_and_others_see_none_of_it()
    {
        Organization organization = await world.NewOrganizationAsync("once");
        Organization other = await world.NewOrganizationAsync("other");
        ManagementAnswer claim = (await api.PostAsync(PathOf(organization), new { domain = "once.test" })).Expect(201);
        (await api.PostAsync(PathOf(organization), new { domain = "ONCE.test" })).Expect(409, "conflict");
        foreach (string path in new[] { $"{PathOf(other)}/{claim.Id}", $"{PathOf(organization)}/dom_{new string('0', 25)}", $"{PathOf(organization)}/x" })
        {
            (await api.GetAsync(path)).Expect(404, "not_found");
            (await api.DeleteAsync(path)).Expect(404, "not_found");
            (await api.PostAsync($"{path}/verify")).Expect(404, "not_found");
        }

        (await api.Globex.GetAsync($"{PathOf(organization)}/{claim.Id}")).Expect(404, "not_found");
        (await api.Globex.PostAsync($"{PathOf(organization)}/{claim.Id}/verify")).Expect(404, "not_found");
        (await api.DeleteAsync($"{PathOf(organization)}/{claim.Id}", ("If-Match", "\"other\""))).Expect(412, "precondition_failed");
    }

    private static string PathOf(Organization organization) => $"/organizations/{organization.Id}/domains";

    private static string ValueOf(ManagementAnswer claim) => claim.Data.GetProperty("record").GetProperty("value").GetString()!;

    private async Task<string?> LeadsToAsync(string domain) =>
        (await server.Get<OrganizationStore>().FindByDomainAsync((await world.RealmAsync()).Id, domain, default))?.Id.ToString();

    private sealed class OnSqlite(FakeDns dns) : DemoServer
    {
        protected override AtriumOptions Change(AtriumOptions options) => options with { DnsServers = dns.Address };
    }
}

public sealed class PostgresDomainTests(PrivatePostgres postgres) : DomainTests(dns => new OnPostgres(postgres, dns))
{
    private sealed class OnPostgres(PrivatePostgres postgres, FakeDns dns) : PostgresDemoServer(postgres)
    {
        protected override AtriumOptions Change(AtriumOptions options) => base.Change(options) with { DnsServers = dns.Address };
    }
}
