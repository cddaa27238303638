using Atrium.Core.Realms;
using Atrium.Core.Users;

namespace Atrium.Core.SignIns;

/// <summary>Where somebody may make an account by themselves, and what they get by it. Pure, as the engine is.</summary>
public static class SignUpRules
{
    /// <summary>What the first member of an organization may do who made it at sign-up.</summary>
    public static IReadOnlyList<string> FounderScopes { get; } = ["owner", "*:**"];

    /// <summary>Whether there is a way to an account at all: the mailbox is shown first, and without mail nobody could.</summary>
    public static bool IsOpen(RealmSettings realm, bool sendsMail) => sendsMail && realm.SignUp.Policy != SignUpPolicy.InvitedOnly;

    /// <summary>
    /// Whether this sign-in may become a sign-up. Nobody new belongs to an organization that is there already, so one that is for a chosen
    /// organization leads to no account; its people are invited.
    /// </summary>
    public static bool IsOffered(RealmSettings realm, OrganizationChoice choice, bool sendsMail) =>
        IsOpen(realm, sendsMail) && choice is not OrganizationChoice.Chosen;

    /// <summary>Whether the realm takes people of such an address. Who has an account plays no part in it, so the answer tells nobody of one.</summary>
    public static bool Admits(SignUpSettings settings, string email) => settings.Policy switch
    {
        SignUpPolicy.Open => true,
        SignUpPolicy.ByDomain => EmailAddress.DomainOf(email) is { } domain && settings.Domains.Contains(domain, StringComparer.Ordinal),
        _ => false,
    };
}
