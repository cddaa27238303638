namespace Atrium.Core.Realms;

/// <summary>A key that a realm signs with. The private part is encrypted at rest.</summary>
public sealed record SigningKey
{
    /// <summary>
    /// How long a key is published after another one took its place: more than twice the longest life of a token (21 days), and whatever
    /// a verifier may keep of the key set.
    /// </summary>
    public static readonly TimeSpan Retirement = TimeSpan.FromDays(45);

    /// <summary>How long a key is published before it signs: verifiers keep a key set for a day at most.</summary>
    public static readonly TimeSpan Notice = TimeSpan.FromDays(1);

    public required Id<Realm> RealmId { get; init; }

    /// <summary>The <c>kid</c> of the JWKS and of every header signed with it: a UUIDv7, so that the order of the names is that of time.</summary>
    public required string Kid { get; init; }

    /// <summary>ES256 or RS256 (RFC 7518 section 3.1), or EdDSA with Ed25519 (RFC 8037 section 3.1).</summary>
    public required string Algorithm { get; init; }

    /// <summary>PKCS #8, sealed; of EdDSA with the public key in it, so that who can't calculate with the key can still publish it.</summary>
    public required byte[] SealedPrivateKey { get; init; }

    /// <summary>A self-signed X.509 certificate of the public key (DER), which some clients want as <c>x5c</c>; empty for EdDSA.</summary>
    public required byte[] Certificate { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Since when it signs; null while it is only published.</summary>
    public DateTimeOffset? ActivatedAt { get; init; }

    /// <summary>Since when another one signs in its place.</summary>
    public DateTimeOffset? ReplacedAt { get; init; }

    /// <summary>When it is taken out of the key set.</summary>
    public DateTimeOffset? RetiresAt => ReplacedAt + Retirement;

    public SigningKeyStatus StatusAt(DateTimeOffset now) => this switch
    {
        { ActivatedAt: null } => SigningKeyStatus.Next,
        { RetiresAt: null } => SigningKeyStatus.Active,
        { RetiresAt: { } end } when now < end => SigningKeyStatus.Retiring,
        _ => SigningKeyStatus.Retired,
    };
}

public enum SigningKeyStatus
{
    /// <summary>Published, so that verifiers know it before the first token is signed with it.</summary>
    Next,

    /// <summary>Signs.</summary>
    Active,

    /// <summary>Signs no more; published while tokens that it signed may live.</summary>
    Retiring,

    /// <summary>Not published any more: nothing that it signed is believed.</summary>
    Retired,
}
