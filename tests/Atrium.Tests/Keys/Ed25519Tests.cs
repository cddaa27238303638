using Atrium.Server.Keys;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Keys;

/// <summary>Ed25519 by libsodium.</summary>
public sealed class Ed25519Tests
{
    private static readonly Ed25519 Here = new(isWanted: true), Missing = new(isWanted: false);

    /// <summary>RFC 8032 section 7.1, tests 1 and 3.</summary>
    [Theory]
    [InlineData(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [InlineData(
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")]
    public void It_signs_as_RFC_8032_says(string seed, string publicKey, string data, string known)
    {
        byte[] secretKey = Here.SecretKeyOf(Convert.FromHexString(seed)), signature = new byte[64], message = Convert.FromHexString(data);
        Convert.ToHexStringLower(secretKey[32..]).ShouldBe(publicKey);
        Here.Sign(message, secretKey, signature);
        Convert.ToHexStringLower(signature).ShouldBe(known);
        Here.Verify(message, signature, secretKey.AsSpan(32)).ShouldBeTrue();
        foreach (int at in new[] { 0, 31, 32, 63 })
        {
            byte[] altered = [.. signature];
            altered[at] ^= 1;
            Here.Verify(message, altered, secretKey.AsSpan(32)).ShouldBeFalse();
        }

        Here.Verify([.. message, 0], signature, secretKey.AsSpan(32)).ShouldBeFalse();
        Here.Verify(message, signature.AsSpan(0, 63), secretKey.AsSpan(32)).ShouldBeFalse();
        Here.Verify(message, [], secretKey.AsSpan(32)).ShouldBeFalse();
        Here.Verify(message, signature, secretKey.AsSpan(33)).ShouldBeFalse();
    }

    /// <summary>A key that makes one signature fit every message (RFC 8032 section 8.4 leaves these to the library).</summary>
    [Fact]
    public void A_public_key_of_small_order_verifies_nothing()
    {
        byte[] identity = new byte[32], signature = new byte[64];
        identity[0] = signature[0] = 1;
        Here.Verify([1, 2, 3], signature, identity).ShouldBeFalse();
    }

    [Fact]
    public void A_machine_without_the_library_says_what_to_install()
    {
        Missing.IsAvailable.ShouldBeFalse();
        Should.Throw<MissingLibraryException>(static () => Missing.SecretKeyOf(new byte[32])).Message.ShouldContain("libsodium23");
        Should.Throw<MissingLibraryException>(static () => Missing.Sign([1], new byte[64], new byte[64]));
        Should.Throw<MissingLibraryException>(static () => Missing.Verify([1], new byte[64], new byte[32]));
    }
}
