using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Atrium.Core.Tokens;

/// <summary>What a proof of possession says (RFC 9449 section 4.2), once it is known to be signed by the key that it names.</summary>
public sealed record DpopProof
{
    /// <summary>Longer than any <c>jti</c> needs to be; it is only stored as a hash.</summary>
    public const int MaxIdLength = 256;

    /// <summary>The thumbprint of the key (RFC 7638).</summary>
    public required string Jkt { get; init; }

    /// <summary><c>jti</c></summary>
    public required string Id { get; init; }

    /// <summary><c>htm</c></summary>
    public required string Method { get; init; }

    /// <summary><c>htu</c></summary>
    public required string Target { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public DateTimeOffset? NotBefore { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public string? Nonce { get; init; }

    /// <summary><c>ath</c></summary>
    public string? TokenHash { get; init; }

    /// <summary>What it is remembered by. Two keys may use one <c>jti</c>.</summary>
    public SecretHash Mark => new Secret($"{Jkt}.{Id}").Hash();
}

/// <summary>An access token that is presented, and the key that it is bound to.</summary>
public sealed record BoundToken(string Text, string Jkt)
{
    /// <summary>RFC 9449 section 4.2, <c>ath</c>.</summary>
    public string Hash => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Text)));
}

/// <summary>The request that a proof came with.</summary>
public sealed record ProvedRequest
{
    public required string Method { get; init; }

    /// <summary>As the world sees it.</summary>
    public required string Url { get; init; }

    /// <summary>The token that the request presents; null where it asks for one.</summary>
    public BoundToken? Token { get; init; }

    /// <summary>Whether the proof must have a nonce of ours.</summary>
    public required bool NeedsNonce { get; init; }

    /// <summary>The nonces that are good now.</summary>
    public required IReadOnlyCollection<string> Nonces { get; init; }
}

/// <summary>Why a proof proves nothing.</summary>
public enum DpopFault
{
    /// <summary>It was made for another method or address.</summary>
    OtherRequest,

    /// <summary>It is too old, from the future, or outside the time that it names itself.</summary>
    OutOfTime,

    /// <summary>It was made for another access token, or for none.</summary>
    OtherToken,

    /// <summary>The access token is bound to another key.</summary>
    OtherKey,

    /// <summary>It has no nonce and must have one, or has one that is not good any more (RFC 9449 section 8).</summary>
    Nonce,
}

/// <summary>Decides whether a proof fits the request that it came with (RFC 9449 section 4.3). Pure; that it comes once is the store's to say.</summary>
public static class DpopRules
{
    /// <summary>How old a proof may be: time enough for the way here, too little for whoever finds it later.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(60);

    /// <summary>How far a client's clock may be ahead (FAPI 2.0 Security Profile section 5.3.2.1 asks for ten seconds).</summary>
    public static readonly TimeSpan MaxAhead = TimeSpan.FromSeconds(10);

    public static DpopFault? Check(DpopProof proof, ProvedRequest request, DateTimeOffset now)
    {
        if (proof.Method != request.Method || !HttpTarget.AreSame(proof.Target, request.Url))
            return DpopFault.OtherRequest;
        if (!IsInTime(proof, now))
            return DpopFault.OutOfTime;
        if (request.Token is { } token && proof.TokenHash != token.Hash)
            return DpopFault.OtherToken;
        if (request.Token is { } bound && proof.Jkt != bound.Jkt)
            return DpopFault.OtherKey;

        // One that names a nonce is held to it, even where it need not name any.
        bool isFresh = proof.Nonce is { } nonce ? request.Nonces.Contains(nonce) : !request.NeedsNonce;
        return isFresh ? null : DpopFault.Nonce;
    }

    /// <summary>Until when a proof must be remembered: from then on it is too old.</summary>
    public static DateTimeOffset EndOf(DpopProof proof) => proof.IssuedAt + MaxAge;

    private static bool IsInTime(DpopProof proof, DateTimeOffset now) =>
        proof.IssuedAt >= now - MaxAge
        && proof.IssuedAt <= now + MaxAhead
        && !(proof.NotBefore > now + MaxAhead)
        && !(proof.ExpiresAt <= now);
}
