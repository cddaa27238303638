using Atrium.Core.Organizations;

namespace Atrium.Core.Clients;

/// <summary>What a client's settings can't be.</summary>
public static class ClientSettingsRules
{
    public const int ShortestAge = 5;
    public const int LongestAge = 21 * 24 * 3600;
    public const int LongestGrace = 60;
    public const int SmallestBudget = 256;
    public const int LargestBudget = 64 * 1024;
    public const int MaxAllowedOrganizations = 1000;
    public const int MaxSteps = 5;

    /// <summary>The methods that a step of an app-native sign-in may ask for.</summary>
    public static IReadOnlyList<string> Methods { get; } = ["password", "totp"];

    /// <summary>The parameters by which an app-native sign-in may name an organization.</summary>
    public static IReadOnlyList<string> DiscoveryParameters { get; } = ["orgHandle", "orgId", "org", "login_hint"];

    /// <summary>What a client of this kind may not be set to; fields as seen from the settings.</summary>
    public static IEnumerable<Fault> Faults(ClientSettings settings, bool isConfidential) =>
    [
        .. Numbers(settings).Where(static number => number.Value < number.Least || number.Value > number.Most)
            .Select(static number => new Fault(number.Field, $"This should be {number.Least} to {number.Most}.")),
        .. ResourceFaults(settings.Openid),
        .. RestrictionFaults(settings.Restrictions.Organizations),
        .. AppNativeFaults(settings.AppNative),
        .. AuthenticationFaults(settings, isConfidential),
        .. BindingFaults(settings),
        .. PartyFaults(settings),
    ];

    private static IEnumerable<(string Field, int? Value, int Least, int Most)> Numbers(ClientSettings settings) =>
    [
        ("/openid/default_access_token_age", settings.Openid.DefaultAccessTokenAge, ShortestAge, LongestAge),
        ("/openid/default_id_token_age", settings.Openid.DefaultIdTokenAge, ShortestAge, LongestAge),
        ("/openid/default_refresh_token_age", settings.Openid.DefaultRefreshTokenAge, ShortestAge, LongestAge),
        ("/openid/refresh_grace_seconds", settings.Openid.RefreshGraceSeconds, 0, LongestGrace),
        ("/tokens/organization_budget_bytes", settings.Tokens.OrganizationBudgetBytes, SmallestBudget, LargestBudget),
    ];

    private static IEnumerable<Fault> ResourceFaults(OpenIdSettings openid)
    {
        const string field = "/openid/resources";
        string problem = $"A resource is an absolute URI without a fragment, of {ResourceUris.MaxLength} characters at most.";
        if (openid.Resources is { Count: > ResourceUris.MaxOfClient })
            yield return new(field, $"There should be at most {ResourceUris.MaxOfClient} resources.");
        foreach ((int i, string resource) in (openid.Resources ?? []).Index())
        {
            if (!ResourceUris.IsResource(resource))
                yield return new($"{field}/{i}", problem);
            else if (openid.Resources!.Take(i).Contains(resource, StringComparer.Ordinal))
                yield return new($"{field}/{i}", "This resource is there twice.");
        }

        if (openid.DefaultResource is { } otherwise && !ResourceUris.IsResource(otherwise))
            yield return new("/openid/default_resource", problem);
    }

    private static IEnumerable<Fault> RestrictionFaults(OrganizationRestriction organizations)
    {
        const string field = "/restrictions/organizations/allowed_org_ids";
        if (organizations.Policy == OrganizationPolicy.Allowlist && organizations.AllowedOrgIds.Count == 0)
            yield return new(field, "An allowlist names at least one organization.");
        if (organizations.AllowedOrgIds.Count > MaxAllowedOrganizations)
            yield return new(field, $"An allowlist has at most {MaxAllowedOrganizations} organizations.");
        foreach ((int i, string id) in organizations.AllowedOrgIds.Index())
        {
            if (Id<Organization>.Parse(id) is null)
                yield return new($"{field}/{i}", "This is no organization's id.");
        }
    }

    private static IEnumerable<Fault> AppNativeFaults(AppNativeSettings appNative)
    {
        if (appNative.Steps.Count is 0 or > MaxSteps)
            yield return new("/app_native/steps", $"There should be 1 to {MaxSteps} steps.");
        foreach ((int i, IReadOnlyList<string> step) in appNative.Steps.Index())
        {
            if (step.Count == 0)
                yield return new($"/app_native/steps/{i}", "A step asks for at least one method.");
            foreach ((int j, string method) in step.Index())
            {
                if (!Methods.Contains(method))
                    yield return new($"/app_native/steps/{i}/{j}", $"The methods are {string.Join(" and ", Methods)}.");
            }
        }

        if (!DiscoveryParameters.Contains(appNative.DiscoveryParameter))
            yield return new("/app_native/discovery_parameter", $"The parameters are {string.Join(", ", DiscoveryParameters)}.");
    }

    private static IEnumerable<Fault> BindingFaults(ClientSettings settings)
    {
        if (settings is { Openid.DpopBoundAccessTokens: true, Authkit.Enabled: true })
            yield return new("/openid/dpop_bound_access_tokens", "The SDKs of the AuthKit door know bearer tokens only.");
    }

    /// <summary>Applications that take people's passwords themselves are the realm's owner's.</summary>
    private static IEnumerable<Fault> PartyFaults(ClientSettings settings)
    {
        if (!settings.FirstParty && (settings.AppNative.Enabled || settings.Authkit.Enabled))
            yield return new("/first_party", "The AuthKit and app-native doors are for first-party applications: a third party's signs people in by the browser.");
    }

    private static IEnumerable<Fault> AuthenticationFaults(ClientSettings settings, bool isConfidential)
    {
        if (!settings.PkceRequired && !isConfidential && !settings.AppNative.Enabled)
            yield return new("/pkce_required", "This may be false only for confidential and app-native clients.");
        if (settings.ClientAuth is not null && !isConfidential)
            yield return new("/client_auth", "A public client can't prove who it is: web and m2m can.");
        if (settings.ClientAuth == ClientAuth.PrivateKeyJwt && settings.Jwks is null)
            yield return new("/jwks", "private_key_jwt needs the client's public keys.");
        foreach (Fault fault in settings.Jwks?.Faults() ?? [])
            yield return fault.Within("/jwks");
    }
}
