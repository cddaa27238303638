using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Tokens;
using Atrium.Server.Keys;
using Atrium.Server.Tokens;

namespace Atrium.Server.Doors.OAuth.Dpop;

/// <summary>Reads the proof in a <c>DPoP</c> header (RFC 9449 section 4.3): its form, its key and its signature. What it says is not held against anything yet.</summary>
internal static class ProofReader
{
    private const string Type = "dpop+jwt";

    /// <summary>Room for an RSA key of 4096 bits, its signature, and a long address.</summary>
    private const int MaxLength = 8 * 1024;

    /// <summary>What an EC, RSA, OKP or symmetric key must keep to itself (RFC 7518 section 6, RFC 8037 section 2).</summary>
    private static readonly string[] PrivateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    private static readonly string[] PublicMembers = ["kty", "use", "alg", "crv", "x", "y", "n", "e"];

    public static OAuthError? Read(string header, ClientSignatures signatures, out DpopProof? proof)
    {
        proof = null;
        if (UnprovedJwt.Parse(header, MaxLength) is not { } jwt || jwt.HeaderOf("typ") != Type || jwt.HasHeader("crit") || jwt.Claims() is not { } claims)
            return DpopErrors.NoProof;
        if (jwt.HeaderOf("alg") is not { } algorithm || !signatures.Algorithms.Contains(algorithm) || KeyOf(jwt, algorithm) is not { } key)
            return DpopErrors.BadKey;
        if (!signatures.Verify(key, jwt.SigningInput, jwt.Signature))
            return DpopErrors.BadSignature;
        proof = ProofOf(claims, KeyThumbprint.Of(key));
        return proof is null ? DpopErrors.BadClaims : null;
    }

    /// <summary>The public key of the header, with the algorithm that the header names; null unless it is a key for that algorithm, and in one spelling.</summary>
    private static ClientKey? KeyOf(UnprovedJwt jwt, string algorithm)
    {
        if (jwt.HeaderObjectOf("jwk") is not { } jwk
            || PrivateMembers.Any(member => jwk.TryGetProperty(member, out _))
            || PublicMembers.Any(member => jwk.TryGetProperty(member, out JsonElement value) && value.ValueKind != JsonValueKind.String)
            || (Jwt.StringOf(jwk, "alg") is { } named && named != algorithm))
        {
            return null;
        }

        ClientKey key = new()
        {
            Kty = Jwt.StringOf(jwk, "kty") ?? "",
            Use = Jwt.StringOf(jwk, "use"),
            Alg = algorithm,
            Crv = Jwt.StringOf(jwk, "crv"),
            X = Jwt.StringOf(jwk, "x"),
            Y = Jwt.StringOf(jwk, "y"),
            N = Jwt.StringOf(jwk, "n"),
            E = Jwt.StringOf(jwk, "e"),
        };

        // A key in two spellings would have two thumbprints.
        return key.Fault() is null && new[] { key.X, key.Y, key.N, key.E }.OfType<string>().All(UnprovedJwt.IsEncoded) ? key : null;
    }

    /// <summary>RFC 9449 section 4.2; null where something is missing or is not what it should be.</summary>
    private static DpopProof? ProofOf(JsonElement claims, string jkt) =>
        Jwt.StringOf(claims, "jti") is { Length: > 0 and <= DpopProof.MaxIdLength } id
        && Jwt.StringOf(claims, "htm") is { } method
        && Jwt.StringOf(claims, "htu") is { } target
        && JwtClaims.TryTime(claims, "iat", out DateTimeOffset? time) && time is { } issuedAt
        && JwtClaims.TryTime(claims, "nbf", out DateTimeOffset? notBefore)
        && JwtClaims.TryTime(claims, "exp", out DateTimeOffset? expiresAt)
        && JwtClaims.TryText(claims, "nonce", out string? nonce)
        && JwtClaims.TryText(claims, "ath", out string? tokenHash)
            ? new DpopProof
            {
                Jkt = jkt,
                Id = id,
                Method = method,
                Target = target,
                IssuedAt = issuedAt,
                NotBefore = notBefore,
                ExpiresAt = expiresAt,
                Nonce = nonce,
                TokenHash = tokenHash,
            }
            : null;
}
