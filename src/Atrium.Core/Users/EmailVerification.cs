using Atrium.Core.Realms;

namespace Atrium.Core.Users;

/// <summary>A code sent to a mailbox to learn whether it is the person's.</summary>
public sealed record EmailVerification : IIdentified
{
    public static string IdPrefix => "evr_";

    /// <summary>Wrong codes after which no other is heard.</summary>
    public const int MaxTries = 5;

    /// <summary>OWASP ASVS 6.5.5: a code sent out of band lives ten minutes at most.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    public required Id<Realm> RealmId { get; init; }

    public required Id<EmailVerification> Id { get; init; }

    public required Id<User> UserId { get; init; }

    /// <summary>The address it was made for; a later change of address makes it worthless.</summary>
    public required string Email { get; init; }

    public required byte[] SealedCode { get; init; }

    public long FailedTries { get; init; }

    public DateTimeOffset? SpentAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }
}
