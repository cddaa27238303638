using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Storage;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>What a body says about an organization. A key that the body does not have changes nothing.</summary>
internal sealed record OrganizationFields
{
    private string? Name { get; init; }

    private bool? AllowProfilesOutside { get; init; }

    private string? ExternalId { get; init; }

    private bool RemovesExternalId { get; init; }

    private IReadOnlyDictionary<string, string?>? Metadata { get; init; }

    private bool ClearsMetadata { get; init; }

    /// <summary>The domains, and whether each is verified where the body says it; null when the body names none at all.</summary>
    private IReadOnlyDictionary<string, bool?>? DomainStates { get; init; }

    public IReadOnlyList<string> Domains => [.. DomainStates?.Keys ?? []];

    /// <summary>Reads the keys; what is wrong with them is noted in <paramref name="fields"/>.</summary>
    public static OrganizationFields Read(Fields fields, bool nameRequired)
    {
        string? name = fields.Line("name");
        if (string.IsNullOrEmpty(name) && (nameRequired || name is not null) && fields.Error is null)
            fields.Refuse("name", "name_string_required", "name should be a non-empty string.");
        return new()
        {
            Name = name,
            AllowProfilesOutside = fields.Flag("allow_profiles_outside_organization"),
            ExternalId = fields.ExternalId(),
            RemovesExternalId = fields.IsNull("external_id"),
            Metadata = fields.TextMap("metadata"),
            ClearsMetadata = fields.IsNull("metadata"),
            DomainStates = ReadDomains(fields),
        };
    }

    /// <summary>
    /// The organization with these changes and, where the body names domains, its new domains; null when its metadata would be too much.
    /// A domain that it had keeps its id, and its state unless the body gives another.
    /// </summary>
    public OrganizationChange? ApplyTo(Organization organization, IReadOnlyList<OrganizationDomain> domains, TimeProvider clock)
    {
        if (ResourceFields.MergedMetadata(organization.Metadata, Metadata, ClearsMetadata) is not { } metadata)
            return null;
        DateTimeOffset now = clock.GetUtcNow();
        Organization changed = organization with
        {
            Name = Name ?? organization.Name,
            ExternalId = RemovesExternalId ? null : ExternalId ?? organization.ExternalId,
            Metadata = metadata,
            Settings = organization.Settings with { AllowProfilesOutside = AllowProfilesOutside ?? organization.Settings.AllowProfilesOutside },
            UpdatedAt = now,
        };
        if (DomainStates is null)
            return new(changed, Domains: null);

        // Lists of domains are in the order of their ids; those of one moment are put in the order of the body.
        Queue<Id<OrganizationDomain>> ids = new(DomainStates.Select(_ => Id<OrganizationDomain>.New(clock)).OrderBy(static id => id.Value));
        OrganizationDomain[] changedDomains = [.. DomainStates.Select(entry => DomainOf(entry.Key, entry.Value))];
        return new(changed, [.. changedDomains.OrderBy(static domain => domain.Id.Value)]);

        OrganizationDomain DomainOf(string domain, bool? verified)
        {
            if (domains.FirstOrDefault(existing => existing.Domain == domain) is not { } existing)
            {
                return new()
                {
                    RealmId = organization.RealmId,
                    Id = ids.Dequeue(),
                    OrganizationId = organization.Id,
                    Domain = domain,
                    State = verified == true ? DomainState.Verified : DomainState.Pending,
                    CreatedAt = now,
                    UpdatedAt = now,
                };
            }

            return verified is { } state && state != existing.Verified
                ? existing with { State = state ? DomainState.Verified : DomainState.Pending, UpdatedAt = now }
                : existing;
        }
    }

    /// <summary><c>domain_data</c>, and the older <c>domains</c>, which says nothing of a verification.</summary>
    private static Dictionary<string, bool?>? ReadDomains(Fields fields)
    {
        IReadOnlyList<string>? names = fields.Texts("domains");
        IReadOnlyList<Fields>? data = fields.Objects("domain_data");
        if (names is null && data is null)
            return null;

        Dictionary<string, bool?> domains = new(StringComparer.Ordinal);
        foreach (string name in names ?? [])
        {
            if (Read(name, "domains") is { } domain)
                domains[domain] = null;
        }

        foreach (Fields entry in data ?? [])
        {
            string name = entry.RequiredText("domain");
            string state = entry.RequiredText("state");
            if (entry.Error is null && state is not (OrganizationDomainJson.Verified or OrganizationDomainJson.Pending))
                entry.Refuse("state", "state_invalid", "state should be verified or pending.");
            if (entry.Error is not null)
                fields.RefuseAll("domain_data", entry);
            else if (Read(name, "domain_data") is { } domain)
                domains[domain] = state == OrganizationDomainJson.Verified;
        }

        if (domains.Count > OrganizationRules.MaxDomains)
            fields.Refuse("domains", "domains_too_many", $"An organization has at most {OrganizationRules.MaxDomains} domains.");
        return domains;

        string? Read(string text, string field)
        {
            string? domain = DomainName.Normalize(text);
            if (domain is null)
                fields.Refuse(field, "domain_invalid", $"'{text}' is not a domain.");
            return domain;
        }
    }
}
