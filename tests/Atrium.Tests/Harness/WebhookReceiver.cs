using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Atrium.Tests.Harness;

/// <summary>A message as it came in.</summary>
internal sealed record ReceivedMessage(string Path, Dictionary<string, string> Headers, string Body)
{
    public System.Text.Json.JsonElement Json => System.Text.Json.JsonElement.Parse(Body);

    /// <summary>The event's id, whichever dialect it is in.</summary>
    public string EventId => Json.GetProperty("id").GetString()!;
}

/// <summary>A product's back end on a loopback port that is told what happens.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly Channel<ReceivedMessage> arrived = Channel.CreateUnbounded<ReceivedMessage>();

    private WebhookReceiver(WebApplication app) => this.app = app;

    public string Url { get; private set; } = "";

    /// <summary>What it answers from now on; 204 unless a test says otherwise.</summary>
    public Func<ReceivedMessage, HttpContext, Task> Answer { get; set; } = static (_, context) =>
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    };

    /// <summary>All that came.</summary>
    public ConcurrentQueue<ReceivedMessage> All { get; } = [];

    public static async Task<WebhookReceiver> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        WebApplication built = builder.Build();
        built.Urls.Add("http://127.0.0.1:0");
        WebhookReceiver receiver = new(built);
        built.Run(receiver.TakeAsync);
        await built.StartAsync();
        receiver.Url = built.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/hooks";
        return receiver;
    }

    /// <summary>From now on the answer is this status.</summary>
    public void AnswerWith(int status, params (string Name, string Value)[] headers) => Answer = (_, context) =>
    {
        context.Response.StatusCode = status;
        foreach ((string name, string value) in headers)
            context.Response.Headers[name] = value;
        return context.Response.WriteAsync($"status {status}");
    };

    /// <summary>The next message; one that does not come is a failure of the test.</summary>
    public async Task<ReceivedMessage> NextAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        return await arrived.Reader.ReadAsync(patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using StreamReader reader = new(context.Request.Body);
        ReceivedMessage message = new(
            context.Request.Path,
            context.Request.Headers.ToDictionary(static header => header.Key, static header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            await reader.ReadToEndAsync(context.RequestAborted));
        All.Enqueue(message);
        arrived.Writer.TryWrite(message);
        await Answer(message, context);
    }
}
