using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Core.Webhooks;
using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Server.Webhooks;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Webhooks;

/// <summary>A stop in the middle loses no message, and what happens while no server runs is told by the next.</summary>
public sealed class RestartDeliveryTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-test-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_server_that_stops_leaves_its_messages_to_the_next_one()
    {
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = static (_, context) => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted);
        WebApplication first = await StartAsync();
        await new DemoRealm(first.Services).EnsureAsync(default);
        Id<Realm> realm = (await first.Services.GetRequiredService<RealmStore>().FindByHandleAsync(DemoRealm.Handle, default))!.Id;
        string secret = await MakeEndpointAsync(first, realm, receiver.Url);
        await HappenAsync(first.Services.GetRequiredService<Database>(), realm, "usr_1");
        ReceivedMessage sent = await receiver.NextAsync();
        await first.StopAsync();
        await first.DisposeAsync();

        await using (Database database = await Database.OpenAsync(Options.Database, default))
            await HappenAsync(database, realm, "usr_2");
        receiver.AnswerWith(204);
        await using WebApplication second = await StartAsync();
        ReceivedMessage[] arrived = [await receiver.NextAsync(), await receiver.NextAsync()];
        arrived.ShouldAllBe(message => WebhookCalls.IsSigned(message, secret));
        arrived.Select(static message => message.Json.GetProperty("data").GetProperty("id").GetString()).ShouldBe(["usr_1", "usr_2"], ignoreOrder: true);
        arrived.ShouldContain(message => message.EventId == sent.EventId);
        await second.StopAsync();
    }

    private AtriumOptions Options => new()
    {
        Urls = "http://127.0.0.1:0",
        Database = $"Data Source={Path.Combine(folder, "atrium.db")}",
        KeyFile = Path.Combine(folder, "atrium.key"),
        Demo = true,
    };

    private async Task<WebApplication> StartAsync()
    {
        WebApplication app = await AtriumServer.BuildAsync(Options, TimeProvider.System, default);
        await app.StartAsync();
        return app;
    }

    private static async Task<string> MakeEndpointAsync(WebApplication app, Id<Realm> realm, string url)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        Webhook webhook = new()
        {
            RealmId = realm, Id = Id<Webhook>.New(TimeProvider.System), Name = "Test", Url = url, Events = ["user.*"], Dialect = WebhookDialect.Standard,
            Status = WebhookStatus.Active, CreatedAt = now, UpdatedAt = now,
        };
        Secret secret = WebhookSigner.NewSecret();
        WebhookSecret sealedSecret = app.Services.GetRequiredService<WebhookSecrets>().Seal(realm, webhook.Id, secret);
        await app.Services.GetRequiredService<WebhookStore>().CreateAsync(webhook, sealedSecret, Origin.System, default);
        return secret.Reveal();
    }

    private static Task HappenAsync(Database database, Id<Realm> realm, string subject) => database.RecordAsync(
        realm,
        Origin.System,
        (_, log) =>
        {
            log.Add(new EventDraft(EventTypes.UserUpdated, subject, $$"""{"id":"{{subject}}"}"""));
            return Task.FromResult(true);
        },
        default);
}
