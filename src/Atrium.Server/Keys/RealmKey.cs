using System.Buffers.Text;
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
    }

    public string Kid { get; }

    public string Algorithm { get; }

    public static RealmKey From(SigningKey stored, ReadOnlySpan<byte> pkcs8, Ed25519 ed25519) => stored.Algorithm switch
    {
        RealmKeys.ES256 => new EllipticKey(stored, pkcs8),
        RealmKeys.RS256 => new RsaKey(stored, pkcs8),
        _ => new EdwardsKey(stored, pkcs8, ed25519),
    };

    /// <summary>Whether this machine can calculate with the key.</summary>
    public virtual bool IsUsable => true;

    /// <summary>The largest signature this key makes, in bytes.</summary>
    public abstract int SignatureSize { get; }

    /// <exception cref="MissingLibraryException">This machine can't calculate with the key.</exception>
    public abstract int Sign(ReadOnlySpan<byte> data, Span<byte> signature);

    /// <exception cref="MissingLibraryException">This machine can't calculate with the key.</exception>
    public abstract bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);

    /// <summary>The public parts of RFC 7518 section 6 and RFC 8037 section 2.</summary>
    public abstract Jwk PublicJwk { get; }

    public abstract void Dispose();

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
                X = Base64Url.EncodeToString(point.X),
                Y = Base64Url.EncodeToString(point.Y),
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
                N = Base64Url.EncodeToString(parameters.Modulus),
                E = Base64Url.EncodeToString(parameters.Exponent),
                X5c = [Convert.ToBase64String(stored.Certificate)],
                X5tS256 = ThumbprintOf(stored.Certificate),
            };
        }

        public override int SignatureSize => key.KeySize / 8;

        public override Jwk PublicJwk { get; }

        public override int Sign(ReadOnlySpan<byte> data, Span<byte> signature) =>
            key.SignData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

        public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) =>
            key.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

        public override void Dispose() => key.Dispose();

        /// <summary>SHA-256 of the certificate, base64url: <c>x5t#S256</c> (RFC 7517 section 4.9).</summary>
        private static string ThumbprintOf(byte[] der)
        {
            using X509Certificate2 certificate = X509CertificateLoader.LoadCertificate(der);
            return Base64Url.EncodeToString(certificate.GetCertHash(HashAlgorithmName.SHA256));
        }
    }

    private sealed class EdwardsKey : RealmKey
    {
        private readonly byte[] secretKey;
        private readonly Ed25519 ed25519;

        public EdwardsKey(SigningKey stored, ReadOnlySpan<byte> pkcs8, Ed25519 ed25519)
            : base(stored)
        {
            this.ed25519 = ed25519;
            secretKey = Ed25519Pkcs8.Read(pkcs8);
            PublicJwk = new Jwk
            {
                Kty = "OKP",
                Use = "sig",
                Alg = Algorithm,
                Kid = Kid,
                Crv = "Ed25519",
                X = Base64Url.EncodeToString(PublicKey),
            };
        }

        public override bool IsUsable => ed25519.IsAvailable;

        public override int SignatureSize => SodiumLibrary.SignatureSize;

        public override Jwk PublicJwk { get; }

        private ReadOnlySpan<byte> PublicKey => secretKey.AsSpan(SodiumLibrary.SeedSize);

        public override int Sign(ReadOnlySpan<byte> data, Span<byte> signature)
        {
            ed25519.Sign(data, secretKey, signature);
            return SignatureSize;
        }

        public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) => ed25519.Verify(data, signature, PublicKey);

        public override void Dispose() => CryptographicOperations.ZeroMemory(secretKey);
    }
}
