using Atrium.Core.Realms;
using Atrium.Core.Users;

namespace Atrium.Core.Organizations;

/// <summary>One person in one organization.</summary>
public sealed record Membership : IIdentified
{
    public static string IdPrefix => "mem_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<Membership> Id { get; init; }

    public required Id<User> UserId { get; init; }

    public required Id<Organization> OrganizationId { get; init; }

    /// <summary>Scopes are roles: any strings of 1 to 100 characters. One that names a <see cref="Role"/> brings its permissions too.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    public string? Title { get; init; }

    public required MembershipStatus Status { get; init; }

    public required DateTimeOffset JoinedAt { get; init; }

    /// <summary>What the product knows of this person in this organization.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The membership in another status; one that was pending begins with its becoming active.</summary>
    public Membership WithStatus(MembershipStatus status, DateTimeOffset now) => this with
    {
        Status = status,
        JoinedAt = Status == MembershipStatus.Pending && status == MembershipStatus.Active ? now : JoinedAt,
    };

    /// <summary>
    /// The scopes with other roles: those that name one of <paramref name="roles"/> give way, the others stay behind the new ones.
    /// </summary>
    /// <param name="slugs">The new roles, the primary one first.</param>
    /// <param name="roles">The roles that the present scopes name, of the realm and of organizations.</param>
    public IReadOnlyList<string> ScopesWithRoles(IReadOnlyList<string> slugs, IReadOnlyList<Role> roles)
    {
        IReadOnlyDictionary<string, Role> named = Role.In(OrganizationId, roles);
        return [.. slugs.Concat(Scopes.Where(scope => !named.ContainsKey(scope))).Distinct(StringComparer.Ordinal)];
    }
}

public enum MembershipStatus
{
    Pending,
    Active,
    Suspended,
}

/// <summary>A membership together with the organization it is in; what claims and pickers are made of.</summary>
public sealed record MembershipInOrganization(Membership Membership, Organization Organization)
{
    /// <summary>Only an active membership of an active organization gives anything.</summary>
    public bool IsEffective =>
        Membership.Status == MembershipStatus.Active && Organization.Status == OrganizationStatus.Active;
}

/// <summary>A membership with both of its ends, and the roles that its scopes name.</summary>
/// <param name="Roles">Of the realm and of organizations; <see cref="Role.In"/> tells which count here.</param>
public sealed record MembershipDetails(Membership Membership, User User, Organization Organization, IReadOnlyList<Role> Roles);
