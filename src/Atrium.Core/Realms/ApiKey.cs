namespace Atrium.Core.Realms;

/// <summary>The key of a product's back end (<c>sk_...</c>). It belongs to one realm and may do what its scopes name, nothing else.</summary>
public sealed record ApiKey : IIdentified
{
    public static string IdPrefix => "key_";

    /// <summary>What its secret begins with.</summary>
    public const string SecretPrefix = "sk_";

    /// <summary>The scope of a key that may do everything in its realm.</summary>
    public const string Everything = "*:**";

    /// <summary>How long a secret still works after another one took its place, so that a back end can be given the new one meanwhile.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromMinutes(15);

    public required Id<Realm> RealmId { get; init; }

    public required Id<ApiKey> Id { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>When the secret that it was found by ends, where that is no longer the newest.</summary>
    public DateTimeOffset? SecretEndsAt { get; init; }

    public bool IsLive(DateTimeOffset now) =>
        (ExpiresAt is not { } expires || now < expires) && (SecretEndsAt is not { } ends || now < ends);

    /// <summary>Deny by default: a key without the scope may not.</summary>
    public bool Allows(string scope) => Scopes.Contains(Everything) || Scopes.Contains(scope);
}
