using System.ComponentModel;
using Atrium.Core.Webhooks;

namespace Atrium.Core.Resources;

/// <summary>One event on its way to one endpoint, as lists show it.</summary>
public sealed record DeliveryResource
{
    [Description("`del_` and 25 digits.")]
    public required string Id { get; init; }

    public required string WebhookId { get; init; }

    [Description("The event, which is the message's id in every dialect.")]
    public required string EventId { get; init; }

    [Description("What happened, in the words of the dialect.")]
    public required string Type { get; init; }

    [Description("`delivered` once the endpoint has answered 2xx; `failed` once nothing is tried any more.")]
    public required DeliveryStatus Status { get; init; }

    [Description("When it is tried next, in Unix milliseconds; null when it is finished, or waits for an earlier one of the same subject.")]
    public required long? NextAttemptAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("When it was delivered or given up, in Unix milliseconds.")]
    public required long? FinishedAt { get; init; }

    public static DeliveryResource Of(Delivery delivery) => new()
    {
        Id = delivery.Id.ToString(),
        WebhookId = delivery.WebhookId.ToString(),
        EventId = delivery.EventId.ToString(),
        Type = delivery.Type,
        Status = delivery.Status,
        NextAttemptAt = delivery.NextAttemptAt?.ToUnixTimeMilliseconds(),
        CreatedAt = delivery.CreatedAt.ToUnixTimeMilliseconds(),
        FinishedAt = delivery.FinishedAt?.ToUnixTimeMilliseconds(),
    };
}

/// <summary>A delivery with what was sent and what came back.</summary>
public sealed record DeliveryDetailsResource
{
    public required string Id { get; init; }

    public required string WebhookId { get; init; }

    public required string EventId { get; init; }

    public required string Type { get; init; }

    public required DeliveryStatus Status { get; init; }

    public required long? NextAttemptAt { get; init; }

    public required long CreatedAt { get; init; }

    public required long? FinishedAt { get; init; }

    [Description("What is sent, at every attempt the same.")]
    public required string RequestBody { get; init; }

    [Description("The attempts so far, the first one first.")]
    public required IReadOnlyList<DeliveryAttemptResource> Attempts { get; init; }

    public static DeliveryDetailsResource Of(Delivery delivery, IReadOnlyList<DeliveryAttempt> attempts)
    {
        DeliveryResource shown = DeliveryResource.Of(delivery);
        return new()
        {
            Id = shown.Id,
            WebhookId = shown.WebhookId,
            EventId = shown.EventId,
            Type = shown.Type,
            Status = shown.Status,
            NextAttemptAt = shown.NextAttemptAt,
            CreatedAt = shown.CreatedAt,
            FinishedAt = shown.FinishedAt,
            RequestBody = delivery.Body,
            Attempts = [.. attempts.Select(DeliveryAttemptResource.Of)],
        };
    }
}

/// <summary>One attempt to deliver.</summary>
public sealed record DeliveryAttemptResource
{
    [Description("When it was sent, in Unix milliseconds.")]
    public required long At { get; init; }

    [Description("How long it took.")]
    public required long DurationMs { get; init; }

    [Description("The HTTP status of the answer; null when there was none.")]
    public required int? StatusCode { get; init; }

    [Description("The beginning of the answer's body, 4 KiB at most.")]
    public required string? AnswerBody { get; init; }

    [Description("Why there was no answer.")]
    public required string? Error { get; init; }

    public static DeliveryAttemptResource Of(DeliveryAttempt attempt) => new()
    {
        At = attempt.StartedAt.ToUnixTimeMilliseconds(),
        DurationMs = attempt.DurationMs,
        StatusCode = attempt.StatusCode,
        AnswerBody = attempt.Answer,
        Error = attempt.Error,
    };
}
