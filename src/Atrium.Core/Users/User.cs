using Atrium.Core.Realms;

namespace Atrium.Core.Users;

/// <summary>A person, once per realm, however many organizations they belong to.</summary>
public sealed record User : IIdentified
{
    public static string IdPrefix => "usr_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<User> Id { get; init; }

    /// <summary>As the person writes it; unique in the realm without regard to case.</summary>
    public required string Email { get; init; }

    public required bool EmailVerified { get; init; }

    /// <summary>Another name to sign in with; unique in the realm without regard to case.</summary>
    public string? Username { get; init; }

    public string? GivenName { get; init; }

    public string? FamilyName { get; init; }

    public string? Name { get; init; }

    public string? Picture { get; init; }

    public string? Locale { get; init; }

    /// <summary>As the person writes it, best in the form of E.164.</summary>
    public string? PhoneNumber { get; init; }

    public bool PhoneNumberVerified { get; init; }

    public PostalAddress? Address { get; init; }

    public string? ExternalId { get; init; }

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public UserStatus Status { get; init; }

    public DateTimeOffset? LastSignInAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>What to call the person: the name given, else its parts, else nothing.</summary>
    public string? DisplayName =>
        Name ?? (string.Join(' ', new[] { GivenName, FamilyName }.Where(static part => part is not null)) is { Length: > 0 } joined ? joined : null);
}

public enum UserStatus
{
    Active,
    Disabled,
}

public enum FactorType
{
    /// <summary>An authenticator app (RFC 6238).</summary>
    Totp,
}

/// <summary>Something a person has beside the password. Its secret never leaves the store in the clear but to be checked.</summary>
public sealed record Factor : IIdentified
{
    public static string IdPrefix => "fac_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<Factor> Id { get; init; }

    public required Id<User> UserId { get; init; }

    /// <summary>The name of the product that the authenticator app shows.</summary>
    public required string Issuer { get; init; }

    /// <summary>The account name that the authenticator app shows.</summary>
    public required string Account { get; init; }

    /// <summary>Encrypted; see the secret box of the server.</summary>
    public required byte[] SealedSecret { get; init; }

    /// <summary>Whether the person has shown once that the app has the secret. Until then the factor protects nothing and locks nobody out.</summary>
    public required bool Confirmed { get; init; }

    /// <summary>The last time step a code was accepted for: each code works once (OWASP ASVS 6.5.1).</summary>
    public long? LastUsedStep { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}
