using Atrium.Core.Users;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Users;

public sealed class PasswordPolicyTests
{
    [Theory]
    [InlineData("", "password_too_short")]
    [InlineData("a7Kq!x9", "password_too_short")]
    [InlineData("password", "password_too_common")]
    [InlineData("PassWord", "password_too_common")]
    [InlineData("12345678", "password_too_common")]
    [InlineData("iloveyou", "password_too_common")]
    [InlineData("a7Kq!x9v", null)]
    [InlineData("correct horse battery staple", null)]
    [InlineData("aaaaaaaabbbb zzz", null)]
    public void A_password_is_long_enough_and_not_common_and_needs_nothing_else(string password, string? problem) =>
        (PasswordPolicy.Check(password)?.Code).ShouldBe(problem);

    [Theory]
    [InlineData(8, null)]
    [InlineData(128, null)]
    [InlineData(1024, null)]
    [InlineData(1025, "password_too_long")]
    [InlineData(10_000_000, "password_too_long")]
    public void Long_passwords_are_accepted_up_to_a_bound(int length, string? problem) =>
        (PasswordPolicy.Check(new string('x', length - 1) + "Q")?.Code).ShouldBe(problem);

    [Theory]
    [InlineData("🐴🔋📎🐴🔋📎🐴", "password_too_short")]
    [InlineData("🐴🔋📎🐴🔋📎🐴🔋", null)]
    [InlineData("e\u0301e\u0301e\u0301e\u0301", "password_too_short")]
    [InlineData("éàüöéàüö", null)]
    [InlineData("e\u0301a\u0300u\u0308o\u0308e\u0301a\u0300u\u0308o\u0308", null)]
    public void Characters_are_code_points_of_the_normalised_password(string password, string? problem) =>
        (PasswordPolicy.Check(password)?.Code).ShouldBe(problem);

    [Fact]
    public void Even_the_longest_password_may_be_typed_with_combining_marks()
    {
        // U+1F82 has the longest canonical decomposition: four code points.
        var typed = string.Concat(Enumerable.Repeat("\u03B1\u0313\u0300\u0345", PasswordPolicy.MaximumLength));

        PasswordPolicy.Check(typed).ShouldBeNull();
        PasswordPolicy.CanExist(typed).ShouldBeTrue();
    }

    [Fact]
    public void A_problem_has_a_sentence_for_the_person() =>
        PasswordPolicy.Check("short")!.Message.ShouldBe("The password must have at least 8 characters.");
}
