using System.ComponentModel;
using Atrium.Core.Realms;

namespace Atrium.Core.Resources;

/// <summary>A key of a product's back end. Its secret is shown once, beside it, when it is made.</summary>
public sealed record ApiKeyResource
{
    [Description("`key_` and 25 digits. With HTTP Basic it is the user name.")]
    public required string Id { get; init; }

    [Description("What the key is for.")]
    public required string Name { get; init; }

    [Description("What the key may do, and nothing else. `*:**` is everything in its realm.")]
    public required IReadOnlyList<string> Scopes { get; init; }

    [Description("When it ends by itself, in Unix milliseconds; null for never.")]
    public required long? ExpiresAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static ApiKeyResource Of(ApiKey key) => new()
    {
        Id = key.Id.ToString(),
        Name = key.Name,
        Scopes = key.Scopes,
        ExpiresAt = key.ExpiresAt?.ToUnixTimeMilliseconds(),
        CreatedAt = key.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = key.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}

/// <summary>A key with its secret, which is shown this once.</summary>
public sealed record ApiKeyWithSecretResource
{
    [Description("`key_` and 25 digits. With HTTP Basic it is the user name.")]
    public required string Id { get; init; }

    [Description("What the key is for.")]
    public required string Name { get; init; }

    [Description("What the key may do, and nothing else. `*:**` is everything in its realm.")]
    public required IReadOnlyList<string> Scopes { get; init; }

    [Description("When it ends by itself, in Unix milliseconds; null for never.")]
    public required long? ExpiresAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    [Description("What the back end presents as `Authorization: Bearer`, or as the password of HTTP Basic. It can't be shown again.")]
    public required string Secret { get; init; }

    public static ApiKeyWithSecretResource Of(ApiKey key, Secret secret)
    {
        ApiKeyResource shown = ApiKeyResource.Of(key);
        return new()
        {
            Id = shown.Id,
            Name = shown.Name,
            Scopes = shown.Scopes,
            ExpiresAt = shown.ExpiresAt,
            CreatedAt = shown.CreatedAt,
            UpdatedAt = shown.UpdatedAt,
            Secret = secret.Reveal(),
        };
    }
}
