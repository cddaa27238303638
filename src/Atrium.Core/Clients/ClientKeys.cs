using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Serialization;

namespace Atrium.Core.Clients;

/// <summary>The public keys that a client proves itself by (RFC 7517 section 5).</summary>
public sealed record ClientKeySet(IReadOnlyList<ClientKey> Keys)
{
    public const int MaxKeys = 10;

    /// <summary>What keeps these from being used; fields as seen from the set.</summary>
    public IEnumerable<Fault> Faults()
    {
        if (Keys.Count is 0 or > MaxKeys)
            yield return new("/keys", $"There should be 1 to {MaxKeys} keys.");
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach ((int i, ClientKey key) in Keys.Index())
        {
            if (key.Fault() is { } fault)
                yield return fault.Within($"/keys/{i}");
            if (Keys.Count > 1 && !names.Add(key.Kid ?? ""))
                yield return new($"/keys/{i}/kid", "Each of several keys should have a kid of its own.");
        }
    }
}

/// <summary>A public key as RFC 7517 writes it. There is no place in it for a private part.</summary>
public sealed record ClientKey
{
    public const int MaxKidLength = 128;

    /// <summary>Long enough for RSA with 4096 bits.</summary>
    public const int MaxNumberLength = 700;

    private const int ShortestRsa = 2048, LongestRsa = 4096;

    public static IReadOnlyList<string> Types { get; } = ["EC", "RSA", "OKP"];

    public static IReadOnlyList<string> Algorithms { get; } = ["ES256", "RS256", "PS256", "EdDSA", "Ed25519"];

    public static IReadOnlyList<string> Curves { get; } = ["P-256", "Ed25519"];

    public static IReadOnlyList<string> Uses { get; } = ["sig"];

    public required string Kty { get; init; }

    public string? Use { get; init; }

    public string? Alg { get; init; }

    public string? Kid { get; init; }

    public string? Crv { get; init; }

    public string? X { get; init; }

    public string? Y { get; init; }

    public string? N { get; init; }

    public string? E { get; init; }

    /// <summary>
    /// The one algorithm that a signature by this key has: it is the key's, and what a token's header says is never asked (RFC 8725 section 3.1). An
    /// RSA key that names none has RS256.
    /// </summary>
    [JsonIgnore]
    public string Algorithm => Kty switch
    {
        "EC" => "ES256",
        "RSA" => Alg ?? "RS256",
        _ => "EdDSA",
    };

    /// <summary>Whether a header's algorithm is the key's. EdDSA with Ed25519 has two names (RFC 9864 section 2.2).</summary>
    public bool SignsAs(string? algorithm) => algorithm is not null && AlgorithmsOfType.Contains(algorithm) && (algorithm == Algorithm || Kty == "OKP");

    private IReadOnlyList<string> AlgorithmsOfType => Kty switch
    {
        "EC" => ["ES256"],
        "RSA" => ["RS256", "PS256"],
        _ => ["EdDSA", "Ed25519"],
    };

    /// <summary>What keeps it from being used.</summary>
    public Fault? Fault()
    {
        if (!Types.Contains(Kty))
            return new("/kty", "The key should be of the type EC, RSA or OKP.");
        if (Use is not null && !Uses.Contains(Use))
            return new("/use", "The key should be there to sign: sig.");
        if (Alg is not null && !AlgorithmsOfType.Contains(Alg))
            return new("/alg", $"A key of this type signs with {string.Join(" or ", AlgorithmsOfType)}.");
        return Kty switch
        {
            "EC" => FaultOfCurve(),
            "RSA" => FaultOfRsa(),
            _ => FaultOfEdwards(),
        };
    }

    /// <summary>A number of the key, which is one once it has no fault.</summary>
    public static byte[] Number(string? text) => Decode(text) ?? throw new FormatException("The number is none.");

    private Fault? FaultOfCurve()
    {
        if (Crv != "P-256")
            return new("/crv", "The curve should be P-256.");
        if (Decode(X) is not { Length: 32 } x)
            return new("/x", "The coordinate should be 32 bytes in base64url.");
        if (Decode(Y) is not { Length: 32 } y)
            return new("/y", "The coordinate should be 32 bytes in base64url.");
        try
        {
            using ECDsa key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
            return null;
        }
        catch (CryptographicException)
        {
            return new("/x", "The point is not on the curve.");
        }
    }

    /// <summary>RFC 8037 section 2.</summary>
    private Fault? FaultOfEdwards()
    {
        if (Crv != "Ed25519")
            return new("/crv", "The curve should be Ed25519.");
        return Decode(X) is { Length: 32 } ? null : new("/x", "The key should be 32 bytes in base64url.");
    }

    private Fault? FaultOfRsa()
    {
        if (Decode(N) is not { } modulus || BitsOf(modulus) is < ShortestRsa or > LongestRsa)
            return new("/n", $"The modulus should have {ShortestRsa} to {LongestRsa} bits, in base64url.");
        if (Decode(E) is not { Length: >= 1 and <= 8 } exponent)
            return new("/e", "The exponent should be a number of at most 8 bytes in base64url.");
        try
        {
            using RSA key = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
            return null;
        }
        catch (CryptographicException)
        {
            return new("/n", "This is no RSA key.");
        }
    }

    private static int BitsOf(ReadOnlySpan<byte> number)
    {
        ReadOnlySpan<byte> digits = number.TrimStart((byte)0);
        return digits.IsEmpty ? 0 : (digits.Length * 8) - int.LeadingZeroCount(digits[0] << 24);
    }

    private static byte[]? Decode(string? text) => text is not null && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
}
