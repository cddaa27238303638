using System.ComponentModel;
using Atrium.Core.Organizations;

namespace Atrium.Core.Resources;

/// <summary>A domain that an organization says is its own.</summary>
public sealed record OrganizationDomainResource
{
    [Description("`dom_` and 25 digits.")]
    public required string Id { get; init; }

    public required string OrganizationId { get; init; }

    [Description("Lower case, without a trailing dot.")]
    public required string Domain { get; init; }

    [Description("Several organizations may claim a domain; one of them at most has it verified.")]
    public required DomainState State { get; init; }

    [Description("What to publish in the DNS to show that the domain is the organization's.")]
    public required DomainRecordResource Record { get; init; }

    [Description("When the record was last looked for, in Unix milliseconds.")]
    public required long? CheckedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static OrganizationDomainResource Of(OrganizationDomain domain) => new()
    {
        Id = domain.Id.ToString(),
        OrganizationId = domain.OrganizationId.ToString(),
        Domain = domain.Domain,
        State = domain.State,
        Record = new DomainRecordResource("TXT", domain.RecordName, domain.RecordValue),
        CheckedAt = domain.CheckedAt?.ToUnixTimeMilliseconds(),
        CreatedAt = domain.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = domain.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}

/// <summary>A record of the DNS.</summary>
public sealed record DomainRecordResource(string Type, string Name, string Value);
