using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Atrium.Core.Organizations;
using Atrium.Core.Users;

namespace Atrium.Core.Events;

/// <summary>What a change says of itself, before the log knows who made it and where it stands.</summary>
/// <param name="Type">One of <see cref="EventTypes"/>.</param>
/// <param name="Subject">The id of what is changed.</param>
/// <param name="Data">The thing as the management API shows it: a JSON object without secrets.</param>
public sealed record EventDraft(string Type, string Subject, string Data)
{
    public Id<Organization>? OrganizationId { get; init; }

    public Id<User>? UserId { get; init; }

    /// <summary>The <c>client_id</c>, where it is another than that of the origin.</summary>
    public string? ClientId { get; init; }

    public IReadOnlyList<string>? Changed { get; init; }

    public static EventDraft Of<T>(string type, string subject, T resource, JsonTypeInfo<T> json) =>
        new(type, subject, JsonSerializer.Serialize(resource, json));

    /// <summary>An update, with the names of the fields that differ.</summary>
    public static EventDraft Updated<T>(string type, string subject, T before, T after, JsonTypeInfo<T> json)
    {
        JsonElement old = JsonSerializer.SerializeToElement(before, json);
        JsonElement made = JsonSerializer.SerializeToElement(after, json);
        return new EventDraft(type, subject, made.GetRawText())
        {
            Changed =
            [
                .. made.EnumerateObject()
                    .Where(field => field.Name != "updated_at" && !(old.TryGetProperty(field.Name, out JsonElement was) && JsonElement.DeepEquals(was, field.Value)))
                    .Select(static field => field.Name),
            ],
        };
    }
}
