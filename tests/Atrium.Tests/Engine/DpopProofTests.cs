using Atrium.Core.Clients;
using Atrium.Core.Tokens;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

/// <summary>What a proof of possession must say, and when: the part that needs no server.</summary>
public sealed class DpopProofTests
{
    private const string Url = "https://id.example.com/t/acme/token";

    private static readonly DateTimeOffset Now = Worlds.Start;

    private static readonly BoundToken Token = new("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");

    private static readonly DpopProof Good = new() { Jkt = Token.Jkt, Id = "-BwC3ESc6acc2lTc", Method = "POST", Target = Url, IssuedAt = Now };

    private static readonly ProvedRequest Request = new() { Method = "POST", Url = Url, NeedsNonce = false, Nonces = ["current", "previous"] };

    [Fact]
    public void The_thumbprints_and_the_hash_are_those_of_the_RFCs()
    {
        KeyThumbprint.Of(new ClientKey
        {
            Kty = "EC", Crv = "P-256", X = "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", Y = "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        }).ShouldBe(Token.Jkt, "RFC 9449 section 6.1");
        KeyThumbprint.Of(new ClientKey
        {
            Kty = "RSA",
            Alg = "RS256",
            Kid = "2011-04-29",
            E = "AQAB",
            N = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        }).ShouldBe("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "RFC 7638 section 3.1");
        KeyThumbprint.Of(new ClientKey { Kty = "OKP", Crv = "Ed25519", X = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
            .ShouldBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "RFC 8037 appendix A.3");
        Token.Hash.ShouldBe("fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo", "RFC 9449 section 7.1");
    }

    [Theory]
    [InlineData("https://id.example.com/t/acme/token", true)]
    [InlineData("https://id.example.com/t/acme/token?org=x&y", true)]
    [InlineData("https://id.example.com/t/acme/token#part", true)]
    [InlineData("https://id.example.com/t/acme/token?a=/../#b?c", true)]
    [InlineData("HTTPS://ID.Example.COM/t/acme/token", true)]
    [InlineData("https://id.example.com:443/t/acme/token", true)]
    [InlineData("https://id.example.com/t/acme/%74oken", true)]
    [InlineData("https://id.example.com/t/./other/../acme/token", true)]
    [InlineData("https://id.example.com/t/acme/Token", false)]
    [InlineData("https://id.example.com/t/acme/%2574oken", false)]
    [InlineData("https://id.example.com/t/acme%2Ftoken", false)]
    [InlineData("https://id.example.com/t/acme/token/", false)]
    [InlineData("https://id.example.com/t/acme//token", false)]
    [InlineData("https://id.example.com/t/acme/userinfo", false)]
    [InlineData("https://id.example.com/t/globex/token", false)]
    [InlineData("https://id.example.com/", false)]
    [InlineData("https://id.example.com", false)]
    [InlineData("http://id.example.com/t/acme/token", false)]
    [InlineData("http://id.example.com:443/t/acme/token", false)]
    [InlineData("https://id.example.com:8443/t/acme/token", false)]
    [InlineData("https://id.example.com.evil.example/t/acme/token", false)]
    [InlineData("https://id.example.com@evil.example/t/acme/token", false)]
    [InlineData("https://me@id.example.com/t/acme/token", false)]
    [InlineData("https:/id.example.com/t/acme/token", false)]
    [InlineData("https:\\\\id.example.com\\t\\acme\\token", false)]
    [InlineData("//id.example.com/t/acme/token", false)]
    [InlineData("/t/acme/token", false)]
    [InlineData("https://id.example.com/t/acme/token ", false)]
    [InlineData(" https://id.example.com/t/acme/token", false)]
    [InlineData("https://id.example.com/t/acme/token\u0000", false)]
    [InlineData("https://ıd.example.com/t/acme/token", false)]
    [InlineData("", false)]
    public void The_address_is_compared_without_query_and_fragment_in_every_spelling_that_means_the_same(string htu, bool same)
    {
        HttpTarget.AreSame(htu, Url).ShouldBe(same);
        HttpTarget.AreSame(Url, htu).ShouldBe(same);
        DpopRules.Check(Good with { Target = htu }, Request, Now).ShouldBe(same ? null : DpopFault.OtherRequest);
    }

    [Fact]
    public void An_address_that_is_too_long_is_none()
    {
        string longest = Url + "?" + new string('x', HttpTarget.MaxLength - Url.Length - 1);
        HttpTarget.AreSame(longest, Url).ShouldBeTrue();
        HttpTarget.AreSame(longest + "x", Url).ShouldBeFalse();
    }

    [Fact]
    public void However_a_path_is_escaped_it_is_the_same_path_and_with_any_other_letter_it_is_not() => Prop.ForAll(
        Arb.From(
            from letters in Gen.NonEmptyListOf(Gen.Elements("abcXYZ019-._~%:/".ToCharArray()))
            from escaped in Gen.Choose(0, int.MaxValue)
            select (Path: "x" + string.Concat(letters).Replace("%", "%2F", StringComparison.Ordinal).Replace("/.", "/a", StringComparison.Ordinal), Escaped: escaped)),
        static x =>
        {
            string plain = $"https://id.example.com/{x.Path}";

            // Every letter that needs no escape, escaped or not, with the digits in either case.
            string other = $"https://id.example.com/{string.Concat(x.Path.Select((c, i) => IsInEscape(x.Path, i) || !(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '~') || ((x.Escaped >> (i % 30)) & 1) == 0
                ? c.ToString()
                : ((x.Escaped >> (i % 29)) & 1) == 0 ? $"%{(int)c:x2}" : $"%{(int)c:X2}"))}";
            return HttpTarget.AreSame(plain, other) && HttpTarget.AreSame(other, plain) && !HttpTarget.AreSame(plain + "q", other) && !HttpTarget.AreSame(plain.Replace(".com/x", ".com/y", StringComparison.Ordinal), other);
        }).QuickCheckThrowOnFailure();

    /// <summary>Every millisecond that matters, around both ends of the window.</summary>
    [Theory]
    [InlineData(-60_001, false)]
    [InlineData(-60_000, true)]
    [InlineData(-59_999, true)]
    [InlineData(-10_000, true)]
    [InlineData(0, true)]
    [InlineData(9_999, true)]
    [InlineData(10_000, true)]
    [InlineData(10_001, false)]
    [InlineData(3_600_000, false)]
    [InlineData(-3_600_000, false)]
    public void A_proof_is_good_from_ten_seconds_before_its_time_until_a_minute_after_it(int milliseconds, bool good) =>
        DpopRules.Check(Good with { IssuedAt = Now.AddMilliseconds(milliseconds) }, Request, Now).ShouldBe(good ? null : DpopFault.OutOfTime);

    [Theory]
    [InlineData(null, 0, false)]
    [InlineData(null, -1, false)]
    [InlineData(null, 1, true)]
    [InlineData(0, null, true)]
    [InlineData(10, null, true)]
    [InlineData(11, null, false)]
    [InlineData(-5, 5, true)]
    [InlineData(60, 90, false)]
    [InlineData(-90, -60, false)]
    public void A_proof_that_names_a_time_of_its_own_is_held_to_it(int? notBefore, int? expires, bool good) =>
        DpopRules.Check(
            Good with { NotBefore = notBefore is { } from ? Now.AddSeconds(from) : null, ExpiresAt = expires is { } end ? Now.AddSeconds(end) : null }, Request, Now)
            .ShouldBe(good ? null : DpopFault.OutOfTime);

    [Fact]
    public void Whenever_a_proof_is_good_it_is_still_remembered() => Prop.ForAll(
        Arb.From(from issued in Gen.Choose(-100_000, 100_000) from now in Gen.Choose(-100_000, 100_000) select (Issued: issued, Now: now)),
        static x =>
        {
            DpopProof proof = Good with { IssuedAt = Now.AddMilliseconds(x.Issued) };
            return DpopRules.Check(proof, Request, Now.AddMilliseconds(x.Now)) is not null || DpopRules.EndOf(proof) >= Now.AddMilliseconds(x.Now);
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("GET")]
    [InlineData("post")]
    [InlineData("POST ")]
    [InlineData("")]
    public void The_method_is_compared_letter_by_letter(string method) =>
        DpopRules.Check(Good with { Method = method }, Request, Now).ShouldBe(DpopFault.OtherRequest);

    [Theory]
    [InlineData(null, false, null)]
    [InlineData(null, true, DpopFault.Nonce)]
    [InlineData("current", false, null)]
    [InlineData("current", true, null)]
    [InlineData("previous", true, null)]
    [InlineData("older", true, DpopFault.Nonce)]
    [InlineData("older", false, DpopFault.Nonce)]
    [InlineData("", false, DpopFault.Nonce)]
    [InlineData("CURRENT", true, DpopFault.Nonce)]
    public void A_nonce_that_is_named_must_be_good_and_one_that_is_needed_must_be_named(string? nonce, bool needed, DpopFault? fault) =>
        DpopRules.Check(Good with { Nonce = nonce }, Request with { NeedsNonce = needed }, Now).ShouldBe(fault);

    [Fact]
    public void With_a_token_the_proof_names_its_hash_and_is_of_its_key()
    {
        ProvedRequest presenting = Request with { Token = Token };
        DpopProof good = Good with { TokenHash = Token.Hash };
        DpopRules.Check(good, presenting, Now).ShouldBeNull();
        DpopRules.Check(good with { TokenHash = null }, presenting, Now).ShouldBe(DpopFault.OtherToken);
        DpopRules.Check(good with { TokenHash = new BoundToken(Token.Text + "x", Token.Jkt).Hash }, presenting, Now).ShouldBe(DpopFault.OtherToken);
        DpopRules.Check(good with { Jkt = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" }, presenting, Now).ShouldBe(DpopFault.OtherKey);
    }

    [Fact]
    public void Two_keys_may_use_one_jti_and_one_key_may_not_use_it_twice()
    {
        (Good with { Target = "https://elsewhere.example/" }).Mark.ShouldBe(Good.Mark);
        (Good with { Jkt = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" }).Mark.ShouldNotBe(Good.Mark);
        (Good with { Id = Good.Id + "x" }).Mark.ShouldNotBe(Good.Mark);
    }

    private static bool IsInEscape(string path, int i) => path[i] == '%' || (i > 0 && path[i - 1] == '%') || (i > 1 && path[i - 2] == '%');
}
