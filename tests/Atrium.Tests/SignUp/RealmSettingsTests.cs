using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.SignUp;

/// <summary>The settings that say how people come to a realm.</summary>
public sealed class RealmSettingsTests(DemoServer server) : IClassFixture<DemoServer>
{
    [Fact]
    public async Task A_realm_lets_nobody_in_until_an_operator_says_so()
    {
        ManagementAnswer made = (await SendAsync(HttpMethod.Post, "", new { handle = "closed" })).Expect(201);
        SettingsOf(made).ShouldBe(("""{"policy":"invited_only","domains":[],"creates_organization":false}""", false));
        ManagementAnswer changed = (await SendAsync(HttpMethod.Patch, "/closed", new
        {
            settings = new { sign_up = new { policy = "by_domain", domains = new[] { "Example.COM.", "example.com", "example.org" } }, email_verification_required = true },
        })).Expect(200);
        SettingsOf(changed).ShouldBe(("""{"policy":"by_domain","domains":["example.com","example.org"],"creates_organization":false}""", true));

        // What isn't said stays.
        SettingsOf((await SendAsync(HttpMethod.Patch, "/closed", new { settings = new { sign_up = new { creates_organization = true } } })).Expect(200))
            .ShouldBe(("""{"policy":"by_domain","domains":["example.com","example.org"],"creates_organization":true}""", true));
    }

    [Fact]
    public async Task Settings_that_make_no_sense_are_refused_by_their_fields()
    {
        (await SendAsync(HttpMethod.Post, "", new { handle = "odd" })).Expect(201);
        (await SendAsync(HttpMethod.Patch, "/odd", new { settings = new { sign_up = new { policy = "everybody" } } })).Expect(422).WrongFields.ShouldBe(["/settings/sign_up/policy"]);
        (await SendAsync(HttpMethod.Patch, "/odd", new { settings = new { sign_up = new { domains = new[] { "no domain" } } } })).Expect(422).WrongFields.ShouldBe(["/settings/sign_up/domains/0"]);
        (await SendAsync(HttpMethod.Patch, "/odd", new { settings = new { sign_up = new { policy = "by_domain" } } })).Expect(422).WrongFields.ShouldBe(["/settings/sign_up"]);
        (await SendAsync(HttpMethod.Patch, "/odd", new { settings = new { sign_up = "open" } })).Expect(422).WrongFields.ShouldBe(["/settings/sign_up"]);
        (await SendAsync(HttpMethod.Patch, "/odd", new { settings = new { email_verification_required = "yes" } })).Expect(422).WrongFields.ShouldBe(["/settings/email_verification_required"]);
    }

    private static (string SignUp, bool EmailVerificationRequired) SettingsOf(ManagementAnswer realm)
    {
        JsonElement settings = realm.Data.GetProperty("settings");
        return (settings.GetProperty("sign_up").ToString(), settings.GetProperty("email_verification_required").GetBoolean());
    }

    private async Task<ManagementAnswer> SendAsync(HttpMethod method, string path, object body)
    {
        Secret secret = Secret.New(OperatorKey.SecretPrefix);
        await server.Get<OperatorKeyStore>().CreateAsync(
            new OperatorKey { Id = Id<OperatorKey>.New(server.Clock), Name = "Test", CreatedAt = server.Clock.GetUtcNow() }, secret.Hash(), default);
        using HttpRequestMessage request = new(method, $"/v1/realms{path}") { Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret.Reveal());
        HttpResponseMessage response = await server.Http.SendAsync(request);
        return new ManagementAnswer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response);
    }
}
