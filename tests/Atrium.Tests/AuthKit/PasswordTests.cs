using System.Net;
using System.Text.Json;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AuthKit;

public sealed class PasswordTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly AuthKitCalls door = new(server);

    [Fact]
    public async Task A_person_of_one_organization_is_signed_in_to_it()
    {
        Answer answer = (await door.PasswordAsync("Sam@Example.TEST")).ShouldBe(HttpStatusCode.OK);

        string northwind = await door.OrganizationIdAsync("northwind");
        answer["organization_id"].ShouldBe(northwind);
        answer["authentication_method"].ShouldBe("Password");
        answer["refresh_token"].ShouldNotBeNullOrEmpty();
        answer.Message.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        answer.Message.Headers.CacheControl!.NoStore.ShouldBeTrue();
        JsonElement user = answer.Json.GetProperty("user");
        user.GetProperty("email").GetString().ShouldBe("sam@example.test");
        user.GetProperty("last_sign_in_at").GetString().ShouldNotBeNull().ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$");
        foreach (string nullable in new[] { "last_name", "profile_picture_url", "external_id", "locale" })
            user.GetProperty(nullable).ValueKind.ShouldBe(JsonValueKind.Null);
        JsonElement claims = AuthKitCalls.ClaimsOf(answer);
        claims.GetProperty("iss").GetString().ShouldBe($"{server.Url}/user_management/demo-authkit");
        claims.GetProperty("org_id").GetString().ShouldBe(northwind);
        (claims.GetProperty("exp").GetInt64() - claims.GetProperty("iat").GetInt64()).ShouldBe(300);
    }

    [Fact]
    public async Task A_person_of_no_organization_gets_tokens_without_one()
    {
        Answer answer = (await door.PasswordAsync("zoe@example.test")).ShouldBe(HttpStatusCode.OK);

        answer.Json.TryGetProperty("organization_id", out _).ShouldBeFalse();
        AuthKitCalls.ClaimsOf(answer).TryGetProperty("org_id", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Wrong_password_unknown_person_other_realm_and_disabled_person_get_one_answer()
    {
        User disabled = await door.NewUserAsync(organizations: "northwind");
        await server.Get<UserStore>().UpdateAsync(disabled with { Status = UserStatus.Disabled }, null, default);
        Answer[] answers =
        [
            await door.PasswordAsync("sam@example.test", "Wrong-Passw0rd!"),
            await door.PasswordAsync("nobody@example.test"),
            await door.PasswordAsync("kim@example.test"),
            await door.PasswordAsync(disabled.Email),
        ];

        foreach (Answer answer in answers)
        {
            answer.ShouldBe(HttpStatusCode.BadRequest, "invalid_credentials");
            answer.Json.EnumerateObject().Select(static property => property.Name).ShouldBe(["code", "message"]);
        }

        answers[1]["message"].ShouldBe("Invalid credentials for 'nobody@example.test'.");
    }

    [Fact]
    public async Task A_named_organization_is_entered_without_a_question()
    {
        string contoso = await door.OrganizationIdAsync("contoso");
        Answer answer = await door.AuthenticateAsync(
            "password", ("email", "mia@example.test"), ("password", DemoRealm.Password), ("organization_id", contoso));

        answer.ShouldBe(HttpStatusCode.OK)["organization_id"].ShouldBe(contoso);
    }

    [Theory]
    [InlineData("fabrikam")]
    [InlineData("tailspin")]
    [InlineData("nonsense")]
    [InlineData("org_0000000000000000000000001")]
    public async Task A_named_organization_that_is_not_theirs_is_refused_behind_the_password_only(string organization)
    {
        string id = organization is "fabrikam" or "tailspin" ? await door.OrganizationIdAsync(organization) : organization;
        (await door.AuthenticateAsync("password", ("email", "mia@example.test"), ("password", DemoRealm.Password), ("organization_id", id)))
            .ShouldBe(HttpStatusCode.BadRequest, "organization_membership_not_found")["error"].ShouldBe("organization_membership_not_found");
        (await door.AuthenticateAsync("password", ("email", "mia@example.test"), ("password", "Wrong-Passw0rd!"), ("organization_id", id)))
            .ShouldBe(HttpStatusCode.BadRequest, "invalid_credentials");
    }

    [Fact]
    public async Task An_organization_of_single_sign_on_sends_the_person_there()
    {
        User user = await door.NewUserAsync();
        await door.JoinAsync(user, await door.NewOrganizationAsync(new OrganizationSettings { SsoOnly = true }));

        Answer answer = (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.BadRequest, "sso_required");
        answer["error"].ShouldBe("sso_required");
        answer["email"].ShouldBe(user.Email);
        answer.Json.GetProperty("connection_ids").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task An_invitation_is_not_accepted() =>
        (await door.AuthenticateAsync("password", ("email", "sam@example.test"), ("password", DemoRealm.Password), ("invitation_token", "x")))
            .ShouldBe(HttpStatusCode.BadRequest, "invitation_invalid");

    [Fact]
    public async Task The_key_may_come_as_bearer_alone_and_the_body_as_a_form()
    {
        using FormUrlEncodedContent form = new(new Dictionary<string, string>
        {
            ["client_id"] = "demo-authkit",
            ["grant_type"] = "password",
            ["email"] = "sam@example.test",
            ["password"] = DemoRealm.Password,
        });
        (await door.PostAsync(AuthKitCalls.AuthenticatePath, form)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Guessing_is_slowed_down_and_other_people_are_not()
    {
        Answer answer = await door.PasswordAsync("guessed@example.test", "Wrong-Passw0rd!");
        for (int guess = 0; guess < 40 && answer.Status == HttpStatusCode.BadRequest; guess++)
        {
            answer = await door.AuthenticateAsync(
                "password", ("email", "guessed@example.test"), ("password", "Wrong-Passw0rd!"), ("ip_address", "192.0.2.7"));
        }

        answer.ShouldBe(HttpStatusCode.TooManyRequests)["error"].ShouldBe("too_many_requests");
        answer.Message.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
        (await door.PasswordAsync("sam@example.test")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Guesses_sent_at_once_are_limited_like_guesses_one_by_one()
    {
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => door.AuthenticateAsync(
            "password", ("email", "burst@example.test"), ("password", "Wrong-Passw0rd!"), ("ip_address", "192.0.2.8"))));

        // The limit is 30; what is being hashed at the moment it is reached may still be told.
        answers.Count(static answer => answer.Status == HttpStatusCode.BadRequest).ShouldBeInRange(30, 30 + (2 * Environment.ProcessorCount));
        answers.Count(static answer => answer.Status == HttpStatusCode.TooManyRequests).ShouldBeGreaterThan(0);
    }
}
