using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;

namespace Atrium.Tests.OAuth;

/// <summary>A client that holds a key: its requests bring proofs, good ones unless a test says otherwise.</summary>
internal sealed class DpopCalls(DemoServer server, DpopKey key)
{
    public const string TokenPath = $"{OAuthBrowser.Root}/token", UserInfoPath = $"{OAuthBrowser.Root}/userinfo";

    private static readonly (string Name, string Value)[] Machine =
        [("grant_type", "client_credentials"), ("client_id", "demo-m2m"), ("client_secret", DemoRealm.MachineSecret)];

    public string Jkt => key.Jkt;

    /// <summary>A proof for the token endpoint.</summary>
    public string TokenProof(Action<JsonObject, JsonObject>? change = null, string path = TokenPath) =>
        key.Proof("POST", server.Url + path, server.Clock.GetUtcNow(), token: null, change);

    /// <summary>A proof for a look at userinfo with this token.</summary>
    public string UserInfoProof(string token, Action<JsonObject, JsonObject>? change = null) =>
        key.Proof("GET", server.Url + UserInfoPath, server.Clock.GetUtcNow(), token, change);

    public Task<DpopReply> MachineTokenAsync(string? proof = null) => TokenAsync(proof ?? TokenProof(), Machine);

    public Task<DpopReply> MachineTokenAsync(Action<JsonObject, JsonObject> change) => TokenAsync(TokenProof(change), Machine);

    public Task<DpopReply> RedeemAsync(string code, string? proof = null, string client = "demo-web") => TokenAsync(
        proof ?? TokenProof(),
        ("grant_type", "authorization_code"), ("client_id", client), ("code", code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));

    public Task<DpopReply> RefreshAsync(string token, string? proof = null, string client = "demo-web") =>
        TokenAsync(proof ?? TokenProof(), ("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token));

    /// <summary>An empty proof sends none.</summary>
    public Task<DpopReply> TokenAsync(string proof, params (string Name, string Value)[] fields) => TokenAtAsync(TokenPath, proof, fields);

    public async Task<DpopReply> TokenAtAsync(string path, string proof, params (string Name, string Value)[] fields)
    {
        using HttpRequestMessage request = OAuthBrowser.FormOf(path, fields);
        return await SendAsync(request, proof);
    }

    public Task<DpopReply> UserInfoAsync(string token) => UserInfoAsync("DPoP", token, UserInfoProof(token));

    public async Task<DpopReply> UserInfoAsync(string scheme, string token, string proof)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, UserInfoPath);
        request.Headers.TryAddWithoutValidation("Authorization", $"{scheme} {token}");
        return await SendAsync(request, proof);
    }

    /// <summary>Signs in and redeems; fails the test unless both go well.</summary>
    public async Task<DpopReply> TokensAsync(string email, params (string Name, string? Value)[] changes)
    {
        Arrival arrival = await new OAuthBrowser(server).SignInAsync(email, changes);
        DpopReply reply = await RedeemAsync(arrival.Code);
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }

    private async Task<DpopReply> SendAsync(HttpRequestMessage request, string proof)
    {
        if (proof.Length > 0)
            request.Headers.TryAddWithoutValidation("DPoP", proof);
        using HttpResponseMessage response = await server.Http.SendAsync(request);
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        return new DpopReply(
            response.StatusCode,
            JsonElement.Parse(await response.Content.ReadAsStringAsync()),
            response.Headers.TryGetValues("DPoP-Nonce", out IEnumerable<string>? nonces) ? nonces.ShouldHaveSingleItem() : null,
            response.Headers.TryGetValues("WWW-Authenticate", out IEnumerable<string>? challenges) ? string.Join(", ", challenges) : "");
    }
}

/// <summary>An answer to a request with a proof.</summary>
internal sealed record DpopReply(HttpStatusCode Status, JsonElement Json, string? Nonce, string Challenge)
{
    public string this[string name] => Json.TryGetProperty(name, out JsonElement value) ? value.ToString() : "";

    public string AccessToken => this["access_token"];

    public string RefreshToken => this["refresh_token"];

    /// <summary>The key that the access token is bound to; null for a bearer token.</summary>
    public string? Jkt => Jwts.ClaimsOf(AccessToken).TryGetProperty("cnf", out JsonElement confirmation) ? confirmation.GetProperty("jkt").GetString() : null;

    /// <summary>Tokens, bound to this key; null for bearer tokens.</summary>
    public DpopReply ShouldBeBoundTo(string? jkt)
    {
        Status.ShouldBe(HttpStatusCode.OK, Json.ToString());
        (this["token_type"], Jkt).ShouldBe((jkt is null ? "Bearer" : "DPoP", jkt));
        return this;
    }

    public DpopReply ShouldBeRefused(string error, string id, HttpStatusCode status = HttpStatusCode.BadRequest)
    {
        (this["error"], Status).ShouldBe((error, status), Json.ToString());
        this["error_description"].ShouldEndWith($"({id})");
        return this;
    }
}
