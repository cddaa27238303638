using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AppNative;

/// <summary>An answer of the door, read.</summary>
internal sealed record Answer(HttpStatusCode Status, string? ContentType, HttpResponseMessage Response, JsonElement Json)
{
    public string FlowId => Json.GetProperty("flowId").GetString()!;

    public string FlowStatus => Json.GetProperty("flowStatus").GetString()!;

    public string StepType => Json.GetProperty("nextStep").GetProperty("stepType").GetString()!;

    public string Link => Json.GetProperty("links")[0].GetProperty("href").GetString()!;

    public string Code => Json.GetProperty("authData").GetProperty("code").GetString()!;

    public string[] Options =>
        [.. Json.GetProperty("nextStep").GetProperty("authenticators").EnumerateArray().Select(static option => option.GetProperty("authenticatorId").GetString()!)];

    public JsonElement Message => Json.GetProperty("nextStep").GetProperty("messages")[0];

    public Answer ShouldPrompt(string flowStatus, params string[] options)
    {
        Status.ShouldBe(HttpStatusCode.OK, Json.ToString());
        ContentType.ShouldBe("application/json");
        FlowStatus.ShouldBe(flowStatus);
        Options.ShouldBe(options);
        return this;
    }

    public Answer ShouldFail(string messageId, params string[] options)
    {
        ShouldPrompt("FAIL_INCOMPLETE", options);
        StepType.ShouldBe("AUTHENTICATOR_PROMPT");
        Message.GetProperty("messageId").GetString().ShouldBe(messageId);
        return this;
    }

    public Answer ShouldComplete()
    {
        Status.ShouldBe(HttpStatusCode.OK, Json.ToString());
        FlowStatus.ShouldBe("SUCCESS_COMPLETED");
        return this;
    }

    /// <summary>The door's envelope, whole: four members, all text, and a UUID to find the log by.</summary>
    public Answer ShouldBeError(int status, string code)
    {
        ((int)Status).ShouldBe(status, Json.ToString());
        ContentType.ShouldBe("application/json");
        Json.EnumerateObject().Select(static member => member.Name).ShouldBe(["code", "message", "description", "traceId"]);
        Json.GetProperty("code").GetString().ShouldBe(code);
        Json.GetProperty("message").GetString().ShouldNotBeNullOrEmpty();
        Json.GetProperty("description").GetString().ShouldNotBeNullOrEmpty();
        Guid trace = Guid.ParseExact(Json.GetProperty("traceId").GetString()!, "D");
        Response.Headers.GetValues("X-Request-ID").ShouldHaveSingleItem().ShouldBe($"req_{trace:n}");
        return this;
    }
}

/// <summary>An application that signs people in by the app-native door of the demo realm.</summary>
internal sealed class NativeApp(DemoServer server, string clientId = "demo-native")
{
    public const string Basic = "QmFzaWNBdXRoZW50aWNhdG9yOkxPQ0FM";
    public const string Totp = "dG90cDpMT0NBTA";
    public const string Sso = "T3JnYW5pemF0aW9uSWRlbnRpZmllckhhbmRsZXI6TE9DQUw";
    public const string Root = "/t/acme";

    private readonly AuthenticatorApp app = new(server);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public World World { get; } = new(server);

    public Dictionary<string, string> Request { get; } = new()
    {
        ["client_id"] = clientId,
        ["response_type"] = "code",
        ["response_mode"] = "direct",
        ["redirect_uri"] = DemoRealm.NativeCallback,
        ["scope"] = "openid profile internal_login",
        ["state"] = "s1_request_0",
    };

    public Task<Answer> StartAsync(params (string Name, string? Value)[] changes) => StartAtAsync(Root, changes);

    /// <param name="changes">Parameters to add or replace; null leaves one out.</param>
    public async Task<Answer> StartAtAsync(string basePath, params (string Name, string? Value)[] changes)
    {
        using FormUrlEncodedContent form = new(Changed(changes));
        return await SendAsync(new HttpRequestMessage(HttpMethod.Post, $"{basePath}/oauth2/authorize") { Content = form });
    }

    public Dictionary<string, string> Changed(params (string Name, string? Value)[] changes)
    {
        Dictionary<string, string> parameters = new(Request);
        foreach ((string name, string? value) in changes)
        {
            parameters.Remove(name);
            if (value is not null)
                parameters[name] = value;
        }

        return parameters;
    }

    /// <summary>Answers where the last answer said to.</summary>
    public Task<Answer> AnswerAsync(Answer last, string authenticatorId, object? parameters = null) =>
        AnswerAtAsync(last.Link, last.FlowId, authenticatorId, parameters);

    public async Task<Answer> AnswerAtAsync(string address, string flowId, string authenticatorId, object? parameters = null)
    {
        object selected = parameters is null ? new { authenticatorId } : new { authenticatorId, @params = parameters };
        return await SendAsync(new HttpRequestMessage(HttpMethod.Post, address) { Content = JsonContent.Create(new { flowId, selectedAuthenticator = selected }) });
    }

    public Task<Answer> PasswordAsync(Answer last, string username, string password = DemoRealm.Password) =>
        AnswerAsync(last, Basic, new { username, password });

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using HttpRequestMessage sent = request;
        HttpResponseMessage response = await server.Http.SendAsync(sent, Cancellation);
        string text = await response.Content.ReadAsStringAsync(Cancellation);
        using JsonDocument json = JsonDocument.Parse(text.Length == 0 ? "{}" : text);
        return new Answer(response.StatusCode, response.Content.Headers.ContentType?.ToString(), response, json.RootElement.Clone());
    }

    /// <summary>The path of an organization of the realm, by its handle.</summary>
    public async Task<string> PathOfAsync(string handle) => $"{Root}/o/{await OrganizationAsync(handle)}";

    public async Task<Id<Organization>> OrganizationAsync(string handle, string realmHandle = "acme") =>
        (await World.OrganizationAsync(handle, realmHandle)).Id;

    /// <summary>A client that the demo has none of.</summary>
    public async Task MakeClientAsync(Func<Client, Client> change, params string[] sharedWith)
    {
        Client client = await World.ClientAsync(
            clientId,
            new ClientSettings { PkceRequired = false, AppNative = new AppNativeSettings { Enabled = true } },
            made => change(made with
            {
                Type = ClientType.Native, RedirectUris = [DemoRealm.NativeCallback], PostLogoutRedirectUris = [], SharedWithAll = false,
            }));
        foreach (string handle in sharedWith)
            await server.Get<ClientSharingStore>().ShareAsync(client.RealmId, client.Id, await OrganizationAsync(handle), Origin.System, Cancellation);
    }

    /// <summary>The code that Tom's app shows, after enough time that none of its steps was used.</summary>
    public string FreshTotp()
    {
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        return app.Code();
    }

    public string WrongTotp() => app.WrongCode();
}
