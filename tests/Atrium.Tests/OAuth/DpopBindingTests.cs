using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.AppNative;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

public sealed class DpopBindingTests(DemoServer server) : DpopBindingContract(server), IClassFixture<DemoServer>;

public sealed class PostgresDpopBindingTests(PostgresDemoServer server) : DpopBindingContract(server), IClassFixture<PostgresDemoServer>;

/// <summary>Codes and tokens that are bound to a key: who holds another can do nothing with them, and spends nothing.</summary>
public abstract class DpopBindingContract(DemoServer server)
{
    private const string Sam = "sam@example.test";

    private static readonly (string Name, string Value)[] Confidential = [("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret)];

    private readonly DpopKey key = DpopKey.New();
    private readonly DpopKey other = DpopKey.New("PS256");
    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    private DpopCalls Calls => new(server, key);

    private DpopCalls Others => new(server, other);

    [Fact]
    public async Task A_code_redeemed_with_a_proof_gives_tokens_that_say_so()
    {
        DpopReply tokens = (await Calls.TokensAsync(Sam)).ShouldBeBoundTo(key.Jkt);
        tokens["id_token"].ShouldNotBeEmpty();
        Jwts.ClaimsOf(tokens["id_token"]).TryGetProperty("cnf", out _).ShouldBeFalse();
        Jwts.ClaimsOf(tokens.AccessToken).GetProperty("organizations").GetArrayLength().ShouldBe(1);
        (await Calls.UserInfoAsync(tokens.AccessToken))["email"].ShouldBe(Sam);
    }

    [Fact]
    public async Task A_public_clients_refresh_tokens_are_bound_too()
    {
        DpopReply tokens = await Calls.TokensAsync(Sam);
        for (int i = 0; i < 2; i++)
        {
            (await Others.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1153");
            (await browser.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1153");
            (await browser.RefreshAsync(tokens.RefreshToken, ("scope", "openid"))).ShouldBeRefused("invalid_grant", "ATR1153");
            tokens = (await Calls.RefreshAsync(tokens.RefreshToken)).ShouldBeBoundTo(key.Jkt);
        }
    }

    [Fact]
    public async Task A_replay_within_the_grace_shows_the_same_key_and_gets_the_same_successor()
    {
        DpopReply first = await Calls.TokensAsync(Sam);
        DpopReply second = await Calls.RefreshAsync(first.RefreshToken);
        (await Others.RefreshAsync(first.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1153");
        (await browser.RefreshAsync(first.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1153");
        (await Calls.RefreshAsync(first.RefreshToken)).ShouldBeBoundTo(key.Jkt).RefreshToken.ShouldBe(second.RefreshToken);

        server.Clock.Advance(TimeSpan.FromSeconds(31));
        (await Others.RefreshAsync(first.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1153");
        second = (await Calls.RefreshAsync(second.RefreshToken)).ShouldBeBoundTo(key.Jkt);
        (await Calls.RefreshAsync(first.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1423");
        (await Calls.RefreshAsync(second.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
    }

    [Fact]
    public async Task Of_twenty_refreshes_at_once_every_success_names_one_successor_and_the_wrong_keys_get_nothing()
    {
        DpopReply tokens = await Calls.TokensAsync(Sam);
        DpopReply[] replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? Calls : Others).RefreshAsync(tokens.RefreshToken)));
        foreach (DpopReply refused in replies.Where(static (_, i) => i % 2 == 1))
            refused.ShouldBeRefused("invalid_grant", "ATR1153");
        replies.Where(static (_, i) => i % 2 == 0).Select(reply => reply.ShouldBeBoundTo(key.Jkt).RefreshToken).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_refresh_with_a_proof_binds_what_was_not_bound()
    {
        TokenReply bearer = await browser.TokensAsync(Sam);
        DpopReply bound = (await Calls.RefreshAsync(bearer.RefreshToken)).ShouldBeBoundTo(key.Jkt);
        (await browser.RefreshAsync(bound.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1153");
        (await Others.RefreshAsync(bound.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1153");
        (await Calls.RefreshAsync(bearer.RefreshToken)).ShouldBeBoundTo(key.Jkt).RefreshToken.ShouldBe(bound.RefreshToken, "the same holder may ask once more");
        (await Calls.RefreshAsync(bound.RefreshToken)).ShouldBeBoundTo(key.Jkt);
    }

    [Theory]
    [InlineData(true, "", 0)]
    [InlineData(true, "", 31)]
    [InlineData(true, "another key", 0)]
    [InlineData(true, "another key", 31)]
    [InlineData(false, "another key", 0)]
    [InlineData(false, "another key", 31)]
    public async Task A_stolen_token_that_was_bound_to_no_key_ends_its_family_when_the_other_shows_it(bool thiefProves, string second, int secondsLater)
    {
        TokenReply bearer = await browser.TokensAsync(Sam);
        DpopReply first = await Others.RefreshAsync(bearer.RefreshToken, thiefProves ? null : "");
        first.ShouldBeBoundTo(thiefProves ? other.Jkt : null);
        server.Clock.Advance(TimeSpan.FromSeconds(secondsLater));
        (await Calls.RefreshAsync(bearer.RefreshToken, second.Length == 0 ? "" : null)).ShouldBeRefused("invalid_grant", "ATR1423");
        (await Others.RefreshAsync(first.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");
    }

    [Fact]
    public async Task Somebody_else_who_signs_in_instead_gets_a_code_for_the_same_key()
    {
        HostedForm page = await ConsentAsync(OAuthBrowser.Authorize(("dpop_jkt", key.Jkt), ("prompt", "consent")), Sam);
        string link = WebUtility.HtmlDecode(page.Html.Split("<a href=\"").Single(static part => part.Contains("Sign in as somebody else", StringComparison.Ordinal)).Split('"')[0]);
        page = await ConsentAsync(link, "mia@example.test");
        using HttpResponseMessage done = await browser.SubmitAsync(page, ("decision", "allow"));
        string code = Arrival.At(done).Code;
        (await browser.RedeemAsync(code)).ShouldBeRefused("invalid_grant", "ATR1153");
        (await Others.RedeemAsync(code)).ShouldBeRefused("invalid_grant", "ATR1153");
        (await Calls.RedeemAsync(code)).ShouldBeBoundTo(key.Jkt);

        async Task<HostedForm> ConsentAsync(string address, string email)
        {
            using HttpResponseMessage next = await browser.SubmitPasswordAsync(await browser.OpenAsync(address), email);
            return await browser.FollowAsync(next);
        }
    }

    [Fact]
    public async Task A_confidential_client_may_go_on_with_another_key_since_it_proves_itself()
    {
        Arrival arrival = await browser.SignInAsync(Sam, ("client_id", "demo-server"));
        DpopReply first = (await Calls.TokenAsync(
            Calls.TokenProof(),
            [.. Confidential, ("grant_type", "authorization_code"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier)]))
            .ShouldBeBoundTo(key.Jkt);
        DpopReply second = (await RefreshAsync(Others, Others.TokenProof(), first)).ShouldBeBoundTo(other.Jkt);
        DpopReply third = (await RefreshAsync(Calls, "", second)).ShouldBeBoundTo(null);
        (await RefreshAsync(Calls, Calls.TokenProof(), third)).ShouldBeBoundTo(key.Jkt);

        static Task<DpopReply> RefreshAsync(DpopCalls calls, string proof, DpopReply tokens) =>
            calls.TokenAsync(proof, [.. Confidential, ("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken)]);
    }

    [Theory]
    [InlineData("demo-web", false)]
    [InlineData("demo-server", true)]
    public async Task A_code_that_was_asked_for_with_a_key_is_redeemed_with_that_key_alone(string client, bool isConfidential)
    {
        (string, string)[] form =
        [
            ("grant_type", "authorization_code"), ("client_id", client), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier),
            ("code", (await browser.SignInAsync(Sam, ("client_id", client), ("dpop_jkt", key.Jkt))).Code),
            .. isConfidential ? [("client_secret", DemoRealm.ServerSecret)] : Array.Empty<(string, string)>(),
        ];
        (await browser.TokenAsync(form)).ShouldBeRefused("invalid_grant", "ATR1153");
        (await Others.TokenAsync(Others.TokenProof(), form)).ShouldBeRefused("invalid_grant", "ATR1153");
        DpopReply[] replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => i % 2 == 0
            ? Calls.TokenAsync(Calls.TokenProof(), form)
            : Others.TokenAsync(Others.TokenProof(), form)));
        replies.Count(static reply => reply.Status == HttpStatusCode.OK).ShouldBe(1);
        replies.Where(static reply => reply.Status != HttpStatusCode.OK).ShouldAllBe(static reply => reply["error"] == "invalid_grant");
        replies.Single(static reply => reply.Status == HttpStatusCode.OK).ShouldBeBoundTo(key.Jkt);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM")]
    [InlineData("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cMx")]
    public async Task A_thumbprint_that_is_none_is_refused_before_anybody_signs_in(string thumbprint)
    {
        Arrival arrival = await browser.SilentlyAsync(("dpop_jkt", thumbprint));
        (arrival["error"], arrival["state"]).ShouldBe(("invalid_request", OAuthBrowser.State));
        arrival["error_description"].ShouldEndWith("(ATR1152)");
    }

    [Fact]
    public async Task A_thumbprint_is_named_once()
    {
        using HttpResponseMessage twice = await browser.GetAsync($"{OAuthBrowser.Authorize(("dpop_jkt", key.Jkt))}&dpop_jkt={key.Jkt}");
        Arrival.At(twice)["error_description"].ShouldEndWith("(ATR1113)");
    }

    [Fact]
    public async Task A_client_that_is_set_to_bound_tokens_gets_no_others()
    {
        await world.ClientAsync("always-bound", new ClientSettings { Openid = new OpenIdSettings { DpopBoundAccessTokens = true } });
        Arrival arrival = await new OAuthBrowser(server).SignInAsync(Sam, ("client_id", "always-bound"));
        DpopReply refused = (await Calls.RedeemAsync(arrival.Code, proof: "", client: "always-bound")).ShouldBeRefused("invalid_dpop_proof", "ATR1150");
        refused.Nonce.ShouldNotBeNull();
        DpopReply tokens = (await Calls.RedeemAsync(arrival.Code, client: "always-bound")).ShouldBeBoundTo(key.Jkt);
        (await Calls.RefreshAsync(tokens.RefreshToken, proof: "", client: "always-bound")).ShouldBeRefused("invalid_dpop_proof", "ATR1150");
        (await Calls.RefreshAsync(tokens.RefreshToken, client: "always-bound")).ShouldBeBoundTo(key.Jkt);
    }

    [Fact]
    public async Task A_client_that_must_use_nonces_is_given_one_and_spends_nothing_meanwhile()
    {
        await world.ClientAsync("fresh", new ClientSettings { Openid = new OpenIdSettings { DpopNonceRequired = true } });
        Arrival arrival = await new OAuthBrowser(server).SignInAsync(Sam, ("client_id", "fresh"));
        string nonce = (await Calls.RedeemAsync(arrival.Code, client: "fresh")).ShouldBeRefused("use_dpop_nonce", "ATR1149").Nonce.ShouldNotBeNull();
        foreach (string wrong in new[] { nonce[..^1], nonce + "A", "", new string('A', nonce.Length) })
            (await Calls.RedeemAsync(arrival.Code, WithNonce(wrong), "fresh")).ShouldBeRefused("use_dpop_nonce", "ATR1149");
        DpopReply tokens = (await Calls.RedeemAsync(arrival.Code, WithNonce(nonce), "fresh")).ShouldBeBoundTo(key.Jkt);

        DpopReply challenged = (await Calls.UserInfoAsync(tokens.AccessToken)).ShouldBeRefused("use_dpop_nonce", "ATR1149", HttpStatusCode.Unauthorized);
        challenged.Challenge.ShouldContain("DPoP realm=\"acme\", error=\"use_dpop_nonce\"");
        string proof = Calls.UserInfoProof(tokens.AccessToken, (_, claims) => claims["nonce"] = challenged.Nonce);
        (await Calls.UserInfoAsync("DPoP", tokens.AccessToken, proof)).Status.ShouldBe(HttpStatusCode.OK);

        string WithNonce(string text) => Calls.TokenProof((_, claims) => claims["nonce"] = text);
    }

    [Fact]
    public async Task A_nonce_is_of_one_realm()
    {
        string foreign = server.Get<Atrium.Server.Doors.OAuth.Dpop.DpopNonces>().Current(await world.RealmAsync(DemoRealm.NeighbourHandle));
        (await Calls.MachineTokenAsync((_, claims) => claims["nonce"] = foreign)).ShouldBeRefused("use_dpop_nonce", "ATR1149");
    }

    [Fact]
    public async Task A_code_of_the_app_native_door_is_redeemed_with_a_proof_and_bound_to_the_key_that_began()
    {
        NativeApp native = new(server);
        Answer done = (await native.PasswordAsync(await native.StartAsync(("dpop_jkt", key.Jkt)), Sam)).ShouldComplete();
        (string, string)[] form =
            [("grant_type", "authorization_code"), ("client_id", "demo-native"), ("code", done.Code), ("redirect_uri", DemoRealm.NativeCallback)];
        const string path = "/t/acme/oauth2/token";
        (await Others.TokenAtAsync(path, Others.TokenProof(path: path), form)).ShouldBeRefused("invalid_grant", "ATR1153");
        DpopReply tokens = (await Calls.TokenAtAsync(path, Calls.TokenProof(path: path), form)).ShouldBeBoundTo(key.Jkt);
        (await Calls.RefreshAsync(tokens.RefreshToken, proof: "", client: "demo-native")).ShouldBeRefused("invalid_grant", "ATR1153");
    }

    [Fact]
    public async Task A_revoked_token_and_a_second_redemption_end_a_bound_grant_like_any_other()
    {
        DpopReply tokens = await Calls.TokensAsync(Sam);
        using HttpResponseMessage revoked = await browser.PostAsync("/t/acme/revoke", ("client_id", "demo-web"), ("token", tokens.RefreshToken));
        revoked.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Calls.RefreshAsync(tokens.RefreshToken)).ShouldBeRefused("invalid_grant", "ATR1426");

        Arrival arrival = await new OAuthBrowser(server).SignInAsync(Sam);
        tokens = (await Calls.RedeemAsync(arrival.Code)).ShouldBeBoundTo(key.Jkt);
        (await Calls.RedeemAsync(arrival.Code)).ShouldBeRefused("invalid_grant", "ATR1422");
        (await Calls.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Introspection_tells_the_key()
    {
        (string, string)[] machine = [("client_id", "demo-m2m"), ("client_secret", DemoRealm.MachineSecret)];
        DpopReply tokens = await Calls.MachineTokenAsync();
        JsonElement told = (await browser.TokenAtAsync("/t/acme/introspect", [.. machine, ("token", tokens.AccessToken)])).Json;
        (told.GetProperty("token_type").GetString(), told.GetProperty("cnf").GetProperty("jkt").GetString()).ShouldBe(("DPoP", key.Jkt));
        TokenReply bearer = await browser.TokenAsync([.. machine, ("grant_type", "client_credentials")]);
        told = (await browser.TokenAtAsync("/t/acme/introspect", [.. machine, ("token", bearer.AccessToken)])).Json;
        (told.GetProperty("token_type").GetString(), told.TryGetProperty("cnf", out _)).ShouldBe(("Bearer", false));
    }
}
