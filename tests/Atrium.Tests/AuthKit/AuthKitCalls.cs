using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;

namespace Atrium.Tests.AuthKit;

/// <summary>An answer of the door, its body read.</summary>
internal sealed record Answer(HttpStatusCode Status, string Text, HttpResponseMessage Message)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    public string? this[string key] => Json.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public Answer ShouldBe(HttpStatusCode status, string? code = null)
    {
        Status.ShouldBe(status, Text);
        if (code is not null)
            this["code"].ShouldBe(code);
        return this;
    }
}

/// <summary>Speaks to the AuthKit door of a demo server, and makes people and organizations behind it.</summary>
internal sealed class AuthKitCalls(DemoServer server)
{
    private readonly World world = new(server);

    public const string SelectionGrant = "urn:workos:oauth:grant-type:organization-selection";
    public const string TotpGrant = "urn:workos:oauth:grant-type:mfa-totp";
    public const string EmailGrant = "urn:workos:oauth:grant-type:email-verification:code";
    public const string AuthenticatePath = "/user_management/authenticate";

    public async Task<Answer> SendAsync(
        HttpMethod method, string path, object? body = null, string? key = DemoRealm.ApiKey, Action<HttpRequestMessage>? change = null)
    {
        using HttpRequestMessage request = new(method, path);
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (body is not null)
            request.Content = body as HttpContent ?? new StringContent(body as string ?? JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        change?.Invoke(request);
        HttpResponseMessage answer = await server.Http.SendAsync(request);
        return new Answer(answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer);
    }

    public Task<Answer> GetAsync(string path, string? key = DemoRealm.ApiKey) => SendAsync(HttpMethod.Get, path, key: key);

    public Task<Answer> PostAsync(string path, object body, string? key = DemoRealm.ApiKey) => SendAsync(HttpMethod.Post, path, body, key);

    /// <summary>A call of the authenticate endpoint as a back end makes it; a value that is null leaves the key out.</summary>
    public Task<Answer> AuthenticateAsync(string grantType, params (string Key, string? Value)[] keys) =>
        AuthenticateAsync("demo-authkit", DemoRealm.ApiKey, grantType, keys);

    public Task<Answer> AuthenticateAsync(string clientId, string? secret, string grantType, params (string Key, string? Value)[] keys)
    {
        Dictionary<string, string?> body = new() { ["client_id"] = clientId, ["client_secret"] = secret, ["grant_type"] = grantType };
        foreach ((string key, string? value) in keys)
            body[key] = value;
        return SendAsync(HttpMethod.Post, AuthenticatePath, body, key: null);
    }

    public Task<Answer> PasswordAsync(string email, string password = DemoRealm.Password) =>
        AuthenticateAsync("password", ("email", email), ("password", password));

    public Task<Answer> SelectAsync(string? pendingToken, string organization) =>
        AuthenticateAsync(SelectionGrant, ("pending_authentication_token", pendingToken), ("organization_id", organization));

    /// <summary>Signs in somebody who has a second factor and one organization.</summary>
    public async Task<Answer> SignInWithFactorAsync(string email, string secret = DemoRealm.TotpSecret)
    {
        Answer asked = (await PasswordAsync(email)).ShouldBe(HttpStatusCode.Forbidden, "mfa_challenge");
        string factor = asked.Json.GetProperty("authentication_factors")[0].GetProperty("id").GetString()!;
        Answer challenge = (await PostAsync($"/auth/factors/{factor}/challenge", new { })).ShouldBe(HttpStatusCode.Created);
        return await AuthenticateAsync(
            TotpGrant, ("pending_authentication_token", asked["pending_authentication_token"]), ("authentication_challenge_id", challenge["id"]), ("code", TotpCode(secret)));
    }

    public Task<Answer> RefreshAsync(string? token, string? organization = null) =>
        AuthenticateAsync("refresh_token", ("refresh_token", token), ("organization_id", organization));

    public async Task<string> PendingTokenOfAsync(string email)
    {
        Answer answer = (await PasswordAsync(email)).ShouldBe(HttpStatusCode.Forbidden);
        return answer["pending_authentication_token"].ShouldNotBeNull();
    }

    public async Task<Answer> SignInToAsync(string email, string organization) =>
        (await SelectAsync(await PendingTokenOfAsync(email), organization)).ShouldBe(HttpStatusCode.OK);

    public static JsonElement ClaimsOf(Answer answer) => Jwts.ClaimsOf(answer["access_token"].ShouldNotBeNull());

    public static string SessionOf(Answer answer) => ClaimsOf(answer).GetProperty("sid").GetString()!;

    public Task<Realm> RealmAsync(string handle = DemoRealm.Handle) => world.RealmAsync(handle);

    public Task<Organization> OrganizationAsync(string handle, string realm = DemoRealm.Handle) => world.OrganizationAsync(handle, realm);

    public async Task<string> OrganizationIdAsync(string handle, string realm = DemoRealm.Handle) =>
        (await OrganizationAsync(handle, realm)).Id.ToString();

    public Task<User> UserAsync(string email, string realm = DemoRealm.Handle) => world.UserAsync(email, realm);

    /// <summary>A person of the acme realm with the demo password.</summary>
    public async Task<User> NewUserAsync(bool emailVerified = true, params string[] organizations)
    {
        User user = await world.PersonAsync($"{Guid.NewGuid():n}@example.test", emailVerified);
        foreach (string handle in organizations)
            await JoinAsync(user, await OrganizationAsync(handle));
        return user;
    }

    public Task<Membership> JoinAsync(User user, Organization organization) => world.JoinAsync(user, organization, "member");

    public async Task DeactivateAsync(User user, string organization)
    {
        MembershipStore memberships = server.Get<MembershipStore>();
        Membership membership = (await memberships.FindAsync(user.RealmId, user.Id, (await OrganizationAsync(organization)).Id, default)).ShouldNotBeNull();
        DateTimeOffset now = server.Clock.GetUtcNow();
        (await memberships.UpdateAsync(membership with { Status = MembershipStatus.Suspended, UpdatedAt = now }, default))
            .ShouldBeTrue();
    }

    /// <summary>An organization of its own with a policy, in the acme realm.</summary>
    public Task<Organization> NewOrganizationAsync(OrganizationSettings settings) => world.NewOrganizationAsync($"o{Guid.NewGuid():n}", settings);

    public Task<string> NewKeyAsync(DateTimeOffset? expiresAt, params string[] scopes) => world.NewKeyAsync(expiresAt, scopes);

    /// <summary>The code that an authenticator with this base-32 secret shows now.</summary>
    public string TotpCode(string secret = DemoRealm.TotpSecret) => new AuthenticatorApp(server, secret).Code();

    public string WrongCode(string secret = DemoRealm.TotpSecret) => new AuthenticatorApp(server, secret).WrongCode();
}
