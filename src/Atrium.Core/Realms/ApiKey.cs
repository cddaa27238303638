namespace Atrium.Core.Realms;

/// <summary>The key of a product's back end (<c>sk_...</c>). It belongs to one realm and may do what its scopes name, nothing else.</summary>
public sealed record ApiKey : IIdentified
{
    public static string IdPrefix => "key_";

    /// <summary>The scope of a key that may do everything in its realm.</summary>
    public const string Everything = "*:**";

    public required Id<Realm> RealmId { get; init; }

    public required Id<ApiKey> Id { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Deny by default: a key without the scope may not.</summary>
    public bool Allows(string scope) => Scopes.Contains(Everything) || Scopes.Contains(scope);
}
