using Atrium.Core.Realms;

namespace Atrium.Core.Users;

/// <summary>A question for a code of one factor. It is answered once, within its time.</summary>
public sealed record FactorChallenge : IIdentified
{
    public static string IdPrefix => "chal_";

    /// <summary>Wrong codes after which no other is heard.</summary>
    public const int MaxTries = 5;

    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    public required Id<Realm> RealmId { get; init; }

    public required Id<FactorChallenge> Id { get; init; }

    public required Id<Factor> FactorId { get; init; }

    public long FailedTries { get; init; }

    public DateTimeOffset? SpentAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }
}
