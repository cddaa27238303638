using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

public sealed class DpopReplayTests(DemoServer server) : DpopReplayContract(server), IClassFixture<DemoServer>;

public sealed class PostgresDpopReplayTests(PostgresDemoServer server) : DpopReplayContract(server), IClassFixture<PostgresDemoServer>;

/// <summary>Each request goes to the other node than the one before, whose clock is two seconds ahead.</summary>
public sealed class AheadDpopReplayTests(SecondNodeAhead nodes) : DpopReplayContract(nodes), IClassFixture<SecondNodeAhead>;

public sealed class BehindDpopReplayTests(SecondNodeBehind nodes) : DpopReplayContract(nodes), IClassFixture<SecondNodeBehind>;

/// <summary>A proof counts once, whichever node it is shown to, and a nonce of one node is good at every other.</summary>
public abstract class DpopReplayContract(DemoServer server)
{
    private readonly DpopKey key = DpopKey.New();

    private DpopCalls Calls => new(server, key);

    [Fact]
    public async Task A_proof_counts_once_as_long_as_it_is_good()
    {
        string proof = Calls.TokenProof(static (_, claims) => claims["iat"] = claims["iat"]!.GetValue<long>() + 5);
        (await Calls.MachineTokenAsync(proof)).ShouldBeBoundTo(key.Jkt);
        foreach (int seconds in new[] { 0, 30, 30 })
        {
            server.Clock.Advance(TimeSpan.FromSeconds(seconds));
            (await Calls.MachineTokenAsync(proof)).ShouldBeRefused("invalid_dpop_proof", "ATR1151");
            (await Calls.MachineTokenAsync(proof)).ShouldBeRefused("invalid_dpop_proof", "ATR1151");
        }

        server.Clock.Advance(TimeSpan.FromSeconds(8));
        (await Calls.MachineTokenAsync(proof)).ShouldBeRefused("invalid_dpop_proof", "ATR1146");
        (await Calls.MachineTokenAsync(proof)).ShouldBeRefused("invalid_dpop_proof", "ATR1146");
    }

    [Fact]
    public async Task Of_twenty_requests_at_once_with_one_proof_one_succeeds()
    {
        string proof = Calls.TokenProof();
        DpopReply[] replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Calls.MachineTokenAsync(proof)));
        replies.Where(static reply => reply.AccessToken.Length > 0).ShouldHaveSingleItem().ShouldBeBoundTo(key.Jkt);
        foreach (DpopReply reply in replies.Where(static reply => reply.AccessToken.Length == 0))
            reply.ShouldBeRefused("invalid_dpop_proof", "ATR1151");
    }

    [Fact]
    public async Task A_proof_at_userinfo_counts_once_too()
    {
        DpopReply tokens = await Calls.TokensAsync("sam@example.test");
        string proof = Calls.UserInfoProof(tokens.AccessToken);
        DpopReply[] replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Calls.UserInfoAsync("DPoP", tokens.AccessToken, proof)));
        replies.Count(static reply => reply["sub"].Length > 0).ShouldBe(1);
        replies.Count(static reply => reply.Challenge.Contains("ATR1151", StringComparison.Ordinal)).ShouldBe(19);
    }

    [Fact]
    public async Task A_nonce_is_good_for_five_minutes_at_every_node_and_not_for_eleven()
    {
        string nonce = (await Calls.MachineTokenAsync()).Nonce.ShouldNotBeNull();
        for (int i = 0; i < 2; i++)
            (await WithAsync(nonce)).ShouldBeBoundTo(key.Jkt);
        server.Clock.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(2));
        for (int i = 0; i < 2; i++)
            (await WithAsync(nonce)).ShouldBeBoundTo(key.Jkt);
        server.Clock.Advance(TimeSpan.FromMinutes(6) + TimeSpan.FromSeconds(4));
        for (int i = 0; i < 2; i++)
        {
            DpopReply stale = (await WithAsync(nonce)).ShouldBeRefused("use_dpop_nonce", "ATR1149");
            stale.Nonce.ShouldNotBe(nonce);
            (await WithAsync(stale.Nonce!)).ShouldBeBoundTo(key.Jkt);
        }

        Task<DpopReply> WithAsync(string text) => Calls.MachineTokenAsync((_, claims) => claims["nonce"] = text);
    }
}
