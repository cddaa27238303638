using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>The contract of the multi-org tokens, line by line: what each token says, in which form, and for how long.</summary>
public sealed class TokenClaimsTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task Every_token_is_signed_with_a_published_key_and_only_access_tokens_have_a_type()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        string[] keys = await KeyIdsAsync();
        foreach ((string token, string[] members) in new[]
        {
            (tokens.AccessToken, new[] { "alg", "kid", "typ" }), (tokens.Json.GetProperty("id_token").GetString()!, ["alg", "kid"]), (tokens.RefreshToken, ["alg", "kid"]),
        })
        {
            JsonElement header = Jwts.HeaderOf(token);
            header.EnumerateObject().Select(static member => member.Name).ShouldBe(members);
            header.GetProperty("alg").GetString().ShouldBe("ES256", "which a client gets that says nothing");
            keys.ShouldContain(header.GetProperty("kid").GetString());
        }

        Jwts.HeaderOf(tokens.AccessToken).GetProperty("typ").GetString().ShouldBe("at+jwt");
        await world.ClientAsync("signed-by-rsa", new ClientSettings(), static client => client with { SignatureAlgorithm = "RS256" });
        TokenReply rsa = await RedeemForAsync("signed-by-rsa", (await browser.SilentlyAsync(("client_id", "signed-by-rsa"))).Code);
        new[] { rsa.AccessToken, rsa.Json.GetProperty("id_token").GetString()!, rsa.RefreshToken }
            .Select(static token => Jwts.HeaderOf(token).GetProperty("alg").GetString()).ShouldBe(["RS256", "RS256", "RS256"]);
    }

    [Fact]
    public async Task An_access_token_has_every_claim_of_the_contract()
    {
        User mia = await world.UserAsync("mia@example.test");
        long signedInAt = server.Clock.GetUtcNow().ToUnixTimeSeconds();
        TokenReply tokens = await browser.TokensAsync(mia.Email, ("scope", "openid profile email"));
        server.Clock.Advance(TimeSpan.FromMinutes(10));
        TokenReply refreshed = await browser.RefreshAsync(tokens.RefreshToken);
        foreach ((JsonElement token, long issuedAt) in new[] { (tokens.Access, signedInAt), (refreshed.Access, signedInAt + 600) })
        {
            Text(token, "iss").ShouldBe(browser.Issuer);
            Text(token, "sub").ShouldBe(mia.Id.ToString());
            Text(token, "aud").ShouldBe("demo-web", "a single text, never an array");
            Text(token, "client_id").ShouldBe("demo-web");
            Text(token, "scope").ShouldBe("openid profile email");
            Text(token, "sid").ShouldStartWith("s_");
            token.GetProperty("dat").GetRawText().ShouldBe("""{"type":"identity"}""");
            token.GetProperty("iat").GetInt64().ShouldBe(issuedAt);
            token.GetProperty("exp").GetInt64().ShouldBe(issuedAt + 1800);
            token.GetProperty("auth_time").GetInt64().ShouldBe(signedInAt, "of the real sign-in, after a refresh too");
            token.TryGetProperty("org_id", out _).ShouldBeFalse();
        }

        Text(refreshed.Access, "sid").ShouldBe(Text(tokens.Access, "sid"));
        Text(refreshed.Access, "jti").ShouldNotBe(Text(tokens.Access, "jti"));
    }

    [Fact]
    public async Task The_audience_is_the_resource_that_was_asked_for_in_every_token_of_the_grant()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test", ("resource", "https://api.example.test/orders"));
        Text(tokens.Access, "aud").ShouldBe("https://api.example.test/orders");
        Text(tokens.Identity, "aud").ShouldBe("demo-web", "an ID token is for the client");
        Text((await browser.RefreshAsync(tokens.RefreshToken)).Access, "aud").ShouldBe("https://api.example.test/orders");
    }

    [Fact]
    public async Task A_client_that_speaks_for_itself_has_no_person_no_session_and_no_organizations()
    {
        TokenReply reply = await browser.TokenAsync(
            ("grant_type", "client_credentials"), ("client_id", "demo-m2m"), ("client_secret", DemoRealm.MachineSecret), ("scope", "reports:read"));
        reply.Status.ShouldBe(HttpStatusCode.OK);
        reply.Access.EnumerateObject().Select(static claim => claim.Name).ShouldBe(["iss", "sub", "aud", "iat", "exp", "jti", "client_id", "scope"]);
        (Text(reply.Access, "sub"), Text(reply.Access, "client_id")).ShouldBe(("demo-m2m", "demo-m2m"));
        (reply.Access.GetProperty("exp").GetInt64() - reply.Access.GetProperty("iat").GetInt64()).ShouldBe(1800);
        reply.Json.EnumerateObject().Select(static member => member.Name).ShouldBe(["access_token", "token_type", "expires_in", "scope"], "an access token only");
        (await browser.UserInfoAsync(reply.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task An_ID_token_is_for_the_client_and_a_refresh_token_tells_little()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        JsonElement identity = tokens.Identity;
        (Text(identity, "iss"), Text(identity, "aud"), Text(identity, "nonce"), Text(identity, "sub")).ShouldBe(
            (browser.Issuer, "demo-web", "the-nonce", Text(tokens.Access, "sub")));
        (identity.GetProperty("exp").GetInt64() - identity.GetProperty("iat").GetInt64()).ShouldBe(3600);
        JsonElement refresh = tokens.Refresh;
        (refresh.GetProperty("exp").GetInt64() - refresh.GetProperty("iat").GetInt64()).ShouldBe(7 * 24 * 3600);
        foreach (string name in new[] { "organizations", "org_id", "auth_time", "nonce", "email", "name" })
            refresh.TryGetProperty(name, out _).ShouldBeFalse(name);
    }

    [Fact]
    public async Task Each_kind_of_token_lives_as_long_as_the_client_says()
    {
        await world.ClientAsync(
            "aged", new ClientSettings { Openid = new OpenIdSettings { DefaultAccessTokenAge = 60, DefaultIdTokenAge = 120, DefaultRefreshTokenAge = 240 } });
        TokenReply tokens = await RedeemForAsync("aged", (await browser.SignInAsync("mia@example.test", ("client_id", "aged"))).Code);
        new[] { tokens.Access, tokens.Identity, tokens.Refresh }.Select(static token => token.GetProperty("exp").GetInt64() - token.GetProperty("iat").GetInt64())
            .ShouldBe([60L, 120, 240]);
        server.Clock.Advance(TimeSpan.FromSeconds(240));
        (await browser.TokenAsync(("grant_type", "refresh_token"), ("client_id", "aged"), ("refresh_token", tokens.RefreshToken)))
            .ShouldBeRefused("invalid_grant", "ATR1421");
    }

    [Fact]
    public async Task A_refresh_may_narrow_this_access_token_and_the_next_one_has_the_whole_grant_again()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test", ("scope", "openid profile email"));
        Text(tokens.Json, "scope").ShouldBe("openid profile email");
        TokenReply narrowed = await browser.RefreshAsync(tokens.RefreshToken, ("scope", "email"));
        (Text(narrowed.Json, "scope"), Text(narrowed.Access, "scope"), Text(narrowed.Refresh, "scope")).ShouldBe(("email", "email", "openid profile email"));
        (await browser.RefreshAsync(narrowed.RefreshToken, ("scope", "openid phone"))).ShouldBeRefused("invalid_scope", "ATR1428");
        Text((await browser.RefreshAsync(narrowed.RefreshToken)).Access, "scope").ShouldBe("openid profile email");
    }

    [Fact]
    public async Task Userinfo_and_the_ID_token_have_what_each_scope_asks_for()
    {
        User person = await world.PersonAsync("everything@example.test");
        (await api.PatchAsync($"/users/{person.Id}", new
        {
            username = "everything",
            profile = new { given_name = "Ada", family_name = "King", name = "Ada Lovelace", picture = "https://img.test/a.png", locale = "en-GB" },
            phone_number = "+44 20 7946 0000",
            phone_number_verified = true,
            address = new { formatted = "12 St James's Square\nLondon", street_address = "12 St James's Square", locality = "London", postal_code = "SW1Y 4JH", country = "GB" },
        })).Expect(200);
        Dictionary<string, string[]> asked = new()
        {
            ["profile"] = ["name", "given_name", "family_name", "preferred_username", "picture", "locale", "updated_at"],
            ["email"] = ["email", "email_verified"],
            ["phone"] = ["phone_number", "phone_number_verified"],
            ["address"] = ["address"],
        };
        string[] personal = [.. asked.SelectMany(static scope => scope.Value)];
        await browser.SignInAsync(person.Email);
        foreach (string scope in asked.Keys.Append("profile email phone address").Append(""))
        {
            string[] expected = [.. asked.Where(entry => scope.Split(' ').Contains(entry.Key)).SelectMany(static entry => entry.Value)];
            TokenReply tokens = await browser.RedeemAsync((await browser.SilentlyAsync(("scope", $"openid {scope}".Trim()))).Code);
            JsonElement info = (await browser.UserInfoAsync(tokens.AccessToken)).Json;
            foreach (JsonElement said in new[] { info, tokens.Identity })
                said.EnumerateObject().Select(static claim => claim.Name).Intersect(personal).ShouldBe(expected, ignoreOrder: true, scope);
        }

        JsonElement all = (await browser.UserInfoAsync(
            (await browser.RedeemAsync((await browser.SilentlyAsync(("scope", "openid phone address"))).Code)).AccessToken)).Json;
        (Text(all, "phone_number"), all.GetProperty("phone_number_verified").GetBoolean()).ShouldBe(("+44 20 7946 0000", true));
        JsonElement address = all.GetProperty("address");
        address.EnumerateObject().Select(static part => part.Name).ShouldBe(["formatted", "street_address", "locality", "postal_code", "country"], "what is not known is left out");
        Text(address, "formatted").ShouldBe("12 St James's Square\nLondon");
    }

    [Fact]
    public async Task What_is_not_known_of_a_person_is_in_no_token()
    {
        User person = await world.PersonAsync("nothing-known@example.test");
        TokenReply tokens = await browser.TokensAsync(person.Email, ("scope", "openid phone address profile"));
        JsonElement info = (await browser.UserInfoAsync(tokens.AccessToken)).Json;
        info.EnumerateObject().Select(static claim => claim.Name).ShouldBe(["sub", "updated_at", "organizations"]);
    }

    [Fact]
    public async Task A_new_telephone_number_is_not_verified_unless_the_same_body_says_so()
    {
        User person = await world.PersonAsync("telephone@example.test");
        await PhoneAsync(new { phone_number = "+1 212 555 0100", phone_number_verified = true }, isVerified: true);
        await PhoneAsync(new { profile = new { name = "T" } }, isVerified: true);
        await PhoneAsync(new { phone_number = "+1 212 555 0199" }, isVerified: false);
        await PhoneAsync(new { phone_number = "+1 212 555 0100", phone_number_verified = true }, isVerified: true);
        await PhoneAsync(new { phone_number = (string?)null }, isVerified: false);

        async Task PhoneAsync(object body, bool isVerified) =>
            (await api.PatchAsync($"/users/{person.Id}", body)).Expect(200).Data.GetProperty("phone_number_verified").GetBoolean().ShouldBe(isVerified);
    }

    [Fact]
    public async Task The_oldest_membership_is_first_and_of_two_of_one_moment_the_older_organization()
    {
        Organization[] organizations = [await NewAsync(), await NewAsync(), await NewAsync()];
        User user = await world.PersonAsync("in-order@example.test");
        await world.JoinAsync(user, organizations[2], "member");
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await world.JoinAsync(user, organizations[1], "member");
        await world.JoinAsync(user, organizations[0], "member");
        TokenReply tokens = await browser.TokensAsync(user.Email);
        tokens.Organizations.ShouldBe(new[] { 2, 0, 1 }.Select(i => organizations[i].Id.ToString()));
        JsonElement first = tokens.Access.GetProperty("organizations")[0];
        first.EnumerateObject().Select(static member => member.Name).ShouldBe(["id", "title", "scopes", "joined_at"]);
        first.GetProperty("title").ValueKind.ShouldBe(JsonValueKind.Null);
        first.GetProperty("joined_at").GetInt64().ShouldBe(server.Clock.GetUtcNow().ToUnixTimeSeconds() - 1, "in seconds, as all times in tokens");

        Task<Organization> NewAsync() => world.NewOrganizationAsync($"in-order-{Guid.NewGuid():n}");
    }

    [Fact]
    public async Task A_scope_of_a_membership_is_any_text_of_one_to_a_hundred_characters()
    {
        Organization organization = await world.NewOrganizationAsync("scoped");
        User user = await world.PersonAsync("scoped@example.test");
        string[] scopes = [new('x', 100), "*:**", "Größe & 'mehr'", "a"];
        (await api.PostAsync($"/organizations/{organization.Id}/members", new { user_id = user.Id.ToString(), scopes })).Expect(201);
        TokenReply tokens = await browser.TokensAsync(user.Email);
        tokens.Access.GetProperty("organizations")[0].GetProperty("scopes").EnumerateArray().Select(static scope => scope.GetString()).ShouldBe(scopes);
        foreach (string wrong in new[] { new string('x', 101), "" })
            (await api.PatchAsync($"/organizations/{organization.Id}/members/{user.Id}", new { scopes = new[] { wrong } })).Expect(422).WrongFields.ShouldBe(["/scopes/0"]);
    }

    [Fact]
    public async Task A_suspended_organization_is_in_no_new_token_logs_nobody_out_and_comes_back()
    {
        Organization organization = await world.NewOrganizationAsync("comes-back");
        User user = await world.PersonAsync("comes-back@example.test", organization);
        TokenReply before = await browser.TokensAsync(user.Email);
        (await api.PatchAsync($"/organizations/{organization.Id}", new { status = "suspended", status_reason = "unpaid" })).Expect(200);
        TokenReply during = await browser.RefreshAsync(before.RefreshToken);
        (during.Status, during.Organizations.Length).ShouldBe((HttpStatusCode.OK, 0));
        (await browser.UserInfoAsync(before.AccessToken)).Status.ShouldBe(HttpStatusCode.OK, "a token that is out lives to its end");
        (await browser.SilentlyAsync(("prompt", "none"))).Code.ShouldNotBeEmpty();
        (await api.PatchAsync($"/organizations/{organization.Id}", new { status = "active" })).Expect(200);
        (await browser.RefreshAsync(during.RefreshToken)).Organizations.ShouldBe([organization.Id.ToString()]);
    }

    [Fact]
    public async Task A_policy_that_changes_after_the_sign_in_holds_from_the_next_token_on()
    {
        Client client = await world.RestrictedClientAsync("tightened", OrganizationPolicy.All);
        Arrival arrival = await browser.SignInAsync("mia@example.test", ("client_id", "tightened"));
        TokenReply tokens = await RedeemForAsync("tightened", arrival.Code);
        tokens.Organizations.Length.ShouldBe(2);
        await SetAsync(new { policy = "allowlist", allowed_org_ids = new[] { tokens.Organizations[0] } });
        TokenReply listed = await RefreshAsync(tokens);
        listed.Organizations.ShouldBe([tokens.Organizations[0]]);
        await SetAsync(new { policy = "none" });
        TokenReply none = await RefreshAsync(listed);
        none.Access.TryGetProperty("organizations", out _).ShouldBeFalse();
        (await browser.UserInfoAsync(none.AccessToken)).Json.TryGetProperty("organizations", out _).ShouldBeFalse();

        async Task SetAsync(object organizations) =>
            (await api.PatchAsync($"/clients/{client.Id}", new { settings = new { restrictions = new { organizations } } })).Expect(200);

        Task<TokenReply> RefreshAsync(TokenReply reply) =>
            browser.TokenAsync(("grant_type", "refresh_token"), ("client_id", "tightened"), ("refresh_token", reply.RefreshToken));
    }

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private async Task<string[]> KeyIdsAsync()
    {
        using HttpResponseMessage response = await browser.GetAsync($"{OAuthBrowser.Root}/jwks.json");
        return [.. JsonElement.Parse(await response.Content.ReadAsStringAsync()).GetProperty("keys").EnumerateArray().Select(static key => Text(key, "kid"))];
    }

    private Task<TokenReply> RedeemForAsync(string client, string code) => browser.TokenAsync(
        ("grant_type", "authorization_code"), ("client_id", client), ("code", code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));
}
