using System.Security.Cryptography;
using Atrium.Core.Clients;

namespace Atrium.Server.Keys;

/// <summary>Checks signatures by the keys of clients, each by the algorithm that the key has.</summary>
public sealed class ClientSignatures
{
    /// <summary>What clients can sign with here.</summary>
    public IReadOnlyList<string> Algorithms { get; } = ClientKey.Algorithms;

    public bool Verify(ClientKey key, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) => key.Kty switch
    {
        "EC" => VerifyElliptic(key, data, signature),
        _ => VerifyRsa(key, data, signature),
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
