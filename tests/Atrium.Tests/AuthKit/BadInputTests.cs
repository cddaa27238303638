using System.Net;
using System.Text;
using System.Text.Json;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AuthKit;

/// <summary>Whatever comes in, the answer is this door's own: JSON with a message, the right status, never a 500.</summary>
public sealed class BadInputTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Client = "\"client_id\":\"demo-authkit\",\"client_secret\":\"sk_demo_atrium\"";
    private const string Form = "application/x-www-form-urlencoded";

    private readonly AuthKitCalls door = new(server);

    public static TheoryData<string, string, string, int, string> Authenticate() => new()
    {
        { "nothing at all", "application/json", "", 400, "invalid_request" },
        { "an empty object", "application/json", "{}", 400, "invalid_request" },
        { "half an object", "application/json", "{\"client_id\":", 400, "invalid_request" },
        { "an array", "application/json", "[]", 400, "invalid_request" },
        { "text", "application/json", "\"x\"", 400, "invalid_request" },
        { "a key twice", "application/json", "{\"code\":1,\"code\":2}", 400, "invalid_request" },
        { "half a character as key", "application/json", "{\"\\ud800\":1}", 400, "invalid_request" },
        { "half a character as value", "application/json", "{\"client_id\":\"\\ud800\"}", 400, "invalid_request" },
        { "deep nesting", "application/json", new string('[', 1000), 400, "invalid_request" },
        { "a form called JSON", "application/json", "client_id=demo-authkit", 400, "invalid_request" },
        { "JSON called a form", Form, "{\"client_id\":\"demo-authkit\"}", 400, "invalid_request" },
        { "JSON called text", "text/plain", "{" + Client + ",\"grant_type\":\"password\",\"email\":\"sam@example.test\",\"password\":\"Demo-Passw0rd!\"}", 400, "invalid_request" },
        { "a form that repeats", Form, "client_id=a&client_id=b", 400, "invalid_request" },
        { "a form not in UTF-8", Form, "client_id=%ff", 400, "invalid_request" },
        { "a wrong type", "application/json", "{\"client_id\":7}", 422, "invalid_request_parameters" },
        { "a wrong type of a grant's key", "application/json", "{" + Client + ",\"grant_type\":\"password\",\"email\":[],\"password\":\"x\"}", 422, "invalid_request_parameters" },
        { "no grant type", "application/json", "{" + Client + "}", 400, "invalid_request" },
        { "an unknown grant type", "application/json", "{" + Client + ",\"grant_type\":\"implicit\"}", 400, "invalid_request" },
        { "no client", "application/json", "{\"grant_type\":\"password\"}", 400, "invalid_request" },
        { "an unknown client", "application/json", "{\"client_id\":\"nobody\",\"client_secret\":\"sk_demo_atrium\",\"grant_type\":\"password\"}", 400, "invalid_client" },
        { "a client of another door", "application/json", "{\"client_id\":\"demo-web\",\"client_secret\":\"sk_demo_atrium\",\"grant_type\":\"password\"}", 400, "unauthorized_client" },
        { "no secret", "application/json", "{\"client_id\":\"demo-authkit\",\"grant_type\":\"password\",\"email\":\"a\",\"password\":\"b\"}", 400, "invalid_client" },
        { "a wrong secret", "application/json", "{\"client_id\":\"demo-authkit\",\"client_secret\":\"sk_demo_atriu\",\"grant_type\":\"password\"}", 400, "invalid_client" },
        { "no password", "application/json", "{" + Client + ",\"grant_type\":\"password\",\"email\":\"sam@example.test\"}", 400, "invalid_request" },
        { "a null password", "application/json", "{" + Client + ",\"grant_type\":\"password\",\"email\":\"sam@example.test\",\"password\":null}", 400, "invalid_request" },
        { "an unknown pending token", "application/json", "{" + Client + ",\"grant_type\":\"" + AuthKitCalls.SelectionGrant + "\",\"pending_authentication_token\":\"x\",\"organization_id\":\"y\"}", 400, "invalid_pending_authentication_token" },
        { "no pending token", "application/json", "{" + Client + ",\"grant_type\":\"" + AuthKitCalls.SelectionGrant + "\",\"organization_id\":\"y\"}", 400, "invalid_request" },
        { "an unknown refresh token", "application/json", "{" + Client + ",\"grant_type\":\"refresh_token\",\"refresh_token\":\"x\"}", 400, "invalid_grant" },
        { "a body of a megabyte", "application/json", "{\"client_id\":\"" + new string('x', 1024 * 1024) + "\"}", 413, "invalid_request" },
    };

    [Theory]
    [MemberData(nameof(Authenticate))]
    public async Task Authenticate_refuses_bad_input_in_its_own_envelope(string what, string contentType, string body, int status, string code)
    {
        using StringContent content = new(body, Encoding.UTF8, contentType);
        Answer answer = await door.SendAsync(HttpMethod.Post, AuthKitCalls.AuthenticatePath, content, key: null);

        ((int)answer.Status).ShouldBe(status, $"{what}: {answer.Text}");
        answer["code"].ShouldBe(code, what);
        answer["message"].ShouldNotBeNullOrEmpty();
        answer.Message.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        answer.Message.Headers.Contains("X-Request-ID").ShouldBeTrue();
        if (code == "invalid_request")
            answer["error"].ShouldBe(code);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/xml")]
    public async Task A_resource_takes_JSON_and_says_so(string contentType)
    {
        using StringContent content = new("{\"name\":\"Typed Wrong\"}", Encoding.UTF8, contentType);
        Answer answer = await door.SendAsync(HttpMethod.Post, "/organizations", content, DemoRealm.ApiKey);
        ((int)answer.Status).ShouldBe(415);
        answer["code"].ShouldBe("unsupported_media_type");
    }

    public static TheoryData<string, string, string?, int> Others() => new()
    {
        { "POST", "/user_management/sessions/revoke", "{", 400 },
        { "POST", "/user_management/sessions/revoke", "", 422 },
        { "POST", "/user_management/sessions/revoke", "{\"session_id\":{}}", 422 },
        { "POST", "/user_management/sessions/revoke", "{\"session_id\":\"s_0000000000000000000000001\"}", 404 },
        { "POST", "/user_management/users/nonsense/auth_factors", "{\"type\":\"totp\"}", 404 },
        { "POST", "/user_management/users/nonsense/auth_factors", "{\"type\":\"sms\"}", 422 },
        { "POST", "/user_management/users/nonsense/auth_factors", "{}", 422 },
        { "POST", "/auth/factors/nonsense/challenge", "", 404 },
        { "POST", "/auth/factors/nonsense/challenge", "7", 400 },
        { "POST", "/auth/challenges/nonsense/verify", "{\"code\":\"000000\"}", 404 },
        { "POST", "/auth/challenges/nonsense/verify", "{\"code\":0}", 422 },
        { "GET", "/auth/factors/nonsense", null, 404 },
        { "DELETE", "/auth/factors/fac_zzzzzzzzzzzzzzzzzzzzzzzzz", null, 404 },
        { "GET", "/user_management/email_verification/%01", null, 404 },
        { "GET", "/user_management/users/usr_0000000000000000000000001/sessions", null, 404 },
        { "GET", "/user_management/users/nonsense/sessions?limit=0", null, 422 },
        { "GET", "/user_management/users/nonsense/sessions?limit=101", null, 422 },
        { "GET", "/user_management/users/nonsense/sessions?limit=ten", null, 422 },
        { "GET", "/user_management/users/nonsense/sessions?limit=1&limit=2", null, 422 },
        { "GET", "/user_management/users/nonsense/sessions?order=up", null, 422 },
        { "GET", "/user_management/users/nonsense/sessions?after=usr_0000000000000000000000001", null, 422 },
        { "GET", "/user_management/users/nonsense/auth_factors?before=x", null, 422 },
        { "GET", "/sso/jwks/%ff", null, 404 },
        { "GET", "/user_management/no_such_thing", null, 404 },
        { "PATCH", "/user_management/sessions/revoke", "{}", 404 },
        { "GET", "/auth/factors", null, 404 },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public async Task Every_route_refuses_bad_input_in_its_own_envelope(string method, string path, string? body, int status)
    {
        Answer answer = await door.SendAsync(new HttpMethod(method), path, body);

        ((int)answer.Status).ShouldBe(status, answer.Text);
        answer["message"].ShouldNotBeNullOrEmpty();
        if (status == 422)
        {
            answer["code"].ShouldBe("invalid_request_parameters");
            foreach (JsonElement error in answer.Json.GetProperty("errors").EnumerateArray())
                error.EnumerateObject().Select(static property => property.Name).ShouldBe(["code", "message", "field"]);
        }
    }

    [Theory]
    [InlineData("GET", "/user_management/users/usr_0000000000000000000000001/sessions")]
    [InlineData("POST", "/user_management/sessions/revoke")]
    [InlineData("GET", "/user_management/users/usr_0000000000000000000000001/auth_factors")]
    [InlineData("POST", "/user_management/users/usr_0000000000000000000000001/auth_factors")]
    [InlineData("GET", "/auth/factors/fac_0000000000000000000000001")]
    [InlineData("DELETE", "/auth/factors/fac_0000000000000000000000001")]
    [InlineData("POST", "/auth/factors/fac_0000000000000000000000001/challenge")]
    [InlineData("POST", "/auth/challenges/chal_0000000000000000000000001/verify")]
    [InlineData("GET", "/user_management/email_verification/evr_0000000000000000000000001")]
    public async Task Without_a_key_that_is_known_valid_and_allowed_nothing_opens(string method, string path)
    {
        string expired = await door.NewKeyAsync(server.Clock.GetUtcNow(), "*:**");
        foreach (string? key in new[] { null, "", "sk_wrong", "sk_demo_atrium2", expired })
        {
            Answer answer = (await door.SendAsync(new HttpMethod(method), path, method == "POST" ? "{}" : null, key)).ShouldBe(HttpStatusCode.Unauthorized);
            answer.Text.ShouldBe("""{"message":"Unauthorized"}""");
        }

        Answer denied = await door.SendAsync(new HttpMethod(method), path, method == "POST" ? "{}" : null, await door.NewKeyAsync(null, "nothing:read"));
        denied.ShouldBe(HttpStatusCode.Forbidden, "insufficient_scope");
        (await door.SendAsync(new HttpMethod(method), path, method == "POST" ? new string(' ', 1024 * 1024) : null)).Status.ShouldBe(
            method == "POST" ? HttpStatusCode.RequestEntityTooLarge : HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_key_signs_people_in_only_with_the_scope_for_it()
    {
        (string, string?)[] sam = [("email", "sam@example.test"), ("password", DemoRealm.Password)];
        string other = await door.NewKeyAsync(null, "users:read");
        (await door.AuthenticateAsync("demo-authkit", other, "password", sam)).ShouldBe(HttpStatusCode.Forbidden, "insufficient_scope");
        string scoped = await door.NewKeyAsync(null, "sign-in");
        (await door.AuthenticateAsync("demo-authkit", scoped, "password", sam)).ShouldBe(HttpStatusCode.OK);
    }
}
