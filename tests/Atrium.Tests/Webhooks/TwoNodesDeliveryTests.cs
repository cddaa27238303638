using Atrium.Core.Events;
using Atrium.Server.Webhooks;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;
using static Atrium.Tests.Webhooks.WebhookCalls;

namespace Atrium.Tests.Webhooks;

/// <summary>Two nodes share the work: each message is sent by one of them, once, and in its order.</summary>
public sealed class TwoNodesDeliveryTests(TwoNodes nodes) : IClassFixture<TwoNodes>
{
    [Fact]
    public async Task Each_message_is_sent_once_and_those_of_a_subject_in_order()
    {
        const int subjects = 10, each = 6;
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync();
        await using WebhookCalls webhooks = new(nodes);
        (string id, string secret) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");
        await Task.WhenAll(Enumerable.Range(0, subjects).Select(async subject =>
        {
            for (int number = 0; number < each; number++)
            {
                await webhooks.HappenAsync(EventTypes.UserUpdated, $"usr_{subject}", new { id = $"usr_{subject}", number });
                nodes.GetSecond<WebhookDispatcher>().Wake();
            }
        }));
        await webhooks.DeliveriesAsync(id, static all => all.Count == subjects * each && all.All(Is("delivered")) && all.All(Tried(1)));
        receiver.All.Count.ShouldBe(subjects * each);
        receiver.All.ShouldAllBe(message => IsSigned(message, secret));
        foreach (IGrouping<string, ReceivedMessage> subject in receiver.All.GroupBy(static message => message.Json.GetProperty("data").GetProperty("id").GetString()!))
            subject.Select(static message => message.Json.GetProperty("data").GetProperty("number").GetInt32()).ShouldBe(Enumerable.Range(0, each));
    }
}
