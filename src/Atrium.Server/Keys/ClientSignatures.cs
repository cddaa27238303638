using System.Security.Cryptography;
using Atrium.Core.Clients;

namespace Atrium.Server.Keys;

/// <summary>Checks signatures by the keys of clients, each by the algorithm that the key has.</summary>
public sealed class ClientSignatures(Ed25519 ed25519)
{
    /// <summary>What clients can sign with here.</summary>
    public IReadOnlyList<string> Algorithms { get; } =
        [.. ClientKey.Algorithms.Where(algorithm => ed25519.IsAvailable || algorithm is not (ClientRules.EdDsa or "Ed25519"))];

    /// <exception cref="MissingLibraryException">The key is one of Ed25519, and this machine can't calculate with it.</exception>
    public bool Verify(ClientKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) => key.Kty switch
    {
        "EC" => VerifyElliptic(key, data, signature),
        "RSA" => VerifyRsa(key, data, signature),
        _ => ed25519.Verify(data, signature, ClientKey.Number(key.X)),
    };

    private static bool VerifyElliptic(ClientKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using ECDsa ec = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = ClientKey.Number(key.X), Y = ClientKey.Number(key.Y) },
        });
        return ec.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static bool VerifyRsa(ClientKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using RSA rsa = RSA.Create(new RSAParameters { Modulus = ClientKey.Number(key.N), Exponent = ClientKey.Number(key.E) });
        return rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, key.Algorithm == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
    }
}
