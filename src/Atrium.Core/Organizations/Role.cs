using Atrium.Core.Realms;

namespace Atrium.Core.Organizations;

/// <summary>
/// A name for a set of permissions; a membership's scope that equals the slug brings them. An organization's own role stands in for the
/// realm's of the same slug, there and nowhere else.
/// </summary>
public sealed record Role
{
    public required Id<Realm> RealmId { get; init; }

    /// <summary>The organization whose own it is; null for a role of the realm.</summary>
    public Id<Organization>? OrganizationId { get; init; }

    public required string Slug { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<string> Permissions { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Those of the roles that count in an organization, by their slugs: its own, and the realm's that it has none of its own for.</summary>
    public static IReadOnlyDictionary<string, Role> In(Id<Organization> organization, IEnumerable<Role> roles)
    {
        Dictionary<string, Role> found = new(StringComparer.Ordinal);
        foreach (Role role in roles)
        {
            if (role.OrganizationId == organization || (role.OrganizationId is null && !found.ContainsKey(role.Slug)))
                found[role.Slug] = role;
        }

        return found;
    }
}
