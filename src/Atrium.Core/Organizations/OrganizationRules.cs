using Atrium.Core.SignIns;

namespace Atrium.Core.Organizations;

/// <summary>What an organization and its settings may be, whoever writes them: the management API, a file that is imported.</summary>
public static class OrganizationRules
{
    /// <summary>An organization, its parent, and so on up: how many there may be in a line.</summary>
    public const int MaxDepth = 5;

    public const int MaxStatusReasonLength = 1000;

    /// <summary>More than any customer has; each is a row and a look-up.</summary>
    public const int MaxDomains = 100;

    /// <summary>The highest maximum: who joins counts as far as there. An organization that may have more needs none.</summary>
    public const int HighestMaxMembers = 100_000;

    /// <summary>Seconds. A sign-in may take some minutes, and must not be too old by its own end.</summary>
    public const int ShortestSessionMaxAge = 300;

    /// <summary>Seconds: a year, and so longer than any session.</summary>
    public const int LongestSessionMaxAge = 31_536_000;

    /// <summary>What settings say that can't all hold, each with the setting that it is about.</summary>
    public static IEnumerable<(string Setting, string Message)> ProblemsWith(OrganizationSettings settings)
    {
        if (settings.AllowedMethods is [])
            yield return ("allowed_methods", "should name at least one method, or be null for all of them");
        else if (settings.MfaRequired && SignInPolicy.MethodsFor(PolicyGap.SecondFactor, settings) is [])
            yield return ("allowed_methods", "should have totp: mfa_required asks for a second factor");
    }

    /// <summary>The reason that stands beside a status: it belongs to that status, and goes with it unless a new one is given.</summary>
    public static Organization WithItsOwnReason(Organization before, Organization after) =>
        after.Status != before.Status && after.StatusReason == before.StatusReason ? after with { StatusReason = null } : after;
}
