using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Server.Webhooks;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;

namespace Atrium.Tests.Webhooks;

/// <summary>Makes endpoints, lets things happen, and looks what became of them.</summary>
internal sealed class WebhookCalls(DemoServer server) : IAsyncDisposable
{
    private const string Path = "/webhooks";

    private readonly List<string> made = [];

    public ManagementCalls Api { get; } = new(server);

    /// <summary>An endpoint with its secret.</summary>
    public async Task<(string Id, string Secret)> EndpointAsync(
        string url, string dialect = "standard", string? organization = null, params string[] events)
    {
        ManagementAnswer answer = (await Api.PostAsync(
            Path, new { name = "Test", url, dialect, organization_id = organization, events = events.Length == 0 ? ["*"] : events })).Expect(201);
        made.Add(answer.Id);
        return (answer.Id, answer["secret"]!);
    }

    /// <summary>The endpoints of one test are not told of what happens in the next.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (string id in made)
            await Api.DeleteAsync($"{Path}/{id}");
    }

    /// <summary>Something happens to a subject, as a change of the product's would tell it.</summary>
    public async Task HappenAsync(string type, string subject, object? data = null, Id<Organization>? organization = null) =>
        await server.Get<Database>().RecordAsync(
            (await RealmAsync()).Id,
            Origin.System,
            (_, log) =>
            {
                log.Add(new EventDraft(type, subject, JsonSerializer.Serialize(data ?? new { id = subject })) { OrganizationId = organization });
                return Task.FromResult(true);
            },
            default);

    public async Task<Realm> RealmAsync() => await new World(server).RealmAsync();

    /// <summary>Time passes, and the dispatcher looks what is due now.</summary>
    public void Pass(TimeSpan time)
    {
        server.Clock.Advance(time);
        server.Get<WebhookDispatcher>().Wake();
    }

    /// <summary>The only delivery of an endpoint, once it is as the test waits for it to be.</summary>
    public async Task<JsonElement> DeliveryAsync(string endpoint, Func<JsonElement, bool> isSo) =>
        (await DeliveriesAsync(endpoint, deliveries => deliveries.Count == 1 && isSo(deliveries[0])))[0];

    /// <summary>The deliveries of an endpoint, newest first, each with its attempts, once they are as the test waits for them to be.</summary>
    public async Task<IReadOnlyList<JsonElement>> DeliveriesAsync(string endpoint, Func<IReadOnlyList<JsonElement>, bool> areSo)
    {
        IReadOnlyList<JsonElement> found = [];
        for (int tries = 0; tries < 600; tries++)
        {
            List<JsonElement> whole = [];
            foreach (string id in (await Api.GetAsync($"{Path}/{endpoint}/deliveries?limit=100")).Expect(200).Ids)
                whole.Add((await Api.GetAsync($"{Path}/{endpoint}/deliveries/{id}")).Expect(200).Data);
            found = whole;
            if (areSo(found))
                return found;
            await Task.Delay(50);
        }

        throw new ShouldAssertException($"The deliveries did not become so: {string.Join('\n', found)}");
    }

    /// <summary>A function over how many attempts a delivery has had.</summary>
    public static Func<JsonElement, bool> Tried(int times) => delivery => delivery.GetProperty("attempts").GetArrayLength() == times;

    public static Func<JsonElement, bool> Is(string status) => delivery => delivery.GetProperty("status").GetString() == status;

    /// <summary>Verified as the specification says, apart from the code that signs.</summary>
    public static bool IsSigned(ReceivedMessage message, string secret)
    {
        byte[] signed = Encoding.UTF8.GetBytes($"{message.Headers["webhook-id"]}.{message.Headers["webhook-timestamp"]}.{message.Body}");
        string expected = "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), signed));
        return message.Headers["webhook-signature"].Split(' ').Contains(expected);
    }

    /// <summary>The same for WorkOS's header.</summary>
    public static bool IsSignedForAuthKit(ReceivedMessage message, string secret)
    {
        string[] parts = message.Headers["WorkOS-Signature"].Split(", ");
        parts.Length.ShouldBe(2);
        string timestamp = parts[0]["t=".Length..];
        return parts[1] == "v1=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes($"{timestamp}.{message.Body}")));
    }
}
