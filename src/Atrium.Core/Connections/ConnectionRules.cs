using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Atrium.Core.Organizations;

namespace Atrium.Core.Connections;

/// <summary>What a connection's settings may be. Each rule says in a sentence what is wrong with a text, or null when nothing is.</summary>
public static class ConnectionRules
{
    public const int MaxUrlLength = 2048;

    /// <summary>SAML core section 8.3.6.</summary>
    public const int MaxEntityIdLength = 1024;

    public const int MaxClientIdLength = 512;
    public const int MaxSecretLength = 4096;
    public const int MaxCertificateLength = 16 * 1024;
    public const int MaxCertificates = 8;
    public const int MaxScopes = 32;
    public const int MaxScopeLength = 128;
    public const int MaxTenantLength = 253;
    public const int AppleIdLength = 10;

    private const int SmallestRsaKey = 2048;
    private const string PrivateKeyLabel = "PRIVATE KEY";
    private const string CertificateLabel = "CERTIFICATE";
    private const string NoApplePrivateKey = "Must be the private key as Apple gave it: PEM, with a key of the curve P-256.";

    /// <summary>OpenID Connect Discovery 1.0 section 3: https, no query, no fragment.</summary>
    public static string? Issuer(string text) =>
        Url(text) ?? (text.Contains('?', StringComparison.Ordinal) ? "An issuer has no query." : null);

    /// <summary>An address on a provider's side, which a browser or this server will go to.</summary>
    public static string? Url(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? url) || text.Any(static c => c is <= ' ' or > '~'))
            return "Must be an absolute URL, in ASCII.";
        if (url.Scheme != Uri.UriSchemeHttps && !(url.Scheme == Uri.UriSchemeHttp && url.IsLoopback))
            return "Must begin with https; http leads to a loopback address only.";
        if (url.UserInfo.Length > 0)
            return "Must have no user name in it.";
        return text.Contains('#', StringComparison.Ordinal) ? "Must have no fragment." : null;
    }

    public static string? EntityId(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out _) && TextRules.IsPlain(text) ? null : "Must be an absolute URI, as the provider's metadata has it.";

    /// <summary>RFC 6749 section 3.3.</summary>
    public static string? Scope(string text) =>
        text.Length > 0 && text.All(static c => c is '!' or (>= '#' and <= '[') or (>= ']' and <= '~')) ? null : "Must be a scope: ASCII without spaces and quotes.";

    public static string? Scopes(IReadOnlyList<string> scopes) =>
        scopes.Contains("openid") ? null : "\"openid\" must be among the scopes.";

    public static string? Tenant(string text) =>
        text is "common" or "organizations" or "consumers" || Guid.TryParseExact(text, "D", out _) || DomainName.Normalize(text) == text
            ? null
            : "Must be a tenant's id or domain, or common, organizations or consumers.";

    public static string? AppleId(string text) =>
        text.Length == AppleIdLength && text.All(static c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c))
            ? null
            : $"Must be {AppleIdLength} capital letters and digits.";

    /// <summary>A certificate alone, of a key that is good enough to be believed.</summary>
    public static string? Certificate(string pem)
    {
        if (pem.Contains(PrivateKeyLabel, StringComparison.Ordinal))
            return "There is a private key in it. Only the provider has that; send the certificate alone, and make a new key there.";
        if (!PemEncoding.TryFind(pem, out PemFields found) || pem[found.Label] != CertificateLabel || pem[found.Location].Length != pem.Trim().Length)
            return "Must be one certificate as PEM, from BEGIN CERTIFICATE to END CERTIFICATE.";
        try
        {
            using X509Certificate2 certificate = X509Certificate2.CreateFromPem(pem);
            using RSA? rsa = certificate.GetRSAPublicKey();
            using ECDsa? ec = certificate.GetECDsaPublicKey();
            return rsa is { KeySize: >= SmallestRsaKey } || ec is not null ? null : $"Its key must be RSA of {SmallestRsaKey} bits or more, or ECDSA.";
        }
        catch (CryptographicException)
        {
            return "Can't be read as a certificate.";
        }
    }

    /// <summary>When a good <see cref="Certificate"/> ends.</summary>
    public static DateTimeOffset CertificateEnd(string pem)
    {
        using X509Certificate2 certificate = X509Certificate2.CreateFromPem(pem);
        return new DateTimeOffset(certificate.NotAfter.ToUniversalTime(), TimeSpan.Zero);
    }

    /// <summary>The key that Apple gives out: PKCS #8 of the curve P-256, since it signs with ES256.</summary>
    public static string? ApplePrivateKey(string pem)
    {
        try
        {
            using ECDsa key = ECDsa.Create();
            key.ImportFromPem(pem);
            return key.KeySize == 256 && pem.Contains(PrivateKeyLabel, StringComparison.Ordinal) ? null : NoApplePrivateKey;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return NoApplePrivateKey;
        }
    }
}
