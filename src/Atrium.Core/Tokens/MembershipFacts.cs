using Atrium.Core.Organizations;
using Atrium.Core.SignIns;

namespace Atrium.Core.Tokens;

/// <summary>One membership as far as a token may speak of it. Somebody in 500 organizations has 500 of these read at every refresh: it has nothing else.</summary>
public sealed record MembershipFacts
{
    public required Id<Organization> OrganizationId { get; init; }

    public required string OrganizationName { get; init; }

    public required string OrganizationHandle { get; init; }

    public required OrganizationStatus OrganizationStatus { get; init; }

    public required OrganizationSettings OrganizationSettings { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public string? Title { get; init; }

    public required MembershipStatus Status { get; init; }

    public required DateTimeOffset JoinedAt { get; init; }

    public static MembershipFacts Of(MembershipInOrganization entry) => new()
    {
        OrganizationId = entry.Organization.Id,
        OrganizationName = entry.Organization.Name,
        OrganizationHandle = entry.Organization.Handle,
        OrganizationStatus = entry.Organization.Status,
        OrganizationSettings = entry.Organization.Settings,
        Scopes = entry.Membership.Scopes,
        Title = entry.Membership.Title,
        Status = entry.Membership.Status,
        JoinedAt = entry.Membership.JoinedAt,
    };

    /// <summary>Only an active membership of an active organization gives anything.</summary>
    public bool IsEffective => Status == MembershipStatus.Active && OrganizationStatus == OrganizationStatus.Active;

    /// <summary>Whether a token of somebody who has shown this may speak of it.</summary>
    public bool IsOpenTo(ShownProofs shown) => IsEffective && SignInPolicy.IsMet(OrganizationSettings, shown);
}
