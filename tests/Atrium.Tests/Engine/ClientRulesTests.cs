using Atrium.Core.Clients;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

/// <summary>What may be registered for a client.</summary>
public sealed class ClientRulesTests
{
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

    [Fact]
    public void Settings_that_are_left_out_keep_their_defaults()
    {
        (ClientSettings? settings, string? problem) = ClientSettingsRules.Parse("""{"openid":{"default_access_token_age":300},"tokens":{"profile":"single_org"}}""");
        problem.ShouldBeNull();
        settings!.Openid.DefaultAccessTokenAge.ShouldBe(300);
        settings.Openid.RefreshGraceSeconds.ShouldBe(30);
        settings.Tokens.Profile.ShouldBe(TokenProfile.SingleOrg);
        settings.PkceRequired.ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{"opnid":{}}""")]
    [InlineData("""{"openid":null}""")]
    [InlineData("""{"openid":{"default_access_token_age":"300"}}""")]
    [InlineData("""{"tokens":{"profile":"everything"}}""")]
    [InlineData("null")]
    [InlineData("{")]
    public void Settings_with_a_typing_error_are_refused(string json) => ClientSettingsRules.Parse(json).Problem.ShouldNotBeNullOrEmpty();

    [Theory]
    [InlineData("""{"openid":{"default_access_token_age":4}}""", "default_access_token_age")]
    [InlineData("""{"openid":{"default_refresh_token_age":1814401}}""", "default_refresh_token_age")]
    [InlineData("""{"openid":{"refresh_grace_seconds":61}}""", "refresh_grace_seconds")]
    [InlineData("""{"restrictions":{"organizations":{"policy":"allowlist"}}}""", "allowed_org_ids")]
    [InlineData("""{"restrictions":{"organizations":{"policy":"allowlist","allowed_org_ids":["acme"]}}}""", "allowed_org_ids")]
    [InlineData("""{"app_native":{"steps":[["passkey"]]}}""", "app_native.steps")]
    [InlineData("""{"pkce_required":false}""", "pkce_required")]
    public void Settings_that_cannot_be_are_named(string json, string field) =>
        ClientSettingsRules.Problem(ClientSettingsRules.Parse(json).Settings!, isConfidential: false).ShouldNotBeNull().ShouldContain(field);
}
