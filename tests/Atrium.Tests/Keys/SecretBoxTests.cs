using System.Security.Cryptography;
using Atrium.Server.Keys;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Keys;

public sealed class SecretBoxTests
{
    private static readonly byte[] Key = RandomNumberGenerator.GetBytes(SecretBox.KeyLength);
    private static readonly byte[] Here = SecretBox.Place("realm_1", "totp", "user_1");

    private readonly SecretBox box = new(Key);

    [Fact]
    public void What_was_sealed_opens_again_with_the_same_key_in_the_same_place() =>
        Prop.ForAll<byte[], byte[]>((plain, place) => new SecretBox(Key).Open(box.Seal(plain, place), place)!.SequenceEqual(plain))
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Changing_any_byte_closes_it_for_ever()
    {
        var sealedSecret = box.Seal("secret"u8, Here);
        for (var i = 0; i < sealedSecret.Length; i++)
        {
            var changed = sealedSecret.ToArray();
            changed[i] ^= 1;
            box.Open(changed, Here).ShouldBeNull();
        }
    }

    [Fact]
    public void What_is_cut_short_does_not_open()
    {
        var sealedSecret = box.Seal("secret"u8, Here);
        for (var length = 0; length < sealedSecret.Length; length++)
            box.Open(sealedSecret.AsSpan(0, length), Here).ShouldBeNull();
    }

    [Fact]
    public void A_secret_does_not_open_in_another_place_or_with_another_key()
    {
        var sealedSecret = box.Seal("secret"u8, Here);

        box.Open(sealedSecret, SecretBox.Place("realm_1", "totp", "user_2")).ShouldBeNull();
        box.Open(sealedSecret, []).ShouldBeNull();
        new SecretBox(RandomNumberGenerator.GetBytes(SecretBox.KeyLength)).Open(sealedSecret, Here).ShouldBeNull();
    }

    [Fact]
    public void A_mark_is_of_its_place_and_its_key_and_every_key_has_one()
    {
        StorageKey[] keys = [StorageKey.New(), StorageKey.New()];
        IReadOnlyList<byte[]> marks = new SecretBox(keys).MarksOf(Here, 16);
        marks.Select(static mark => mark.Length).ShouldBe([16, 16]);
        new SecretBox([keys[1], keys[0]]).MarksOf(Here, 16).ShouldBe(marks.Reverse());
        new SecretBox(keys).MarksOf(SecretBox.Place("realm_1", "totp", "user_2"), 16).Intersect(marks, EqualityComparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceEqual(b), static _ => 0)).ShouldBeEmpty();
    }

    [Fact]
    public void Places_whose_parts_join_alike_differ() =>
        SecretBox.Place("ab", "c").ShouldNotBe(SecretBox.Place("a", "bc"));

    [Fact]
    public void Sealing_twice_gives_two_texts_of_format_1()
    {
        var (first, second) = (box.Seal("secret"u8, Here), box.Seal("secret"u8, Here));

        first.ShouldNotBe(second);
        first[0].ShouldBe((byte)1);
        first.Length.ShouldBe(1 + 12 + "secret"u8.Length + 16);
    }

    [Fact]
    public void A_derived_box_opens_for_who_has_the_secret_and_knows_the_purpose()
    {
        var sealedSecret = SecretBox.DerivedFrom("spent token"u8, "successor").Seal("next token"u8, Here);

        SecretBox.DerivedFrom("spent token"u8, "successor").Open(sealedSecret, Here).ShouldBe("next token"u8.ToArray());
        SecretBox.DerivedFrom("spent token"u8, "other").Open(sealedSecret, Here).ShouldBeNull();
        SecretBox.DerivedFrom("other token"u8, "successor").Open(sealedSecret, Here).ShouldBeNull();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(33)]
    public void A_key_of_another_length_is_a_bug(int length) =>
        Should.Throw<ArgumentException>(() => new SecretBox(new byte[length]));

    [Fact]
    public void No_log_shows_a_key_by_accident() => ((object)box).ToString().ShouldBe("Atrium.Server.Keys.SecretBox");
}
