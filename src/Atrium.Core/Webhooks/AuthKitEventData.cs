using System.Text.Json;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Tokens;

namespace Atrium.Core.Webhooks;

/// <summary>What WorkOS's events say beyond the house's.</summary>
/// <param name="Roles">The roles of the realm and its organizations that scopes may name; WorkOS tells roles and other scopes apart.</param>
/// <param name="Domains">The domains of organizations, which stand in WorkOS's organizations.</param>
public sealed record AuthKitFacts(IReadOnlyList<Role> Roles, ILookup<Id<Organization>, OrganizationDomain> Domains)
{
    public static readonly AuthKitFacts None = new([], Enumerable.Empty<OrganizationDomain>().ToLookup(static domain => domain.OrganizationId));
}

/// <summary>What the <c>data</c> of WorkOS's events is made of.</summary>
/// <param name="Happened">The event, for what its resource does not name.</param>
/// <param name="Resource">The thing as the management API shows it.</param>
internal sealed record AuthKitSource(Event Happened, JsonElement Resource, AuthKitFacts Facts)
{
    public JsonElement? Find(string name) =>
        Resource.ValueKind == JsonValueKind.Object && Resource.TryGetProperty(name, out JsonElement found) && found.ValueKind != JsonValueKind.Null ? found : null;

    public string? Text(string name) => Find(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>Milliseconds as WorkOS writes times.</summary>
    public string? Time(string name) => Find(name) is { ValueKind: JsonValueKind.Number } time
        ? WebhookBodies.Timestamp(DateTimeOffset.FromUnixTimeMilliseconds(time.GetInt64()))
        : null;

    public IReadOnlyList<string> Texts(string name) =>
        Find(name) is { ValueKind: JsonValueKind.Array } list ? [.. list.EnumerateArray().Select(static text => text.GetString()!)] : [];

    /// <summary>Those of its scopes that are roles, the primary one first.</summary>
    public IReadOnlyList<string> RoleSlugs() =>
        OrganizationClaims.SplitScopes(Happened.OrganizationId.GetValueOrDefault(), Texts("scopes"), Facts.Roles).Roles;

    public AuthKitSource Within(JsonElement part) => this with { Resource = part };
}

/// <summary>
/// The payloads of WorkOS's events. Its SDKs index the keys that are written here, so they are all there, with null where there is nothing.
/// </summary>
internal static class AuthKitEventData
{
    internal delegate void Writer(Utf8JsonWriter json, AuthKitSource from);

    internal static void User(Utf8JsonWriter json, AuthKitSource from)
    {
        AuthKitSource profile = from.Find("profile") is { } part ? from.Within(part) : from;
        json.WriteString("object", "user");
        json.WriteString("id", from.Text("id"));
        json.WriteString("email", from.Text("email"));
        json.WriteBoolean("email_verified", from.Find("email_verified") is { ValueKind: JsonValueKind.True });
        json.WriteString("first_name", profile.Text("given_name"));
        json.WriteString("last_name", profile.Text("family_name"));
        json.WriteString("name", profile.Text("name"));
        json.WriteString("profile_picture_url", profile.Text("picture"));
        json.WriteString("locale", profile.Text("locale"));
        json.WriteString("external_id", from.Text("external_id"));
        Metadata(json, from);
        json.WriteString("last_sign_in_at", from.Time("last_sign_in_at"));
        Times(json, from);
    }

    internal static void Organization(Utf8JsonWriter json, AuthKitSource from)
    {
        json.WriteString("object", "organization");
        json.WriteString("id", from.Text("id"));
        json.WriteString("name", from.Text("name"));
        json.WriteStartArray("domains");
        foreach (OrganizationDomain domain in from.Happened.OrganizationId is { } organization ? from.Facts.Domains[organization] : [])
        {
            json.WriteStartObject();
            json.WriteString("object", "organization_domain");
            json.WriteString("id", domain.Id.ToString());
            json.WriteString("organization_id", domain.OrganizationId.ToString());
            json.WriteString("domain", domain.Domain);
            json.WriteString("state", domain.State.ToString().ToLowerInvariant());
            json.WriteString("created_at", WebhookBodies.Timestamp(domain.CreatedAt));
            json.WriteString("updated_at", WebhookBodies.Timestamp(domain.UpdatedAt));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        Metadata(json, from);
        json.WriteString("external_id", from.Text("external_id"));
        Times(json, from);
    }

    internal static void Domain(Utf8JsonWriter json, AuthKitSource from)
    {
        json.WriteString("object", "organization_domain");
        json.WriteString("id", from.Text("id"));
        json.WriteString("organization_id", from.Text("organization_id") ?? from.Happened.OrganizationId?.ToString());
        json.WriteString("domain", from.Text("domain"));
        json.WriteString("state", from.Text("state"));
        json.WriteString("verification_strategy", "dns");
        Times(json, from);
    }

    internal static void FailedDomain(Utf8JsonWriter json, AuthKitSource from)
    {
        json.WriteString("reason", "domain_verification_period_expired");
        json.WriteStartObject("organization_domain");
        Domain(json, from);
        json.WriteEndObject();
    }

    internal static void Membership(Utf8JsonWriter json, AuthKitSource from)
    {
        IReadOnlyList<string> slugs = from.RoleSlugs();
        json.WriteString("object", "organization_membership");
        json.WriteString("id", from.Text("id"));
        json.WriteString("user_id", from.Text("user_id"));
        json.WriteString("organization_id", from.Text("organization_id") ?? from.Happened.OrganizationId?.ToString());
        json.WriteString("status", from.Text("status") is { } status && status != "suspended" ? status : "inactive");
        Slim(json, "role", slugs is [var primary, ..] ? primary : "");
        json.WriteStartArray("roles");
        foreach (string slug in slugs)
            Slim(json, null, slug);
        json.WriteEndArray();
        json.WriteStartObject("custom_attributes");
        json.WriteEndObject();
        json.WriteBoolean("directory_managed", false);
        Times(json, from);
    }

    internal static void Invitation(Utf8JsonWriter json, AuthKitSource from)
    {
        json.WriteString("object", "invitation");
        json.WriteString("id", from.Text("id"));
        json.WriteString("email", from.Text("email_invited"));
        json.WriteString("state", from.Text("state"));
        json.WriteString("accepted_at", from.Time("accepted_at"));
        json.WriteString("revoked_at", from.Time("revoked_at"));
        json.WriteString("expires_at", from.Time("expires_at"));
        json.WriteString("organization_id", from.Text("organization_id") ?? from.Happened.OrganizationId?.ToString());
        json.WriteNull("inviter_user_id");
        json.WriteString("accepted_user_id", from.Text("user_id"));
        json.WriteString("role_slug", from.RoleSlugs() is [var primary, ..] ? primary : null);
        Times(json, from);
    }

    internal static void Session(Utf8JsonWriter json, AuthKitSource from)
    {
        json.WriteString("object", "session");
        json.WriteString("id", from.Text("id"));
        json.WriteString("user_id", from.Text("user_id"));
        json.WriteString("ip_address", from.Text("ip_address"));
        json.WriteString("user_agent", from.Text("user_agent"));
        json.WriteString("auth_method", from.Texts("methods") switch { ["password", ..] => "password", ["email_code", ..] => "magic_code", _ => "unknown" });
        json.WriteString("status", from.Find("ended_at") is null ? "active" : "revoked");
        json.WriteString("expires_at", from.Time("expires_at"));
        json.WriteString("ended_at", from.Time("ended_at"));
        Times(json, from);
    }

    internal static void Role(Utf8JsonWriter json, AuthKitSource from)
    {
        json.WriteString("object", "role");
        RoleFields(json, from);
    }

    internal static void OrganizationRole(Utf8JsonWriter json, AuthKitSource from)
    {
        json.WriteString("object", "organization_role");
        json.WriteString("organization_id", from.Text("organization_id") ?? from.Happened.OrganizationId?.ToString());
        json.WriteString("name", from.Text("name"));
        json.WriteString("description", from.Text("description"));
        RoleFields(json, from);
    }

    private static void RoleFields(Utf8JsonWriter json, AuthKitSource from)
    {
        json.WriteString("slug", from.Text("slug"));
        json.WriteString("resource_type_slug", "organization");
        json.WriteStartArray("permissions");
        foreach (string permission in from.Texts("permissions"))
            json.WriteStringValue(permission);
        json.WriteEndArray();
        Times(json, from);
    }

    private static void Metadata(Utf8JsonWriter json, AuthKitSource from)
    {
        json.WritePropertyName("metadata");
        if (from.Find("metadata") is { ValueKind: JsonValueKind.Object } metadata)
        {
            metadata.WriteTo(json);
            return;
        }

        json.WriteStartObject();
        json.WriteEndObject();
    }

    private static void Slim(Utf8JsonWriter json, string? name, string slug)
    {
        if (name is null)
            json.WriteStartObject();
        else
            json.WriteStartObject(name);
        json.WriteString("slug", slug);
        json.WriteEndObject();
    }

    /// <summary>What has no times of its own has those of the event.</summary>
    private static void Times(Utf8JsonWriter json, AuthKitSource from)
    {
        json.WriteString("created_at", from.Time("created_at") ?? WebhookBodies.Timestamp(from.Happened.CreatedAt));
        json.WriteString("updated_at", from.Time("updated_at") ?? WebhookBodies.Timestamp(from.Happened.CreatedAt));
    }
}
