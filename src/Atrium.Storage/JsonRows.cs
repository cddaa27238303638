using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Imports;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Core.Webhooks;

namespace Atrium.Storage;

/// <summary>
/// Many rows as one parameter: a JSON array of objects, which both databases can turn into rows again. Ids are their hexadecimal digits, times
/// Unix milliseconds, and what a column keeps as JSON is text within it.
/// </summary>
internal static class JsonRows
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static string Write(IEnumerable<object> rows) => JsonSerializer.Serialize(rows, Options);

    /// <summary>The names in a list such as <c>id uuid, name text</c>.</summary>
    public static IEnumerable<string> NamesOf(string columns) => Columns(columns).Select(static column => column.Name);

    public static IEnumerable<(string Name, string Type)> Columns(string columns) =>
        columns.Split(',', StringSplitOptions.TrimEntries).Select(static column => column.Split(' ')).Select(static words => (words[0], words[1]));

    public static object Of(ImportedRole entry) => new
    {
        OrganizationId = entry.Role.OrganizationId is { } organization ? Hex(organization) : null,
        entry.Role.Slug,
        entry.Role.Name,
        Permissions = SqlTypes.Json(entry.Role.Permissions),
        CreatedAt = Milliseconds(entry.Role.CreatedAt),
        UpdatedAt = Milliseconds(entry.Role.UpdatedAt),
    };

    public static object Of(Organization organization) => new
    {
        Id = Hex(organization.Id),
        organization.Handle,
        organization.Name,
        NameKey = OrganizationStore.NameKey(organization.Name),
        Status = organization.Status.ToString(),
        organization.StatusReason,
        organization.ExternalId,
        Metadata = SqlTypes.Json(organization.Metadata),
        Settings = SqlTypes.Json(organization.Settings),
        CreatedAt = Milliseconds(organization.CreatedAt),
        UpdatedAt = Milliseconds(organization.UpdatedAt),
    };

    public static object Of(OrganizationDomain domain) => new
    {
        Id = Hex(domain.Id),
        OrganizationId = Hex(domain.OrganizationId),
        domain.Domain,
        State = domain.State.ToString(),
        CheckedAt = domain.CheckedAt is { } at ? Milliseconds(at) : (long?)null,
        CreatedAt = Milliseconds(domain.CreatedAt),
        UpdatedAt = Milliseconds(domain.UpdatedAt),
    };

    public static object Of(ImportedUser entry) => new
    {
        Id = Hex(entry.User.Id),
        entry.User.Email,
        EmailKey = EmailAddress.Normalize(entry.User.Email),
        entry.User.EmailVerified,
        entry.User.Username,
        UsernameKey = entry.User.Username is { } username ? EmailAddress.Normalize(username) : null,
        entry.User.GivenName,
        entry.User.FamilyName,
        entry.User.Name,
        entry.User.Picture,
        entry.User.Locale,
        entry.User.PhoneNumber,
        entry.User.PhoneNumberVerified,
        Address = entry.User.Address is { } address ? SqlTypes.Json(address) : null,
        entry.User.ExternalId,
        Metadata = SqlTypes.Json(entry.User.Metadata),
        Status = entry.User.Status.ToString(),
        entry.PasswordHash,
        LastSignInAt = entry.User.LastSignInAt is { } at ? Milliseconds(at) : (long?)null,
        CreatedAt = Milliseconds(entry.User.CreatedAt),
        UpdatedAt = Milliseconds(entry.User.UpdatedAt),
    };

    public static object Of(Membership membership) => new
    {
        Id = Hex(membership.Id),
        UserId = Hex(membership.UserId),
        OrganizationId = Hex(membership.OrganizationId),
        Scopes = SqlTypes.Json(membership.Scopes),
        membership.Title,
        Status = membership.Status.ToString(),
        JoinedAt = Milliseconds(membership.JoinedAt),
        Metadata = SqlTypes.Json(membership.Metadata),
        CreatedAt = Milliseconds(membership.CreatedAt),
        UpdatedAt = Milliseconds(membership.UpdatedAt),
    };

    public static object Of(Delivery delivery) => new
    {
        Id = Hex(delivery.Id),
        WebhookId = Hex(delivery.WebhookId),
        EventId = Hex(delivery.EventId),
        delivery.Position,
        delivery.Type,
        delivery.Subject,
        Dialect = delivery.Dialect.ToString(),
        delivery.Body,
        CreatedAt = Milliseconds(delivery.CreatedAt),
    };

    private static string Hex<T>(Id<T> id)
        where T : IIdentified => id.Value.ToString("N");

    private static long Milliseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds();
}
