using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Atrium.Core.Clients;
using Atrium.Core.Tokens;

namespace Atrium.Tests.OAuth;

/// <summary>A key of a client, and the proofs that it makes, right or wrong in any way that a test wants.</summary>
internal sealed class DpopKey
{
    private readonly Func<byte[], byte[]> sign;

    private DpopKey(string algorithm, ClientKey key, JsonObject withPrivate, Func<byte[], byte[]> sign)
    {
        Algorithm = algorithm;
        Public = key;
        WithPrivate = withPrivate;
        this.sign = sign;
    }

    public string Algorithm { get; }

    public ClientKey Public { get; }

    /// <summary>The key pair as a JWK, which nobody should send.</summary>
    public JsonObject WithPrivate { get; }

    public string Jkt => KeyThumbprint.Of(Public);

    public JsonObject Jwk => Public.Kty == "EC"
        ? new JsonObject { ["kty"] = "EC", ["crv"] = Public.Crv, ["x"] = Public.X, ["y"] = Public.Y }
        : new JsonObject { ["kty"] = "RSA", ["n"] = Public.N, ["e"] = Public.E };

    public static DpopKey New(string algorithm = "ES256") => algorithm == "ES256" ? Elliptic() : Rsa(algorithm, 2048);

    public static DpopKey Rsa(string algorithm, int bits)
    {
        RSA rsa = RSA.Create(bits);
        RSAParameters pair = rsa.ExportParameters(includePrivateParameters: true);
        ClientKey key = new() { Kty = "RSA", N = Encode(pair.Modulus!), E = Encode(pair.Exponent!) };
        return new(
            algorithm,
            key,
            new JsonObject { ["kty"] = "RSA", ["n"] = key.N, ["e"] = key.E, ["d"] = Encode(pair.D!) },
            data => rsa.SignData(data, HashAlgorithmName.SHA256, algorithm == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1));
    }

    /// <summary>A proof of this moment, as it should be but for the changes.</summary>
    public string Proof(string method, string url, DateTimeOffset now, string? token = null, Action<JsonObject, JsonObject>? change = null)
    {
        JsonObject header = new() { ["typ"] = "dpop+jwt", ["alg"] = Algorithm, ["jwk"] = Jwk };
        JsonObject claims = new() { ["jti"] = Guid.NewGuid().ToString(), ["htm"] = method, ["htu"] = url, ["iat"] = now.ToUnixTimeSeconds() };
        if (token is not null)
            claims["ath"] = new BoundToken(token, Jkt).Hash;
        change?.Invoke(header, claims);
        return Sign(header.ToJsonString(), claims.ToJsonString());
    }

    public string Sign(string header, string claims)
    {
        string signed = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Encode(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static DpopKey Elliptic()
    {
        ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECParameters pair = ec.ExportParameters(includePrivateParameters: true);
        ClientKey key = new() { Kty = "EC", Crv = "P-256", X = Encode(pair.Q.X!), Y = Encode(pair.Q.Y!) };
        return new(
            "ES256",
            key,
            new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = key.X, ["y"] = key.Y, ["d"] = Encode(pair.D!) },
            data => ec.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
