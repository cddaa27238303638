using System.Net;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;

namespace Atrium.Tests.Consent;

/// <summary>An application of somebody else's, and a browser that signs in to it.</summary>
internal sealed class ThirdParty(DemoServer server, string clientId)
{
    public string ClientId => clientId;

    public OAuthBrowser Browser { get; } = new(server);

    /// <summary>A resource that it may ask for.</summary>
    public const string Resource = "https://api.example.test";

    /// <summary>Registers such an application.</summary>
    public static async Task<ThirdParty> NewAsync(DemoServer server, string clientId, Func<Client, Client>? change = null, ClientSettings? settings = null)
    {
        settings ??= new ClientSettings();
        await new World(server).ClientAsync(clientId, settings with { FirstParty = false, Openid = settings.Openid with { Resources = [Resource] } }, change);
        return new ThirdParty(server, clientId);
    }

    /// <summary>The same application in another browser.</summary>
    public ThirdParty Elsewhere() => new(server, clientId);

    public string Authorize(params (string Name, string? Value)[] changes) => OAuthBrowser.Authorize([("client_id", clientId), .. changes]);

    /// <summary>Over the password page to the one that asks.</summary>
    public async Task<HostedForm> AskAsync(string email, params (string Name, string? Value)[] changes)
    {
        HostedForm form = await Browser.OpenAsync(Authorize(changes));
        using HttpResponseMessage asked = await Browser.SubmitPasswordAsync(form, email);
        HostedForm page = await Browser.FollowAsync(asked);
        page.Asks("decision").ShouldBeTrue(page.Html);
        return page;
    }

    /// <summary>The page that asks, of somebody who is signed in.</summary>
    public async Task<HostedForm> AskAgainAsync(params (string Name, string? Value)[] changes)
    {
        HostedForm page = await Browser.OpenAsync(Authorize(changes));
        page.Asks("decision").ShouldBeTrue(page.Html);
        return page;
    }

    /// <summary>A second sign-in in the same browser, from the password on.</summary>
    public Task<HostedForm> AskAgainSignedOutAsync(string email, params (string Name, string? Value)[] changes)
    {
        Browser.Cookies.Remove("atrium_session");
        return AskAsync(email, changes);
    }

    public Task<HttpResponseMessage> DecideAsync(HostedForm page, string decision) => Browser.SubmitAsync(page, ("decision", decision));

    public async Task<Arrival> AllowAsync(HostedForm page)
    {
        using HttpResponseMessage done = await DecideAsync(page, "allow");
        return Arrival.At(done);
    }

    /// <summary>Signs in for the first time, allows what is asked, and redeems the code.</summary>
    public async Task<TokenReply> TokensAsync(string email, params (string Name, string? Value)[] changes) =>
        await RedeemAsync((await AllowAsync(await AskAsync(email, changes))).Code);

    public Task<Arrival> SilentlyAsync(params (string Name, string? Value)[] changes) => Browser.SilentlyAsync([("client_id", clientId), .. changes]);

    public async Task<TokenReply> RedeemAsync(string code)
    {
        TokenReply reply = await Browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", clientId), ("code", code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }

    public Task<TokenReply> RefreshAsync(TokenReply tokens) =>
        Browser.TokenAsync(("grant_type", "refresh_token"), ("client_id", clientId), ("refresh_token", tokens.RefreshToken));
}
