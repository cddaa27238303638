using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Atrium.Core;
using Atrium.Core.Connections;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Server.Demo;
using Atrium.Server.Keys;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Dapper;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

public class ConnectionTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Path = "/connections";

    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task A_secret_is_kept_sealed_and_shown_to_nobody()
    {
        ManagementAnswer made = (await api.PostAsync(Path, Oidc("shown-to-nobody"))).Expect(201);
        made.Text.ShouldNotContain("shown-to-nobody");
        (await api.GetAsync($"{Path}/{made.Id}")).Text.ShouldNotContain("shown-to-nobody");
        (await SecretOfAsync(made.Id)).ShouldBe("shown-to-nobody");

        (await api.PatchAsync($"{Path}/{made.Id}", new { name = "Renamed" })).Expect(200);
        (await SecretOfAsync(made.Id)).ShouldBe("shown-to-nobody", "what is left out stays");
        (await api.PatchAsync($"{Path}/{made.Id}", new { settings = new { client_secret = "changed" } })).Expect(200);
        (await SecretOfAsync(made.Id)).ShouldBe("changed");

        IReadOnlyList<System.Text.Json.JsonElement> events = (await api.GetAsync("/events?types=connection.*&limit=100")).Expect(200).Items;
        events.Where(one => one.GetProperty("data").GetProperty("id").GetString() == made.Id)
            .Select(static one => $"{one.GetProperty("type").GetString()} {one.GetProperty("changed")}")
            .ShouldBe([$"{EventTypes.ConnectionUpdated} [\"settings\"]", $"{EventTypes.ConnectionUpdated} [\"name\"]", $"{EventTypes.ConnectionCreated} "]);
        string.Concat(events).ShouldNotContain("shown-to-nobody");
    }

    [Fact]
    public async Task The_settings_are_those_of_the_type()
    {
        (await api.PostAsync(Path, new { type = "oidc", name = "x", settings = new { idp_entity_id = "x" } })).Expect(422).WrongFields
            .ShouldBe(["/settings/idp_entity_id", "/settings/issuer", "/settings/client_id", "/settings/client_secret"], ignoreOrder: true);
        (await api.PostAsync(Path, new { type = "carrier-pigeon", name = "x" })).Expect(422).WrongFields.ShouldBe(["/type"]);
        (await api.PostAsync(Path, new { name = "x" })).Expect(422).WrongFields.ShouldBe(["/type"]);
        ManagementAnswer made = (await api.PostAsync(Path, Oidc())).Expect(201);
        made.Data.GetProperty("settings").ToString().ShouldBe(
            """{"issuer":"https://idp.example.com","client_id":"atrium","scopes":["openid","profile","email"]}""");
        (await api.PatchAsync($"{Path}/{made.Id}", new { type = "saml" })).Expect(422).WrongFields.ShouldBe(["/type"]);
        (await api.PatchAsync($"{Path}/{made.Id}", new { settings = new { scopes = new[] { "profile" } } })).Expect(422).WrongFields.ShouldBe(["/settings/scopes"]);
        (await api.PatchAsync($"{Path}/{made.Id}", new { settings = new { issuer = "http://idp.example.com" } })).Expect(422).WrongFields.ShouldBe(["/settings/issuer"]);
    }

    [Fact]
    public async Task A_certificate_must_be_good_when_it_is_named_and_blocks_nothing_when_it_has_ended_later()
    {
        ManagementAnswer made = (await api.PostAsync(Path, Saml(NewCertificate(server.Clock.GetUtcNow().AddDays(1))))).Expect(201);
        (await api.PostAsync(Path, Saml(NewCertificate(server.Clock.GetUtcNow().AddDays(-1))))).Expect(422).WrongFields.ShouldBe(["/settings/certificates/0"]);
        (await api.PostAsync(Path, Saml(NewCertificate(), "no certificate"))).Expect(422).WrongFields.ShouldBe(["/settings/certificates/1"]);
        server.Clock.Advance(TimeSpan.FromDays(2));
        (await api.PatchAsync($"{Path}/{made.Id}", new { status = "disabled" })).Expect(200)["status"].ShouldBe("disabled");
        (await api.PatchAsync($"{Path}/{made.Id}", new { settings = new { certificates = new[] { NewCertificate(server.Clock.GetUtcNow().AddDays(-1)) } } }))
            .Expect(422).WrongFields.ShouldBe(["/settings/certificates/0"]);
    }

    [Fact]
    public async Task A_connection_is_of_the_realm_or_of_one_of_its_organizations()
    {
        string northwind = (await new World(server).OrganizationAsync("northwind")).Id.ToString();
        string initech = (await new World(server).OrganizationAsync("initech", DemoRealm.NeighbourHandle)).Id.ToString();
        ManagementAnswer made = (await api.PostAsync(Path, new { type = "google", name = "x", organization_id = northwind, settings = new { client_id = "a", client_secret = "b" } })).Expect(201);
        (await api.GetAsync($"{Path}?organization_id={northwind}")).Expect(200).Ids.ShouldBe([made.Id]);
        (await api.GetAsync($"{Path}?limit=100")).Ids.ShouldContain(made.Id);
        foreach (string unknown in new[] { initech, "org_0000000000000000000000001" })
        {
            (await api.PostAsync(Path, new { type = "google", name = "x", organization_id = unknown, settings = new { client_id = "a", client_secret = "b" } }))
                .Expect(422).WrongFields.ShouldBe(["/organization_id"]);
        }

        (await api.PatchAsync($"{Path}/{made.Id}", new { organization_id = (string?)null })).Expect(422).WrongFields.ShouldBe(["/organization_id"]);
        (await api.Globex.GetAsync($"{Path}/{made.Id}")).Expect(404);
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(204);
        (await api.DeleteAsync($"{Path}/{made.Id}")).Expect(404);
    }

    [Fact]
    public async Task A_change_over_what_somebody_else_changed_is_refused()
    {
        ManagementAnswer made = (await api.PostAsync(Path, Oidc())).Expect(201);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        (await api.PatchAsync($"{Path}/{made.Id}", new { name = "Other" }, ("If-Match", made.ETag))).Expect(200);
        (await api.PatchAsync($"{Path}/{made.Id}", new { name = "Late" }, ("If-Match", made.ETag))).Expect(412);
        (await api.DeleteAsync($"{Path}/{made.Id}", ("If-Match", made.ETag))).Expect(412);
    }

    internal static string NewCertificate(DateTimeOffset? end = null)
    {
        using RSA rsa = RSA.Create(2048);
        DateTimeOffset notAfter = end ?? new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using X509Certificate2 certificate = new CertificateRequest("CN=idp", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(notAfter.AddYears(-1), notAfter);
        return certificate.ExportCertificatePem();
    }

    internal static string NewPrivateKey()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }

    private static object Oidc(string secret = "secret") =>
        new { type = "oidc", name = "Provider", settings = new { issuer = "https://idp.example.com", client_id = "atrium", client_secret = secret } };

    private static object Saml(params string[] certificates) =>
        new { type = "saml", name = "Provider", settings = new { idp_entity_id = "https://idp.example.com", sso_url = "https://idp.example.com/sso", certificates } };

    private async Task<string> SecretOfAsync(string id)
    {
        Id<Realm> realm = (await new World(server).RealmAsync()).Id;
        Id<Connection> connection = Id<Connection>.Parse(id)!.Value;
        byte[] kept = (await server.Get<Database>().QueryAsync(
            sql => sql.QuerySingleAsync<byte[]>("SELECT sealed_secret FROM connections WHERE realm_id = @realm AND id = @connection", new { realm, connection }), default))!;
        return Encoding.UTF8.GetString(server.Get<SecretBox>().Open(kept, SecretPlaces.Of(realm, connection)).ShouldNotBeNull());
    }
}

/// <summary>The same on PostgreSQL.</summary>
public sealed class PostgresConnectionTests(PostgresDemoServer server) : ConnectionTests(server), IClassFixture<PostgresDemoServer>;
