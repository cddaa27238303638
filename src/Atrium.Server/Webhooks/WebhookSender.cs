using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Atrium.Core.Webhooks;
using Atrium.Server.Http;
using Atrium.Storage;

namespace Atrium.Server.Webhooks;

/// <summary>Makes one attempt and writes down what came of it.</summary>
public sealed class WebhookSender(OutboundHttp http, DeliveryStore deliveries, WebhookSecrets secrets, TimeProvider clock)
{
    /// <summary>How long an endpoint has to answer.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <summary>Longer than an attempt and all that belongs to it can take.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    /// <summary>What becomes of the delivery.</summary>
    public async Task<DeliveryDecision> SendAsync(ClaimedDeliveries claimed, Delivery delivery, CancellationToken cancellationToken)
    {
        DateTimeOffset began = clock.GetUtcNow();
        OutboundAnswer answer = secrets.Open(claimed.Secrets) is { Count: > 0 } keys
            ? await PostAsync(claimed.Webhook, delivery, keys, began, cancellationToken)
            : new OutboundAnswer(StatusCode: null, Body: null, RetryAfter: null, "The endpoint's secret can't be opened: see the key file.", TimeSpan.Zero);
        DeliveryDecision decision = DeliveryRules.After(delivery.Tries + 1, answer.StatusCode, answer.RetryAfter, Chance());
        DeliveryAttempt attempt = new()
        {
            StartedAt = began,
            DurationMs = (long)answer.Duration.TotalMilliseconds,
            StatusCode = answer.StatusCode,
            Answer = answer.Body,
            Error = answer.Error,
        };
        await deliveries.RecordAsync(delivery, claimed.Claim, attempt, decision, "The endpoint answered 410 Gone.", clock.GetUtcNow(), CancellationToken.None);
        return decision;
    }

    private async Task<OutboundAnswer> PostAsync(
        Webhook webhook, Delivery delivery, IReadOnlyList<string> keys, DateTimeOffset now, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, webhook.Url) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(delivery.Body)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(WebhookBodies.ContentType(delivery.Dialect));
        foreach ((string name, string value) in WebhookSigner.Headers(delivery, keys, now))
            request.Headers.TryAddWithoutValidation(name, value);
        return await http.SendAsync(request, Timeout, cancellationToken);
    }

    private static double Chance() => RandomNumberGenerator.GetInt32(1000) / 1000.0;
}
