using System.Net;
using System.Text.Json.Nodes;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Conformance;

/// <summary>What proves the client, and what binds its tokens.</summary>
public sealed partial class Fapi2SecurityProfileTests
{
    [Theory, Trait(Module, Plan + "check-dpop-proof-nbf-exp")]
    [InlineData("exp", -1, false)]
    [InlineData("exp", 60, true)]
    [InlineData("nbf", 60, false)]
    [InlineData("nbf", -60, true)]
    public async Task A_proof_that_names_when_it_is_good_is_good_then(string claim, int seconds, bool isGood)
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        TokenReply reply = await client.RedeemAsync(
            await client.CodeAsync(), client.Proof($"{OAuthBrowser.Root}/token", (_, claims) => claims[claim] = client.Seconds(seconds)));
        (reply.Status, reply.Error).ShouldBe(isGood ? (HttpStatusCode.OK, null) : (HttpStatusCode.BadRequest, "invalid_dpop_proof"));
    }

    [Theory]
    [InlineData(-10), Trait(Module, Plan + "ensure-dpopproof-with-iat-10seconds-before-succeeds")]
    [InlineData(10), Trait(Module, Plan + "ensure-dpopproof-with-iat-10seconds-after-succeeds")]
    public async Task A_proof_made_ten_seconds_off_is_taken(int seconds)
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        void Shift(JsonObject header, JsonObject claims) => claims["iat"] = client.Seconds(seconds);
        TokenReply tokens = await client.RedeemAsync(await client.CodeAsync(), client.Proof($"{OAuthBrowser.Root}/token", Shift));
        tokens.Status.ShouldBe(HttpStatusCode.OK, tokens.Json.ToString());
        (await client.CallAsync(tokens.AccessToken, client.CallProof(tokens.AccessToken, Shift))).ShouldBe(HttpStatusCode.OK);
    }

    [Fact, Trait(Module, Plan + "ensure-mismatched-dpop-jkt-fails")]
    public async Task A_request_pushed_with_one_key_and_the_thumbprint_of_another_is_refused()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        TokenReply refused = await client.PushAsync(client.Proof($"{OAuthBrowser.Root}/par"), ("dpop_jkt", FapiClient.ThumbprintOf(SigningParty.Of("ES256", kid: null))));
        refused.Status.ShouldBe(HttpStatusCode.BadRequest);
        refused.Error.ShouldBeOneOf("invalid_request", "invalid_dpop_proof");
    }

    [Fact, Trait(Module, Plan + "ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt")]
    public async Task A_code_of_a_request_pushed_with_one_key_is_not_redeemed_with_another()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string uri = FapiClient.UriOf(await client.PushAsync(client.Proof($"{OAuthBrowser.Root}/par", holder: SigningParty.Of("ES256", kid: null))));
        Refused(await client.RedeemAsync((await client.SignInAsync(uri)).Code));
    }

    [Fact, Trait(Module, Plan + "ensure-token-endpoint-fails-with-mismatched-dpop-jkt")]
    public async Task A_code_of_a_request_that_named_one_key_is_not_redeemed_with_another()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        Refused(await client.RedeemAsync(await client.CodeAsync(("dpop_jkt", FapiClient.ThumbprintOf(SigningParty.Of("ES256", kid: null))))));
    }

    [Fact, Trait(Module, Plan + "ensure-dpopproof-at-par-endpoint-binding-success")]
    public async Task A_code_of_a_request_pushed_with_a_key_is_redeemed_with_it()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string uri = FapiClient.UriOf(await client.PushAsync(client.Proof($"{OAuthBrowser.Root}/par")));
        (await client.RedeemAsync((await client.SignInAsync(uri)).Code)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact, Trait(Module, Plan + "ensure-dpop-auth-code-binding-success")]
    public async Task A_code_of_a_request_that_named_a_key_is_redeemed_with_it()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string jkt = FapiClient.ThumbprintOf(client.Holder);
        (await client.RedeemAsync(await client.CodeAsync(("dpop_jkt", jkt)))).Status.ShouldBe(HttpStatusCode.OK);
        string both = FapiClient.UriOf(await client.PushAsync(client.Proof($"{OAuthBrowser.Root}/par"), ("dpop_jkt", jkt)));
        using HttpResponseMessage silent = await client.Browser.GetAsync(client.Refer(both));
        (await client.RedeemAsync(Arrival.At(silent).Code)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact, Trait(Module, Plan + "ensure-client-id-in-token-endpoint")]
    public async Task A_client_id_at_the_token_endpoint_is_that_of_the_assertion()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        FapiClient other = await FapiClient.RegisterAsync(server);
        string code = await client.CodeAsync();
        TokenReply refused = await client.TokenAsync([.. FapiClient.CodeFields(code), ("client_id", other.Id)]);
        (refused.Status, refused.Error).ShouldBe((HttpStatusCode.Unauthorized, "invalid_client"));
        (await client.TokenAsync([.. FapiClient.CodeFields(code), ("client_id", client.Id)])).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact, Trait(Module, Plan + "ensure-holder-of-key-required")]
    public async Task No_token_is_given_or_taken_without_a_proof()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string code = await client.CodeAsync();
        TokenReply refused = await client.SendAsync($"{OAuthBrowser.Root}/token", FapiClient.CodeFields(code), proof: null, client.Assertion());
        (refused.Status, refused.Error).ShouldBe((HttpStatusCode.BadRequest, "invalid_dpop_proof"));
        TokenReply tokens = await client.RedeemAsync(code);
        tokens.Status.ShouldBe(HttpStatusCode.OK, "the proof is looked at before anything is spent");
        (await client.CallAsync(tokens.AccessToken, proof: null)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.CallAsync(tokens.AccessToken, proof: null, "Bearer")).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory, Trait(Module, Plan + "ensure-signed-client-assertion-with-RS256-fails")]
    [InlineData("ES256")]
    [InlineData("PS256")]
    public async Task An_assertion_by_RS256_is_refused_where_the_key_is_for_another_algorithm(string algorithm)
    {
        FapiClient client = await FapiClient.RegisterAsync(server, algorithm);
        NotAuthenticated(await client.SendAsync($"{OAuthBrowser.Root}/par", client.Request(), null, client.Assertion(algorithm: "RS256")));
        NotAuthenticated(await client.SendAsync(
            $"{OAuthBrowser.Root}/par", client.Request(), null, client.Assertion(algorithm: "RS256", signer: SigningParty.Of("RS256"))));
        (await client.SendAsync($"{OAuthBrowser.Root}/par", client.Request(), null, client.Assertion(algorithm: algorithm))).Status.ShouldBe(HttpStatusCode.Created);
    }

    [Fact, Trait(Module, Plan + "ensure-client-assertion-in-token-endpoint")]
    public async Task No_token_is_given_without_an_assertion()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string code = await client.CodeAsync();
        TokenReply refused = await client.SendAsync(
            $"{OAuthBrowser.Root}/token", [.. FapiClient.CodeFields(code), ("client_id", client.Id)], client.Proof($"{OAuthBrowser.Root}/token"), assertion: null);
        NotAuthenticated(refused);
    }

    [Theory]
    [InlineData(-300, false), Trait(Module, Plan + "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails")]
    [InlineData(-8, true)]
    public async Task An_assertion_that_has_expired_is_refused_beyond_the_skew_of_clocks(int seconds, bool isTaken) =>
        await ShouldBeTakenAsync(isTaken, (client, claims) => claims["exp"] = client.Seconds(seconds));

    [Theory]
    [InlineData("nbf", 8, true), Trait(Module, Plan + "par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted")]
    [InlineData("nbf", 61, false), Trait(Module, Plan + "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails")]
    [InlineData("iat", 8, true)]
    [InlineData("iat", 61, false)]
    public async Task An_assertion_from_the_future_is_taken_within_the_skew_of_clocks(string claim, int seconds, bool isTaken) =>
        await ShouldBeTakenAsync(isTaken, (client, claims) => claims[claim] = client.Seconds(seconds));

    [Theory]
    [InlineData("\"ISSUER\"", true)]
    [InlineData("[\"ISSUER\",\"https://other.example.test\"]", false), Trait(Module, Plan + "par-test-array-as-audience-fails")]
    [InlineData("\"https://other.example.test\"", false), Trait(Module, Plan + "ensure-client-assertion-with-wrong-aud-fails")]
    [InlineData("\"ISSUER/\"", false)]
    [InlineData("\"ISSUER/par\"", false), Trait(Module, Plan + "par-test-par-endpoint-url-as-audience-fails")]
    [InlineData("\"ISSUER/token\"", false), Trait(Module, Plan + "par-test-token-endpoint-url-as-audience-fails")]
    [InlineData("null", false)]
    public async Task An_assertion_is_for_this_issuer_alone(string audience, bool isTaken) =>
        await ShouldBeTakenAsync(isTaken, (client, claims) => claims["aud"] = JsonNode.Parse(audience.Replace("ISSUER", client.Issuer, StringComparison.Ordinal)));

    [Theory, Trait(Module, Plan + "ensure-client-assertion-with-no-sub-fails"), Trait(Module, Plan + "ensure-invalid-client-assertions-fail")]
    [InlineData("sub")]
    [InlineData("iss")]
    [InlineData("aud")]
    [InlineData("exp")]
    [InlineData("jti")]
    public async Task An_assertion_that_lacks_something_is_refused(string claim) => await ShouldBeTakenAsync(isTaken: false, (_, claims) => claims.Remove(claim));

    [Fact, Trait(Module, Plan + "ensure-invalid-client-assertions-fail")]
    public async Task An_assertion_is_used_once_and_is_signed_by_the_clients_own_key()
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string assertion = client.Assertion();
        (await client.SendAsync($"{OAuthBrowser.Root}/par", client.Request(), null, assertion)).Status.ShouldBe(HttpStatusCode.Created);
        NotAuthenticated(await client.SendAsync($"{OAuthBrowser.Root}/par", client.Request(), null, assertion));
        NotAuthenticated(await client.SendAsync($"{OAuthBrowser.Root}/par", client.Request(), null, client.Assertion(signer: SigningParty.Of("ES256"))));
        NotAuthenticated(await client.SendAsync($"{OAuthBrowser.Root}/par", client.Request(), null, client.Assertion()[..^2]));
    }

    [Theory, Trait(Module, Plan + "dpop-negative-tests")]
    [InlineData("typ")]
    [InlineData("other typ")]
    [InlineData("alg none")]
    [InlineData("other alg")]
    [InlineData("jwk")]
    [InlineData("private jwk")]
    [InlineData("other jwk")]
    [InlineData("jti")]
    [InlineData("htm")]
    [InlineData("other htm")]
    [InlineData("htu")]
    [InlineData("other htu")]
    [InlineData("iat")]
    [InlineData("old iat")]
    [InlineData("future iat")]
    [InlineData("ath")]
    [InlineData("other ath")]
    [InlineData("other key")]
    [InlineData("again")]
    public async Task A_proof_that_is_wrong_in_anything_proves_nothing(string fault)
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        string code = await client.CodeAsync();
        TokenReply tokens = await client.RedeemAsync(code);
        string proof = client.CallProof(tokens.AccessToken, (header, claims) => Spoil(client, header, claims, fault), fault == "other key" ? SigningParty.Of("ES256", kid: null) : null);
        if (fault == "again")
            (await client.CallAsync(tokens.AccessToken, proof)).ShouldBe(HttpStatusCode.OK);
        (await client.CallAsync(tokens.AccessToken, proof)).ShouldBe(HttpStatusCode.Unauthorized);
        (await client.CallAsync(tokens.AccessToken, client.CallProof(tokens.AccessToken))).ShouldBe(HttpStatusCode.OK);
    }

    private static void Spoil(FapiClient client, JsonObject header, JsonObject claims, string fault)
    {
        switch (fault)
        {
            case "typ" or "jwk": header.Remove(fault); break;
            case "other typ": header["typ"] = "JWT"; break;
            case "alg none": header["alg"] = "none"; break;
            case "other alg": header["alg"] = "PS256"; break;
            case "private jwk": header["jwk"]!["d"] = header["jwk"]!["x"]!.GetValue<string>(); break;
            case "other jwk": header["jwk"] = SigningParty.Of("ES256", kid: null).Jwk(); break;
            case "jti" or "htm" or "htu" or "iat" or "ath": claims.Remove(fault); break;
            case "other htm": claims["htm"] = "POST"; break;
            case "other htu": claims["htu"] = $"{client.Issuer}/token"; break;
            case "old iat": claims["iat"] = client.Seconds(-120); break;
            case "future iat": claims["iat"] = client.Seconds(120); break;
            case "other ath": claims["ath"] = new string('A', 43); break;
            default: break;
        }
    }

    private async Task ShouldBeTakenAsync(bool isTaken, Action<FapiClient, JsonObject> change)
    {
        FapiClient client = await FapiClient.RegisterAsync(server);
        TokenReply pushed = await client.SendAsync($"{OAuthBrowser.Root}/par", client.Request(), proof: null, client.Assertion(claims => change(client, claims)));
        if (isTaken)
            pushed.Status.ShouldBe(HttpStatusCode.Created, pushed.Json.ToString());
        else
            NotAuthenticated(pushed);
    }

    private static void NotAuthenticated(TokenReply reply) => (reply.Status, reply.Error).ShouldBe((HttpStatusCode.Unauthorized, "invalid_client"), reply.Json.ToString());
}
