namespace Atrium.Core.Realms;

/// <summary>An isolated pool of users, organizations, clients and signing keys.</summary>
public sealed record Realm : IIdentified
{
    public static string IdPrefix => "realm_";

    public required Id<Realm> Id { get; init; }

    /// <summary>The name in URLs: <c>/t/{handle}</c>. Lower-case letters, digits and hyphens.</summary>
    public required string Handle { get; init; }

    public required string Name { get; init; }

    public RealmSettings Settings { get; init; } = new();

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}
