namespace Atrium.Core.Imports;

/// <summary>Something that only one thing in a realm can have.</summary>
/// <param name="Value">In the form in which it is compared; of an id, its 32 hexadecimal digits.</param>
public readonly record struct ClaimKey(ClaimKind Kind, string Value);

/// <summary>A claim of an entry, and the field that makes it (a JSON pointer).</summary>
public sealed record Claim(ClaimKey Key, string Field)
{
    public Claim(ClaimKind kind, string value, string field)
        : this(new ClaimKey(kind, value), field)
    {
    }

    public static Claim Of<T>(ClaimKind kind, Id<T> id, string field)
        where T : IIdentified => new(kind, id.Value.ToString("N"), field);
}

public enum ClaimKind
{
    RoleSlug,

    /// <summary>A role of an organization: the organization's id and the slug, with a slash between them.</summary>
    OrganizationRole,
    OrganizationId,
    OrganizationExternalId,
    OrganizationHandle,
    DomainId,

    /// <summary>A domain that is verified; many may claim one that is not.</summary>
    DomainName,
    UserId,
    UserExternalId,
    UserEmail,
    UserName,
    MembershipId,

    /// <summary>A person in an organization: both ids, with a slash between them.</summary>
    MembershipPair,
}
