using System.Net;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Tokens;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>Whom access tokens are for (RFC 8707): asked for once, always one, and nothing that the client's settings do not allow.</summary>
public sealed class ResourceTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Api = "https://api.example.test";
    private const string Other = "https://other.example.test";

    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    [Theory]
    [InlineData(true, null, null, Api, true)]
    [InlineData(false, null, null, Api, false)]
    [InlineData(true, Api, null, Api, true)]
    [InlineData(true, Api, null, Other, false)]
    [InlineData(true, Api, null, Api + "/", false)]
    [InlineData(true, "", null, Api, false)]
    [InlineData(false, Api, null, Api, true)]
    [InlineData(false, Api, null, Other, false)]
    [InlineData(false, null, Api, Api, true)]
    [InlineData(false, null, Api, Other, false)]
    [InlineData(true, Api, Other, Other, true)]
    public void Without_a_list_the_realms_own_applications_may_ask_for_any_resource_and_third_parties_for_none(
        bool firstParty, string? listed, string? otherwise, string asked, bool allowed) =>
        TokenAudience.MayAskFor(Client(firstParty, listed, otherwise), asked).ShouldBe(allowed);

    [Theory]
    [InlineData(Other, Api, Other)]
    [InlineData(null, Api, Api)]
    [InlineData(null, null, "c")]
    public void The_audience_is_what_was_asked_for_else_the_clients_default_else_the_client(string? asked, string? otherwise, string audience) =>
        TokenAudience.Of(Client(firstParty: true, null, otherwise), asked).ShouldBe(audience);

    [Theory]
    [InlineData(null, null, null, "demo", "demo")]
    [InlineData(null, Api, null, Api, Api)]
    [InlineData(Api, null, null, Api, Api)]
    [InlineData(Api, null, Api, Api, Api)]
    [InlineData(Api, null, Other, null, Api)]
    [InlineData(Api, Other, null, Api, Api)]
    [InlineData(Api, Other, Other, null, Api)]
    [InlineData(null, null, Api, null, "demo")]
    [InlineData(null, Api, Api, Api, Api)]
    [InlineData(null, Api, Other, null, Api)]
    public async Task A_code_gives_a_token_for_what_was_asked_for_and_a_token_request_may_say_it_again(
        string? atAuthorize, string? otherwise, string? atToken, string? audience, string afterwards)
    {
        Client client = await ClientAsync(new OpenIdSettings { DefaultResource = otherwise });
        string Named(string text) => text == "demo" ? client.ClientId : text;
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", client.ClientId), ("resource", atAuthorize));
        TokenReply tokens = await RedeemAsync(client, arrival.Code, atToken is null ? [] : [("resource", atToken)]);
        if (audience is null)
        {
            tokens.ShouldBeRefused("invalid_target", "ATR1430");
            tokens = await RedeemAsync(client, arrival.Code);
        }

        AudienceOf(tokens).ShouldBe(Named(afterwards));
        tokens.Identity.GetProperty("aud").GetString().ShouldBe(client.ClientId, "an ID token is the client's");
        TokenReply refreshed = await RefreshAsync(client, tokens.RefreshToken, atToken is null || audience is null ? [] : [("resource", atToken)]);
        AudienceOf(refreshed).ShouldBe(Named(afterwards));
        (await RefreshAsync(client, refreshed.RefreshToken, ("resource", "https://third.example.test"))).ShouldBeRefused("invalid_target", "ATR1430");
        AudienceOf(await RefreshAsync(client, refreshed.RefreshToken)).ShouldBe(Named(afterwards), "nothing was spent on the refused one");
    }

    [Fact]
    public async Task Audience_is_another_name_for_resource_and_both_must_agree()
    {
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("audience", Api));
        AudienceOf(await browser.RedeemAsync(arrival.Code, ("audience", Api), ("resource", Api))).ShouldBe(Api);
        Arrival both = await browser.SilentlyAsync(("audience", Api), ("resource", Other));
        (both["error"], both["error_description"].EndsWith("(ATR1244)", StringComparison.Ordinal)).ShouldBe(("invalid_target", true));
        (await browser.SilentlyAsync(("audience", "my-api")))["error"].ShouldBe("invalid_target");
        (await browser.TokenAsync([.. Machine(), ("resource", Api), ("audience", Other)])).ShouldBeRefused("invalid_target", "ATR1244");
        AudienceOf(await browser.TokenAsync([.. Machine(), ("audience", Api)])).ShouldBe(Api);
        using HttpResponseMessage twice = await browser.GetAsync($"{OAuthBrowser.Authorize(("audience", Api))}&audience={Uri.EscapeDataString(Other)}");
        Arrival.At(twice)["error"].ShouldBe("invalid_target");
    }

    [Fact]
    public async Task What_a_client_may_not_ask_for_is_refused_before_anybody_signs_in()
    {
        foreach ((Client client, string asked) in new[]
        {
            (await ClientAsync(new OpenIdSettings { Resources = [Api] }), Other),
            (await ClientAsync(new OpenIdSettings { Resources = [] }), Api),
            (await ClientAsync(new OpenIdSettings(), firstParty: false), Api),
        })
        {
            Arrival refused = await browser.SilentlyAsync(("client_id", client.ClientId), ("resource", asked));
            (refused["error"], refused["state"], refused["iss"]).ShouldBe(("invalid_target", OAuthBrowser.State, browser.Issuer));
            refused["error_description"].ShouldEndWith("(ATR1243)");
        }

        browser.Cookies.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_resource_that_is_withdrawn_from_a_client_gets_no_more_tokens_until_it_is_given_back()
    {
        Client client = await ClientAsync(new OpenIdSettings { Resources = [Api, Other] });
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", client.ClientId), ("resource", Api));
        TokenReply tokens = await RedeemAsync(client, arrival.Code);
        ManagementCalls api = new(server);
        (await api.PatchAsync($"/clients/{client.Id}", new { settings = new { openid = new { resources = new[] { Other } } } })).Expect(200);
        (await RefreshAsync(client, tokens.RefreshToken, ("resource", Api))).ShouldBeRefused("invalid_target", "ATR1440");
        (await api.PatchAsync($"/clients/{client.Id}", new { settings = new { openid = new { resources = new[] { Api } } } })).Expect(200);
        AudienceOf(await RefreshAsync(client, tokens.RefreshToken, ("resource", Api))).ShouldBe(Api);
    }

    [Fact]
    public async Task A_refresh_that_is_spent_on_a_resource_that_was_withdrawn_ends_its_grant()
    {
        Client client = await ClientAsync(new OpenIdSettings { Resources = [Api] });
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", client.ClientId), ("resource", Api));
        TokenReply tokens = await RedeemAsync(client, arrival.Code);
        ManagementCalls api = new(server);
        (await api.PatchAsync($"/clients/{client.Id}", new { settings = new { openid = new { resources = new[] { Other } } } })).Expect(200);
        (await RefreshAsync(client, tokens.RefreshToken)).ShouldBeRefused("invalid_target", "ATR1440");
        (await api.PatchAsync($"/clients/{client.Id}", new { settings = new { openid = new { resources = new[] { Api } } } })).Expect(200);
        (await RefreshAsync(client, tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
    }

    [Fact]
    public async Task A_client_for_itself_asks_by_the_same_rule()
    {
        AudienceOf(await browser.TokenAsync(Machine())).ShouldBe("demo-m2m");
        AudienceOf(await browser.TokenAsync([.. Machine(), ("resource", Api)])).ShouldBe(Api);
        Client restricted = await ClientAsync(
            new OpenIdSettings { Resources = [Api], DefaultResource = Other }, change: static client => client with
            {
                Type = ClientType.M2M, GrantTypes = ["client_credentials"], RedirectUris = [], SecretHash = new Secret("its-secret").Hash(),
            });
        (string, string)[] form = [("grant_type", "client_credentials"), ("client_id", restricted.ClientId), ("client_secret", "its-secret")];
        AudienceOf(await browser.TokenAsync(form)).ShouldBe(Other);
        AudienceOf(await browser.TokenAsync([.. form, ("resource", Other)])).ShouldBe(Other);
        AudienceOf(await browser.TokenAsync([.. form, ("resource", Api)])).ShouldBe(Api);
        (await browser.TokenAsync([.. form, ("resource", "https://third.example.test")])).ShouldBeRefused("invalid_target", "ATR1440");
    }

    [Fact]
    public async Task Introspection_and_explain_tell_the_same_audience_as_the_token()
    {
        Client client = await ClientAsync(
            new OpenIdSettings { DefaultResource = Api }, change: static client => client with { Type = ClientType.Web, SecretHash = new Secret("its-secret").Hash() });
        (string, string)[] secret = [("client_secret", "its-secret")];
        Arrival arrival = await browser.SignInAsync("sam@example.test", ("client_id", client.ClientId));
        TokenReply tokens = await RedeemAsync(client, arrival.Code, secret);
        using HttpResponseMessage introspected = await browser.PostAsync(
            "/t/acme/introspect", [("client_id", client.ClientId), .. secret, ("token", tokens.AccessToken)]);
        JsonElement.Parse(await introspected.Content.ReadAsStringAsync()).GetProperty("aud").GetString().ShouldBe(Api);
        ManagementAnswer explained = (await new ManagementCalls(server).PostAsync(
            "/explain/sign-in", new { user = "sam@example.test", client_id = client.ClientId })).Expect(200);
        explained.Data.GetProperty("claims").GetProperty("aud").GetString().ShouldBe(Api);
    }

    private static string AudienceOf(TokenReply reply)
    {
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        JsonElement audience = reply.Access.GetProperty("aud");
        audience.ValueKind.ShouldBe(JsonValueKind.String, "always one");
        return audience.GetString()!;
    }

    private static (string Name, string Value)[] Machine() =>
        [("grant_type", "client_credentials"), ("client_id", "demo-m2m"), ("client_secret", DemoRealm.MachineSecret)];

    private static Client Client(bool firstParty, string? listed, string? otherwise) => new()
    {
        RealmId = Engine.Worlds.IdOf<Core.Realms.Realm>(1), Id = Engine.Worlds.IdOf<Client>(1), ClientId = "c", Name = "C", Type = ClientType.Spa,
        GrantTypes = ["authorization_code"], CreatedAt = Engine.Worlds.Start, UpdatedAt = Engine.Worlds.Start,
        Settings = new ClientSettings
        {
            FirstParty = firstParty,
            Openid = new OpenIdSettings { Resources = listed is null ? null : listed.Length == 0 ? [] : [listed], DefaultResource = otherwise },
        },
    };

    private Task<Client> ClientAsync(OpenIdSettings openid, bool firstParty = true, Func<Client, Client>? change = null) =>
        world.ClientAsync($"c-{Guid.NewGuid():n}", new ClientSettings { Openid = openid, FirstParty = firstParty }, change);

    private Task<TokenReply> RedeemAsync(Client client, string code, params (string, string)[] more) => browser.TokenAsync(
        [
            ("grant_type", "authorization_code"), ("client_id", client.ClientId), ("code", code), ("redirect_uri", DemoRealm.Callback),
            ("code_verifier", OAuthBrowser.Verifier), .. more,
        ]);

    private Task<TokenReply> RefreshAsync(Client client, string token, params (string, string)[] more) =>
        browser.TokenAsync([("grant_type", "refresh_token"), ("client_id", client.ClientId), ("refresh_token", token), .. more]);
}
