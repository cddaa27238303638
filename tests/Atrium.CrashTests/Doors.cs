using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Atrium.Server.Demo;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Atrium.CrashTests;

/// <summary>The OAuth door as a browser and the application behind it see it.</summary>
internal sealed partial class OAuthDoor(Wire wire)
{
    // RFC 7636 appendix B.
    private const string Verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    private const string Challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    private static readonly string Authorize = QueryHelpers.AddQueryString("/t/acme/authorize", new Dictionary<string, string?>(StringComparer.Ordinal)
    {
        ["client_id"] = "demo-web",
        ["response_type"] = "code",
        ["scope"] = "openid profile email",
        ["redirect_uri"] = DemoRealm.Callback,
        ["state"] = "s1",
        ["code_challenge"] = Challenge,
        ["code_challenge_method"] = "S256",
    });

    /// <summary>A code, for the password on the hosted page or for the session in the cookies; null when it was not answered to the end.</summary>
    public async Task<string?> CodeAsync(Dictionary<string, string> cookies, string email)
    {
        Reply reply = await SendAsync(HttpMethod.Get, Authorize, cookies);
        if (reply.Location is { } page && page.StartsWith('/'))
        {
            Reply form = await SendAsync(HttpMethod.Get, page, cookies);
            if (form.Ending != Ending.Done)
                return null;
            IEnumerable<KeyValuePair<string, string>> hidden = HiddenField().Matches(form.Body)
                .Select(static field => KeyValuePair.Create(field.Groups["name"].Value, WebUtility.HtmlDecode(field.Groups["value"].Value)));
            reply = await SendAsync(HttpMethod.Post, "/t/acme/sign-in", cookies, [.. hidden, new("email", email), new("password", DemoRealm.Password)]);
        }

        return CodeIn(reply);
    }

    /// <summary>A code for the session in the cookies, or none.</summary>
    public async Task<string?> CodeSilentlyAsync(Dictionary<string, string> cookies) =>
        CodeIn(await SendAsync(HttpMethod.Get, $"{Authorize}&prompt=none", cookies));

    public Task<Reply> RedeemAsync(string code) => TokenAsync(
        new("grant_type", "authorization_code"), new("client_id", "demo-web"), new("code", code), new("redirect_uri", DemoRealm.Callback), new("code_verifier", Verifier));

    public Task<Reply> RefreshAsync(string token) => TokenAsync(new("grant_type", "refresh_token"), new("client_id", "demo-web"), new("refresh_token", token));

    private static string? CodeIn(Reply reply) =>
        reply.Location is { } callback && callback.StartsWith(DemoRealm.Callback, StringComparison.Ordinal)
            && QueryHelpers.ParseQuery(new Uri(callback).Query).TryGetValue("code", out StringValues code)
            ? code.ToString()
            : null;

    private Task<Reply> TokenAsync(params KeyValuePair<string, string>[] fields) => SendAsync(HttpMethod.Post, "/t/acme/token", [], fields);

    private async Task<Reply> SendAsync(HttpMethod method, string path, Dictionary<string, string> cookies, KeyValuePair<string, string>[]? fields = null)
    {
        HttpRequestMessage request = new(method, path);
        if (fields is not null)
            request.Content = new FormUrlEncodedContent(fields);
        if (cookies.Count > 0)
            request.Headers.Add("Cookie", string.Join("; ", cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}")));
        Reply reply = await wire.SendAsync(request);
        foreach (string[] pair in reply.Cookies.Select(static cookie => cookie.Split(';')[0].Split('=', 2)))
            cookies[pair[0]] = pair[1];
        return reply;
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"(?<name>[^\"]*)\" value=\"(?<value>[^\"]*)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex HiddenField();
}

/// <summary>The AuthKit door as a back end sees it.</summary>
internal sealed class AuthKitDoor(Wire wire)
{
    private const string Authenticate = "/user_management/authenticate";
    private const string Users = "/user_management/users";

    /// <summary>Who is in two organizations gets a pending sign-in and a choice. Null when it was not answered to the end.</summary>
    public async Task<(string Pending, string Organization)?> PasswordAsync(string email)
    {
        Reply reply = await PostAsync(Authenticate, With("password", ("email", email), ("password", DemoRealm.Password)));
        return reply["pending_authentication_token"] is { } pending
            ? (pending, JsonElement.Parse(reply.Body).GetProperty("organizations")[0].GetProperty("id").GetString()!)
            : null;
    }

    public Task<Reply> ChooseAsync(string pending, string organization) => PostAsync(
        Authenticate,
        With("urn:workos:oauth:grant-type:organization-selection", ("pending_authentication_token", pending), ("organization_id", organization)));

    public Task<Reply> RefreshAsync(string token) => PostAsync(Authenticate, With("refresh_token", ("refresh_token", token)));

    public Task<Reply> CreateUserAsync(string email) => PostAsync(Users, new { email });

    public Task<Reply> CreateUserAsync(string email, string password) => PostAsync(Users, new { email, password, email_verified = true });

    public Task<Reply> AddMemberAsync(string user, string organization) =>
        PostAsync("/user_management/organization_memberships", new { user_id = user, organization_id = organization });

    /// <summary>The ids of the two that Mia is in.</summary>
    public async Task<string[]> OrganizationsAsync()
    {
        Reply reply = await PostAsync(Authenticate, With("password", ("email", "mia@example.test"), ("password", DemoRealm.Password)));
        return [.. JsonElement.Parse(reply.Body).GetProperty("organizations").EnumerateArray().Select(static one => one.GetProperty("id").GetString()!)];
    }

    public Task<Reply> FindUserAsync(string id) => SendAsync(new HttpRequestMessage(HttpMethod.Get, $"{Users}/{id}"));

    private static Dictionary<string, string> With(string grantType, params (string Key, string Value)[] more)
    {
        Dictionary<string, string> body = new(StringComparer.Ordinal)
        {
            ["client_id"] = "demo-authkit", ["client_secret"] = DemoRealm.ApiKey, ["grant_type"] = grantType,
        };
        foreach ((string key, string value) in more)
            body[key] = value;
        return body;
    }

    private Task<Reply> PostAsync(string path, object body) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body) });

    private Task<Reply> SendAsync(HttpRequestMessage request)
    {
        request.Headers.Authorization = new("Bearer", DemoRealm.ApiKey);
        return wire.SendAsync(request);
    }
}

/// <summary>The app-native door as a phone sees it.</summary>
internal sealed class AppNativeDoor(Wire wire)
{
    private const string Basic = "QmFzaWNBdXRoZW50aWNhdG9yOkxPQ0FM";
    private const string Organization = "T3JnYW5pemF0aW9uSWRlbnRpZmllckhhbmRsZXI6TE9DQUw";

    /// <summary>A flow in which the organization has been named; null when it was not answered to the end.</summary>
    public async Task<string?> FlowAsync()
    {
        Reply started = await FormAsync(
            "authorize", new("client_id", "demo-native"), new("response_type", "code"), new("response_mode", "direct"),
            new("redirect_uri", DemoRealm.NativeCallback), new("scope", "openid profile"));
        return started["flowId"] is { } flow && (await AnswerAsync(flow, Organization, new { orgHandle = "northwind" })).Ending == Ending.Done ? flow : null;
    }

    /// <summary>The code that a flow ends with, and how it ended.</summary>
    public async Task<(Ending Ending, string? Code)> PasswordAsync(string flow, string email)
    {
        Reply reply = await AnswerAsync(flow, Basic, new { username = email, password = DemoRealm.Password });
        if (reply.Ending != Ending.Done)
            return (reply.Ending, null);
        return reply["flowStatus"] == "SUCCESS_COMPLETED"
            ? (Ending.Done, JsonElement.Parse(reply.Body).GetProperty("authData").GetProperty("code").GetString())
            : (Ending.Refused, null);
    }

    public Task<Reply> RedeemAsync(string code) => FormAsync(
        "token", new("grant_type", "authorization_code"), new("client_id", "demo-native"), new("code", code), new("redirect_uri", DemoRealm.NativeCallback));

    public Task<Reply> RefreshAsync(string token) =>
        FormAsync("token", new("grant_type", "refresh_token"), new("client_id", "demo-native"), new("refresh_token", token));

    private Task<Reply> FormAsync(string path, params KeyValuePair<string, string>[] fields) =>
        wire.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/t/acme/oauth2/{path}") { Content = new FormUrlEncodedContent(fields) });

    private Task<Reply> AnswerAsync(string flow, string authenticator, object answer) => wire.SendAsync(
        new HttpRequestMessage(HttpMethod.Post, "/t/acme/oauth2/authn")
        {
            Content = JsonContent.Create(new { flowId = flow, selectedAuthenticator = new { authenticatorId = authenticator, @params = answer } }),
        });
}
