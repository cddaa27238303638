using System.Net;
using Atrium.Core.Tokens;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>A pushed request may prove the key that the code is for, instead of naming it.</summary>
public sealed class DpopPushedRequestTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string PushPath = $"{OAuthBrowser.Root}/par";

    private readonly DpopKey key = DpopKey.New();
    private readonly OAuthBrowser browser = new(server);

    private DpopCalls Calls => new(server, key);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_code_of_a_request_that_was_pushed_with_a_proof_is_for_its_key(bool namesItToo)
    {
        DpopReply pushed = await PushAsync(Calls.TokenProof(path: PushPath), namesItToo ? key.Jkt : null);
        (pushed.Status, pushed.Nonce is null).ShouldBe((HttpStatusCode.Created, false));
        HostedForm form = await browser.OpenAsync($"{OAuthBrowser.Root}/authorize?client_id=demo-web&request_uri={Uri.EscapeDataString(pushed["request_uri"])}");
        using HttpResponseMessage done = await browser.SubmitPasswordAsync(form, "sam@example.test");
        string code = Arrival.At(done).Code;
        (await browser.RedeemAsync(code)).ShouldBeRefused("invalid_grant", "ATR1153");
        (await new DpopCalls(server, DpopKey.New()).RedeemAsync(code)).ShouldBeRefused("invalid_grant", "ATR1153");
        (await Calls.RedeemAsync(code)).ShouldBeBoundTo(key.Jkt);
    }

    [Fact]
    public async Task A_proof_of_one_key_and_the_thumbprint_of_another_do_not_go_together() =>
        (await PushAsync(Calls.TokenProof(path: PushPath), DpopKey.New().Jkt)).ShouldBeRefused("invalid_request", "ATR1156");

    [Fact]
    public async Task A_proof_that_is_none_or_was_used_before_keeps_the_request_from_being_pushed()
    {
        (await PushAsync(Calls.TokenProof(), dpopJkt: null)).ShouldBeRefused("invalid_dpop_proof", "ATR1145");
        string proof = Calls.TokenProof(path: PushPath);
        (await PushAsync(proof, dpopJkt: null)).Status.ShouldBe(HttpStatusCode.Created);
        (await PushAsync(proof, dpopJkt: null)).ShouldBeRefused("invalid_dpop_proof", "ATR1151");
        (await PushAsync(proof: "", key.Jkt)).Status.ShouldBe(HttpStatusCode.Created);
    }

    private Task<DpopReply> PushAsync(string proof, string? dpopJkt) => Calls.TokenAtAsync(
        PushPath,
        proof,
        [
            ("client_id", "demo-web"), ("response_type", "code"), ("redirect_uri", DemoRealm.Callback), ("scope", "openid profile email"),
            ("code_challenge", Pkce.ChallengeOf(OAuthBrowser.Verifier)), ("code_challenge_method", "S256"),
            .. dpopJkt is null ? Array.Empty<(string, string)>() : [("dpop_jkt", dpopJkt)],
        ]);
}
