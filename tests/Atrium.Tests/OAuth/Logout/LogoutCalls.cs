using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Server.Logout;
using Atrium.Tests.Harness;
using Microsoft.AspNetCore.WebUtilities;
using Shouldly;

namespace Atrium.Tests.OAuth.Logout;

/// <summary>Applications that want to hear of the end of a session, people who sign in to them, and the ways in which a session ends.</summary>
internal sealed class LogoutCalls(DemoServer server)
{
    private static int number;

    public World World { get; } = new(server);

    /// <summary>A public client with these settings, under a name of its own.</summary>
    public Task<Client> ClientAsync(LogoutSettings logout, Func<Client, Client>? change = null) =>
        World.ClientAsync($"rp-{Interlocked.Increment(ref number)}", new ClientSettings { Logout = logout }, change);

    /// <summary>One that is told at the receiver's address.</summary>
    public Task<Client> ToldAsync(WebhookReceiver receiver, Func<Client, Client>? change = null) =>
        ClientAsync(new LogoutSettings { BackchannelUri = receiver.Url }, change);

    /// <summary>What a client gets: through the password page at first, without a page later.</summary>
    public async Task<TokenReply> TokensAsync(OAuthBrowser browser, Client client, string email = "sam@example.test")
    {
        Arrival arrival = browser.Cookies.ContainsKey("atrium_session")
            ? await browser.SilentlyAsync(("client_id", client.ClientId))
            : await browser.SignInAsync(email, ("client_id", client.ClientId));
        TokenReply reply = await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", client.ClientId), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback),
            ("code_verifier", OAuthBrowser.Verifier));
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }

    public static Task<TokenReply> RefreshAsync(OAuthBrowser browser, Client client, string token) =>
        browser.TokenAsync(("grant_type", "refresh_token"), ("client_id", client.ClientId), ("refresh_token", token));

    public static string IdTokenOf(TokenReply tokens) => tokens.Json.GetProperty("id_token").GetString()!;

    /// <summary>The address of a sign-out with these parameters.</summary>
    public static string Address(params (string Name, string Value)[] parameters) => QueryHelpers.AddQueryString(
        $"{OAuthBrowser.Root}/logout", parameters.Select(static parameter => KeyValuePair.Create(parameter.Name, (string?)parameter.Value)));

    /// <summary>The sign-out of the person's own application.</summary>
    public static async Task SignOutAsync(OAuthBrowser browser, TokenReply tokens)
    {
        using HttpResponseMessage done = await browser.GetAsync(Address(("id_token_hint", IdTokenOf(tokens))));
        done.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>Has all told that is due by the server's clock.</summary>
    public Task TellAsync() => server.Get<LogoutDispatcher>().DeliverAsync(CancellationToken.None);

    /// <summary>The logout token of a message.</summary>
    public static string TokenOf(ReceivedMessage message) => QueryHelpers.ParseQuery(message.Body)["logout_token"].ToString();

    public static JsonElement ClaimsOf(ReceivedMessage message) => Jwts.ClaimsOf(TokenOf(message));

    public static string? SidOf(ReceivedMessage message) => ClaimsOf(message).GetProperty("sid").GetString();
}
