using System.ComponentModel;
using Atrium.Core.Organizations;

namespace Atrium.Core.Resources;

/// <summary>A name for a set of permissions. A member's scope that equals the slug brings them.</summary>
public sealed record RoleResource
{
    [Description("What scopes name it by; it never changes.")]
    public required string Slug { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<string> Permissions { get; init; }

    [Description("The organization whose own role it is, where it stands in for the realm's of the same slug; null for a role of the realm.")]
    public required string? OrganizationId { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static RoleResource Of(Role role) => new()
    {
        Slug = role.Slug,
        Name = role.Name,
        Permissions = role.Permissions,
        OrganizationId = role.OrganizationId?.ToString(),
        CreatedAt = role.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = role.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}
