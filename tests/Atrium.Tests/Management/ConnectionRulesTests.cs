using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Atrium.Core.Connections;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

public sealed class ConnectionRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("https://login.example.com", true)]
    [InlineData("https://login.example.com/tenant/v2.0", true)]
    [InlineData("http://127.0.0.1:8080/idp", true)]
    [InlineData("http://localhost:8080/idp", true)]
    [InlineData("http://login.example.com", false)]
    [InlineData("https://login.example.com?tenant=1", false)]
    [InlineData("https://login.example.com#x", false)]
    [InlineData("https://user:password@login.example.com", false)]
    [InlineData("https://login.example.com/a b", false)]
    [InlineData("https://löwe.example.com", false)]
    [InlineData("//login.example.com", false)]
    [InlineData("login.example.com", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("javascript:alert(1)", false)]
    [InlineData("", false)]
    public void An_issuer_is_an_https_URL_without_query_and_fragment(string text, bool isGood) => (ConnectionRules.Issuer(text) is null).ShouldBe(isGood);

    [Theory]
    [InlineData("openid", true)]
    [InlineData("https://www.googleapis.com/auth/userinfo.email", true)]
    [InlineData("two words", false)]
    [InlineData("quo\"te", false)]
    [InlineData("back\\slash", false)]
    [InlineData("löwe", false)]
    [InlineData("", false)]
    public void A_scope_is_one_of_RFC_6749(string text, bool isGood) => (ConnectionRules.Scope(text) is null).ShouldBe(isGood);

    [Theory]
    [InlineData("common", true)]
    [InlineData("organizations", true)]
    [InlineData("8eaef023-2b34-4da1-9baa-8bc8c9d6a490", true)]
    [InlineData("contoso.onmicrosoft.com", true)]
    [InlineData("Contoso.com", false)]
    [InlineData("common/../x", false)]
    [InlineData("everybody", false)]
    [InlineData("", false)]
    public void A_tenant_is_an_id_a_domain_or_a_word(string text, bool isGood) => (ConnectionRules.Tenant(text) is null).ShouldBe(isGood);

    [Theory]
    [InlineData("A1B2C3D4E5", true)]
    [InlineData("a1b2c3d4e5", false)]
    [InlineData("A1B2C3D4E", false)]
    [InlineData("A1B2C3D4E5F", false)]
    public void An_Apple_id_is_ten_capitals_and_digits(string text, bool isGood) => (ConnectionRules.AppleId(text) is null).ShouldBe(isGood);

    [Fact]
    public void A_certificate_is_taken_when_a_provider_may_sign_with_it()
    {
        using RSA rsa = RSA.Create(2048);
        using ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ConnectionRules.Certificate(Pem(Request(rsa))).ShouldBeNull();
        ConnectionRules.CertificateEnd(Pem(Request(rsa))).ShouldBe(Now.AddYears(1));
        ConnectionRules.Certificate($"\n{Pem(new CertificateRequest("CN=idp", ec, HashAlgorithmName.SHA256))}\n").ShouldBeNull();
    }

    [Fact]
    public void A_certificate_that_is_weak_or_brings_more_is_refused_and_says_why()
    {
        using RSA weak = RSA.Create(1024);
        using RSA rsa = RSA.Create(2048);
        string good = Pem(Request(rsa));
        ConnectionRules.Certificate(Pem(Request(weak)))!.ShouldContain("2048");
        ConnectionRules.Certificate($"{good}\n{good}")!.ShouldContain("one certificate");
        ConnectionRules.Certificate($"{good}\n{rsa.ExportPkcs8PrivateKeyPem()}")!.ShouldContain("private key");
        ConnectionRules.Certificate(rsa.ExportSubjectPublicKeyInfoPem())!.ShouldContain("CERTIFICATE");
        ConnectionRules.Certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")!.ShouldContain("read");
        ConnectionRules.Certificate("MIIB").ShouldNotBeNull();
        ConnectionRules.Certificate("").ShouldNotBeNull();
    }

    [Fact]
    public void Apples_key_is_a_private_key_of_the_curve_P_256()
    {
        using ECDsa p256 = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using RSA rsa = RSA.Create(2048);
        ConnectionRules.ApplePrivateKey(p256.ExportPkcs8PrivateKeyPem()).ShouldBeNull();
        foreach (string wrong in new[]
        {
            p384.ExportPkcs8PrivateKeyPem(), rsa.ExportPkcs8PrivateKeyPem(), p256.ExportSubjectPublicKeyInfoPem(), p256.ExportPkcs8PrivateKeyPem()[..60], "", "x",
        })
        {
            ConnectionRules.ApplePrivateKey(wrong).ShouldNotBeNull();
        }
    }

    private static CertificateRequest Request(RSA key) => new("CN=idp", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    private static string Pem(CertificateRequest request)
    {
        using X509Certificate2 certificate = request.CreateSelfSigned(Now.AddYears(-1), Now.AddYears(1));
        return certificate.ExportCertificatePem();
    }
}
