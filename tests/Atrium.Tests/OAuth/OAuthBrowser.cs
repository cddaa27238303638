using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Atrium.Core.Tokens;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Microsoft.AspNetCore.WebUtilities;
using Shouldly;

namespace Atrium.Tests.OAuth;

/// <summary>A browser and the application behind it: keeps cookies by hand, walks the hosted pages, redeems what comes back.</summary>
internal sealed class OAuthBrowser(DemoServer server)
{
    public const string Verifier = "the-verifier-of-every-test-0123456789-abcdefgh";
    public const string State = "state with spaces & ünïcode/+%=";
    public const string Root = "/t/acme";

    public Dictionary<string, string> Cookies { get; } = new(StringComparer.Ordinal);

    public string Issuer => server.Url + Root;

    /// <summary>A good authorization request of demo-web, with these parameters changed; null takes one away.</summary>
    public static string Authorize(params (string Name, string? Value)[] changes) => Authorize($"{Root}/authorize", changes);

    public static string Authorize(string path, params (string Name, string? Value)[] changes)
    {
        Dictionary<string, string?> parameters = new(StringComparer.Ordinal)
        {
            ["response_type"] = "code",
            ["client_id"] = "demo-web",
            ["redirect_uri"] = DemoRealm.Callback,
            ["scope"] = "openid profile email",
            ["state"] = State,
            ["nonce"] = "the-nonce",
            ["code_challenge"] = Pkce.ChallengeOf(Verifier),
            ["code_challenge_method"] = "S256",
        };
        foreach ((string name, string? value) in changes)
            parameters[name] = value;
        return QueryHelpers.AddQueryString(path, parameters.Where(static parameter => parameter.Value is not null));
    }

    public Task<HttpResponseMessage> GetAsync(string url) => SendAsync(new HttpRequestMessage(HttpMethod.Get, url));

    /// <summary>A document that anybody may read.</summary>
    public async Task<JsonElement> GetJsonAsync(string url)
    {
        using HttpResponseMessage response = await GetAsync(url);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, url);
        return JsonElement.Parse(await response.Content.ReadAsStringAsync());
    }

    public Task<HttpResponseMessage> PostAsync(string url, params (string Name, string Value)[] fields) => SendAsync(FormOf(url, fields));

    public static HttpRequestMessage FormOf(string url, params (string Name, string Value)[] fields) => new(HttpMethod.Post, url)
    {
        Content = new FormUrlEncodedContent(fields.Select(static field => KeyValuePair.Create(field.Name, field.Value))),
    };

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request)
    {
        if (Cookies.Count > 0)
            request.Headers.Add("Cookie", string.Join("; ", Cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}")));
        HttpResponseMessage response = await server.Http.SendAsync(request);
        if (response.Headers.TryGetValues("Set-Cookie", out IEnumerable<string>? set))
        {
            foreach (string cookie in set)
            {
                string[] pair = cookie.Split(';')[0].Split('=', 2);
                if (pair[1].Length == 0)
                    Cookies.Remove(pair[0]);
                else
                    Cookies[pair[0]] = pair[1];
            }
        }

        return response;
    }

    /// <summary>Opens the first page of a sign-in.</summary>
    public async Task<HostedForm> OpenAsync(string authorize)
    {
        using HttpResponseMessage started = await GetAsync(authorize);
        started.StatusCode.ShouldBe(HttpStatusCode.SeeOther, await started.Content.ReadAsStringAsync());
        return await FollowAsync(started);
    }

    public async Task<HostedForm> FollowAsync(HttpResponseMessage redirect)
    {
        string location = redirect.Headers.Location!.OriginalString;
        location.ShouldStartWith($"{Root}/sign-in?");
        using HttpResponseMessage page = await GetAsync(location);
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        return new HostedForm(location, await page.Content.ReadAsStringAsync());
    }

    public Task<HttpResponseMessage> SubmitAsync(HostedForm form, params (string Name, string Value)[] fields) =>
        PostAsync($"{Root}/sign-in", [.. form.Hidden, .. fields]);

    public Task<HttpResponseMessage> SubmitPasswordAsync(HostedForm form, string email, string password = DemoRealm.Password) =>
        SubmitAsync(form, ("email", email), ("password", password));

    /// <summary>From the authorization request over the password page to what the client gets.</summary>
    public async Task<Arrival> SignInAsync(string email, params (string Name, string? Value)[] changes)
    {
        HostedForm form = await OpenAsync(Authorize(changes));
        using HttpResponseMessage done = await SubmitPasswordAsync(form, email);
        return Arrival.At(done);
    }

    /// <summary>What the client gets at once, without a page.</summary>
    public async Task<Arrival> SilentlyAsync(params (string Name, string? Value)[] changes)
    {
        using HttpResponseMessage done = await GetAsync(Authorize(changes));
        return Arrival.At(done);
    }

    public Task<TokenReply> TokenAsync(params (string Name, string Value)[] fields) => TokenAtAsync($"{Root}/token", fields);

    public async Task<TokenReply> TokenAtAsync(string path, params (string Name, string Value)[] fields)
    {
        using HttpRequestMessage request = FormOf(path, fields);
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        return new TokenReply(response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync()), response.Headers.CacheControl?.NoStore == true);
    }

    public Task<TokenReply> RedeemAsync(string code, params (string Name, string Value)[] more) => TokenAsync(
        [
            ("grant_type", "authorization_code"), ("client_id", "demo-web"), ("code", code), ("redirect_uri", DemoRealm.Callback),
            ("code_verifier", Verifier), .. more,
        ]);

    public Task<TokenReply> RefreshAsync(string token, params (string Name, string Value)[] more) =>
        TokenAsync([("grant_type", "refresh_token"), ("client_id", "demo-web"), ("refresh_token", token), .. more]);

    /// <summary>Signs in and redeems; fails the test unless both go well.</summary>
    public async Task<TokenReply> TokensAsync(string email, params (string Name, string? Value)[] changes)
    {
        Arrival arrival = await SignInAsync(email, changes);
        TokenReply reply = await RedeemAsync(arrival.Code);
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }

    public async Task<(HttpStatusCode Status, JsonElement Json, string? Challenge)> UserInfoAsync(string token)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, $"{Root}/userinfo");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync()), response.Headers.WwwAuthenticate.ToString());
    }

    public static JsonElement ClaimsOf(string jwt) => Jwts.ClaimsOf(jwt);
}

/// <summary>A hosted page with its form.</summary>
internal sealed record HostedForm(string Location, string Html)
{
    public (string Name, string Value)[] Hidden =>
    [
        .. Regex.Matches(Html, "<input type=\"hidden\" name=\"([^\"]*)\" value=\"([^\"]*)\"")
            .Select(static match => (match.Groups[1].Value, WebUtility.HtmlDecode(match.Groups[2].Value))),
    ];

    public bool Asks(string field) => Html.Contains($"name=\"{field}\"", StringComparison.Ordinal);
}

/// <summary>The client's callback with its parameters.</summary>
internal sealed record Arrival(Uri Url)
{
    public string this[string name] => QueryHelpers.ParseQuery(Url.Query).TryGetValue(name, out var values) ? values.ToString() : "";

    public string Code => this["code"] is { Length: > 0 } code ? code : throw new ShouldAssertException($"No code came: {Url}");

    public static Arrival At(HttpResponseMessage response)
    {
        response.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        string location = response.Headers.Location!.OriginalString;
        location.ShouldStartWith("http://localhost:3000/callback?");
        return new Arrival(new Uri(location));
    }
}

/// <summary>The token endpoint's answer.</summary>
internal sealed record TokenReply(HttpStatusCode Status, JsonElement Json, bool IsNeverStored)
{
    public string? Error => TextOf("error");

    public string? Description => TextOf("error_description");

    public string AccessToken => TextOf("access_token")!;

    public string RefreshToken => TextOf("refresh_token")!;

    public JsonElement Access => OAuthBrowser.ClaimsOf(AccessToken);

    public JsonElement Identity => OAuthBrowser.ClaimsOf(TextOf("id_token")!);

    public JsonElement Refresh => OAuthBrowser.ClaimsOf(RefreshToken);

    /// <summary>The ids of the <c>organizations</c> claim.</summary>
    public string[] Organizations => [.. Access.GetProperty("organizations").EnumerateArray().Select(static entry => entry.GetProperty("id").GetString()!)];

    public void ShouldBeRefused(string error, string id)
    {
        (Error, Status).ShouldBe((error, error == "invalid_client" ? HttpStatusCode.Unauthorized : HttpStatusCode.BadRequest), Json.ToString());
        Description!.ShouldEndWith($"({id})");
    }

    private string? TextOf(string name) => Json.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
}
