using System.Numerics;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Tests.Harness;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

public sealed class IdTests
{
    private static readonly Gen<Guid> Guids = Gen.Choose(0, 255).ArrayOf(16).Select(static bytes => new Guid([.. bytes.Select(static b => (byte)b)]));

    [Fact]
    public void An_id_reads_back_as_itself() => Worlds.ForAll(Guids, static guid =>
        Id<Organization>.TryParse(new Id<Organization>(guid).ToString(), out Id<Organization> id) && id.Value == guid);

    [Fact]
    public void Its_text_is_the_prefix_and_25_lower_case_base_36_digits() => Worlds.ForAll(Guids, static guid =>
    {
        string text = new Id<Organization>(guid).ToString();
        return text.Length == 29
            && text.StartsWith("org_", StringComparison.Ordinal)
            && text.Skip(4).All(static c => char.IsAsciiDigit(c) || char.IsAsciiLetterLower(c));
    });

    [Fact]
    public void The_order_of_the_texts_is_the_order_of_the_values() => Worlds.ForAll(Guids.Two(), static pair =>
        Math.Sign(string.CompareOrdinal(new Id<User>(pair.Item1).ToString(), new Id<User>(pair.Item2).ToString()))
            == pair.Item1.ToByteArray(bigEndian: true).AsSpan().SequenceCompareTo(pair.Item2.ToByteArray(bigEndian: true)) switch { < 0 => -1, > 0 => 1, _ => 0 });

    [Fact]
    public void Ids_made_one_after_the_other_are_in_that_order_even_within_one_moment()
    {
        FakeClock clock = new();
        string[] made = [.. Enumerable.Range(0, 10_000).Select(_ => Id<User>.New(clock).ToString())];
        made.ShouldBe(made.Order(StringComparer.Ordinal));
        made.ShouldBeUnique();
    }

    [Fact]
    public void A_later_moment_gives_a_greater_id_that_carries_the_moment()
    {
        FakeClock clock = new();
        Id<User> first = Id<User>.New(clock);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Id<User> second = Id<User>.New(clock);
        string.CompareOrdinal(first.ToString(), second.ToString()).ShouldBeLessThan(0);
        second.Value.Version.ShouldBe(7);
        second.Value.Variant.ShouldBeInRange(8, 11);
        MillisecondsOf(second).ShouldBe(clock.GetUtcNow().ToUnixTimeMilliseconds());
    }

    [Fact]
    public void Ids_made_by_many_threads_at_once_are_all_different()
    {
        FakeClock clock = new();
        Id<User>[] made = new Id<User>[40_000];
        Parallel.For(0, made.Length, i => made[i] = Id<User>.New(clock));
        made.ShouldBeUnique();
    }

    [Fact]
    public void After_a_clock_was_set_back_far_ids_follow_the_clock_again()
    {
        FakeClock clock = new();
        Id<User> before = Id<User>.New(clock);
        clock.Advance(TimeSpan.FromSeconds(-1));
        string.CompareOrdinal(before.ToString(), Id<User>.New(clock).ToString()).ShouldBeLessThan(0, "a small correction keeps the order");
        clock.Advance(TimeSpan.FromDays(-365));
        MillisecondsOf(Id<User>.New(clock)).ShouldBe(clock.GetUtcNow().ToUnixTimeMilliseconds());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("org_")]
    [InlineData("org_0000000000000000000000000000")]
    [InlineData("org_000000000000000000000000")]
    [InlineData("org_00000000000000000000000000")]
    [InlineData("usr_0000000000000000000000000")]
    [InlineData("ORG_0000000000000000000000000")]
    [InlineData("org_000000000000000000000000A")]
    [InlineData("org_000000000000000000000000é")]
    [InlineData("org_000000000000000000000000-")]
    [InlineData(" org_000000000000000000000000")]
    [InlineData("org_000000000000000000000000\n")]
    [InlineData("org-0000000000000000000000000")]
    public void Anything_else_is_no_id(string? text)
    {
        Id<Organization>.TryParse(text, out Id<Organization> id).ShouldBeFalse();
        id.ShouldBe(default);
        Id<Organization>.Parse(text).ShouldBeNull();
    }

    [Fact]
    public void Digits_beyond_128_bits_are_well_formed_and_name_nothing() => Worlds.ForAll(
        Gen.Elements("0123456789abcdefghijklmnopqrstuvwxyz".ToCharArray()).ArrayOf(25),
        static digits =>
        {
            BigInteger value = digits.Aggregate(BigInteger.Zero, static (sum, c) => (sum * 36) + (char.IsAsciiDigit(c) ? c - '0' : c - 'a' + 10));
            string text = "org_" + new string(digits);
            return Id<Organization>.TryParse(text, out Id<Organization> id)
                && (value >> 128 == 0 ? id.ToString() == text : id.Value == Guid.AllBitsSet);
        });

    [Theory]
    [InlineData("org_f5lxx1zz5pnorynqglhzmsp33", true)]
    [InlineData("org_f5lxx1zz5pnorynqglhzmsp34", false)]
    [InlineData("org_zzzzzzzzzzzzzzzzzzzzzzzzz", false)]
    public void The_greatest_value_is_the_last_that_reads_back(string text, bool readsBack)
    {
        Id<Organization>.TryParse(text, out Id<Organization> id).ShouldBeTrue();
        id.Value.ShouldBe(Guid.AllBitsSet);
        (id.ToString() == text).ShouldBe(readsBack);
    }

    private static long MillisecondsOf(Id<User> id)
    {
        byte[] bytes = id.Value.ToByteArray(bigEndian: true);
        return bytes.Take(6).Aggregate(0L, static (sum, b) => (sum << 8) | b);
    }
}
