using System.Net;
using System.Text.RegularExpressions;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Microsoft.AspNetCore.WebUtilities;
using Shouldly;

namespace Atrium.Tests.SignUp;

/// <summary>Somebody who can't sign in yet, with a browser and a mailbox: walks the pages of a sign-up and of a forgotten password.</summary>
internal sealed partial class Newcomer(DemoServer server)
{
    public const string SignUpPath = "/t/acme/sign-up";
    public const string ForgotPath = "/t/acme/forgot-password";
    public const string Chosen = "A-Long-Passw0rd!";

    public OAuthBrowser Browser { get; } = new(server);

    /// <summary>Of the sign-in that was begun last.</summary>
    public string Handle { get; set; } = "";

    /// <summary>Changes the demo realm's settings.</summary>
    public static async Task SettingsAsync(DemoServer server, Func<RealmSettings, RealmSettings> change)
    {
        Realm realm = await new World(server).RealmAsync();
        (await server.Get<RealmStore>().ChangeAsync(realm, current => current with { Settings = change(current.Settings) }, Origin.System, default)).ShouldNotBeNull();
    }

    /// <summary>The first page of an authorization request.</summary>
    public async Task<string> BeginAsync(params (string Name, string? Value)[] changes)
    {
        using HttpResponseMessage started = await Browser.GetAsync(OAuthBrowser.Authorize(changes));
        started.StatusCode.ShouldBe(HttpStatusCode.SeeOther, await started.Content.ReadAsStringAsync());
        string location = started.Headers.Location!.OriginalString;
        Handle = QueryHelpers.ParseQuery(location[location.IndexOf('?', StringComparison.Ordinal)..])["handle"].ToString();
        using HttpResponseMessage page = await Browser.GetAsync(location);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await page.Content.ReadAsStringAsync();
    }

    public async Task<string> ShowAsync(string path, HttpStatusCode expected = HttpStatusCode.OK, string more = "")
    {
        using HttpResponseMessage page = await Browser.GetAsync($"{path}?handle={Handle}{more}");
        string html = WebUtility.HtmlDecode(await page.Content.ReadAsStringAsync());
        page.StatusCode.ShouldBe(expected, html);
        return html;
    }

    public Task<HttpResponseMessage> PostAsync(string path, params (string Name, string Value)[] fields) =>
        Browser.PostAsync(path, [("handle", Handle), .. fields]);

    /// <summary>Submits a form; the page that answers, or where it leads.</summary>
    public async Task<string> SubmitAsync(HttpStatusCode expected, string path, params (string Name, string Value)[] fields)
    {
        using HttpResponseMessage answer = await PostAsync(path, fields);
        string html = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
        answer.StatusCode.ShouldBe(expected, html);
        return expected == HttpStatusCode.SeeOther ? answer.Headers.Location!.OriginalString : html;
    }

    /// <summary>Sends the same form twenty times at once: where they lead.</summary>
    public async Task<string[]> SubmitAtOnceAsync(string path, params (string Name, string Value)[] fields) =>
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using HttpRequestMessage request = OAuthBrowser.FormOf(path, [("handle", Handle), .. fields]);
            request.Headers.Add("Cookie", string.Join("; ", Browser.Cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}")));
            using HttpResponseMessage answer = await server.Http.SendAsync(request);
            answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther, await answer.Content.ReadAsStringAsync());
            return answer.Headers.Location!.OriginalString;
        }));

    /// <summary>Has a code sent to an address.</summary>
    public async Task AskAsync(string path, string email) =>
        (await SubmitAsync(HttpStatusCode.SeeOther, path, ("email", email))).ShouldBe($"{path}?handle={Handle}");

    /// <summary>The code in the newest letter to this address.</summary>
    public async Task<string> CodeAsync(string email)
    {
        string text = (await new Mailbox(server).NewestAsync(email)).Text;
        return CodeLine().Match(text) is { Success: true } code ? code.Value.Trim() : throw new ShouldAssertException($"There is no code in: {text}");
    }

    /// <summary>Has a code sent and enters it.</summary>
    public async Task ShowMailboxAsync(string path, string email)
    {
        await AskAsync(path, email);
        await SubmitAsync(HttpStatusCode.SeeOther, path, ("code", await CodeAsync(email)));
    }

    /// <summary>Chooses a password at the end: where it leads.</summary>
    public Task<string> ChooseAsync(string path, params (string Name, string Value)[] more) =>
        SubmitAsync(HttpStatusCode.SeeOther, path, [("password", Chosen), ("repeated", Chosen), .. more]);

    /// <summary>The sign-in where it stands, which must be over: at the client.</summary>
    public async Task<Arrival> ArriveAsync()
    {
        using HttpResponseMessage done = await Browser.GetAsync($"/t/acme/sign-in?handle={Handle}");
        return Arrival.At(done);
    }

    /// <summary>From the authorization request to the client.</summary>
    public async Task<Arrival> SignUpAsync(string email, params (string Name, string Value)[] more)
    {
        await BeginAsync();
        await ShowMailboxAsync(SignUpPath, email);
        await ChooseAsync(SignUpPath, more);
        return await ArriveAsync();
    }

    [GeneratedRegex(@"^(?<code>\d{6}|[A-Z0-9]{4}-[A-Z0-9]{4})\s*$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex CodeLine();
}
