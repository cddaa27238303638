using System.Text.Encodings.Web;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Storage;

namespace Atrium.Server.Transfer;

/// <summary>Writes what a realm has as the lines that an import reads.</summary>
internal sealed class Exporter(Stream file, Action<long> progress) : IExportTarget, IAsyncDisposable
{
    /// <summary>Letters of every language as they are: the file is for people too, and never part of a page.</summary>
    private readonly Utf8JsonWriter json = new(file, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public long Lines { get; private set; }

    public Task RolesAsync(IReadOnlyList<Role> roles) => WriteAsync(roles, "role", role =>
    {
        json.WriteString("slug", role.Slug);
        Text("organization_id", role.OrganizationId?.ToString());
        json.WriteString("name", role.Name);
        Texts("permissions", role.Permissions);
        Times(role.CreatedAt, role.UpdatedAt);
    });

    public Task OrganizationsAsync(IReadOnlyList<Organization> organizations, ILookup<Id<Organization>, OrganizationDomain> domains) =>
        WriteAsync(organizations, "organization", organization =>
        {
            json.WriteString("id", organization.Id.ToString());
            json.WriteString("handle", organization.Handle);
            json.WriteString("name", organization.Name);
            Word("status", organization.Status);
            Text("status_reason", organization.StatusReason);
            Text("parent_id", organization.ParentId?.ToString());
            Text("external_id", organization.ExternalId);
            Metadata(organization.Metadata);
            json.WriteStartObject("settings");
            Texts("default_member_scopes", organization.Settings.DefaultMemberScopes);
            json.WriteBoolean("mfa_required", organization.Settings.MfaRequired);
            if (organization.Settings.AllowedMethods is { } methods)
                Texts("allowed_methods", methods.Select(static method => JsonNamingPolicy.SnakeCaseLower.ConvertName(method.ToString())));
            json.WriteBoolean("sso_only", organization.Settings.SsoOnly);
            Number("max_members", organization.Settings.MaxMembers);
            Number("session_max_age", organization.Settings.SessionMaxAge);
            json.WriteBoolean("allow_profiles_outside", organization.Settings.AllowProfilesOutside);
            json.WriteEndObject();
            json.WriteStartArray("domains");
            foreach (OrganizationDomain domain in domains[organization.Id])
            {
                json.WriteStartObject();
                json.WriteString("id", domain.Id.ToString());
                json.WriteString("domain", domain.Domain);
                json.WriteBoolean("verified", domain.Verified);
                Times(domain.CreatedAt, domain.UpdatedAt);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            Times(organization.CreatedAt, organization.UpdatedAt);
        });

    public Task UsersAsync(IReadOnlyList<UserAndPassword> users) => WriteAsync(users, "user", entry =>
    {
        (Core.Users.User user, string? passwordHash) = entry;
        json.WriteString("id", user.Id.ToString());
        json.WriteString("email", user.Email);
        json.WriteBoolean("email_verified", user.EmailVerified);
        Text("username", user.Username);
        json.WriteStartObject("profile");
        Text("given_name", user.GivenName);
        Text("family_name", user.FamilyName);
        Text("name", user.Name);
        Text("picture", user.Picture);
        Text("locale", user.Locale);
        json.WriteEndObject();
        Text("phone_number", user.PhoneNumber);
        json.WriteBoolean("phone_number_verified", user.PhoneNumberVerified);
        Address(user.Address);
        Text("external_id", user.ExternalId);
        Metadata(user.Metadata);
        Word("status", user.Status);
        Text("password_hash", passwordHash);
        if (user.LastSignInAt is { } lastSignInAt)
            Time("last_sign_in_at", lastSignInAt);
        Times(user.CreatedAt, user.UpdatedAt);
    });

    public Task MembershipsAsync(IReadOnlyList<Membership> memberships) => WriteAsync(memberships, "membership", membership =>
    {
        json.WriteString("id", membership.Id.ToString());
        json.WriteString("user_id", membership.UserId.ToString());
        json.WriteString("organization_id", membership.OrganizationId.ToString());
        Texts("scopes", membership.Scopes);
        Text("title", membership.Title);
        Word("status", membership.Status);
        Time("joined_at", membership.JoinedAt);
        Metadata(membership.Metadata);
        Times(membership.CreatedAt, membership.UpdatedAt);
    });

    public ValueTask DisposeAsync() => json.DisposeAsync();

    private async Task WriteAsync<T>(IReadOnlyList<T> things, string type, Action<T> write)
    {
        foreach (T thing in things)
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            write(thing);
            json.WriteEndObject();
            await json.FlushAsync();
            file.WriteByte((byte)'\n');
            json.Reset();
        }

        Lines += things.Count;
        progress(Lines);
    }

    private void Text(string name, string? text)
    {
        if (text is not null)
            json.WriteString(name, text);
    }

    private void Number(string name, int? number)
    {
        if (number is { } known)
            json.WriteNumber(name, known);
    }

    private void Texts(string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private void Metadata(IReadOnlyDictionary<string, string> metadata)
    {
        json.WriteStartObject("metadata");
        foreach ((string key, string value) in metadata)
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    private void Address(Core.Users.PostalAddress? address)
    {
        if (address is null)
            return;
        json.WriteStartObject("address");
        Text("formatted", address.Formatted);
        Text("street_address", address.StreetAddress);
        Text("locality", address.Locality);
        Text("region", address.Region);
        Text("postal_code", address.PostalCode);
        Text("country", address.Country);
        json.WriteEndObject();
    }

    private void Word<T>(string name, T value)
        where T : struct, Enum => json.WriteString(name, value.ToString().ToLowerInvariant());

    private void Times(DateTimeOffset createdAt, DateTimeOffset updatedAt)
    {
        Time("created_at", createdAt);
        Time("updated_at", updatedAt);
    }

    private void Time(string name, DateTimeOffset time) => json.WriteNumber(name, time.ToUnixTimeMilliseconds());
}
