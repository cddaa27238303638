using System.Text.Json.Serialization;
using Atrium.Core.Organizations;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>An organization (<c>Organization</c>). SDKs index the nullable keys, so they are always there.</summary>
public sealed record OrganizationJson
{
    [JsonPropertyName("object")]
    public string Kind => "organization";

    public required string Id { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<OrganizationDomainJson> Domains { get; init; }

    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? ExternalId { get; init; }

    public required bool AllowProfilesOutsideOrganization { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public static OrganizationJson From(Organization organization, IEnumerable<OrganizationDomain> domains) => new()
    {
        Id = organization.Id.ToString(),
        Name = organization.Name,
        Domains = [.. domains.Select(OrganizationDomainJson.From)],
        Metadata = organization.Metadata,
        ExternalId = organization.ExternalId,
        AllowProfilesOutsideOrganization = organization.Settings.AllowProfilesOutside,
        CreatedAt = organization.CreatedAt,
        UpdatedAt = organization.UpdatedAt,
    };
}

/// <summary>A domain of an organization (<c>OrganizationDomainStandAlone</c>).</summary>
public sealed record OrganizationDomainJson
{
    public const string Verified = "verified";
    public const string Pending = "pending";
    private const string Failed = "failed";

    [JsonPropertyName("object")]
    public string Kind => "organization_domain";

    public required string Id { get; init; }

    public required string OrganizationId { get; init; }

    public required string Domain { get; init; }

    public required string State { get; init; }

    /// <summary>The back end says that a domain is verified; there is no DNS record to look for.</summary>
    public string VerificationStrategy => "manual";

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public static OrganizationDomainJson From(OrganizationDomain domain) => new()
    {
        Id = domain.Id.ToString(),
        OrganizationId = domain.OrganizationId.ToString(),
        Domain = domain.Domain,
        State = domain.State switch
        {
            DomainState.Verified => Verified,
            DomainState.Failed => Failed,
            _ => Pending,
        },
        CreatedAt = domain.CreatedAt,
        UpdatedAt = domain.UpdatedAt,
    };
}
