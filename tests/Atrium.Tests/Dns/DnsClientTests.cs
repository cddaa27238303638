using Atrium.Server.Dns;
using Atrium.Server.Hosting;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Dns;

public sealed class DnsClientTests : IAsyncDisposable
{
    private const string Name = "_atrium-domain.example.test";

    private readonly FakeDns dns = new();

    public ValueTask DisposeAsync() => dns.DisposeAsync();

    [Fact]
    public async Task Texts_are_read_whole_and_one_by_one()
    {
        string longer = new('x', 300);
        dns.Texts[Name] = ["one", longer, ""];
        (await AskAsync(Name)).ShouldBe(["one", longer, ""]);
        (await AskAsync(Name.ToUpperInvariant())).ShouldNotBeNull().Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_name_that_there_is_not_has_no_texts() => (await AskAsync("nothing.example.test")).ShouldNotBeNull().ShouldBeEmpty();

    [Theory]
    [InlineData("")]
    [InlineData("a..b")]
    [InlineData("exämple.test")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123.test")]
    public async Task What_can_be_no_name_is_asked_of_nobody(string name)
    {
        (await AskAsync(name)).ShouldNotBeNull().ShouldBeEmpty();
        dns.QuestionsOverUdp.ShouldBe(0);
    }

    [Fact]
    public async Task What_is_too_long_for_a_datagram_is_asked_again_over_tcp()
    {
        dns.Texts[Name] = [.. Enumerable.Range(0, 20).Select(static i => $"{i} {new string('x', 100)}")];
        (await AskAsync(Name)).ShouldBe(dns.Texts[Name]);
        (dns.QuestionsOverUdp, dns.QuestionsOverTcp).ShouldBe((1, 1));
    }

    [Fact]
    public async Task An_answer_to_another_question_is_passed_over_until_the_right_one_comes()
    {
        dns.Texts[Name] = ["right"];
        dns.OverUdp = static answer =>
        {
            byte[] otherId = [.. answer];
            otherId[0] ^= 0xFF;
            byte[] otherName = [.. answer];
            otherName[13] ^= 0x01;
            byte[] question = [.. answer];
            question[2] &= 0x7F;
            return [[], [1, 2, 3], otherId, otherName, question, answer[..^1], answer];
        };
        (await AskAsync(Name)).ShouldBe(["right"]);
    }

    [Fact]
    public async Task A_server_that_fails_is_followed_by_the_next()
    {
        await using FakeDns failing = new() { OverUdp = static answer => [Failed(answer)] };
        dns.Texts[Name] = ["from the second"];
        (await new DnsClient(Options($"{failing.Address},{dns.Address}")).TextsAsync(Name, default)).ShouldBe(["from the second"]);
        (await new DnsClient(Options(failing.Address)).TextsAsync(Name, default)).ShouldBeNull("nobody could tell");
        failing.QuestionsOverUdp.ShouldBe(3);
    }

    [Theory]
    [InlineData("10.0.0.1", true)]
    [InlineData("10.0.0.1:5353, [2001:db8::1]:53,2001:db8::2", true)]
    [InlineData("resolver.example.test", false)]
    [InlineData("10.0.0.1,", true)]
    [InlineData("10.0.0.1,x", false)]
    [InlineData("", false)]
    public void Servers_are_addresses_with_a_port_or_without(string text, bool isGood) => (DnsClient.ParseServers(text) is not null).ShouldBe(isGood);

    [Fact]
    public void Without_a_port_it_is_that_of_the_dns() => DnsClient.ParseServers("10.0.0.1")!.Single().Port.ShouldBe(DnsClient.Port);

    private static byte[] Failed(byte[] answer)
    {
        byte[] failed = FakeDns.Truncated(answer);
        failed[2] &= 0xFD;
        failed[3] = (byte)((failed[3] & 0xF0) | 2);
        return failed;
    }

    private static AtriumOptions Options(string servers) => new() { Database = "", DnsServers = servers };

    private Task<IReadOnlyList<string>?> AskAsync(string name) => new DnsClient(Options(dns.Address)).TextsAsync(name, TestContext.Current.CancellationToken);
}
