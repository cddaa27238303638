using System.Security.Cryptography;
using System.Text;
using Atrium.Core.Users;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Users;

public sealed class NormalizationFormCTests
{
    [Theory]
    [InlineData("e\u0301", "\u00E9")]
    [InlineData("\u212B", "\u00C5")] // Ångström sign: a singleton
    [InlineData("\u1E9B\u0323", "\u1E9B\u0323")] // UAX #15, table 7
    [InlineData("a\u0301\u0323", "\u1EA1\u0301")] // marks are sorted before they compose
    [InlineData("\u0958", "\u0915\u093C")] // a composition exclusion
    [InlineData("\u1112\u1161\u11AB", "\uD55C")] // Hangul
    [InlineData("\u1112\u1161\u11A7", "\uD558\u11A7")] // U+11A7 is no trailing consonant
    [InlineData("\uD834\uDD5E", "\uD834\uDD57\uD834\uDD65")] // beyond the first plane
    [InlineData("\uFB01", "\uFB01")] // compatibility characters stay
    public void Texts_take_form_C(string text, string expected) => NormalizationFormC.Of(text).ShouldBe(expected);

    // Not among the cases above: an attribute is stored as UTF-8, which cannot carry it.
    [Fact]
    public void A_lone_surrogate_becomes_the_replacement_character() => NormalizationFormC.Of("a\uD800b").ShouldBe("a\uFFFDb");

    /// <summary>The digest is ICU's answer for the same texts (Unicode 17.0).</summary>
    [Fact]
    public void Every_code_point_alone_and_among_marks_is_as_ICU_has_it()
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var point = 0x20; point < 0x30000; point++)
        {
            if (!Rune.IsValid(point))
                continue;
            var character = new Rune(point).ToString();
            foreach (var text in new[] { character, $"a{character}\u0301\u0323", $"{character}\u0345\u0334{character}" })
                digest.AppendData(Encoding.UTF8.GetBytes(NormalizationFormC.Of(text)));
        }

        Convert.ToHexStringLower(digest.GetHashAndReset())
            .ShouldBe("0cddddd0189f7143d2b551c6418bb7d8a44406c05a9fd98f122cc8ae204ca499");
    }

    [Fact]
    public void Normalising_twice_changes_nothing() =>
        Prop.ForAll<string>(text =>
        {
            var once = NormalizationFormC.Of(text ?? "");
            return NormalizationFormC.Of(once) == once;
        }).QuickCheckThrowOnFailure();
}
