using System.ComponentModel;
using Atrium.Core.Connections;

namespace Atrium.Core.Resources;

/// <summary>An identity provider that may vouch for people. What is secret in its settings is never shown.</summary>
public sealed record ConnectionResource
{
    [Description("`conn_` and 25 digits.")]
    public required string Id { get; init; }

    [Description("What kind of provider it is; it decides about the settings and never changes.")]
    public required ConnectionType Type { get; init; }

    [Description("For people.")]
    public required string Name { get; init; }

    [Description("The organization whose people it vouches for; null for the whole realm.")]
    public required string? OrganizationId { get; init; }

    [Description("A disabled connection vouches for nobody.")]
    public required ConnectionStatus Status { get; init; }

    [Description("What the provider is known by. The client secret, or Apple's private key, is not among it.")]
    public required ConnectionSettings Settings { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static ConnectionResource Of(Connection connection) => new()
    {
        Id = connection.Id.ToString(),
        Type = connection.Type,
        Name = connection.Name,
        OrganizationId = connection.OrganizationId?.ToString(),
        Status = connection.Status,
        Settings = connection.Settings,
        CreatedAt = connection.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = connection.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}
