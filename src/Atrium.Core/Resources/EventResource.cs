using System.ComponentModel;
using System.Text.Json;
using Atrium.Core.Events;

namespace Atrium.Core.Resources;

/// <summary>Something that happened.</summary>
public sealed record EventResource
{
    [Description("`evt_` and 25 digits: the same in the log and in every webhook.")]
    public required string Id { get; init; }

    [Description("What happened, such as `organization.membership.created`.")]
    public required string Type { get; init; }

    [Description("Unix milliseconds; never earlier than the event before it.")]
    public required long CreatedAt { get; init; }

    [Description("The organization that it concerns.")]
    public required string? OrganizationId { get; init; }

    [Description("The person whom it concerns.")]
    public required string? UserId { get; init; }

    [Description("The `client_id` of the application that it came through or concerns.")]
    public required string? ClientId { get; init; }

    [Description("Who did it, and from where.")]
    public required EventActor Actor { get; init; }

    [Description("The `X-Request-ID` of the request that it came from; it stands in the server's log too.")]
    public required string? RequestId { get; init; }

    [Description("The thing as GET shows it after the change; of something deleted, before it.")]
    public required JsonElement Data { get; init; }

    [Description("Of an update, the fields that it changed; null otherwise.")]
    public required IReadOnlyList<string>? Changed { get; init; }

    public static EventResource Of(Event happened) => new()
    {
        Id = happened.Id.ToString(),
        Type = happened.Type,
        CreatedAt = happened.CreatedAt.ToUnixTimeMilliseconds(),
        OrganizationId = happened.OrganizationId?.ToString(),
        UserId = happened.UserId?.ToString(),
        ClientId = happened.ClientId,
        Actor = happened.Actor,
        RequestId = happened.RequestId,
        Data = JsonSerializer.Deserialize(happened.Data, ResourceJson.Default.JsonElement),
        Changed = happened.Changed,
    };
}
