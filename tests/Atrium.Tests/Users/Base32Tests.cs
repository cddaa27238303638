using System.Text;
using Atrium.Core.Users;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Users;

public sealed class Base32Tests
{
    /// <summary>RFC 4648 section 10, without the padding.</summary>
    [Theory]
    [InlineData("", "")]
    [InlineData("f", "MY")]
    [InlineData("fo", "MZXQ")]
    [InlineData("foo", "MZXW6")]
    [InlineData("foob", "MZXW6YQ")]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobar", "MZXW6YTBOI")]
    public void The_vectors_of_the_RFC_hold(string plain, string encoded)
    {
        Base32.Encode(Encoding.ASCII.GetBytes(plain)).ShouldBe(encoded);
        Base32.TryDecode(encoded, out var bytes).ShouldBeTrue();
        Encoding.ASCII.GetString(bytes).ShouldBe(plain);
    }

    [Theory]
    [InlineData("mzxw6ytboi")]
    [InlineData("MZXW 6YTB OI")]
    [InlineData(" MZXW6YTBOI====== ")]
    public void What_people_copy_is_understood(string text)
    {
        Base32.TryDecode(text, out var bytes).ShouldBeTrue();
        bytes.ShouldBe("foobar"u8.ToArray());
    }

    [Theory]
    [InlineData("MZXW6YTB0I")] // zero
    [InlineData("MZXW6YTB1I")] // one
    [InlineData("MZ=XW6YQ")]
    [InlineData("MZXW-6YQ")]
    [InlineData("M\u017FXQ")] // upper case of this is S elsewhere
    [InlineData("M")] // no byte ends here
    [InlineData("MZX")]
    [InlineData("MZ")] // bits left over that no encoder writes
    public void Anything_else_is_refused(string text) => Base32.TryDecode(text, out _).ShouldBeFalse();

    [Fact]
    public void Decoding_gives_back_what_was_encoded() =>
        Prop.ForAll<byte[]>(bytes => Base32.TryDecode(Base32.Encode(bytes), out var decoded) && decoded.SequenceEqual(bytes))
            .QuickCheckThrowOnFailure();
}
