using System.Net;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

/// <summary>Second factors, as a back end enrols and removes them.</summary>
public class FactorTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly ManagementCalls api = new(server);
    private readonly AuthKitCalls door = new(server);

    [Fact]
    public async Task A_factor_shows_its_secret_once_and_protects_from_its_first_right_code_on()
    {
        User user = await door.NewUserAsync();
        string path = $"/users/{user.Id}/factors";
        ManagementAnswer made = (await api.PostAsync(path, new { type = "totp" })).Expect(201);
        made["issuer"].ShouldBe("Acme");
        made["account"].ShouldBe(user.Email);
        made["uri"]!.ShouldContain($"secret={made["secret"]}");
        made["qr_code"]!.ShouldStartWith("data:image/png;base64,");
        made.Data.GetProperty("confirmed").GetBoolean().ShouldBeFalse();
        ManagementAnswer shown = (await api.GetAsync($"{path}/{made.Id}")).Expect(200);
        shown.Data.EnumerateObject().Select(static field => field.Name)
            .ShouldBe(["id", "user_id", "type", "issuer", "account", "confirmed", "created_at", "updated_at"], ignoreOrder: true);
        made.ETag.ShouldBe(shown.ETag);
        (await api.GetAsync(path)).Expect(200).Ids.ShouldBe([made.Id]);
        (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.OK);

        Answer challenge = (await door.PostAsync($"/auth/factors/{made.Id}/challenge", new { })).ShouldBe(HttpStatusCode.Created);
        (await door.PostAsync($"/auth/challenges/{challenge["id"]}/verify", new { code = door.TotpCode(made["secret"]!) })).ShouldBe(HttpStatusCode.Created);
        (await api.GetAsync($"{path}/{made.Id}")).Data.GetProperty("confirmed").GetBoolean().ShouldBeTrue();
        (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.Forbidden, "mfa_challenge");

        (await api.DeleteAsync($"{path}/{made.Id}", ("If-Match", shown.ETag))).Expect(412, "precondition_failed");
        (await api.DeleteAsync($"{path}/{made.Id}")).Expect(204);
        (await api.DeleteAsync($"{path}/{made.Id}")).Expect(404, "not_found");
        (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.OK);
        ManagementAnswer events = (await api.GetAsync($"/events?types=user.factor.*&user_id={user.Id}")).Expect(200);
        events.Items.Select(static item => item.GetProperty("type").GetString()).ShouldBe(["user.factor.deleted", "user.factor.confirmed", "user.factor.created"]);
        events.Text.ShouldNotContain(made["secret"]!);
    }

    [Fact]
    public async Task A_secret_can_be_brought_along_and_names_can_be_chosen()
    {
        User user = await door.NewUserAsync();
        ManagementAnswer made = (await api.PostAsync(
            $"/users/{user.Id}/factors", new { type = "totp", issuer = "Shop", account = "ada", secret = DemoRealm.TotpSecret })).Expect(201);
        (made["issuer"], made["account"], made["secret"]).ShouldBe(("Shop", "ada", DemoRealm.TotpSecret));
        string path = $"/users/{user.Id}/factors";
        (await api.PostAsync(path, new { })).Expect(422).WrongFields.ShouldBe(["/type"]);
        (await api.PostAsync(path, new { type = "sms", issuer = " ", account = 1, secret = "!", more = true })).Expect(422)
            .WrongFields.ShouldBe(["/more", "/type", "/issuer", "/account", "/secret"], ignoreOrder: true);
        (await api.PostAsync(path, new { type = "totp", secret = "AAAA" })).Expect(422).WrongFields.ShouldBe(["/secret"]);
    }

    [Fact]
    public async Task A_factor_is_that_persons_of_that_realm_or_not_found()
    {
        User user = await door.NewUserAsync(), other = await door.NewUserAsync();
        ManagementAnswer made = (await api.PostAsync($"/users/{user.Id}/factors", new { type = "totp" })).Expect(201);
        foreach (string path in new[] { $"/users/{other.Id}/factors/{made.Id}", $"/users/{user.Id}/factors/fac_0000000000000000000000001", $"/users/{user.Id}/factors/x" })
        {
            (await api.GetAsync(path)).Expect(404, "not_found");
            (await api.DeleteAsync(path)).Expect(404, "not_found");
        }

        (await api.Globex.GetAsync($"/users/{user.Id}/factors/{made.Id}")).Expect(404);
        (await api.Globex.PostAsync($"/users/{user.Id}/factors", new { type = "totp" })).Expect(404);
        (await api.Globex.DeleteAsync($"/users/{user.Id}/factors/{made.Id}")).Expect(404);
        (await api.GetAsync($"/users/{user.Id}/factors/{made.Id}")).Expect(200);
    }

    [Fact]
    public async Task A_factor_enrolled_twice_under_one_key_is_one_factor_with_one_secret()
    {
        User user = await door.NewUserAsync();
        (string, string) key = ("Idempotency-Key", Guid.NewGuid().ToString());
        ManagementAnswer first = (await api.PostAsync($"/users/{user.Id}/factors", new { type = "totp" }, key)).Expect(201);
        (await api.PostAsync($"/users/{user.Id}/factors", new { type = "totp" }, key)).Expect(201).Text.ShouldBe(first.Text);
        (await api.GetAsync($"/users/{user.Id}/factors")).Expect(200).Ids.ShouldHaveSingleItem();
    }
}

public sealed class PostgresFactorTests(PostgresDemoServer server) : FactorTests(server), IClassFixture<PostgresDemoServer>;
