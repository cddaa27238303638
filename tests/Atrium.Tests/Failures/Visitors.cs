using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;

namespace Atrium.Tests.Failures;

/// <summary>A server whose database a test can make fail.</summary>
internal sealed class FailingServer(Func<string, Task<string>> newDatabase) : DemoServer
{
    protected override Task<string> NewDatabaseAsync(string path) => newDatabase(path);
}

/// <summary>Comes through every door with something that must be written, and looks at the health.</summary>
internal sealed class Visitors(DemoServer server)
{
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(30);

    private readonly OAuthBrowser atTheForm = new(server);
    private string refreshToken = "";
    private HostedForm? form;
    private int people;

    /// <summary>Through every door once, so that there is something to lose.</summary>
    public async Task ArriveAsync()
    {
        refreshToken = (await new OAuthBrowser(server).TokensAsync("sam@example.test")).RefreshToken;
        await ShouldBeServedAsync();
        form = await atTheForm.OpenAsync(OAuthBrowser.Authorize());
    }

    /// <summary>Everything goes on: nothing that was acknowledged is lost, the newest refresh token above all.</summary>
    public async Task ShouldBeServedAsync()
    {
        Told[] answers = await Task.WhenAll(EachDoor().Select(SendAsync));
        foreach (Told one in answers)
            ((int)one.Status).ShouldBeInRange(200, 399, one.Text);
        refreshToken = JsonElement.Parse(answers[0].Text).GetProperty("refresh_token").GetString()!;
    }

    /// <summary>Every door says it in its own envelope, with the id of one of these troubles, and says when to come again.</summary>
    public async Task ShouldAllBeToldToComeAgainAsync(params string[] ids)
    {
        Told[] told = await Task.WhenAll(EachDoor().Select(SendAsync));
        foreach (Told one in told)
        {
            one.Status.ShouldBe(HttpStatusCode.ServiceUnavailable, one.Text);
            one.RetryAfter.ShouldBeInRange(1, 30);
            ids.ShouldContain(id => one.Text.Contains(id), one.Text);
            one.Text.ShouldNotContain("Npgsql");
            one.Text.ShouldNotContain("SQLite");
            one.Text.ShouldNotContain("sign_ins");
        }

        JsonElement token = JsonElement.Parse(told[0].Text);
        token.GetProperty("error").GetString().ShouldBe("temporarily_unavailable");
        told[1].Text.ShouldContain("Try again");
        JsonElement authKit = JsonElement.Parse(told[2].Text);
        (authKit.GetProperty("code").GetString(), authKit.GetProperty("error").GetString()).ShouldBe(("temporarily_unavailable", "temporarily_unavailable"));
        JsonElement.Parse(told[3].Text).EnumerateObject().Select(static member => member.Name).ShouldBe(["code", "message", "description", "traceId"]);
    }

    /// <summary>Unready with this reason, told within bounded time.</summary>
    public async Task ShouldBeUnreadyAsync(params string[] reasons)
    {
        Stopwatch waited = Stopwatch.StartNew();
        using HttpResponseMessage health = await server.Http.GetAsync("/health/ready");
        string text = await health.Content.ReadAsStringAsync();
        health.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable, text);
        waited.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10), "2 seconds, with room for a busy machine");
        reasons.ShouldContain(JsonElement.Parse(text).GetProperty("reason").GetString());
        health.Headers.RetryAfter.ShouldNotBeNull();
        (await server.Http.GetAsync("/health/live")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    public Task ShouldBecomeReadyAsync() => ShouldBecomeAsync(HttpStatusCode.OK);

    public async Task ShouldBecomeUnreadyAsync(params string[] reasons)
    {
        await ShouldBecomeAsync(HttpStatusCode.ServiceUnavailable);
        await ShouldBeUnreadyAsync(reasons);
    }

    /// <summary>Sends the password page that was opened on arrival.</summary>
    public Task<HttpResponseMessage> SubmitOpenFormAsync() => atTheForm.SubmitPasswordAsync(form!, "sam@example.test");

    private async Task ShouldBecomeAsync(HttpStatusCode status)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (true)
        {
            using HttpResponseMessage health = await server.Http.GetAsync("/health/ready");
            if (health.StatusCode == status)
                return;
            waited.Elapsed.ShouldBeLessThan(Recovery, await health.Content.ReadAsStringAsync());
            await Task.Delay(50);
        }
    }

    private static async Task<Told> ReadAsync(HttpResponseMessage answer) => new(
        answer.StatusCode,
        answer.Headers.TryGetValues("Retry-After", out IEnumerable<string>? wait) ? int.Parse(wait.Single(), CultureInfo.InvariantCulture) : 0,
        await answer.Content.ReadAsStringAsync());

    private async Task<Told> SendAsync(HttpRequestMessage request)
    {
        using HttpResponseMessage answer = await server.Http.SendAsync(request);
        return await ReadAsync(answer);
    }

    private HttpRequestMessage[] EachDoor()
    {
        HttpRequestMessage authKit = new(HttpMethod.Post, "/user_management/users")
        {
            Content = new StringContent($$"""{"email":"new-{{++people}}@example.test"}""", System.Text.Encoding.UTF8, "application/json"),
        };
        authKit.Headers.Authorization = new("Bearer", Server.Demo.DemoRealm.ApiKey);
        return
        [
            OAuthBrowser.FormOf($"{OAuthBrowser.Root}/token", ("grant_type", "refresh_token"), ("client_id", "demo-web"), ("refresh_token", refreshToken)),
            new(HttpMethod.Get, OAuthBrowser.Authorize()),
            authKit,
            OAuthBrowser.FormOf(
                $"{OAuthBrowser.Root}/oauth2/authorize",
                ("client_id", "demo-native"), ("response_type", "code"), ("response_mode", "direct"),
                ("redirect_uri", Server.Demo.DemoRealm.NativeCallback), ("scope", "openid")),
        ];
    }

    private sealed record Told(HttpStatusCode Status, int RetryAfter, string Text);
}
