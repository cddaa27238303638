using System.Text;
using Atrium.Server.Dns;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Dns;

/// <summary>Messages byte by byte: what a resolver may answer, and what must never be taken for an answer.</summary>
public sealed class DnsMessageTests
{
    private const ushort Id = 0x1234;
    private const string Name = "x.test";

    private static readonly byte[] Encoded = [1, (byte)'x', 4, .. "test"u8, 0];

    [Fact]
    public void A_question_asks_for_texts_of_one_name() => DnsMessage.Ask(Id, Name).ShouldBe((byte[])[0x12, 0x34, 0x01, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. Encoded, 0, 16, 0, 1]);

    [Fact]
    public void Aliases_are_followed_to_where_the_texts_stand()
    {
        byte[] target = [1, (byte)'y', 0xC0, 14];
        byte[] y = [1, (byte)'y', 4, .. "test"u8, 0];
        TextsOf(Answer([.. Record([0xC0, 12], 5, target), .. Record(y, 16, Text("there"))], 2)).ShouldBe(["there"]);
        TextsOf(Answer([.. Record([0xC0, 12], 5, target), .. Record([0xC0, 12], 16, Text("not here"))], 2)).ShouldBeEmpty("an alias has nothing else");
        TextsOf(Answer([.. Record([0xC0, 12], 5, [0xC0, 12]), .. Record(y, 16, Text("nowhere"))], 2)).ShouldBeEmpty("it leads in a circle");
    }

    [Fact]
    public void Texts_of_other_names_and_other_kinds_of_records_count_for_nothing()
    {
        byte[] other = [1, (byte)'z', 4, .. "test"u8, 0];
        TextsOf(Answer([.. Record(other, 16, Text("of z")), .. Record([0xC0, 12], 1, [10, 0, 0, 1]), .. Record([0xC0, 12], 16, Text("of x"))], 3)).ShouldBe(["of x"]);
    }

    [Theory]
    [InlineData("a pointer to itself")]
    [InlineData("a pointer forward")]
    [InlineData("a label beyond the end")]
    [InlineData("a reserved kind of label")]
    [InlineData("a record beyond the end")]
    [InlineData("a text beyond its record")]
    [InlineData("fewer records than it says")]
    [InlineData("two questions")]
    [InlineData("a dot within a label")]
    [InlineData("cut off")]
    public void What_breaks_the_rules_is_no_answer(string fault)
    {
        byte[] good = Record([0xC0, 12], 16, Text("good"));
        byte[] message = fault switch
        {
            "a pointer to itself" => Answer(Record([0xC0, 24], 16, Text("x")), 1),
            "a pointer forward" => Answer(Record([0xC0, 60], 16, Text("x")), 1),
            "a label beyond the end" => Answer([60, 1, 2], 1),
            "a reserved kind of label" => Answer(Record([0x80, 0], 16, Text("x")), 1),
            "a record beyond the end" => Answer([.. good[..11], 200, .. good[12..]], 1),
            "a text beyond its record" => Answer(Record([0xC0, 12], 16, [9, 1]), 1),
            "fewer records than it says" => Answer(good, 2),
            "a dot within a label" => Answer(Record([3, (byte)'x', (byte)'.', (byte)'y', 0], 16, Text("x")), 1),
            "cut off" => Answer(good, 1)[..^3],
            _ => Answer(good, 1),
        };
        if (fault == "two questions")
            message[5] = 2;
        DnsMessage.Read(message, Id, Name).ShouldBeOfType<DnsReading.NotOurs>();
    }

    [Fact]
    public void Nothing_that_comes_makes_it_throw_or_go_on_for_ever()
    {
        Random random = new(17);
        byte[] good = Answer([.. Record([0xC0, 12], 5, [1, (byte)'y', 0xC0, 14]), .. Record([1, (byte)'y', 0xC0, 14], 16, Text("there"))], 2);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bent = [.. good.AsSpan(0, random.Next(12, good.Length + 1))];
            for (int j = random.Next(4); j >= 0; j--)
                bent[random.Next(2, bent.Length)] = (byte)random.Next(256);
            DnsMessage.Read(bent, Id, Name).ShouldNotBeNull();
        }
    }

    private static IReadOnlyList<string> TextsOf(byte[] message) => DnsMessage.Read(message, Id, Name).ShouldBeOfType<DnsReading.Texts>().Values;

    private static byte[] Answer(byte[] records, byte count) =>
        [0x12, 0x34, 0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0, .. Encoded, 0, 16, 0, 1, .. records];

    private static byte[] Record(byte[] owner, byte type, byte[] data) => [.. owner, 0, type, 0, 1, 0, 0, 0, 60, 0, (byte)data.Length, .. data];

    private static byte[] Text(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
