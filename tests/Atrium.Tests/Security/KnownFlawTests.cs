using System.Net;
using System.Text;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Security;

/// <summary>Flaws that other identity providers had, each tried on ours; a test's name begins with the flaw's. Run on both databases.</summary>
public class KnownFlawTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    [Fact]
    public async Task CVE_2026_9791_organizations_are_told_nowhere_when_the_client_may_not_know_of_them()
    {
        await world.ClientAsync(
            "blind",
            new ClientSettings { Restrictions = new RestrictionSettings { Organizations = new OrganizationRestriction { Policy = OrganizationPolicy.None } } },
            static client => client with { Type = ClientType.Web, SecretHash = new Secret("its-secret").Hash() });
        (string, string)[] credentials = [("client_id", "blind"), ("client_secret", "its-secret")];
        Arrival arrival = await browser.SignInAsync("mia@example.test", ("client_id", "blind"));
        TokenReply tokens = await browser.TokenAsync(
            [.. credentials, ("grant_type", "authorization_code"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier)]);
        (_, JsonElement info, _) = await browser.UserInfoAsync(tokens.AccessToken);
        using HttpResponseMessage introspected = await browser.PostAsync("/t/acme/introspect", [.. credentials, ("token", tokens.AccessToken)]);
        string everything = $"{tokens.Access} {tokens.Identity} {tokens.Refresh} {info} {await introspected.Content.ReadAsStringAsync()}";
        everything.ShouldNotContain("organizations");
        everything.ShouldNotContain("org_");
    }

    /// <summary>Each of these flags, and all that somebody could still try.</summary>
    [Theory]
    [InlineData("user")]
    [InlineData("client")]
    [InlineData("session")]
    public async Task CVE_2026_1486_what_is_disabled_is_believed_by_no_grant_and_no_endpoint(string flag)
    {
        string clientId = $"flagged-{flag}-{Guid.NewGuid():N}";
        Client client = await world.ClientAsync(
            clientId, new(), static one => one with { Type = ClientType.Web, SecretHash = new Secret("its-secret").Hash(), GrantTypes = ["authorization_code", "refresh_token", "client_credentials"] });
        (string, string)[] credentials = [("client_id", clientId), ("client_secret", "its-secret")];
        User user = await world.PersonAsync($"{clientId}@example.test", await world.OrganizationAsync("northwind"));
        Arrival arrival = await browser.SignInAsync(user.Email, ("client_id", clientId));
        TokenReply tokens = await browser.TokenAsync([.. credentials, .. Redemption(arrival)]);
        Arrival unredeemed = await browser.SilentlyAsync(("client_id", clientId));
        await SwitchOffAsync(flag, client, user, tokens);

        string[] refusals = flag == "client" ? ["invalid_client"] : ["invalid_grant"];
        refusals.ShouldContain((await browser.TokenAsync([.. credentials, .. Redemption(unredeemed)])).Error!);
        refusals.ShouldContain((await browser.TokenAsync([.. credentials, ("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken)])).Error!);
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        using HttpResponseMessage silent = await browser.GetAsync(OAuthBrowser.Authorize(("client_id", clientId), ("prompt", "none")));
        (silent.Headers.Location?.Query.Contains("code=", StringComparison.Ordinal) ?? false).ShouldBeFalse();
        if (flag == "client")
        {
            (await browser.TokenAsync([.. credentials, ("grant_type", "client_credentials")])).Error.ShouldBe("invalid_client");
            return;
        }

        foreach (string token in new[] { tokens.AccessToken, tokens.RefreshToken })
        {
            using HttpResponseMessage told = await browser.PostAsync("/t/acme/introspect", [.. credentials, ("token", token)]);
            (await told.Content.ReadAsStringAsync()).ShouldBe("""{"active":false}""");
        }
    }

    [Fact]
    public async Task CVE_2026_1035_of_fifty_refreshes_at_once_there_is_exactly_one_family()
    {
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        TokenReply[] replies = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => browser.RefreshAsync(tokens.RefreshToken)));
        TokenReply[] good = [.. replies.Where(static reply => reply.Status == HttpStatusCode.OK)];
        good.ShouldNotBeEmpty();
        good.Select(static reply => reply.RefreshToken).Distinct(StringComparer.Ordinal).Count().ShouldBe(1);
    }

    [Fact]
    public async Task CVE_2026_4630_the_organization_of_the_path_and_of_the_body_must_be_one()
    {
        Organization northwind = await world.OrganizationAsync("northwind"), contoso = await world.OrganizationAsync("contoso");
        using HttpResponseMessage crossed = await browser.GetAsync(
            OAuthBrowser.Authorize($"/t/acme/o/{northwind.Id}/oauth2/authorize", ("org", contoso.Id.ToString())));
        Arrival.At(crossed)["error"].ShouldBe("invalid_request");
        await browser.SignInAsync("mia@example.test");
        Arrival arrival = await browser.SilentlyAsync(("org", northwind.Id.ToString()));
        TokenReply refused = await browser.TokenAtAsync(
            $"/t/acme/o/{contoso.Id}/oauth2/token", [("client_id", "demo-web"), .. Redemption(arrival)]);
        refused.Error.ShouldBe("invalid_request");
        (await browser.RedeemAsync(arrival.Code)).Organizations.ShouldBe([northwind.Id.ToString()]);
    }

    [Fact]
    public async Task CVE_2026_32131_nothing_of_a_realm_opens_anything_in_its_neighbour()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        Arrival arrival = await browser.SilentlyAsync();
        (string Path, (string, string)[] Fields)[] tries =
        [
            ("/t/globex/token", [("client_id", "demo-web"), .. Redemption(arrival)]),
            ("/t/globex/token", [("client_id", "globex-authkit"), .. Redemption(arrival)]),
            ("/t/globex/token", [("client_id", "globex-authkit"), ("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken)]),
            ("/t/globex/userinfo", [("access_token", tokens.AccessToken)]),
            ("/t/globex/sign-in", [.. form.Hidden, ("email", "mia@example.test"), ("password", DemoRealm.Password)]),
        ];
        foreach ((string path, (string, string)[] fields) in tries)
        {
            using HttpResponseMessage answer = await browser.PostAsync(path, fields);
            ((int)answer.StatusCode).ShouldBeInRange(400, 401, path);
        }

        using HttpResponseMessage hinted = await browser.GetAsync($"/t/globex/logout?id_token_hint={tokens.Json.GetProperty("id_token").GetString()}");
        hinted.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await browser.RedeemAsync(arrival.Code)).Status.ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>Codes, refresh tokens, access tokens, handles and cookies: each one cut short, made longer, or with a bit turned.</summary>
    [Fact]
    public async Task GHSA_6mq3_xmgp_pjm5_a_token_that_was_cut_lengthened_or_altered_is_none()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        string handle = form.Hidden.Single(static field => field.Name == "handle").Value;
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        Arrival arrival = await browser.SilentlyAsync();
        foreach (string code in Altered(arrival.Code))
            (await browser.RedeemAsync(code)).Error.ShouldBe("invalid_grant", code);
        foreach (string token in Altered(tokens.RefreshToken))
            (await browser.RefreshAsync(token)).Error.ShouldBe("invalid_grant", token);
        foreach (string token in Altered(tokens.AccessToken))
            (await browser.UserInfoAsync(token)).Status.ShouldBe(HttpStatusCode.Unauthorized, token);
        foreach (string other in Altered(handle))
        {
            using HttpResponseMessage page = await browser.GetAsync($"/t/acme/sign-in?handle={Uri.EscapeDataString(other)}");
            page.StatusCode.ShouldBe(HttpStatusCode.BadRequest, other);
        }

        string cookie = browser.Cookies["atrium_session"];
        foreach (string other in Altered(cookie))
        {
            browser.Cookies["atrium_session"] = other;
            (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required", other);
        }

        browser.Cookies["atrium_session"] = cookie;
        (await browser.RedeemAsync(arrival.Code)).Status.ShouldBe(HttpStatusCode.OK);
        (await browser.RefreshAsync(tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task CVE_2025_29928_a_session_that_is_ended_or_whose_person_is_disabled_is_gone_from_the_store()
    {
        User user = await world.PersonAsync("revoked@example.test", await world.OrganizationAsync("northwind"));
        TokenReply tokens = await browser.TokensAsync(user.Email);
        Id<Session> session = Id<Session>.Parse(tokens.Access.GetProperty("sid").GetString())!.Value;
        await server.Get<SessionStore>().EndAsync(user.RealmId, session, SessionEnd.Revoked, server.Clock.GetUtcNow(), Origin.System, default);
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        (await browser.RefreshAsync(tokens.RefreshToken)).Error.ShouldBe("invalid_grant");

        TokenReply again = await browser.TokensAsync(user.Email);
        await server.Get<UserStore>().UpdateAsync(user with { Status = UserStatus.Disabled }, null, default);
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        (await browser.RefreshAsync(again.RefreshToken)).Error.ShouldBe("invalid_grant");
    }

    /// <summary>No cleaner runs beside these tests.</summary>
    [Fact]
    public async Task CVE_2025_64708_what_has_expired_is_worth_nothing_before_any_cleaner_ran()
    {
        server.Options.CleansUp.ShouldBeFalse();
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        TokenReply tokens = await browser.TokensAsync("zoe@example.test");
        Arrival arrival = await browser.SilentlyAsync();
        server.Clock.Advance(TimeSpan.FromMinutes(31));
        (await browser.RedeemAsync(arrival.Code)).Error.ShouldBe("invalid_grant");
        (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        using HttpResponseMessage over = await browser.SubmitPasswordAsync(form, "zoe@example.test");
        using HttpResponseMessage page = await browser.GetAsync(over.Headers.Location!.OriginalString);
        (await page.Content.ReadAsStringAsync()).ShouldContain("ATR1310");
        server.Clock.Advance(TimeSpan.FromDays(31));
        (await browser.RefreshAsync(tokens.RefreshToken)).Error.ShouldBe("invalid_grant");
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact]
    public async Task CVE_2025_61928_who_somebody_is_comes_from_what_they_prove_and_from_no_parameter()
    {
        User mia = await world.UserAsync("mia@example.test");
        (string, string)[] claims = [("user_id", mia.Id.ToString()), ("userId", mia.Id.ToString()), ("sub", mia.Id.ToString()), ("email_verified", "true")];
        (await browser.SilentlyAsync([("prompt", "none"), .. claims.Select(static claim => (claim.Item1, (string?)claim.Item2))]))["error"].ShouldBe("login_required");
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        using HttpResponseMessage refused = await browser.SubmitAsync(form, [("email", "mia@example.test"), ("password", "wrong password"), .. claims]);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        TokenReply tokens = await browser.TokensAsync("sam@example.test");
        TokenReply refreshed = await browser.RefreshAsync(tokens.RefreshToken, claims);
        refreshed.Access.GetProperty("sub").GetString().ShouldNotBe(mia.Id.ToString());
        (await browser.TokenAsync([("client_id", "demo-m2m"), ("client_secret", DemoRealm.MachineSecret), ("grant_type", "client_credentials"), .. claims]))
            .Access.GetProperty("sub").GetString().ShouldBe("demo-m2m");
    }

    [Fact]
    public async Task GHSA_xg6x_h9c9_2m83_half_a_sign_in_is_no_session_anywhere()
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize());
        using HttpResponseMessage asked = await browser.SubmitPasswordAsync(form, "tom@example.test");
        HostedForm code = await browser.FollowAsync(asked);
        code.Asks("code").ShouldBeTrue();
        browser.Cookies.ShouldNotContainKey("atrium_session");
        string handle = form.Hidden.Single(static field => field.Name == "handle").Value;
        browser.Cookies["atrium_session"] = handle;
        (await browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        (await browser.UserInfoAsync(handle)).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await browser.RedeemAsync(handle)).Error.ShouldBe("invalid_grant");
        (await browser.RefreshAsync(handle)).Error.ShouldBe("invalid_grant");
    }

    [Fact]
    public async Task CVE_2026_9092_no_token_is_exchanged_for_one_of_another_organization()
    {
        Organization northwind = await world.OrganizationAsync("northwind"), contoso = await world.OrganizationAsync("contoso");
        TokenReply tokens = await browser.TokensAsync("mia@example.test", ("org", northwind.Id.ToString()));
        (await browser.RefreshAsync(tokens.RefreshToken, ("org", contoso.Id.ToString()))).Error.ShouldBe("invalid_request");
        (await browser.TokenAsync(
            ("client_id", "demo-web"), ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("subject_token", tokens.AccessToken),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"), ("org", contoso.Id.ToString()))).Error.ShouldBe("unsupported_grant_type");
        (await browser.RefreshAsync(tokens.RefreshToken)).Organizations.ShouldBe([northwind.Id.ToString()]);
    }

    private static (string, string)[] Redemption(Arrival arrival) =>
    [
        ("grant_type", "authorization_code"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier),
    ];

    private static IEnumerable<string> Altered(string token)
    {
        yield return token[..^1];
        yield return token[1..];
        yield return token[..(token.Length / 2)];
        yield return token + "A";
        yield return token + "=";
        yield return token + " x";
        yield return token.ToUpperInvariant();
        foreach (int at in new[] { 0, token.Length / 3, token.Length / 2, token.Length - 1 })
        {
            StringBuilder turned = new(token);
            turned[at] = turned[at] == 'A' ? 'B' : 'A';
            yield return turned.ToString();
        }
    }

    private async Task SwitchOffAsync(string flag, Client client, User user, TokenReply tokens)
    {
        DateTimeOffset now = server.Clock.GetUtcNow();
        switch (flag)
        {
            case "user":
                await server.Get<UserStore>().UpdateAsync(user with { Status = UserStatus.Disabled, UpdatedAt = now }, null, default);
                break;
            case "client":
                Management.ManagementCalls api = new(server);
                (await api.PatchAsync($"/clients/{client.Id}", new { status = "disabled" })).Expect(200);
                break;
            default:
                Id<Session> session = Id<Session>.Parse(tokens.Access.GetProperty("sid").GetString())!.Value;
                await server.Get<SessionStore>().EndAsync(user.RealmId, session, SessionEnd.Revoked, now, Origin.System, default);
                break;
        }
    }
}

public sealed class PostgresKnownFlawTests(PostgresDemoServer server) : KnownFlawTests(server), IClassFixture<PostgresDemoServer>;
