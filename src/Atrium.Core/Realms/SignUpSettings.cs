using System.ComponentModel;

namespace Atrium.Core.Realms;

/// <summary>Who may make an account on the realm's own pages.</summary>
public enum SignUpPolicy
{
    /// <summary>Nobody but who opens the link of an invitation.</summary>
    InvitedOnly,

    /// <summary>Everybody with a mailbox.</summary>
    Open,

    /// <summary>Everybody with a mailbox of these domains.</summary>
    ByDomain,
}

/// <summary>How people come to a realm by themselves.</summary>
public sealed record SignUpSettings
{
    /// <summary>More than any realm lets in by name; all are looked at for each address.</summary>
    public const int MaxDomains = 100;

    [Description("Who may make an account on the hosted pages: `invited_only`, `open`, or `by_domain`.")]
    public SignUpPolicy Policy { get; init; }

    [Description("The domains of `by_domain`, exactly these: a subdomain is named by itself.")]
    public IReadOnlyList<string> Domains { get; init; } = [];

    [Description("Whether who makes an account also makes an organization, and is its owner.")]
    public bool CreatesOrganization { get; init; }
}
