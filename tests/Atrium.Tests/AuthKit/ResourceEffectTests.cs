using System.Text;
using System.Text.Json;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;
using static Atrium.Tests.AuthKit.ResourceCalls;

namespace Atrium.Tests.AuthKit;

/// <summary>What a change of a person, an organization or a membership does to those who are signed in.</summary>
public sealed class ResourceEffectTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Password = "Correct-Horse-9";

    private readonly ResourceCalls api = new(server);

    [Theory]
    [InlineData("deactivate")]
    [InlineData("delete membership")]
    [InlineData("delete organization")]
    [InlineData("delete user")]
    [InlineData("new password")]
    public async Task What_ends_a_membership_or_a_person_ends_the_grants_that_rest_on_it(string change)
    {
        Person person = await NewPersonAsync();
        ResourceAnswer signedIn = await SignInAsync(person);
        signedIn["organization_id"].ShouldBe(person.Organization);
        ResourceAnswer refreshed = (await RefreshAsync(signedIn)).Expect(200);

        ResourceAnswer done = change switch
        {
            "deactivate" => await api.SendAsync(HttpMethod.Put, $"{MembershipsPath}/{person.Membership}/deactivate"),
            "delete membership" => await api.DeleteAsync($"{MembershipsPath}/{person.Membership}"),
            "delete organization" => await api.DeleteAsync($"{OrganizationsPath}/{person.Organization}"),
            "delete user" => await api.DeleteAsync($"{UsersPath}/{person.User}"),
            _ => await api.PutAsync($"{UsersPath}/{person.User}", new { password = "Another-Horse-9" }),
        };
        done.Status.ShouldBeOneOf(200, 202);
        (await RefreshAsync(refreshed)).Expect(400, "invalid_grant");
    }

    [Fact]
    public async Task A_reactivated_member_signs_in_again_and_the_old_grant_stays_ended()
    {
        Person person = await NewPersonAsync();
        ResourceAnswer signedIn = await SignInAsync(person);
        (await api.SendAsync(HttpMethod.Put, $"{MembershipsPath}/{person.Membership}/deactivate")).Expect(200);
        (await api.SendAsync(HttpMethod.Put, $"{MembershipsPath}/{person.Membership}/reactivate")).Expect(200);
        (await RefreshAsync(signedIn)).Expect(400, "invalid_grant");
        (await SignInAsync(person))["organization_id"].ShouldBe(person.Organization);
    }

    [Fact]
    public async Task Deactivation_in_one_organization_leaves_the_session_in_another()
    {
        Person person = await NewPersonAsync();
        ResourceAnswer signedIn = await SignInAsync(person);
        ResourceAnswer second = await api.NewMembershipAsync(person.User, (await api.NewOrganizationAsync()).Id);
        (await api.SendAsync(HttpMethod.Put, $"{MembershipsPath}/{second.Id}/deactivate")).Expect(200);
        (await RefreshAsync(signedIn)).Expect(200)["organization_id"].ShouldBe(person.Organization);
    }

    [Fact]
    public async Task New_roles_are_in_the_next_token()
    {
        Person person = await NewPersonAsync();
        ResourceAnswer signedIn = await SignInAsync(person);
        ClaimsOf(signedIn).GetProperty("role").GetString().ShouldBe("member");
        (await api.PutAsync($"{MembershipsPath}/{person.Membership}", new { role_slugs = new[] { "admin", "owner" } })).Expect(200);
        JsonElement claims = ClaimsOf((await RefreshAsync(signedIn)).Expect(200));
        claims.GetProperty("role").GetString().ShouldBe("admin");
        claims.GetProperty("roles").EnumerateArray().Select(static role => role.GetString()).ShouldBe(["admin", "owner"]);
    }

    [Fact]
    public async Task A_new_password_works_the_old_one_does_not_and_a_sign_in_is_remembered()
    {
        Person person = await NewPersonAsync();
        (await api.PutAsync($"{UsersPath}/{person.User}", new { password = "Another-Horse-9" })).Expect(200);
        (await AuthenticateAsync(new { grant_type = "password", email = person.Email, password = Password })).Status.ShouldBeOneOf(400, 401, 403);
        (await AuthenticateAsync(new { grant_type = "password", email = person.Email, password = "Another-Horse-9" })).Expect(200);
        (await api.GetAsync($"{UsersPath}/{person.User}"))["last_sign_in_at"].ShouldNotBeNull();
    }

    [Fact]
    public async Task A_post_that_is_sent_again_with_its_key_makes_nothing_new()
    {
        string email = UniqueEmail();
        ResourceAnswer first = await PostWithKeyAsync("retry-1", new { email });
        ResourceAnswer second = await PostWithKeyAsync("retry-1", new { email });
        first.Expect(201);
        second.Expect(201).Text.ShouldBe(first.Text);
        (await PostWithKeyAsync("retry-1", new { email = UniqueEmail() })).Expect(400)["message"].ShouldNotBeNull().ShouldContain("idempotency key");
    }

    private async Task<ResourceAnswer> PostWithKeyAsync(string key, object body)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, UsersPath) { Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new("Bearer", DemoRealm.ApiKey);
        request.Headers.Add("Idempotency-Key", key);
        HttpResponseMessage response = await server.Http.SendAsync(request);
        return new((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response);
    }

    private async Task<Person> NewPersonAsync()
    {
        string email = UniqueEmail();
        string user = (await api.NewUserAsync(new { email, password = Password, email_verified = true })).Id;
        string organization = (await api.NewOrganizationAsync()).Id;
        return new(email, user, organization, (await api.NewMembershipAsync(user, organization)).Id);
    }

    private async Task<ResourceAnswer> SignInAsync(Person person) =>
        (await AuthenticateAsync(new { grant_type = "password", email = person.Email, password = Password })).Expect(200);

    private Task<ResourceAnswer> RefreshAsync(ResourceAnswer signedIn) =>
        AuthenticateAsync(new { grant_type = "refresh_token", refresh_token = signedIn["refresh_token"] });

    private Task<ResourceAnswer> AuthenticateAsync(object grant)
    {
        Dictionary<string, string?> body = JsonSerializer.Deserialize<Dictionary<string, string?>>(JsonSerializer.Serialize(grant))!;
        body["client_id"] = "demo-authkit";
        body["client_secret"] = DemoRealm.ApiKey;
        return api.PostAsync("/user_management/authenticate", body);
    }

    private static JsonElement ClaimsOf(ResourceAnswer tokens) => Jwts.ClaimsOf(tokens["access_token"]!);

    private sealed record Person(string Email, string User, string Organization, string Membership);
}
