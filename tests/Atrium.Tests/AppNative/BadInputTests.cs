using System.Text;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AppNative;

/// <summary>What is no answer to any prompt gets the door's own envelope, and costs nobody their flow.</summary>
public sealed class BadInputTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly NativeApp app = new(server);

    public static TheoryData<string, string, int, string> Bodies => new()
    {
        { "application/json", "", 400, "ABA-60001" },
        { "application/json", "{", 400, "ABA-60001" },
        { "application/json", "not json", 400, "ABA-60001" },
        { "application/json", "[]", 400, "ABA-60001" },
        { "application/json", "null", 400, "ABA-60001" },
        { "application/json", "\"text\"", 400, "ABA-60001" },
        { "application/json", """{"flowId":"{flow}","flowId":"{flow}","selectedAuthenticator":{basic}}""", 400, "ABA-60001" },
        { "application/json", """{"selectedAuthenticator":{basic}}""", 400, "ABA-60001" },
        { "application/json", """{"flowId":"","selectedAuthenticator":{basic}}""", 400, "ABA-60001" },
        { "application/json", """{"flowId":7,"selectedAuthenticator":{basic}}""", 400, "ABA-60001" },
        { "application/json", """{"flowId":"{flow}"}""", 400, "ABA-60001" },
        { "application/json", """{"flowId":"{flow}","selectedAuthenticator":null}""", 400, "ABA-60001" },
        { "application/json", """{"flowId":"{flow}","selectedAuthenticator":"x"}""", 400, "ABA-60001" },
        { "application/json", """{"flowId":"{flow}","selectedAuthenticator":{"params":{}}}""", 400, "ABA-60001" },
        { "application/json", """{"flowId":"{flow}","selectedAuthenticator":{"authenticatorId":"{id}","params":[]}}""", 400, "ABA-60001" },
        { "application/json", """{"flowId":"{flow}","selectedAuthenticator":{"authenticatorId":"{id}","params":{"username":1}}}""", 400, "ABA-60001" },
        { "application/json", """{"flowId":"{flow}","selectedAuthenticator":{"authenticatorId":"{id}","params":{"username":["a","b"]}}}""", 400, "ABA-60001" },
        { "application/json", """{"flowId":"11111111-1111-4111-8111-111111111111","selectedAuthenticator":{basic}}""", 400, "ABA-60009" },
        { "application/json", """{"flowId":"{flow}x","selectedAuthenticator":{basic}}""", 400, "ABA-60009" },
        { "application/json", """{"flowId":"{flow}","selectedAuthenticator":{"authenticatorId":"%%%"}}""", 400, "ABA-60004" },
        { "application/json", """{"flowId":"{flow}","selectedAuthenticator":{"authenticatorId":"garbage"}}""", 400, "ABA-60004" },
        { "application/json", """{"flowId":"{flow}","selectedAuthenticator":{"authenticatorId":"bm9jb2xvbg"}}""", 400, "ABA-60004" },
        { "application/json", """{"flowId":"{flow}","selectedAuthenticator":{"authenticatorId":"{totp}"}}""", 400, "ABA-60012" },
        { "application/json", """{"flowId":"{flow}","selectedAuthenticator":{"authenticatorId":"R2l0aHViQXV0aGVudGljYXRvcjpHaXRIdWI"}}""", 400, "ABA-60012" },
        { "text/plain", """{"flowId":"{flow}","selectedAuthenticator":{basic}}""", 400, "ABA-60001" },
        { "application/x-www-form-urlencoded", "flowId={flow}", 400, "ABA-60001" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task A_body_that_is_no_answer_is_refused_and_the_flow_goes_on(string contentType, string body, int status, string code)
    {
        Answer start = await app.StartAsync();
        using StringContent content = new(Filled(body, start), Encoding.UTF8, contentType);
        (await app.SendAsync(new HttpRequestMessage(HttpMethod.Post, start.Link) { Content = content })).ShouldBeError(status, code);
        (await app.PasswordAsync(start, "zoe@example.test")).ShouldComplete();
    }

    [Fact]
    public async Task A_body_of_a_megabyte_is_too_large()
    {
        Answer start = await app.StartAsync();
        (await app.PasswordAsync(start, "zoe@example.test", new string('x', 1024 * 1024))).ShouldBeError(413, "ABA-60001");
        (await app.PasswordAsync(start, "zoe@example.test")).ShouldComplete();
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF_8_are_refused()
    {
        byte[] body = [.. Encoding.UTF8.GetBytes("{\"flowId\":\""), 0xff, 0xfe, .. Encoding.UTF8.GetBytes("\"}")];
        using ByteArrayContent content = new(body);
        content.Headers.ContentType = new("application/json");
        (await app.SendAsync(new HttpRequestMessage(HttpMethod.Post, "/t/acme/oauth2/authn") { Content = content })).ShouldBeError(400, "ABA-60001");
    }

    [Fact]
    public async Task A_lone_surrogate_is_a_wrong_answer_and_no_crash()
    {
        Answer start = await app.StartAsync();
        string escaped = """{"flowId":"{flow}","selectedAuthenticator":{"authenticatorId":"{id}","params":{"username":"\ud800","password":"\udfff"}}}""";
        using StringContent content = new(Filled(escaped, start), Encoding.UTF8, "application/json");
        Answer answer = await app.SendAsync(new HttpRequestMessage(HttpMethod.Post, start.Link) { Content = content });
        ((int)answer.Status).ShouldBeLessThan(500, answer.Json.ToString());
        (await app.PasswordAsync(start, "zoe@example.test")).ShouldComplete();
    }

    [Theory]
    [InlineData("org_")]
    [InlineData("..%2f..%2f")]
    [InlineData("ORG_0000000000000000000000001")]
    public async Task A_strange_organization_in_the_path_is_no_crash(string organization)
    {
        (await app.StartAtAsync($"/t/acme/o/{organization}")).ShouldBeError(400, "ABA-60002");
        Answer start = await app.StartAsync();
        (await app.AnswerAtAsync($"/t/acme/o/{organization}/oauth2/authn", start.FlowId, NativeApp.Basic)).ShouldBeError(400, "ABA-60002");
    }

    private static string Filled(string body, Answer start) => body
        .Replace("{basic}", """{"authenticatorId":"{id}","params":{"username":"zoe@example.test","password":"Demo-Passw0rd!"}}""", StringComparison.Ordinal)
        .Replace("{flow}", start.FlowId, StringComparison.Ordinal)
        .Replace("{id}", NativeApp.Basic, StringComparison.Ordinal)
        .Replace("{totp}", NativeApp.Totp, StringComparison.Ordinal);
}
