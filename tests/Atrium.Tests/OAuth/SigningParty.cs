using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Core.Clients;
using Atrium.Server.Keys;

namespace Atrium.Tests.OAuth;

/// <summary>A key pair outside of the server, a client's or a forger's, that signs whatever a test wants signed.</summary>
internal sealed class SigningParty
{
    private readonly Func<byte[], byte[]> sign;

    private SigningParty(ClientKey key, Func<byte[], byte[]> sign)
    {
        Key = key;
        this.sign = sign;
    }

    /// <summary>The public part.</summary>
    public ClientKey Key { get; }

    public static SigningParty Of(string algorithm, string? kid = "k1") => algorithm switch
    {
        "ES256" => Elliptic(kid),
        "RS256" => Rsa(RSASignaturePadding.Pkcs1, algorithm, kid),
        "PS256" => Rsa(RSASignaturePadding.Pss, algorithm, kid),
        _ => Edwards(kid),
    };

    /// <summary>The same key pair, signing by another algorithm than the key's.</summary>
    public static SigningParty Rsa(RSASignaturePadding padding, string? algorithm, string? kid, RSA? pair = null)
    {
        RSA rsa = pair ?? RSA.Create(2048);
        RSAParameters parameters = rsa.ExportParameters(false);
        return new(
            new ClientKey { Kty = "RSA", Alg = algorithm, Kid = kid, N = Encode(parameters.Modulus!), E = Encode(parameters.Exponent!) },
            data => rsa.SignData(data, HashAlgorithmName.SHA256, padding));
    }

    /// <summary>Signs by HMAC with something that everybody knows.</summary>
    public static SigningParty Symmetric(byte[] secret) => new(new ClientKey { Kty = "oct" }, data => HMACSHA256.HashData(secret, data));

    /// <summary>Puts the same bytes behind everything.</summary>
    public static SigningParty Constant(params byte[] signature) => new(new ClientKey { Kty = "oct" }, _ => signature);

    /// <summary>A JWT with this header and these claims, signed.</summary>
    public string Sign(JsonObject header, JsonNode claims) => SignTexts(header.ToJsonString(), claims.ToJsonString());

    /// <summary>The same with texts that need not be JSON.</summary>
    public string SignTexts(string header, string claims)
    {
        string signed = $"{Encode(Encoding.UTF8.GetBytes(header))}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Encode(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    public string Sign(string algorithm, JsonNode claims) => Sign(new JsonObject { ["alg"] = algorithm, ["kid"] = Key.Kid }, claims);

    /// <summary>As the management API takes it.</summary>
    public JsonObject Jwk() => (JsonObject)JsonNode.Parse(JsonSerializer.Serialize(Key, Wire))!;

    private static readonly JsonSerializerOptions Wire = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    private static SigningParty Elliptic(string? kid)
    {
        ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ECPoint point = ec.ExportParameters(false).Q;
        return new(
            new ClientKey { Kty = "EC", Kid = kid, Crv = "P-256", X = Encode(point.X!), Y = Encode(point.Y!) },
            data => ec.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    private static SigningParty Edwards(string? kid)
    {
        Ed25519 library = new(isWanted: true);
        byte[] secretKey = library.SecretKeyOf(RandomNumberGenerator.GetBytes(32));
        return new(
            new ClientKey { Kty = "OKP", Kid = kid, Crv = "Ed25519", X = Encode(secretKey[32..]) },
            data =>
            {
                byte[] signature = new byte[64];
                library.Sign(data, secretKey, signature);
                return signature;
            });
    }

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
