using Atrium.Core.Organizations;
using Atrium.Core.Users;

namespace Atrium.Core.Imports;

/// <summary>One line of a file that is imported.</summary>
/// <param name="Line">Its number, for people: the first is 1.</param>
public abstract record ImportEntry(long Line)
{
    /// <summary>
    /// Everything of the entry that only one thing in the realm can have, the strongest first: whoever has that one already is what the entry
    /// speaks of.
    /// </summary>
    public abstract IEnumerable<Claim> Claims { get; }
}

/// <param name="Organization">What the organization claims whose own role it is; null for a role of the realm.</param>
public sealed record ImportedRole(long Line, Role Role, Claim? Organization) : ImportEntry(Line)
{
    public override IEnumerable<Claim> Claims => Role.OrganizationId is { } organization
        ? ClaimsOf(organization.Value.ToString("N"))
        : [new(ClaimKind.RoleSlug, Role.Slug, "/slug")];

    /// <summary>The claims of an organization's own role, with the organization named in another way.</summary>
    public IEnumerable<Claim> ClaimsOf(string organization) => [new(ClaimKind.OrganizationRole, $"{organization}/{Role.Slug}", "/slug")];
}

/// <param name="HasId">Whether the line names the id; otherwise it was made up and says nothing. So with the others.</param>
/// <param name="Parent">What the organization claims that this one belongs to.</param>
public sealed record ImportedOrganization(long Line, Organization Organization, IReadOnlyList<OrganizationDomain> Domains, bool HasId, Claim? Parent)
    : ImportEntry(Line)
{
    public override IEnumerable<Claim> Claims =>
    [
        .. HasId ? [Claim.Of(ClaimKind.OrganizationId, Organization.Id, "/id")] : Array.Empty<Claim>(),
        .. Organization.ExternalId is { } externalId ? [new(ClaimKind.OrganizationExternalId, externalId, "/external_id")] : Array.Empty<Claim>(),
        new(ClaimKind.OrganizationHandle, Organization.Handle, "/handle"),
        .. Domains.Select(static (domain, i) => Claim.Of(ClaimKind.DomainId, domain.Id, $"/domains/{i}/id")),
        .. Domains.Index().Where(static entry => entry.Item.Verified)
            .Select(static entry => new Claim(ClaimKind.DomainName, entry.Item.Domain, $"/domains/{entry.Index}/domain")),
    ];
}

public sealed record ImportedUser(long Line, User User, string? PasswordHash, bool HasId) : ImportEntry(Line)
{
    public override IEnumerable<Claim> Claims =>
    [
        .. HasId ? [Claim.Of(ClaimKind.UserId, User.Id, "/id")] : Array.Empty<Claim>(),
        .. User.ExternalId is { } externalId ? [new(ClaimKind.UserExternalId, externalId, "/external_id")] : Array.Empty<Claim>(),
        new(ClaimKind.UserEmail, EmailAddress.Normalize(User.Email), "/email"),
        .. User.Username is { } username ? [new(ClaimKind.UserName, EmailAddress.Normalize(username), "/username")] : Array.Empty<Claim>(),
    ];
}

/// <summary>A membership whose ends are named by what they claim; the ids in <paramref name="Membership"/> are theirs once they are found.</summary>
public sealed record ImportedMembership(long Line, Membership Membership, Claim User, Claim Organization, bool HasId) : ImportEntry(Line)
{
    public override IEnumerable<Claim> Claims => ClaimsOf(Membership.UserId.Value.ToString("N"), Membership.OrganizationId.Value.ToString("N"));

    /// <summary>The claims, with the ends named in another way: those that the realm does not have yet have no id.</summary>
    public IEnumerable<Claim> ClaimsOf(string user, string organization) =>
    [
        new(ClaimKind.MembershipPair, $"{user}/{organization}", ""),
        .. HasId ? [Claim.Of(ClaimKind.MembershipId, Membership.Id, "/id")] : Array.Empty<Claim>(),
    ];
}

/// <summary>What is wrong, and where.</summary>
/// <param name="Field">A JSON pointer (RFC 6901) into the line; empty where the whole line is meant.</param>
public sealed record ImportProblem(long Line, string Field, string Message);
