using Atrium.Core;
using Atrium.Core.Organizations;

namespace Atrium.Storage;

/// <summary>How an organization write ended.</summary>
public enum OrganizationWrite
{
    Done,
    NotFound,
    HandleTaken,
    ExternalIdTaken,

    /// <summary>Another organization of the realm has verified one of the domains.</summary>
    DomainTaken,

    /// <summary>The parent is not there, or the organization itself.</summary>
    ParentNotFound,

    /// <summary>The parent stands as deep as an organization may.</summary>
    ParentTooDeep,

    /// <summary>Others belong to it: so it can't be put below another one, and can't go.</summary>
    HasChildren,

    /// <summary>The change itself would not have it; nothing was written.</summary>
    Refused,
}

/// <summary>An organization that was to be made with these domains, and how that ended.</summary>
public sealed record MadeOrganization(OrganizationWrite Outcome, Organization Organization, IReadOnlyList<OrganizationDomain> Domains);

/// <summary>What an organization becomes; without domains, its domains stay.</summary>
public sealed record OrganizationChange(Organization Organization, IReadOnlyList<OrganizationDomain>? Domains);

/// <summary>Which organizations are asked for: those that fit all of it.</summary>
public sealed record OrganizationFilter
{
    public static readonly OrganizationFilter None = new();

    /// <summary>Part of the name.</summary>
    public string? Search { get; init; }

    /// <summary>One of these, claimed or verified.</summary>
    public IReadOnlyList<string> Domains { get; init; } = [];

    public string? Handle { get; init; }

    public string? ExternalId { get; init; }

    public Id<Organization>? ParentId { get; init; }

    public OrganizationStatus? Status { get; init; }
}
