using System.Text.Json;

namespace Atrium.Core.Tokens;

/// <summary>What one answer says of the organizations, and the one place that spells it.</summary>
public sealed class OrganizationProjection
{
    /// <summary>The name of the claim; where it is elsewhere, also what the source is asked for.</summary>
    private const string ClaimName = "organizations";

    /// <summary>What the answer calls the place where the claim is.</summary>
    private const string SourceName = "userinfo";

    private readonly OrganizationClaims claims;
    private readonly string? sourceEndpoint;

    internal OrganizationProjection(OrganizationClaims claims, string? sourceEndpoint)
    {
        this.claims = claims;
        this.sourceEndpoint = sourceEndpoint;
    }

    /// <summary>The claim that tells a reader that others are elsewhere (OpenID Connect Core section 5.6.2).</summary>
    public static string ElsewhereClaim => "_claim_names";

    /// <summary>Whether the array is left out for the place where it is.</summary>
    public bool IsElsewhere => sourceEndpoint is not null;

    /// <summary>Writes the claims into the JSON object that is being written.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        switch (claims)
        {
            case OrganizationClaims.Many when sourceEndpoint is not null:
                WriteElsewhere(json, sourceEndpoint);
                break;
            case OrganizationClaims.Many many:
                json.WritePropertyName(ClaimName);
                OrganizationArray.Write(json, many.Memberships);
                break;
            case OrganizationClaims.One one:
                json.WriteString("org_id"u8, one.Organization.ToString());
                if (one.Roles is [var primary, ..])
                    json.WriteString("role"u8, primary);
                json.WriteStrings("roles", one.Roles);
                json.WriteStrings("permissions", one.Permissions);
                break;
            case OrganizationClaims.Named named:
                json.WriteString("org_id"u8, named.Id);
                json.WriteString("org_name"u8, named.Name);
                json.WriteString("org_handle"u8, named.Handle);
                if (named.UserOrganization is { } userOrganization)
                    json.WriteString("user_org"u8, userOrganization);
                break;
            default:
                break;
        }
    }

    /// <summary>
    /// A distributed claim (OpenID Connect Core section 5.6.2). There is no access token in the source: whoever holds the token that says this shows
    /// that one there.
    /// </summary>
    private static void WriteElsewhere(Utf8JsonWriter json, string endpoint)
    {
        json.WriteStartObject(ElsewhereClaim);
        json.WriteString(ClaimName, SourceName);
        json.WriteEndObject();
        json.WriteStartObject("_claim_sources"u8);
        json.WriteStartObject(SourceName);
        json.WriteString("endpoint"u8, endpoint);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
