using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote.Apply;

internal enum StepAction
{
    Create,
    Update,
    Delete,
}

/// <summary>One change on the way from what is to what is declared.</summary>
/// <param name="Title">What it is about, in words.</param>
/// <param name="Differences">What is changed, field by field; of something new, what it is given.</param>
internal sealed record Step(StepAction Action, Kind Kind, string Key, string Title, IReadOnlyList<Difference> Differences)
{
    /// <summary>What the file says of it; null of what is deleted because the file says nothing.</summary>
    public Declaration? Declared { get; init; }

    /// <summary>The id of what it belongs to; null when that is the realm, or still to be made.</summary>
    public string? OwnerId { get; init; }

    /// <summary>The id of what is changed or deleted.</summary>
    public string? Id { get; init; }

    /// <summary>The version that the difference was made from; another one is not touched.</summary>
    public string? ETag { get; init; }
}

/// <summary>All that would have to be changed, in the order of doing it.</summary>
internal sealed record Plan(IReadOnlyList<Step> Steps, int Unchanged);

/// <summary>Ids of organizations by their handles: a file speaks of organizations by handle wherever the API wants an id.</summary>
internal sealed class OrganizationHandles
{
    private static readonly string[] Fields = ["parent_id", "organization_id", "allowed_org_ids"];

    private readonly Dictionary<string, string> ids = new(StringComparer.Ordinal);

    public void Add(string handle, string id) => ids[handle] = id;

    public string? IdOf(string handle) => ids.GetValueOrDefault(handle);

    /// <summary>The handle of an id, for people to read.</summary>
    public string? HandleOf(string id) => ids.FirstOrDefault(pair => pair.Value == id).Key;

    /// <summary>The same with ids for handles, as far as they are known yet.</summary>
    public JsonNode? WithIds(JsonNode? node, bool isReference = false) => node switch
    {
        JsonObject fields => new JsonObject(fields.Select(field => KeyValuePair.Create(field.Key, WithIds(field.Value, Fields.Contains(field.Key))))),
        JsonArray items => new JsonArray([.. items.Select(item => WithIds(item, isReference))]),
        JsonValue value when isReference && value.TryGetValue(out string? handle) && ids.TryGetValue(handle, out string? id) => id,
        _ => node?.DeepClone(),
    };

    /// <summary>Every handle in it that has no id yet.</summary>
    public IEnumerable<string> Unknown(JsonNode? node, bool isReference = false) => node switch
    {
        JsonObject fields => fields.SelectMany(field => Unknown(field.Value, Fields.Contains(field.Key))),
        JsonArray items => items.SelectMany(item => Unknown(item, isReference)),
        JsonValue value when isReference && value.GetValueKind() == JsonValueKind.String && !value.GetValue<string>().StartsWith(Resources.Organizations.IdPrefix!, StringComparison.Ordinal)
            && !ids.ContainsKey(value.GetValue<string>()) => [value.GetValue<string>()],
        _ => [],
    };
}
