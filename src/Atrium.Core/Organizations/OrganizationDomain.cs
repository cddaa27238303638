using Atrium.Core.Realms;

namespace Atrium.Core.Organizations;

/// <summary>
/// A domain that an organization says is its own. Many may say so; once one has shown it, by a record that only the domain's owner can
/// publish, an address of that domain leads to it.
/// </summary>
public sealed record OrganizationDomain : IIdentified
{
    /// <summary>Where the record stands, below the domain.</summary>
    private const string RecordLabel = "_atrium-domain";

    /// <summary>The longest domain whose record still has a name (RFC 1035 section 2.3.4).</summary>
    public const int MaxLength = 253 - 15;

    public static string IdPrefix => "dom_";

    public required Id<Realm> RealmId { get; init; }

    public required Id<OrganizationDomain> Id { get; init; }

    public required Id<Organization> OrganizationId { get; init; }

    /// <summary>Lower case, without a trailing dot.</summary>
    public required string Domain { get; init; }

    public required DomainState State { get; init; }

    /// <summary>When a record was last looked for.</summary>
    public DateTimeOffset? CheckedAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }

    public bool Verified => State == DomainState.Verified;

    /// <summary>The name of the TXT record to publish.</summary>
    public string RecordName => $"{RecordLabel}.{Domain}";

    /// <summary>
    /// What the record says. It names this very claim and no other, so what the domain's owner publishes for one organization proves nothing
    /// for another; it is no secret, everybody can read it.
    /// </summary>
    public string RecordValue => $"atrium-domain-verification={Id}";

    /// <summary>The claim after a look at the records that its name has.</summary>
    public OrganizationDomain After(IReadOnlyList<string> records, DateTimeOffset now) => this with
    {
        State = records.Contains(RecordValue, StringComparer.Ordinal) ? DomainState.Verified : DomainState.Failed,
        CheckedAt = now,
        UpdatedAt = now,
    };
}

public enum DomainState
{
    /// <summary>Claimed; nobody has looked for the record yet.</summary>
    Pending,

    /// <summary>Shown to be the organization's; one organization of the realm at most.</summary>
    Verified,

    /// <summary>The record was not there when it was looked for; it can be looked for again.</summary>
    Failed,
}
