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

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
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

/// <summary>A name for a set of permissions; a membership's scope that equals the slug brings them.</summary>
public sealed record Role
{
    public required Id<Realm> RealmId { get; init; }

    public required string Slug { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<string> Permissions { get; init; }
}
