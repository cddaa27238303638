using System.Text.Json;
using System.Text.Json.Serialization;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

/// <summary>What may be registered for a client.</summary>
public sealed class ClientRulesTests
{
    private static readonly JsonSerializerOptions Wire = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    private const string Point = """
        {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
        """;

    [Theory]
    [InlineData("https://app.test/callback", true)]
    [InlineData("http://localhost:3000/callback", true)]
    [InlineData("com.example.app:/callback", true)]
    [InlineData("/callback", false)]
    [InlineData("callback", false)]
    [InlineData("https://app.test/#part", false)]
    [InlineData("javascript:alert(1)//", false)]
    [InlineData("JavaScript:alert(1)", false)]
    [InlineData("data:text/html,x", false)]
    public void A_redirect_URI_is_absolute_without_a_fragment_and_leads_to_an_application(string uri, bool allowed) =>
        (RedirectUris.Problem(uri) is null).ShouldBe(allowed);

    [Theory]
    [InlineData("demo-web", true)]
    [InlineData("my_app.1~x", true)]
    [InlineData("", false)]
    [InlineData("two words", false)]
    [InlineData("a/b", false)]
    [InlineData("..", false)]
    [InlineData("ümlaut", false)]
    [InlineData("usr_0000000000000000000000001", false)]
    [InlineData("c_0000000000000000000000001", false)]
    public void A_client_id_stands_in_a_path_as_it_is_and_is_never_taken_for_a_person(string id, bool allowed) => ClientRules.IsClientId(id).ShouldBe(allowed);

    [Theory]
    [InlineData("""{"openid":{"default_access_token_age":4}}""", "/openid/default_access_token_age")]
    [InlineData("""{"openid":{"default_id_token_age":4}}""", "/openid/default_id_token_age")]
    [InlineData("""{"openid":{"default_refresh_token_age":1814401}}""", "/openid/default_refresh_token_age")]
    [InlineData("""{"openid":{"refresh_grace_seconds":61}}""", "/openid/refresh_grace_seconds")]
    [InlineData("""{"openid":{"refresh_grace_seconds":-1}}""", "/openid/refresh_grace_seconds")]
    [InlineData("""{"tokens":{"organization_budget_bytes":255}}""", "/tokens/organization_budget_bytes")]
    [InlineData("""{"tokens":{"organization_budget_bytes":65537}}""", "/tokens/organization_budget_bytes")]
    [InlineData("""{"restrictions":{"organizations":{"policy":"allowlist"}}}""", "/restrictions/organizations/allowed_org_ids")]
    [InlineData("""{"restrictions":{"organizations":{"policy":"allowlist","allowed_org_ids":["acme"]}}}""", "/restrictions/organizations/allowed_org_ids/0")]
    [InlineData("""{"app_native":{"steps":[]}}""", "/app_native/steps")]
    [InlineData("""{"app_native":{"steps":[["password"],[]]}}""", "/app_native/steps/1")]
    [InlineData("""{"app_native":{"steps":[["password","passkey"]]}}""", "/app_native/steps/0/1")]
    [InlineData("""{"app_native":{"discovery_parameter":"domain"}}""", "/app_native/discovery_parameter")]
    [InlineData("""{"pkce_required":false}""", "/pkce_required")]
    [InlineData("""{"client_auth":"basic"}""", "/client_auth")]
    [InlineData("""{"jwks":{"keys":[]}}""", "/jwks/keys")]
    [InlineData("""{"jwks":{"keys":[{"kty":"oct"}]}}""", "/jwks/keys/0/kty")]
    [InlineData("""{"jwks":{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}}""", "/jwks/keys/0/x")]
    [InlineData("""{"jwks":{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}}""", "/jwks/keys/0/n")]
    public void Settings_that_cannot_be_are_named(string json, string field) =>
        ClientSettingsRules.Faults(SettingsOf(json), isConfidential: false).Select(static fault => fault.Field).ShouldBe([field]);

    [Fact]
    public void A_confidential_client_may_prove_itself_by_a_key_of_its_own_that_is_one()
    {
        FaultsOf("""{"client_auth":"private_key_jwt"}""").ShouldBe(["/jwks"]);
        FaultsOf("""{"client_auth":"private_key_jwt","jwks":{"keys":[KEY]}}""").ShouldBeEmpty();
        FaultsOf("""{"jwks":{"keys":[KEY,KEY]}}""").ShouldBe(["/jwks/keys/1/kid"]);
        FaultsOf("""{"jwks":{"keys":[KEY]}}""".Replace("KEY", Point.Replace("f83OJ", "f83OK"))).ShouldBe(["/jwks/keys/0/x"], "not on the curve");
        FaultsOf("""{"jwks":{"keys":[KEY]}}""".Replace("KEY", Point.Replace("\"EC\"", "\"EC\",\"alg\":\"RS256\""))).ShouldBe(["/jwks/keys/0/alg"]);
        FaultsOf("""{"jwks":{"keys":[KEY]}}""".Replace("KEY", Point.Replace("\"EC\"", "\"EC\",\"use\":\"enc\""))).ShouldBe(["/jwks/keys/0/use"]);

        FaultsOf("""{"jwks":{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}""").ShouldBeEmpty("RFC 8037 appendix A.2");
        FaultsOf("""{"jwks":{"keys":[{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}""").ShouldBe(["/jwks/keys/0/crv"]);
        FaultsOf("""{"jwks":{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}}""").ShouldBe(["/jwks/keys/0/x"]);
        FaultsOf("""{"jwks":{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"ES256","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}}""").ShouldBe(["/jwks/keys/0/alg"]);
        FaultsOf("""{"jwks":{"keys":[KEY]}}""".Replace("KEY", Point.Replace("\"P-256\"", "\"Ed25519\""))).ShouldBe(["/jwks/keys/0/crv"]);

        static IEnumerable<string> FaultsOf(string json) =>
            ClientSettingsRules.Faults(SettingsOf(json.Replace("KEY", Point)), isConfidential: true).Select(static fault => fault.Field);
    }

    [Fact]
    public void Everything_wrong_with_a_client_is_said_at_once()
    {
        Client client = NewClient(ClientType.Spa) with
        {
            RedirectUris = ["https://app.test/", "nowhere", "https://app.test/"],
            PostLogoutRedirectUris = ["javascript:alert(1)"],
            GrantTypes = ["client_credentials", "implicit", "refresh_token", "refresh_token"],
            SignatureAlgorithm = "none",
            Settings = new ClientSettings { PkceRequired = false },
        };
        ClientRules.Faults(client, EdDsaSupport.Here).Select(static fault => fault.Field).ShouldBe(
        [
            "/redirect_uris/1", "/redirect_uris/2", "/post_logout_redirect_uris/0", "/grant_types/0", "/grant_types/1", "/grant_types/3", "/response_signature_alg",
            "/settings/pkce_required",
        ]);
        ClientRules.Faults(NewClient(ClientType.M2M) with { GrantTypes = ["authorization_code"] }, EdDsaSupport.Here).ShouldHaveSingleItem().Field.ShouldBe("/grant_types/0");
        ClientRules.Faults(NewClient(ClientType.Web) with { GrantTypes = [] }, EdDsaSupport.Here).ShouldHaveSingleItem().Field.ShouldBe("/grant_types");
    }

    [Fact]
    public void An_old_secret_is_taken_until_its_end_and_the_one_before_it_no_longer()
    {
        DateTimeOffset now = DateTimeOffset.UnixEpoch.AddDays(1);
        Secret first = Secret.New(), second = Secret.New(), third = Secret.New();
        Client client = NewClient(ClientType.Web) with { SecretHash = first.Hash() };
        client.IsProvedBy(first, ClientAuth.Basic, now).ShouldBeTrue();
        client = client.WithSecret(second, now);
        client.IsProvedBy(first, ClientAuth.Basic, now.AddMinutes(15).AddMilliseconds(-1)).ShouldBeTrue();
        client.IsProvedBy(first, ClientAuth.Basic, now.AddMinutes(15)).ShouldBeFalse();
        client.IsProvedBy(second, ClientAuth.Post, now.AddMinutes(15)).ShouldBeTrue();
        client = client.WithSecret(third, now);
        client.IsProvedBy(first, ClientAuth.Basic, now).ShouldBeFalse();
        client.IsProvedBy(second, ClientAuth.Basic, now).ShouldBeTrue();
        client.IsProvedBy(null, ClientAuth.Basic, now).ShouldBeFalse();
        client.IsProvedBy(new Secret(""), ClientAuth.Basic, now).ShouldBeFalse();
    }

    [Theory]
    [InlineData(null, true, true)]
    [InlineData(ClientAuth.Basic, true, false)]
    [InlineData(ClientAuth.Post, false, true)]
    [InlineData(ClientAuth.PrivateKeyJwt, false, false)]
    public void A_secret_is_taken_only_in_the_way_that_the_client_has_chosen(ClientAuth? chosen, bool inHeader, bool inForm)
    {
        Secret secret = Secret.New();
        Client client = NewClient(ClientType.Web) with { SecretHash = secret.Hash(), Settings = new ClientSettings { ClientAuth = chosen } };
        client.IsProvedBy(secret, ClientAuth.Basic, DateTimeOffset.UnixEpoch).ShouldBe(inHeader);
        client.IsProvedBy(secret, ClientAuth.Post, DateTimeOffset.UnixEpoch).ShouldBe(inForm);
    }

    private static Client NewClient(ClientType type) => new()
    {
        RealmId = new Id<Realm>(Guid.Empty),
        Id = new Id<Client>(Guid.Empty),
        ClientId = "client",
        Name = "Client",
        Type = type,
        GrantTypes = ClientRules.DefaultGrantTypes(type),
        CreatedAt = DateTimeOffset.UnixEpoch,
        UpdatedAt = DateTimeOffset.UnixEpoch,
    };

    private static ClientSettings SettingsOf(string json) => JsonSerializer.Deserialize<ClientSettings>(json, Wire)!;
}
