using System.Net;
using System.Text.Json;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Tests.AppNative;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;
using Answer = Atrium.Tests.AuthKit.Answer;

namespace Atrium.Tests.Nodes;

public sealed class AheadSkewTests(SecondNodeAhead nodes) : SkewContract(nodes), IClassFixture<SecondNodeAhead>;

public sealed class BehindSkewTests(SecondNodeBehind nodes) : SkewContract(nodes), IClassFixture<SecondNodeBehind>;

/// <summary>
/// Every door's flow with each request at the other node than the one before, whose clock shows two seconds more or less. Each begins where
/// that hurts most: on the full minute, when one node is in another step of the authenticator's codes and another window of guesses. Each
/// runs twice, beginning at one node and at the other.
/// </summary>
public abstract class SkewContract(TwoNodes nodes)
{
    private const string Mia = "mia@example.test";

    private readonly AuthKitCalls authKit = new(nodes);

    public static TheoryData<int> Beginnings => [0, 1];

    [Theory, MemberData(nameof(Beginnings))]
    public async Task A_hosted_sign_in_and_everything_that_follows(int node)
    {
        Begin(node);
        OAuthBrowser browser = new(nodes);
        TokenReply tokens = await browser.TokensAsync(Mia, ("max_age", "60"));
        for (int i = 0; i < 2; i++)
        {
            (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.OK);
            (await browser.SilentlyAsync(("prompt", "none"), ("max_age", "60"))).Code.ShouldNotBeEmpty();
            tokens = await RefreshAsync(browser, tokens.RefreshToken);
        }

        using HttpResponseMessage signedOut = await browser.GetAsync($"/t/acme/logout?id_token_hint={tokens.Json.GetProperty("id_token").GetString()}");
        foreach (int _ in Beginnings)
        {
            (await browser.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
            (await browser.RefreshAsync(tokens.RefreshToken)).Error.ShouldBe("invalid_grant");
        }
    }

    [Theory, MemberData(nameof(Beginnings))]
    public async Task A_client_introspects_what_the_other_node_issued(int node)
    {
        Begin(node);
        OAuthBrowser browser = new(nodes);
        (string, string)[] client = [("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret)];
        string code = (await browser.SignInAsync(Mia, ("client_id", "demo-server"))).Code;
        TokenReply tokens = await browser.TokenAsync(
            [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier), .. client]);
        foreach (string token in new[] { tokens.AccessToken, tokens.AccessToken, tokens.RefreshToken, tokens.RefreshToken })
        {
            using HttpResponseMessage answer = await browser.PostAsync("/t/acme/introspect", [("token", token), .. client]);
            JsonElement.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("active").GetBoolean().ShouldBeTrue();
        }
    }

    [Theory, MemberData(nameof(Beginnings))]
    public async Task A_code_and_a_spent_refresh_token_are_good_for_two_seconds_less_at_worst(int node)
    {
        Begin(node);
        OAuthBrowser browser = new(nodes);
        string code = (await browser.SignInAsync(Mia)).Code;
        nodes.Clock.Advance(TimeSpan.FromSeconds(57));
        TokenReply tokens = await browser.RedeemAsync(code);
        tokens.Status.ShouldBe(HttpStatusCode.OK);

        // A spent token is spent at a time that may lie in the other node's future; it leads to the one successor all the same.
        string spent = tokens.RefreshToken;
        string successor = (await RefreshAsync(browser, spent)).RefreshToken;
        (await RefreshAsync(browser, spent)).RefreshToken.ShouldBe(successor);
        (await RefreshAsync(browser, spent)).RefreshToken.ShouldBe(successor);
        nodes.Clock.Advance(TimeSpan.FromSeconds(27));
        (await RefreshAsync(browser, spent)).RefreshToken.ShouldBe(successor);
        (await RefreshAsync(browser, spent)).RefreshToken.ShouldBe(successor);
        nodes.Clock.Advance(TimeSpan.FromSeconds(6));
        (await browser.RefreshAsync(spent)).Error.ShouldBe("invalid_grant");
        (await browser.RefreshAsync(successor)).Error.ShouldBe("invalid_grant", "the family ended");
    }

    [Theory, MemberData(nameof(Beginnings))]
    public async Task A_second_factor_is_proved_at_any_node_and_its_code_is_used_once(int node)
    {
        User user = await authKit.NewUserAsync(emailVerified: true, "northwind");
        Answer enrolled = await authKit.PostAsync($"/user_management/users/{user.Id}/auth_factors", new { type = "totp" });
        string secret = enrolled.ShouldBe(HttpStatusCode.Created).Json.GetProperty("authentication_factor").GetProperty("totp").GetProperty("secret").GetString()!;
        string enrolment = enrolled.Json.GetProperty("authentication_challenge").GetProperty("id").GetString()!;
        (await authKit.PostAsync($"/auth/challenges/{enrolment}/verify", new { code = authKit.TotpCode(secret) })).ShouldBe(HttpStatusCode.Created);

        nodes.Clock.Advance(TimeSpan.FromMinutes(2));
        Begin(node);
        string code = authKit.TotpCode(secret);
        (await ProveAsync(await authKit.PasswordAsync(user.Email), code)).ShouldBe(HttpStatusCode.OK);
        (await ProveAsync(await authKit.PasswordAsync(user.Email), code)).ShouldBe(HttpStatusCode.BadRequest, "invalid_one_time_code");
        Begin(node + 1);
        (await ProveAsync(await authKit.PasswordAsync(user.Email), authKit.TotpCode(secret))).ShouldBe(HttpStatusCode.OK);

        async Task<Answer> ProveAsync(Answer prompted, string shown)
        {
            string factor = prompted.Json.GetProperty("authentication_factors")[0].GetProperty("id").GetString()!;
            Answer challenge = (await authKit.PostAsync($"/auth/factors/{factor}/challenge", new { })).ShouldBe(HttpStatusCode.Created);
            return await authKit.AuthenticateAsync(
                AuthKitCalls.TotpGrant,
                ("pending_authentication_token", prompted["pending_authentication_token"]), ("authentication_challenge_id", challenge["id"]), ("code", shown));
        }
    }

    [Theory, MemberData(nameof(Beginnings))]
    public async Task AuthKit_signs_in_chooses_refreshes_switches_and_signs_out(int node)
    {
        Begin(node);
        (string northwind, string contoso) = (await authKit.OrganizationIdAsync("northwind"), await authKit.OrganizationIdAsync("contoso"));
        Answer tokens = await authKit.SignInToAsync(Mia, northwind);
        tokens = (await authKit.RefreshAsync(tokens["refresh_token"])).ShouldBe(HttpStatusCode.OK);
        tokens = (await authKit.RefreshAsync(tokens["refresh_token"], contoso)).ShouldBe(HttpStatusCode.OK);
        tokens["organization_id"].ShouldBe(contoso);
        string session = AuthKitCalls.SessionOf(tokens);
        (await authKit.PostAsync("/user_management/sessions/revoke", new { session_id = session })).ShouldBe(HttpStatusCode.OK);
        foreach (int _ in Beginnings)
            (await authKit.RefreshAsync(tokens["refresh_token"])).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");
    }

    [Theory, MemberData(nameof(Beginnings))]
    public async Task A_mailed_code_verifies_at_any_node(int node)
    {
        User user = await authKit.NewUserAsync(emailVerified: false, "northwind");
        Begin(node);
        Answer asked = (await authKit.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.Forbidden);
        Answer mail = await authKit.GetAsync($"/user_management/email_verification/{asked["email_verification_id"]}");
        (await authKit.AuthenticateAsync(AuthKitCalls.EmailGrant, ("pending_authentication_token", asked["pending_authentication_token"]), ("code", mail["code"])))
            .ShouldBe(HttpStatusCode.OK);
    }

    [Theory, MemberData(nameof(Beginnings))]
    public async Task A_key_of_idempotency_is_used_once_among_all_nodes(int node)
    {
        Begin(node);
        object person = new { email = $"{Guid.NewGuid():n}@example.test" };
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => authKit.SendAsync(
            HttpMethod.Post, "/user_management/users", person, change: request => request.Headers.Add("Idempotency-Key", $"skew {node}"))));
        answers.ShouldAllBe(static answer => answer.Status == HttpStatusCode.Created);
        answers.Select(static answer => answer["id"]).Distinct().ShouldHaveSingleItem();
    }

    [Theory, MemberData(nameof(Beginnings))]
    public async Task An_app_native_sign_in(int node)
    {
        NativeApp app = new(nodes);
        Begin(node);
        AppNative.Answer flow = await app.PasswordAsync(await app.StartAsync(), "tom@example.test");
        flow = (await app.AnswerAsync(flow, NativeApp.Totp, new { token = app.FreshTotp() })).ShouldComplete();
        OAuthBrowser client = new(nodes);
        nodes.Clock.Advance(TimeSpan.FromSeconds(57));
        TokenReply tokens = await client.TokenAtAsync(
            "/t/acme/oauth2/token",
            ("grant_type", "authorization_code"), ("client_id", "demo-native"), ("code", flow.Code), ("redirect_uri", DemoRealm.NativeCallback));
        tokens.Status.ShouldBe(HttpStatusCode.OK, tokens.Json.ToString());
        foreach (int _ in Beginnings)
            (await client.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Theory, MemberData(nameof(Beginnings))]
    public async Task Wrong_guesses_at_both_nodes_are_counted_together(int node)
    {
        User user = await authKit.NewUserAsync();
        Begin(node);
        for (int guess = 0; guess < 30; guess++)
            (await GuessAsync("wrong")).ShouldBe(HttpStatusCode.BadRequest);
        foreach (int _ in Beginnings)
            (await GuessAsync(DemoRealm.Password)).Status.ShouldBe(HttpStatusCode.TooManyRequests);

        Task<Answer> GuessAsync(string password) =>
            authKit.AuthenticateAsync("password", ("email", user.Email), ("password", password), ("ip_address", "203.0.113.7"));
    }

    /// <summary>On the next full minute, with the next request going to that node.</summary>
    private void Begin(int node)
    {
        nodes.Clock.Advance(TimeSpan.FromTicks(TimeSpan.TicksPerMinute - (nodes.Clock.GetUtcNow().UtcTicks % TimeSpan.TicksPerMinute)));
        nodes.BeginAt(node);
    }

    private static async Task<TokenReply> RefreshAsync(OAuthBrowser browser, string token)
    {
        TokenReply reply = await browser.RefreshAsync(token);
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }
}
