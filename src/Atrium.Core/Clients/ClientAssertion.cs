namespace Atrium.Core.Clients;

/// <summary>What a JWT says by which a client proves itself (RFC 7523 section 3); that the client signed it is known.</summary>
public sealed record ClientAssertion
{
    /// <summary>The clocks of two machines agree this far: FAPI 2.0 section 5.3.2.1 takes ten seconds and refuses sixty.</summary>
    public static readonly TimeSpan Leeway = TimeSpan.FromSeconds(10);

    /// <summary>How long one may still be good when it is shown; its <c>jti</c> is remembered for as long.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromMinutes(5);

    public const int MaxTokenIdLength = 256;

    /// <summary>The one value of <c>aud</c>; null where it has none, or several.</summary>
    public required string? Audience { get; init; }

    public required DateTimeOffset? ExpiresAt { get; init; }

    public required DateTimeOffset? NotBefore { get; init; }

    public required DateTimeOffset? IssuedAt { get; init; }

    /// <summary>The <c>jti</c>.</summary>
    public required string? TokenId { get; init; }

    /// <summary>What keeps it from being believed; null where nothing does, but for an earlier use.</summary>
    /// <param name="issuers">
    /// What we may be called. Not the address of an endpoint: a client that believes the metadata of another server could be made to sign one for
    /// ours there (FAPI 2.0 section 5.3.2.1; draft-ietf-oauth-rfc7523bis).
    /// </param>
    public ClientAssertionFault? FaultAt(DateTimeOffset now, IReadOnlyCollection<string> issuers) => this switch
    {
        _ when Audience is null || !issuers.Contains(Audience) => ClientAssertionFault.Audience,
        _ when ExpiresAt is not { } end || end + Leeway <= now || end > now + LongestLife + Leeway => ClientAssertionFault.Time,
        _ when NotBefore > now + Leeway || IssuedAt > now + Leeway => ClientAssertionFault.Time,
        _ when TokenId is not { Length: > 0 and <= MaxTokenIdLength } => ClientAssertionFault.TokenId,
        _ => null,
    };
}

public enum ClientAssertionFault
{
    /// <summary>It was made for somebody else.</summary>
    Audience,

    /// <summary>It has no end, has ended, ends too late, or begins later.</summary>
    Time,

    /// <summary>It can't be told from others of its client, so it could be used twice.</summary>
    TokenId,
}
