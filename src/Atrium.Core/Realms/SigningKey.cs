namespace Atrium.Core.Realms;

/// <summary>A key that a realm signs with. The private part is encrypted at rest.</summary>
public sealed record SigningKey
{
    public required Id<Realm> RealmId { get; init; }

    /// <summary>The <c>kid</c> of the JWKS and of every header signed with it.</summary>
    public required string Kid { get; init; }

    /// <summary>ES256 or RS256 (RFC 7518 section 3.1).</summary>
    public required string Algorithm { get; init; }

    /// <summary>PKCS #8, sealed.</summary>
    public required byte[] SealedPrivateKey { get; init; }

    /// <summary>A self-signed X.509 certificate of the public key (DER), which some clients want as <c>x5c</c>.</summary>
    public required byte[] Certificate { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}
