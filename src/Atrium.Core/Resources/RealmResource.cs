using System.ComponentModel;
using Atrium.Core.Realms;

namespace Atrium.Core.Resources;

/// <summary>An isolated pool of users, organizations, clients and signing keys.</summary>
public sealed record RealmResource
{
    [Description("`realm_` and 25 digits.")]
    public required string Id { get; init; }

    [Description("The name in URLs: `/t/{handle}`, `/v1/realms/{handle}`. It never changes.")]
    public required string Handle { get; init; }

    [Description("The name for people.")]
    public required string Name { get; init; }

    [Description("What holds for the whole realm.")]
    public required RealmSettings Settings { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static RealmResource Of(Realm realm) => new()
    {
        Id = realm.Id.ToString(),
        Handle = realm.Handle,
        Name = realm.Name,
        Settings = realm.Settings,
        CreatedAt = realm.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = realm.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}
