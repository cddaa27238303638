using System.Text.Json;
using System.Text.Json.Serialization;
using Atrium.Core.Organizations;

namespace Atrium.Core.Clients;

/// <summary>Reads a client's settings as an operator writes them, and says what in them can't be.</summary>
public static class ClientSettingsRules
{
    private const int ShortestAge = 5;
    private const int LongestAge = 21 * 24 * 3600;
    private const int LongestGrace = 60;

    /// <summary>Unknown fields are refused, so that a typing error never passes silently; what is left out keeps its default.</summary>
    private static readonly JsonSerializerOptions Strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    /// <summary>The settings, or a sentence that says what is wrong with the text.</summary>
    public static (ClientSettings? Settings, string? Problem) Parse(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<ClientSettings>(json, Strict) is { } settings
                ? (settings, null)
                : (null, "The settings are null; they are a JSON object.");
        }
        catch (JsonException e)
        {
            return (null, $"The settings can't be read{(e.Path is { Length: > 0 } path ? $" at {path}" : "")}: {e.Message}");
        }
    }

    /// <summary>What a client of this kind may not be set to; null when all is well.</summary>
    public static string? Problem(ClientSettings settings, bool isConfidential)
    {
        OpenIdSettings openid = settings.Openid;
        foreach ((string name, int? age) in new[]
        {
            ("default_access_token_age", openid.DefaultAccessTokenAge),
            ("default_id_token_age", openid.DefaultIdTokenAge),
            ("default_refresh_token_age", openid.DefaultRefreshTokenAge),
        })
        {
            if (age is < ShortestAge or > LongestAge)
                return $"openid.{name} is {age}; it must be {ShortestAge} to {LongestAge} seconds.";
        }

        if (openid.RefreshGraceSeconds is < 0 or > LongestGrace)
            return $"openid.refresh_grace_seconds is {openid.RefreshGraceSeconds}; it must be 0 to {LongestGrace}.";

        OrganizationRestriction organizations = settings.Restrictions.Organizations;
        if (organizations.Policy == OrganizationPolicy.Allowlist && organizations.AllowedOrgIds.Count == 0)
            return "restrictions.organizations.allowed_org_ids is empty; an allowlist names at least one organization.";
        if (organizations.AllowedOrgIds.FirstOrDefault(static id => Id<Organization>.Parse(id) is null) is { } malformed)
            return $"restrictions.organizations.allowed_org_ids has \"{malformed}\", which is no organization id.";
        if (settings.AppNative.Steps.FirstOrDefault(static step => step.Count == 0 || step.Any(static method => method is not ("password" or "totp"))) is not null)
            return "app_native.steps is a list of steps, each a list of methods; the methods are password and totp.";
        return !settings.PkceRequired && !isConfidential && !settings.AppNative.Enabled
            ? "pkce_required may be false only for confidential and app-native clients."
            : null;
    }
}
