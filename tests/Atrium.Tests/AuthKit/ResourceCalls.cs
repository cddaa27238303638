using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;

namespace Atrium.Tests.AuthKit;

/// <summary>An answer, read whole.</summary>
internal sealed record ResourceAnswer(int Status, string Text, HttpResponseMessage Response)
{
    public JsonElement Json => JsonElement.Parse(Text);

    public string? this[string name] => Json.GetProperty(name).GetString();

    public string Id => this["id"]!;

    public string? Code => Json.TryGetProperty("code", out JsonElement code) ? code.GetString() : null;

    public IEnumerable<string?> ErrorCodes => Json.GetProperty("errors").EnumerateArray().Select(static error => error.GetProperty("code").GetString());

    public IReadOnlyList<JsonElement> Data => [.. Json.GetProperty("data").EnumerateArray()];

    public IReadOnlyList<string> Ids => [.. Data.Select(static item => item.GetProperty("id").GetString()!)];

    public string? After => Json.GetProperty("list_metadata").GetProperty("after").GetString();

    public string? Before => Json.GetProperty("list_metadata").GetProperty("before").GetString();

    public ResourceAnswer Expect(int status)
    {
        Status.ShouldBe(status, Text);
        return this;
    }

    public ResourceAnswer Expect(int status, string code)
    {
        Expect(status);
        Code.ShouldBe(code, Text);
        return this;
    }
}

/// <summary>Calls the resources of the AuthKit door as a back end does.</summary>
internal sealed class ResourceCalls(DemoServer server, string? key = DemoRealm.ApiKey)
{
    public const string UsersPath = "/user_management/users";
    public const string OrganizationsPath = "/organizations";
    public const string MembershipsPath = "/user_management/organization_memberships";

    private static int counter;

    public ResourceCalls Globex => new(server, DemoRealm.NeighbourApiKey);

    public static string Unique(string prefix) => $"{prefix}-{Interlocked.Increment(ref counter)}";

    public static string UniqueEmail() => $"{Unique("person")}@example.test";

    public Task<ResourceAnswer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<ResourceAnswer> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path);

    public Task<ResourceAnswer> PostAsync(string path, object body) => SendAsync(HttpMethod.Post, path, JsonSerializer.Serialize(body));

    public Task<ResourceAnswer> PutAsync(string path, object body) => SendAsync(HttpMethod.Put, path, JsonSerializer.Serialize(body));

    public async Task<ResourceAnswer> SendAsync(HttpMethod method, string path, string? body = null, string? contentType = "application/json")
    {
        using HttpRequestMessage request = new(method, path);
        if (key is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            if (contentType is not null)
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        }

        HttpResponseMessage response = await server.Http.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        response.Headers.Contains("X-Request-ID").ShouldBeTrue();
        (response.Headers.CacheControl?.NoStore == true).ShouldBeTrue(path);
        if (text.Length > 0)
            response.Content.Headers.ContentType?.ToString().ShouldBe("application/json", text);
        return new((int)response.StatusCode, text, response);
    }

    /// <summary>Ids grow with time, and the test's clock stands still unless it is moved.</summary>
    public async Task<ResourceAnswer> NewUserAsync(object? body = null)
    {
        server.Clock.Advance(TimeSpan.FromMilliseconds(1));
        return (await PostAsync(UsersPath, body ?? new { email = UniqueEmail() })).Expect(201);
    }

    public async Task<ResourceAnswer> NewOrganizationAsync(object? body = null)
    {
        server.Clock.Advance(TimeSpan.FromMilliseconds(1));
        return (await PostAsync(OrganizationsPath, body ?? new { name = Unique("Organization") })).Expect(201);
    }

    public async Task<ResourceAnswer> NewMembershipAsync(string user, string organization, string? role = null)
    {
        server.Clock.Advance(TimeSpan.FromMilliseconds(1));
        return (await PostAsync(MembershipsPath, new { user_id = user, organization_id = organization, role_slug = role })).Expect(201);
    }

    /// <summary>A membership of a new person in a new organization, as the store is told; for statuses and scopes that this door does not make.</summary>
    public Task<Membership> StoredMembershipAsync(MembershipStatus status, params string[] scopes) =>
        StoredMembershipAsync(status, user: null, scopes);

    public async Task<Membership> StoredMembershipAsync(MembershipStatus status, Id<User>? user, params string[] scopes) =>
        await new World(server).JoinAsync(
            user ?? Id<User>.Parse((await NewUserAsync()).Id)!.Value,
            Id<Organization>.Parse((await NewOrganizationAsync()).Id)!.Value,
            status,
            scopes);

    public async Task<IReadOnlyList<string>> ScopesAsync(Membership membership) =>
        (await server.Get<MembershipStore>().FindAsync(membership.RealmId, membership.Id, CancellationToken.None))!.Scopes;

    /// <summary>A key of the demo realm that may do only what these scopes name.</summary>
    public static async Task<ResourceCalls> WithScopesAsync(DemoServer server, params string[] scopes) =>
        new(server, await new World(server).NewKeyAsync(expiresAt: null, scopes));
}
