using Atrium.Core.Clients;
using Atrium.Core.Organizations;

namespace Atrium.Core.SignIns;

/// <summary>What keeps somebody out of an organization, or the organization out of their token.</summary>
public enum OrganizationObstacle
{
    /// <summary>There is no such organization in the realm.</summary>
    Unknown,
    Suspended,

    /// <summary>The client's settings don't let its tokens speak of it.</summary>
    NotForClient,

    /// <summary>The client is not shared with it, as a sign-in at the app-native door needs.</summary>
    NotShared,
    NotMember,
    MembershipPending,
    MembershipSuspended,

    /// <summary>Only the organization's own identity provider may vouch for its people.</summary>
    ConnectionNeeded,

    /// <summary>The person has shown who they are in no way that it allows, or too long ago.</summary>
    IdentityNeeded,
    SecondFactorNeeded,
}

/// <summary>The conditions under which somebody enters an organization by a client: asked by the engine, and named to whoever asks why not.</summary>
public static class OrganizationAccess
{
    /// <summary>What is in the way whoever asks: the organization and the client.</summary>
    /// <param name="isShared">Whether the client may be used by the organization at the app-native door.</param>
    public static IEnumerable<OrganizationObstacle> OfClient(Organization? organization, Client client, Door door, bool isShared)
    {
        if (organization is null or { Status: OrganizationStatus.Deleting })
        {
            yield return OrganizationObstacle.Unknown;
            yield break;
        }

        if (organization.Status == OrganizationStatus.Suspended)
            yield return OrganizationObstacle.Suspended;
        if (!client.Settings.Restrictions.Organizations.Allows(organization.Id))
            yield return OrganizationObstacle.NotForClient;
        if (door == Door.AppNative && !isShared)
            yield return OrganizationObstacle.NotShared;
    }

    /// <summary>What is in the way of this person.</summary>
    public static IEnumerable<OrganizationObstacle> OfPerson(Membership? membership)
    {
        switch (membership?.Status)
        {
            case MembershipStatus.Active:
                break;
            case MembershipStatus.Pending:
                yield return OrganizationObstacle.MembershipPending;
                break;
            case MembershipStatus.Suspended:
                yield return OrganizationObstacle.MembershipSuspended;
                break;
            default:
                yield return OrganizationObstacle.NotMember;
                break;
        }
    }

    /// <summary>What the organization's policy misses in what was shown.</summary>
    public static IEnumerable<OrganizationObstacle> OfPolicy(Organization organization, ShownProofs shown)
    {
        switch (SignInPolicy.GapOf(organization.Settings, shown))
        {
            case PolicyGap.Connection:
                yield return OrganizationObstacle.ConnectionNeeded;
                break;
            case PolicyGap.Identity:
                yield return OrganizationObstacle.IdentityNeeded;
                break;
            case PolicyGap.SecondFactor:
                yield return OrganizationObstacle.SecondFactorNeeded;
                break;
            default:
                break;
        }
    }
}
