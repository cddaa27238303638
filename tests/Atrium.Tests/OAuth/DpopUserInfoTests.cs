using System.Net;
using System.Text.Json.Nodes;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>A bound token opens userinfo for who holds its key, and for nobody who has only the token.</summary>
public sealed class DpopUserInfoTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Mia = "mia@example.test";
    private const string BadProof = "invalid_dpop_proof";

    private readonly DpopKey key = DpopKey.New();
    private readonly OAuthBrowser browser = new(server);

    private DpopCalls Calls => new(server, key);

    public static TheoryData<string, Action<JsonObject, JsonObject>, string, string> BadProofs => new()
    {
        { "no ath", static (_, claims) => claims.Remove("ath"), BadProof, "ATR1147" },
        { "another token's ath", static (_, claims) => claims["ath"] = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo", BadProof, "ATR1147" },
        { "an ath that is no text", static (_, claims) => claims["ath"] = 1, BadProof, "ATR1144" },
        { "for the token endpoint", static (_, claims) => claims["htu"] = claims["htu"]!.GetValue<string>().Replace("userinfo", "token", StringComparison.Ordinal), BadProof, "ATR1145" },
        { "for a POST", static (_, claims) => claims["htm"] = "POST", BadProof, "ATR1145" },
        { "too old", static (_, claims) => claims["iat"] = claims["iat"]!.GetValue<long>() - 61, BadProof, "ATR1146" },
        { "with a nonce that nobody gave", static (_, claims) => claims["nonce"] = "made-up", "use_dpop_nonce", "ATR1149" },
        { "of another type", static (header, _) => header["typ"] = "JWT", BadProof, "ATR1141" },
    };

    [Theory, MemberData(nameof(BadProofs))]
    public async Task A_proof_with_something_wrong_opens_nothing(string what, Action<JsonObject, JsonObject> change, string error, string id)
    {
        string token = (await Calls.TokensAsync(Mia)).AccessToken;
        DpopReply reply = (await Calls.UserInfoAsync("DPoP", token, Calls.UserInfoProof(token, change))).ShouldBeRefused(error, id, HttpStatusCode.Unauthorized);
        reply.Challenge.ShouldStartWith("Bearer realm=\"acme\", DPoP realm=\"acme\"", customMessage: what);
        reply.Challenge.ShouldContain($"DPoP realm=\"acme\", error=\"{error}\"");
        reply.Challenge.ShouldContain("algs=\"ES256 RS256 PS256");
        reply.Nonce.ShouldNotBeNull();
        (await Calls.UserInfoAsync(token)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Without_a_proof_or_with_that_of_another_key_nothing_opens()
    {
        string token = (await Calls.TokensAsync(Mia)).AccessToken;
        (await Calls.UserInfoAsync("DPoP", token, proof: "")).ShouldBeRefused(BadProof, "ATR1150", HttpStatusCode.Unauthorized);
        DpopCalls others = new(server, DpopKey.New());
        (await others.UserInfoAsync(token)).ShouldBeRefused(BadProof, "ATR1148", HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_bound_token_is_no_bearer_token_and_the_other_way_round()
    {
        string bound = (await Calls.TokensAsync(Mia)).AccessToken;
        DpopReply downgraded = (await Calls.UserInfoAsync("Bearer", bound, proof: "")).ShouldBeRefused("invalid_token", "ATR1154", HttpStatusCode.Unauthorized);
        downgraded.Challenge.ShouldStartWith("Bearer realm=\"acme\", error=\"invalid_token\"");
        downgraded.Challenge.ShouldContain("DPoP realm=\"acme\", algs=");
        (await Calls.UserInfoAsync("Bearer", bound, Calls.UserInfoProof(bound))).ShouldBeRefused("invalid_token", "ATR1154", HttpStatusCode.Unauthorized);
        using HttpResponseMessage inForm = await browser.PostAsync(DpopCalls.UserInfoPath, ("access_token", bound));
        (await inForm.Content.ReadAsStringAsync()).ShouldContain("ATR1154");

        string bearer = (await browser.TokensAsync(Mia)).AccessToken;
        (await Calls.UserInfoAsync(bearer)).ShouldBeRefused("invalid_token", "ATR1155", HttpStatusCode.Unauthorized)
            .Challenge.ShouldContain("DPoP realm=\"acme\", error=\"invalid_token\"");
        (await Calls.UserInfoAsync("Bearer", bearer, Calls.UserInfoProof(bearer))).Status.ShouldBe(HttpStatusCode.OK, "who need not prove anything may");
    }

    [Fact]
    public async Task What_is_no_access_token_of_this_realm_opens_nothing_with_the_best_of_proofs()
    {
        DpopReply tokens = await Calls.TokensAsync(Mia);
        string machine = (await Calls.MachineTokenAsync()).AccessToken;
        foreach (string other in new[] { "nonsense", tokens["id_token"], tokens.RefreshToken, tokens.AccessToken[..^2], tokens.AccessToken + "A", machine })
            (await Calls.UserInfoAsync(other)).ShouldBeRefused("invalid_token", "ATR1502", HttpStatusCode.Unauthorized);

        using HttpRequestMessage neighbour = new(HttpMethod.Get, "/t/globex/userinfo");
        neighbour.Headers.TryAddWithoutValidation("Authorization", $"DPoP {tokens.AccessToken}");
        neighbour.Headers.TryAddWithoutValidation("DPoP", key.Proof("GET", $"{server.Url}/t/globex/userinfo", server.Clock.GetUtcNow(), tokens.AccessToken));
        using HttpResponseMessage foreign = await server.Http.SendAsync(neighbour);
        (foreign.StatusCode, await foreign.Content.ReadAsStringAsync()).Item2.ShouldContain("ATR1502");
        (await Calls.UserInfoAsync(tokens.AccessToken)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_token_without_openid_is_insufficient_and_its_proof_is_not_spent()
    {
        string token = (await Calls.TokensAsync(Mia, ("scope", "email"))).AccessToken;
        string proof = Calls.UserInfoProof(token);
        for (int i = 0; i < 2; i++)
        {
            (await Calls.UserInfoAsync("DPoP", token, proof)).ShouldBeRefused("insufficient_scope", "ATR1503", HttpStatusCode.Forbidden)
                .Challenge.ShouldContain("scope=\"openid\"");
        }
    }

    [Theory]
    [InlineData("/t/acme/userinfo")]
    [InlineData("/t/acme/oauth2/userinfo")]
    [InlineData("/t/acme/o/org_0000000000000000000000001/oauth2/userinfo")]
    public async Task It_opens_by_GET_and_by_POST_on_every_path(string path)
    {
        string token = (await Calls.TokensAsync(Mia)).AccessToken;
        foreach (HttpMethod method in new[] { HttpMethod.Get, HttpMethod.Post })
        {
            using HttpRequestMessage request = new(method, path);
            request.Headers.TryAddWithoutValidation("Authorization", $"dpop {token}");
            request.Headers.TryAddWithoutValidation("DPoP", key.Proof(method.Method, server.Url + path, server.Clock.GetUtcNow(), token));
            using HttpResponseMessage response = await server.Http.SendAsync(request);
            response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task A_single_page_application_may_send_proofs_and_read_the_nonce()
    {
        using HttpRequestMessage preflight = new(HttpMethod.Options, DpopCalls.UserInfoPath);
        preflight.Headers.Add("Origin", "http://localhost:3000");
        preflight.Headers.Add("Access-Control-Request-Headers", "authorization,dpop");
        using HttpResponseMessage allowed = await server.Http.SendAsync(preflight);
        allowed.Headers.GetValues("Access-Control-Allow-Headers").ShouldHaveSingleItem().ShouldContain("dpop");
        string[] exposed = allowed.Headers.GetValues("Access-Control-Expose-Headers").ShouldHaveSingleItem().Split(", ");
        exposed.ShouldContain("DPoP-Nonce");
        exposed.ShouldContain("WWW-Authenticate");
    }
}
