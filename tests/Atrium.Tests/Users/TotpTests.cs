using Atrium.Core.Users;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Users;

public sealed class TotpTests
{
    // Found by search: with this secret, the code of this step is also the code of the next.
    private const long SameCodeTwice = 910_737;

    private static readonly byte[] Secret = "12345678901234567890"u8.ToArray();
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_111_111_111);
    private static readonly long Step = Now.ToUnixTimeSeconds() / 30;

    /// <summary>RFC 6238 appendix B has eight digits; the last six are the same number.</summary>
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1_111_111_109, "081804")]
    [InlineData(1_111_111_111, "050471")]
    [InlineData(1_234_567_890, "005924")]
    [InlineData(2_000_000_000, "279037")]
    [InlineData(20_000_000_000, "353130")]
    public void The_vectors_of_the_RFC_hold(long seconds, string code)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(seconds);
        Totp.Code(Secret, now).ShouldBe(code);
        Totp.Match(Secret, code, now, null).ShouldBe(seconds / 30);
    }

    [Theory]
    [InlineData(-60, false)]
    [InlineData(-30, true)]
    [InlineData(0, true)]
    [InlineData(30, true)]
    [InlineData(60, false)]
    public void A_code_may_be_one_step_early_or_late(int seconds, bool accepted)
    {
        var shown = Now.AddSeconds(seconds);
        Totp.Match(Secret, Totp.Code(Secret, shown), Now, null).ShouldBe(accepted ? Step + seconds / 30 : null);
    }

    [Fact]
    public void A_code_is_good_once_and_so_is_any_earlier_one()
    {
        var code = Totp.Code(Secret, Now);
        var used = Totp.Match(Secret, code, Now, null);

        Totp.Match(Secret, code, Now, used).ShouldBeNull();
        Totp.Match(Secret, code, Now.AddSeconds(30), used).ShouldBeNull();
        Totp.Match(Secret, Totp.Code(Secret, Now.AddSeconds(-30)), Now, used).ShouldBeNull();
        Totp.Match(Secret, Totp.Code(Secret, Now.AddSeconds(30)), Now, used).ShouldBe(Step + 1);
    }

    [Fact]
    public void Of_two_steps_with_the_same_code_the_later_one_is_spent()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(SameCodeTwice * 30);
        var code = Totp.Code(Secret, now);
        Totp.Code(Secret, now.AddSeconds(30)).ShouldBe(code);

        Totp.Match(Secret, code, now, null).ShouldBe(SameCodeTwice + 1);
    }

    [Theory]
    [InlineData("050 471", true)]
    [InlineData(" 0 5 0 4 7 1 ", true)]
    [InlineData("", false)]
    [InlineData("50471", false)]
    [InlineData("0050471", false)]
    [InlineData("05047a", false)]
    [InlineData("-50471", false)]
    [InlineData("٠٥٠٤٧١", false)] // Arabic digits
    public void Only_six_ASCII_digits_are_a_code(string code, bool accepted) =>
        Totp.Match(Secret, code, Now, null).HasValue.ShouldBe(accepted);

    [Fact]
    public void Whatever_the_secret_its_code_matches_and_never_twice() =>
        Prop.ForAll<byte[], uint>((secret, seconds) =>
        {
            var now = DateTimeOffset.FromUnixTimeSeconds(seconds);
            var code = Totp.Code(secret, now);
            return Totp.Match(secret, code, now, null) is { } step && Totp.Match(secret, code, now, step) is null;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_QR_code_names_issuer_and_account()
    {
        var secret = "foobar"u8;
        Totp.Uri("Acme & Söhne: Sign-in", "ada+1@acme.test", secret).ShouldBe(
            "otpauth://totp/Acme%20%26%20S%C3%B6hne%20Sign-in:ada%2B1%40acme.test?secret=MZXW6YTBOI"
            + "&issuer=Acme%20%26%20S%C3%B6hne%20Sign-in&algorithm=SHA1&digits=6&period=30");
    }
}
