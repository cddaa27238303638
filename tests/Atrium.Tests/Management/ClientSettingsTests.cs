using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Server.Demo;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

/// <summary>A client's settings: what they may be, and that they are what was said.</summary>
public class ClientSettingsTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Key = """
        {"kty":"EC","use":"sig","alg":"ES256","kid":"k1","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","n":null,"e":null}
        """;

    private const string Everything = $$$"""
        {"openid":{"default_access_token_age":5,"default_id_token_age":1814400,"default_refresh_token_age":1814400,"refresh_grace_seconds":60,
          "require_pushed_authorization_requests":true,"resources":["https://api.test/","urn:example:api"],"default_resource":"https://api.test/default",
          "dpop_bound_access_tokens":false,"dpop_nonce_required":true},
         "restrictions":{"organizations":{"policy":"none","allowed_org_ids":[]}},
         "tokens":{"profile":"organization","organization_budget_bytes":256},
         "app_native":{"enabled":true,"enhanced_organization_authentication":false,"steps":[["password"],["totp","password"]],"discovery_parameter":"orgId","token_issuer":"organization"},
         "authkit":{"enabled":true},
         "logout":{"backchannel_uri":"https://app.example/told","backchannel_session_required":true,"frontchannel_uri":"https://app.example/out?x=1","frontchannel_session_required":true},
         "pkce_required":false,"first_party":true,"organization_picker":"always","client_auth":"private_key_jwt","jwks":{"keys":[{{{Key}}}]}}
        """;

    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task Every_setting_is_kept_as_it_was_said()
    {
        string body = $$"""{"name":"Everything","type":"web","redirect_uris":["https://app.example/cb"],"settings":{{Everything}}}""";
        ManagementAnswer made = (await api.PostAsync("/clients", body)).Expect(201);
        made.Data.GetProperty("client_secret").ValueKind.ShouldBe(JsonValueKind.Null, "it proves itself by its own key");
        ManagementAnswer shown = (await api.GetAsync($"/clients/{made.Id}")).Expect(200);
        JsonElement settings = shown.Data.GetProperty("settings");
        JsonNode.DeepEquals(JsonNode.Parse(settings.GetRawText()), JsonNode.Parse(Everything)).ShouldBeTrue(settings.ToString());
        (await api.PatchAsync($"/clients/{made.Id}", $$"""{"settings":{{settings}}}""")).Expect(200).ETag.ShouldBe(shown.ETag, "what is shown can be sent back");
        (await api.PostAsync($"/clients/{made.Id}/rotate-secret")).Expect(409, "conflict");

        ManagementAnswer basic = (await api.PatchAsync($"/clients/{made.Id}", """{"settings":{"client_auth":null,"jwks":null}}""")).Expect(200);
        basic.Data.GetProperty("settings").GetProperty("jwks").ValueKind.ShouldBe(JsonValueKind.Null);
        (await api.PostAsync($"/clients/{made.Id}/rotate-secret")).Expect(200)["client_secret"].ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task Settings_that_are_left_out_have_their_defaults()
    {
        JsonElement settings = (await api.PostAsync("/clients", new { name = "Default", type = "spa" })).Expect(201).Data.GetProperty("settings");
        const string defaults = """
            {"openid":{"default_access_token_age":null,"default_id_token_age":3600,"default_refresh_token_age":604800,"refresh_grace_seconds":30,
              "require_pushed_authorization_requests":false,"resources":null,"default_resource":null,
              "dpop_bound_access_tokens":false,"dpop_nonce_required":false},
             "restrictions":{"organizations":{"policy":"all","allowed_org_ids":[]}},
             "tokens":{"profile":null,"organization_budget_bytes":4096},
             "app_native":{"enabled":false,"enhanced_organization_authentication":true,"steps":[["password"]],"discovery_parameter":"orgHandle","token_issuer":"root"},
             "authkit":{"enabled":false},
             "logout":{"backchannel_uri":null,"backchannel_session_required":false,"frontchannel_uri":null,"frontchannel_session_required":false},
             "pkce_required":true,"first_party":true,"organization_picker":"auto","client_auth":null,"jwks":null}
            """;
        JsonNode.DeepEquals(JsonNode.Parse(settings.GetRawText()), JsonNode.Parse(defaults)).ShouldBeTrue(settings.ToString());
    }

    [Theory]
    [InlineData("""{"openid":{"default_access_token_age":4}}""", "openid/default_access_token_age")]
    [InlineData("""{"openid":{"default_access_token_age":1814401}}""", "openid/default_access_token_age")]
    [InlineData("""{"openid":{"default_access_token_age":5.5}}""", "openid/default_access_token_age")]
    [InlineData("""{"openid":{"default_id_token_age":4}}""", "openid/default_id_token_age")]
    [InlineData("""{"openid":{"default_refresh_token_age":1814401}}""", "openid/default_refresh_token_age")]
    [InlineData("""{"openid":{"refresh_grace_seconds":61}}""", "openid/refresh_grace_seconds")]
    [InlineData("""{"openid":{"refresh_grace_seconds":-1}}""", "openid/refresh_grace_seconds")]
    [InlineData("""{"openid":{"refresh_grace_seconds":"30"}}""", "openid/refresh_grace_seconds")]
    [InlineData("""{"openid":{"require_pushed_authorization_requests":"yes"}}""", "openid/require_pushed_authorization_requests")]
    [InlineData("""{"openid":{"resources":"https://api.test"}}""", "openid/resources")]
    [InlineData("""{"openid":{"resources":["https://api.test","/relative"]}}""", "openid/resources/1")]
    [InlineData("""{"openid":{"resources":["https://api.test","https://api.test"]}}""", "openid/resources/1")]
    [InlineData("""{"openid":{"resources":["https://api.test/#part"]}}""", "openid/resources/0")]
    [InlineData("""{"openid":{"resources":[7]}}""", "openid/resources/0")]
    [InlineData("""{"openid":{"default_resource":"api"}}""", "openid/default_resource")]
    [InlineData("""{"openid":{"dpop_nonce_required":"yes"}}""", "openid/dpop_nonce_required")]
    [InlineData("""{"openid":{"dpop_bound_access_tokens":true},"authkit":{"enabled":true}}""", "openid/dpop_bound_access_tokens")]
    [InlineData("""{"restrictions":{"organizations":{"policy":"some"}}}""", "restrictions/organizations/policy")]
    [InlineData("""{"restrictions":{"organizations":{"policy":"allowlist"}}}""", "restrictions/organizations/allowed_org_ids")]
    [InlineData("""{"restrictions":{"organizations":{"policy":"allowlist","allowed_org_ids":["acme"]}}}""", "restrictions/organizations/allowed_org_ids/0")]
    [InlineData("""{"restrictions":{"organizations":{"policy":"allowlist","allowed_org_ids":["org_0000000000000000000000001"]}}}""", "restrictions/organizations/allowed_org_ids/0")]
    [InlineData("""{"logout":{"backchannel_uri":"http://app.example/told"}}""", "logout/backchannel_uri")]
    [InlineData("""{"logout":{"backchannel_uri":"https://app.example/told#x"}}""", "logout/backchannel_uri")]
    [InlineData("""{"logout":{"backchannel_uri":"https://user@app.example/told"}}""", "logout/backchannel_uri")]
    [InlineData("""{"logout":{"backchannel_uri":"javascript:alert(1)"}}""", "logout/backchannel_uri")]
    [InlineData("""{"logout":{"backchannel_uri":"/told"}}""", "logout/backchannel_uri")]
    [InlineData("""{"logout":{"backchannel_uri":7}}""", "logout/backchannel_uri")]
    [InlineData("""{"logout":{"frontchannel_uri":"https://elsewhere.example/out"}}""", "logout/frontchannel_uri")]
    [InlineData("""{"logout":{"frontchannel_uri":"http://app.example/out"}}""", "logout/frontchannel_uri")]
    [InlineData("""{"logout":{"frontchannel_session_required":"yes"}}""", "logout/frontchannel_session_required")]
    [InlineData("""{"tokens":{"profile":"everything"}}""", "tokens/profile")]
    [InlineData("""{"tokens":{"organization_budget_bytes":255}}""", "tokens/organization_budget_bytes")]
    [InlineData("""{"tokens":{"organization_budget_bytes":65537}}""", "tokens/organization_budget_bytes")]
    [InlineData("""{"app_native":{"steps":[]}}""", "app_native/steps")]
    [InlineData("""{"app_native":{"steps":[[]]}}""", "app_native/steps/0")]
    [InlineData("""{"app_native":{"steps":[["passkey"]]}}""", "app_native/steps/0/0")]
    [InlineData("""{"app_native":{"discovery_parameter":"domain"}}""", "app_native/discovery_parameter")]
    [InlineData("""{"app_native":{"token_issuer":"realm"}}""", "app_native/token_issuer")]
    [InlineData("""{"pkce_required":false}""", "pkce_required")]
    [InlineData("""{"client_auth":"post"}""", "client_auth")]
    [InlineData("""{"client_auth":"none"}""", "client_auth")]
    [InlineData("""{"jwks":{}}""", "jwks/keys")]
    [InlineData("""{"jwks":{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}]}}""", "jwks/keys/0/d")]
    [InlineData("""{"jwks":{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}}""", "jwks/keys/0/x")]
    [InlineData("""{"first_party":"yes"}""", "first_party")]
    [InlineData("""{"first_party":false,"app_native":{"enabled":true}}""", "first_party")]
    [InlineData("""{"first_party":false,"authkit":{"enabled":true}}""", "first_party")]
    [InlineData("""{"organization_picker":"never"}""", "organization_picker")]
    public async Task What_cannot_be_is_said_and_where_and_nothing_is_changed(string settings, string field)
    {
        (await api.PostAsync("/clients", $$"""{"name":"A","type":"spa","settings":{{settings}}}""")).Expect(422).WrongFields.ShouldBe([$"/settings/{field}"]);
        ManagementAnswer made = (await api.PostAsync("/clients", new { name = "A", type = "spa" })).Expect(201);
        string before = (await api.GetAsync($"/clients/{made.Id}")).ETag;
        (await api.PatchAsync($"/clients/{made.Id}", $$"""{"name":"B","settings":{{settings}}}""")).Expect(422).WrongFields.ShouldBe([$"/settings/{field}"]);
        (await api.GetAsync($"/clients/{made.Id}")).ETag.ShouldBe(before);
    }

    [Fact]
    public async Task An_allowlist_names_organizations_of_the_realm_and_outlives_their_deletion()
    {
        AuthKitCalls door = new(server);
        string northwind = await door.OrganizationIdAsync("northwind");
        string foreign = await door.OrganizationIdAsync("initech", "globex");
        string brief = (await door.NewOrganizationAsync(new())).Id.ToString();
        object Allowed(params string[] ids) => new { settings = new { restrictions = new { organizations = new { policy = "allowlist", allowed_org_ids = ids } } } };
        ManagementAnswer made = (await api.PostAsync("/clients", new { name = "Allowlist", type = "spa" })).Expect(201);
        (await api.PatchAsync($"/clients/{made.Id}", Allowed(northwind, foreign))).Expect(422)
            .WrongFields.ShouldBe(["/settings/restrictions/organizations/allowed_org_ids/1"]);
        (await api.PatchAsync($"/clients/{made.Id}", Allowed(northwind, brief))).Expect(200);
        (await new ResourceCalls(server).DeleteAsync($"/organizations/{brief}")).Expect(202);
        (await api.PatchAsync($"/clients/{made.Id}", new { name = "Renamed" })).Expect(200);
        (await api.PatchAsync($"/clients/{made.Id}", Allowed(northwind))).Expect(200);
        (await api.PatchAsync($"/clients/{made.Id}", Allowed(northwind, brief))).Expect(422)
            .WrongFields.ShouldBe(["/settings/restrictions/organizations/allowed_org_ids/1"]);
    }

    [Fact]
    public async Task A_lifetime_and_the_way_to_send_a_secret_are_in_force_at_once()
    {
        OAuthBrowser browser = new(server);
        ManagementAnswer made = (await api.PostAsync("/clients", new { name = "Job", type = "m2m", settings = new { client_auth = "post" } })).Expect(201);
        (string, string)[] form = [("grant_type", "client_credentials"), ("client_id", made["client_id"]!), ("client_secret", made["client_secret"]!)];
        (await browser.TokenAsync(form)).Json.GetProperty("expires_in").GetInt32().ShouldBe(1800);
        (await InHeaderAsync(made)).ShouldBe(HttpStatusCode.Unauthorized);
        (await api.PatchAsync($"/clients/{made.Id}", new { settings = new { client_auth = "basic", openid = new { default_access_token_age = 42 } } })).Expect(200);
        (await browser.TokenAsync(form)).ShouldBeRefused("invalid_client", "ATR1101");
        (await InHeaderAsync(made)).ShouldBe(HttpStatusCode.OK);
        (await api.PatchAsync($"/clients/{made.Id}", new { settings = new { client_auth = (string?)null } })).Expect(200);
        (await browser.TokenAsync(form)).Json.GetProperty("expires_in").GetInt32().ShouldBe(42);
        (await InHeaderAsync(made)).ShouldBe(HttpStatusCode.OK);
    }

    private async Task<HttpStatusCode> InHeaderAsync(ManagementAnswer client)
    {
        using HttpRequestMessage request = OAuthBrowser.FormOf($"/t/{DemoRealm.Handle}/token", ("grant_type", "client_credentials"));
        string credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{client["client_id"]}:{client["client_secret"]}"));
        request.Headers.TryAddWithoutValidation("Authorization", $"Basic {credentials}");
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        return response.StatusCode;
    }
}

public sealed class PostgresClientSettingsTests(PostgresDemoServer server) : ClientSettingsTests(server), IClassFixture<PostgresDemoServer>;
