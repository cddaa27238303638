using Atrium.Core.Organizations;

namespace Atrium.Core.SignIns;

/// <summary>What somebody has shown, seen from a moment.</summary>
public readonly record struct ShownProofs(IReadOnlyList<Proof> Proofs, DateTimeOffset Now);

/// <summary>What an organization still misses in a sign-in.</summary>
public enum PolicyGap
{
    Nothing,

    /// <summary>The word of its own identity provider.</summary>
    Connection,

    /// <summary>Who it is: shown in no way that it allows, or too long ago.</summary>
    Identity,

    /// <summary>A second factor.</summary>
    SecondFactor,
}

/// <summary>
/// What an organization's settings ask of those who enter it. One function for the sign-in, which asks for what is missing, and for the
/// tokens, which speak of no organization whose policy is not met.
/// </summary>
public static class SignInPolicy
{
    /// <summary>What tells who somebody is.</summary>
    private static readonly AuthenticationMethod[] IdentityMethods = [AuthenticationMethod.Password];

    /// <summary>What is shown beside that.</summary>
    private static readonly AuthenticationMethod[] SecondFactors = [AuthenticationMethod.Totp, AuthenticationMethod.RecoveryCode];

    /// <summary>What an organization's settings can name. A recovery code is none of it: it goes with the authenticator app.</summary>
    public static IReadOnlyList<AuthenticationMethod> Named { get; } =
        [AuthenticationMethod.Password, AuthenticationMethod.Totp, AuthenticationMethod.EmailCode];

    public static bool IsIdentity(AuthenticationMethod method) => IdentityMethods.Contains(method);

    public static bool IsSecondFactor(AuthenticationMethod method) => SecondFactors.Contains(method);

    public static PolicyGap GapOf(OrganizationSettings settings, ShownProofs shown)
    {
        // Nobody but an identity provider of the organization's own could vouch here, and none can be connected yet.
        if (settings.SsoOnly)
            return PolicyGap.Connection;
        if (!HasShown(settings, shown, IdentityMethods))
            return PolicyGap.Identity;
        return settings.MfaRequired && !HasShown(settings, shown, SecondFactors) ? PolicyGap.SecondFactor : PolicyGap.Nothing;
    }

    public static bool IsMet(OrganizationSettings settings, ShownProofs shown) => GapOf(settings, shown) == PolicyGap.Nothing;

    /// <summary>The methods that would close the gap; none where the organization allows none of them.</summary>
    public static IReadOnlyList<AuthenticationMethod> MethodsFor(PolicyGap gap, OrganizationSettings settings) =>
        [.. (gap == PolicyGap.SecondFactor ? SecondFactors : IdentityMethods).Where(method => Allows(settings, method))];

    /// <summary>Whether anything that was shown counts: by a method that is allowed, and not longer ago than the organization's sessions last.</summary>
    private static bool HasShown(OrganizationSettings settings, ShownProofs shown, AuthenticationMethod[] methods) =>
        shown.Proofs.Any(proof =>
            methods.Contains(proof.Method)
            && Allows(settings, proof.Method)
            && (settings.SessionMaxAge is not { } seconds || shown.Now - proof.At <= TimeSpan.FromSeconds(seconds)));

    /// <summary>A recovery code stands in for the authenticator app: it is allowed where that is.</summary>
    private static bool Allows(OrganizationSettings settings, AuthenticationMethod method) =>
        settings.AllowedMethods?.Contains(method == AuthenticationMethod.RecoveryCode ? AuthenticationMethod.Totp : method) != false;
}
