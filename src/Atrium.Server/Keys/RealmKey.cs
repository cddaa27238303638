using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Atrium.Core.Realms;

namespace Atrium.Server.Keys;

/// <summary>An opened signing key. The algorithm belongs to the key; what a token's header says is never asked (RFC 8725 section 3.1).</summary>
public abstract class RealmKey : IDisposable
{
    private RealmKey(SigningKey stored)
    {
        Kid = stored.Kid;
        Algorithm = stored.Algorithm;
        Certificate = stored.Certificate;
    }

    public string Kid { get; }

    public string Algorithm { get; }

    /// <summary>DER, self-signed.</summary>
    public byte[] Certificate { get; }

    public static RealmKey From(SigningKey stored, ReadOnlySpan<byte> pkcs8) =>
        stored.Algorithm == RealmKeys.ES256 ? new EllipticKey(stored, pkcs8) : new RsaKey(stored, pkcs8);

    /// <summary>The largest signature this key makes, in bytes.</summary>
    public abstract int SignatureSize { get; }

    public abstract int Sign(ReadOnlySpan<byte> data, Span<byte> signature);

    public abstract bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);

    /// <summary>The public parts of RFC 7518 section 6.</summary>
    public abstract Jwk PublicJwk { get; }

    public abstract void Dispose();

    /// <summary>SHA-256 of the certificate, base64url: <c>x5t#S256</c> (RFC 7517 section 4.9).</summary>
    protected string CertificateThumbprint
    {
        get
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(Certificate);
            return System.Buffers.Text.Base64Url.EncodeToString(certificate.GetCertHash(HashAlgorithmName.SHA256));
        }
    }

    private sealed class EllipticKey : RealmKey
    {
        private readonly ECDsa key;

        public EllipticKey(SigningKey stored, ReadOnlySpan<byte> pkcs8)
            : base(stored)
        {
            key = ECDsa.Create();
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            ECPoint point = key.ExportParameters(includePrivateParameters: false).Q;
            PublicJwk = new Jwk
            {
                Kty = "EC",
                Use = "sig",
                Alg = Algorithm,
                Kid = Kid,
                Crv = "P-256",
                X = System.Buffers.Text.Base64Url.EncodeToString(point.X),
                Y = System.Buffers.Text.Base64Url.EncodeToString(point.Y),
            };
        }

        public override int SignatureSize => 64;

        public override Jwk PublicJwk { get; }

        public override int Sign(ReadOnlySpan<byte> data, Span<byte> signature) =>
            key.SignData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

        public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
            key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);

        public override void Dispose() => key.Dispose();
    }

    private sealed class RsaKey : RealmKey
    {
        private readonly RSA key;

        public RsaKey(SigningKey stored, ReadOnlySpan<byte> pkcs8)
            : base(stored)
        {
            key = RSA.Create();
            key.ImportPkcs8PrivateKey(pkcs8, out _);
            RSAParameters parameters = key.ExportParameters(includePrivateParameters: false);
            PublicJwk = new Jwk
            {
                Kty = "RSA",
                Use = "sig",
                Alg = Algorithm,
                Kid = Kid,
                N = System.Buffers.Text.Base64Url.EncodeToString(parameters.Modulus),
                E = System.Buffers.Text.Base64Url.EncodeToString(parameters.Exponent),
                X5c = [Convert.ToBase64String(Certificate)],
                X5tS256 = CertificateThumbprint,
            };
        }

        public override int SignatureSize => key.KeySize / 8;

        public override Jwk PublicJwk { get; }

        public override int Sign(ReadOnlySpan<byte> data, Span<byte> signature) =>
            key.SignData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

        public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
            key.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

        public override void Dispose() => key.Dispose();
    }
}
