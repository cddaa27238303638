using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Core.Clients;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Microsoft.AspNetCore.WebUtilities;
using Shouldly;

namespace Atrium.Tests.Conformance;

/// <summary>
/// A client as FAPI 2.0 wants one: it pushes its requests, proves itself by a key of its own, and binds its tokens to another. Whatever it sends, a
/// test may change.
/// </summary>
internal sealed class FapiClient
{
    private const string Root = OAuthBrowser.Root;

    private readonly DemoServer server;
    private readonly SigningParty keys;

    private FapiClient(DemoServer server, Client client, SigningParty keys)
    {
        this.server = server;
        this.keys = keys;
        Id = client.ClientId;
        Browser = new OAuthBrowser(server);
    }

    public string Id { get; }

    /// <summary>The person's.</summary>
    public OAuthBrowser Browser { get; }

    /// <summary>What its tokens are bound to.</summary>
    public SigningParty Holder { get; } = SigningParty.Of("ES256", kid: null);

    public string Issuer => server.Url + Root;

    public static async Task<FapiClient> RegisterAsync(DemoServer server, string algorithm = "ES256", bool firstParty = true)
    {
        SigningParty own = SigningParty.Of(algorithm);
        ClientSettings settings = new()
        {
            ClientAuth = ClientAuth.PrivateKeyJwt,
            FirstParty = firstParty,
            Jwks = new ClientKeySet([own.Key]),
            Openid = new OpenIdSettings { RequirePushedAuthorizationRequests = true, DpopBoundAccessTokens = true },
        };
        Client client = await new World(server).ClientAsync(
            $"fapi-{Guid.NewGuid():n}",
            settings,
            static client => client with { Type = ClientType.Web });
        return new FapiClient(server, client, own);
    }

    /// <summary>The thumbprint of a key (RFC 7638).</summary>
    public static string ThumbprintOf(SigningParty party) => Base64Url.EncodeToString(SHA256.HashData(
        Encoding.UTF8.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{party.Key.X}}","y":"{{party.Key.Y}}"}""")));

    /// <summary>A client assertion (RFC 7523 section 3).</summary>
    public string Assertion(Action<JsonObject>? change = null, string algorithm = "ES256", SigningParty? signer = null)
    {
        JsonObject claims = new()
        {
            ["iss"] = Id, ["sub"] = Id, ["aud"] = Issuer, ["jti"] = Guid.NewGuid().ToString(), ["iat"] = Seconds(), ["exp"] = Seconds(60),
        };
        change?.Invoke(claims);
        return (signer ?? keys).Sign(algorithm, claims);
    }

    /// <summary>A proof of possession (RFC 9449 section 4.2).</summary>
    public string Proof(string path, Action<JsonObject, JsonObject>? change = null, SigningParty? holder = null, string method = "POST", string? token = null)
    {
        holder ??= Holder;
        JsonObject header = new() { ["typ"] = "dpop+jwt", ["alg"] = "ES256", ["jwk"] = holder.Jwk() };
        JsonObject claims = new() { ["jti"] = Guid.NewGuid().ToString(), ["htm"] = method, ["htu"] = server.Url + path, ["iat"] = Seconds() };
        if (token is not null)
            claims["ath"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(token)));
        change?.Invoke(header, claims);
        return holder.Sign(header, claims);
    }

    /// <summary>Seconds since 1970, so many from now.</summary>
    public long Seconds(int fromNow = 0) => server.Clock.GetUtcNow().ToUnixTimeSeconds() + fromNow;

    /// <summary>The parameters of a good request, with changes; null takes one away.</summary>
    public (string Name, string Value)[] Request(params (string Name, string? Value)[] changes) =>
    [
        .. QueryHelpers.ParseQuery(OAuthBrowser.Authorize([("client_id", Id), .. changes]).Split('?')[1]).Select(static pair => (pair.Key, pair.Value.ToString())),
    ];

    public Task<TokenReply> PushAsync(params (string Name, string? Value)[] changes) => PushAsync(proof: null, changes);

    public Task<TokenReply> PushAsync(string? proof, params (string Name, string? Value)[] changes) => SendAsync($"{Root}/par", Request(changes), proof, Assertion());

    public async Task<string> PushedAsync(params (string Name, string? Value)[] changes) => UriOf(await PushAsync(changes));

    public static string UriOf(TokenReply pushed) => pushed.Status == System.Net.HttpStatusCode.Created
        ? pushed.Json.GetProperty("request_uri").GetString()!
        : throw new ShouldAssertException(pushed.Json.ToString());

    /// <summary>The address that the browser is sent to.</summary>
    public string Refer(string uri) => QueryHelpers.AddQueryString($"{Root}/authorize", new Dictionary<string, string?>(StringComparer.Ordinal) { ["client_id"] = Id, ["request_uri"] = uri });

    public async Task<Arrival> SignInAsync(string uri)
    {
        HostedForm form = await Browser.OpenAsync(Refer(uri));
        using HttpResponseMessage done = await Browser.SubmitPasswordAsync(form, "mia@example.test");
        return Arrival.At(done);
    }

    /// <summary>A code for a good request with these changes.</summary>
    public async Task<string> CodeAsync(params (string Name, string? Value)[] changes) => (await SignInAsync(await PushedAsync(changes))).Code;

    public static (string Name, string Value)[] CodeFields(string code, string? verifier = OAuthBrowser.Verifier) =>
    [
        ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", DemoRealm.Callback),
        .. verifier is null ? [] : new[] { ("code_verifier", verifier) },
    ];

    public Task<TokenReply> RedeemAsync(string code, string? proof = null, string? assertion = null) => TokenAsync(CodeFields(code), proof, assertion);

    /// <summary>With a good proof and assertion unless others are given.</summary>
    public Task<TokenReply> TokenAsync((string Name, string Value)[] fields, string? proof = null, string? assertion = null) =>
        SendAsync($"{Root}/token", fields, proof ?? Proof($"{Root}/token"), assertion ?? Assertion());

    /// <param name="proof">Null for no header.</param>
    /// <param name="assertion">Null for no authentication.</param>
    public async Task<TokenReply> SendAsync(string path, (string Name, string Value)[] fields, string? proof, string? assertion)
    {
        (string, string)[] authentication = assertion is null
            ? []
            : [("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), ("client_assertion", assertion)];
        using HttpRequestMessage request = OAuthBrowser.FormOf(path, [.. fields, .. authentication]);
        if (proof is not null)
            request.Headers.TryAddWithoutValidation("DPoP", proof);
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        return new TokenReply(response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync()), response.Headers.CacheControl?.NoStore == true);
    }

    /// <summary>Asks userinfo, as the resource that the suite calls.</summary>
    public async Task<System.Net.HttpStatusCode> CallAsync(string token, string? proof, string scheme = "DPoP")
    {
        using HttpRequestMessage request = new(HttpMethod.Get, $"{Root}/userinfo");
        request.Headers.TryAddWithoutValidation("Authorization", $"{scheme} {token}");
        if (proof is not null)
            request.Headers.TryAddWithoutValidation("DPoP", proof);
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        return response.StatusCode;
    }

    /// <summary>A good proof for such a call.</summary>
    public string CallProof(string token, Action<JsonObject, JsonObject>? change = null, SigningParty? holder = null) =>
        Proof($"{Root}/userinfo", change, holder, "GET", token);
}
