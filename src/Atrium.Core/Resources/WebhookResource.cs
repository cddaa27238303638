using System.ComponentModel;
using Atrium.Core.Webhooks;

namespace Atrium.Core.Resources;

/// <summary>An endpoint that is told what happens. Its secret is shown once, beside it, when it is made or rotated.</summary>
public sealed record WebhookResource
{
    [Description("`wh_` and 25 digits.")]
    public required string Id { get; init; }

    [Description("What the endpoint is for.")]
    public required string Name { get; init; }

    [Description("Where the messages are posted to.")]
    public required string Url { get; init; }

    [Description("Names of events as the dialect has them; `organization.*` is all that begin so, `*` all.")]
    public required IReadOnlyList<string> Events { get; init; }

    [Description("What a message looks like and how it is signed.")]
    public required WebhookDialect Dialect { get; init; }

    [Description("The organization whose events alone go there; null for those of the whole realm.")]
    public required string? OrganizationId { get; init; }

    [Description("To one that is disabled, nothing is sent.")]
    public required WebhookStatus Status { get; init; }

    [Description("Why it is disabled.")]
    public required string? StatusReason { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static WebhookResource Of(Webhook webhook) => new()
    {
        Id = webhook.Id.ToString(),
        Name = webhook.Name,
        Url = webhook.Url,
        Events = webhook.Events,
        Dialect = webhook.Dialect,
        OrganizationId = webhook.OrganizationId?.ToString(),
        Status = webhook.Status,
        StatusReason = webhook.StatusReason,
        CreatedAt = webhook.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = webhook.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}

/// <summary>An endpoint with its newest secret, which is shown this once.</summary>
public sealed record WebhookWithSecretResource
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Url { get; init; }

    public required IReadOnlyList<string> Events { get; init; }

    public required WebhookDialect Dialect { get; init; }

    public required string? OrganizationId { get; init; }

    public required WebhookStatus Status { get; init; }

    public required string? StatusReason { get; init; }

    public required long CreatedAt { get; init; }

    public required long UpdatedAt { get; init; }

    [Description("`whsec_` and what messages are signed with, in base64. It can't be shown again.")]
    public required string Secret { get; init; }

    [Description("Until when messages are signed with the secret before it too, in Unix milliseconds; null where there is none.")]
    public required long? OldSecretEndsAt { get; init; }

    public static WebhookWithSecretResource Of(Webhook webhook, Secret secret, DateTimeOffset? oldSecretEndsAt)
    {
        WebhookResource shown = WebhookResource.Of(webhook);
        return new()
        {
            Id = shown.Id,
            Name = shown.Name,
            Url = shown.Url,
            Events = shown.Events,
            Dialect = shown.Dialect,
            OrganizationId = shown.OrganizationId,
            Status = shown.Status,
            StatusReason = shown.StatusReason,
            CreatedAt = shown.CreatedAt,
            UpdatedAt = shown.UpdatedAt,
            Secret = secret.Reveal(),
            OldSecretEndsAt = oldSecretEndsAt?.ToUnixTimeMilliseconds(),
        };
    }
}
