using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Tests.AppNative;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Factors;

/// <summary>Codes that stand in for an authenticator app.</summary>
public class RecoveryCodeTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly OAuthBrowser browser = new(server);
    private readonly FactorWalk walk = new(server);
    private readonly World world = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task A_recovery_code_signs_in_once_instead_of_the_app()
    {
        User user = await walk.PersonAsync();
        (_, string[] codes, _) = await walk.EnrolAsync(browser, user);
        OAuthBrowser later = new(server);
        HostedForm page = await FactorWalk.OpenCodeAsync(later, user, byRecoveryCode: true);

        // As people type it.
        string typed = codes[0].ToUpperInvariant().Replace("-", " ", StringComparison.Ordinal);
        using HttpResponseMessage done = await later.SubmitAsync(page, ("recovery_code", $" {typed} "));
        TokenReply tokens = await later.RedeemAsync(Arrival.At(done).Code);
        tokens.Identity.GetProperty("amr").EnumerateArray().Select(static word => word.GetString()).ShouldBe(["pwd", "otp", "mfa"]);
        tokens.Identity.GetProperty("acr").GetString().ShouldBe("urn:atrium:acr:mfa");
        (await RemainingAsync(user)).ShouldBe(9);
        JsonElement used = (await api.GetAsync($"/events?types=user.recovery_code.used&user_id={user.Id}")).Expect(200).Items.ShouldHaveSingleItem();
        used.GetProperty("data").GetProperty("remaining").GetInt32().ShouldBe(9);

        page = await FactorWalk.OpenCodeAsync(later, user, byRecoveryCode: true, ("prompt", "login"));
        using HttpResponseMessage twice = await later.SubmitAsync(page, ("recovery_code", codes[0]));
        twice.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        HostedForm again = new(page.Location, await twice.Content.ReadAsStringAsync());
        again.Asks("recovery_code").ShouldBeTrue();
        again.Html.ShouldContain("role=\"alert\"");
        using HttpResponseMessage another = await later.SubmitAsync(again, ("recovery_code", codes[1]));
        Arrival.At(another).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Of_uses_of_one_code_at_once_one_signs_in()
    {
        User user = await walk.PersonAsync();
        (_, string[] codes, _) = await walk.EnrolAsync(browser, user);
        List<(OAuthBrowser Browser, HostedForm Page)> attempts = [];
        for (int i = 0; i < 20; i++)
        {
            OAuthBrowser one = new(server);
            attempts.Add((one, await FactorWalk.OpenCodeAsync(one, user, byRecoveryCode: true)));
        }

        HttpResponseMessage[] answers = await Task.WhenAll(attempts.Select(attempt => attempt.Browser.SubmitAsync(attempt.Page, ("recovery_code", codes[0]))));
        answers.Count(static answer => answer.Headers.Location?.OriginalString.StartsWith("http://localhost:3000/callback?code=", StringComparison.Ordinal) == true).ShouldBe(1);
        (await RemainingAsync(user)).ShouldBe(9);
        (await api.GetAsync($"/events?types=user.recovery_code.used&user_id={user.Id}")).Expect(200).Items.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Tries_of_recovery_codes_and_of_the_app_are_five_together()
    {
        User user = await walk.PersonAsync();
        (AuthenticatorApp app, string[] codes, _) = await walk.EnrolAsync(browser, user);
        string[] others = (await walk.EnrolAsync(new OAuthBrowser(server), await walk.PersonAsync())).Codes;
        OAuthBrowser guesser = new(server);
        HostedForm page = await FactorWalk.OpenCodeAsync(guesser, user, byRecoveryCode: true);
        foreach ((string field, string value) in new[]
        {
            ("recovery_code", others[0]), ("code", app.WrongCode()), ("recovery_code", codes[0][..^1]), ("recovery_code", new string('a', 5000)), ("recovery_code", ""),
        })
        {
            using HttpResponseMessage wrong = await guesser.SubmitAsync(page, (field, value));
            wrong.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        }

        using HttpResponseMessage late = await guesser.SubmitAsync(page, ("recovery_code", codes[0]));
        late.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await RemainingAsync(user)).ShouldBe(10);
        (await api.GetAsync($"/events?types=sign_in.failed&user_id={user.Id}")).Expect(200).Items
            .Select(static item => item.GetProperty("data").GetProperty("reason").GetString()).ShouldContain("wrong_recovery_code");
    }

    [Fact]
    public async Task New_codes_of_the_management_API_take_the_place_of_the_old_ones()
    {
        User user = await walk.PersonAsync();
        string path = $"/users/{user.Id}/recovery-codes";
        (await api.GetAsync(path)).Expect(200).Data.ToString().ShouldBe($$"""{"user_id":"{{user.Id}}","remaining":0,"created_at":null}""");
        (_, string[] old, _) = await walk.EnrolAsync(browser, user);
        (string, string) key = ("Idempotency-Key", Guid.NewGuid().ToString());
        ManagementAnswer made = (await api.PostAsync(path, null, key)).Expect(201);
        (await api.PostAsync(path, null, key)).Expect(201).Text.ShouldBe(made.Text);
        string[] codes = [.. made.Data.GetProperty("codes").EnumerateArray().Select(static code => code.GetString()!)];
        codes.Intersect(old).ShouldBeEmpty();
        ManagementAnswer shown = (await api.GetAsync(path)).Expect(200);
        shown.ETag.ShouldBe(made.ETag);
        shown.Text.ShouldNotContain(codes[0]);
        (shown.Data.GetProperty("remaining").GetInt32(), shown.Data.GetProperty("created_at").GetInt64())
            .ShouldBe((10, server.Clock.GetUtcNow().ToUnixTimeMilliseconds()));

        OAuthBrowser later = new(server);
        HostedForm page = await FactorWalk.OpenCodeAsync(later, user, byRecoveryCode: true);
        using HttpResponseMessage refused = await later.SubmitAsync(page, ("recovery_code", old[0]));
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        using HttpResponseMessage taken = await later.SubmitAsync(page, ("recovery_code", codes[0]));
        Arrival.At(taken).Code.ShouldNotBeEmpty();
        (await api.Globex.GetAsync(path)).Expect(404);
        (await api.Globex.PostAsync(path)).Expect(404);
        (await RemainingAsync(user)).ShouldBe(9);
    }

    [Fact]
    public async Task The_codes_go_with_the_last_factor_that_they_stand_in_for()
    {
        User user = await walk.PersonAsync();
        await walk.EnrolAsync(browser, user);
        string unconfirmed = (await api.PostAsync($"/users/{user.Id}/factors", new { type = "totp" })).Expect(201).Id;
        (await api.DeleteAsync($"/users/{user.Id}/factors/{unconfirmed}")).Expect(204);
        (await RemainingAsync(user)).ShouldBe(10);
        string factor = (await api.GetAsync($"/users/{user.Id}/factors")).Expect(200).Ids.Single();
        (await api.DeleteAsync($"/users/{user.Id}/factors/{factor}")).Expect(204);
        (await RemainingAsync(user)).ShouldBe(0);
    }

    [Theory]
    [InlineData("password totp", true)]
    [InlineData("password", false)]
    public async Task A_recovery_code_counts_where_an_organization_lets_the_app_count(string methods, bool counts)
    {
        string name = $"c{Guid.NewGuid():n}";
        await world.ClientAsync(name, new ClientSettings { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } });
        Organization strict = await world.NewOrganizationAsync(name, new OrganizationSettings
        {
            MfaRequired = true,
            AllowedMethods = [.. methods.Split(' ').Select(static method => Enum.Parse<AuthenticationMethod>(method, ignoreCase: true))],
        });
        (await api.PatchAsync($"/organizations/{strict.Id}", new { settings = new { allowed_methods = new[] { "recovery_code" } } })).Expect(422);
        User user = await walk.PersonAsync(strict);
        (_, string[] codes, _) = await walk.EnrolAsync(browser, user);
        OAuthBrowser later = new(server);
        HostedForm page = await FactorWalk.OpenCodeAsync(later, user, byRecoveryCode: true, ("client_id", name));
        using HttpResponseMessage done = await later.SubmitAsync(page, ("recovery_code", codes[0]));
        done.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        if (counts)
        {
            Arrival.At(done).Code.ShouldNotBeEmpty();
            return;
        }

        using HttpResponseMessage stopped = await later.GetAsync(done.Headers.Location!.OriginalString);
        stopped.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await stopped.Content.ReadAsStringAsync()).ShouldContain("ATR1318");
    }

    [Fact]
    public async Task The_other_doors_take_codes_of_the_app_only()
    {
        User user = await walk.PersonAsync();
        (_, string[] codes, _) = await walk.EnrolAsync(browser, user);
        NativeApp app = new(server);
        AppNative.Answer asked = await app.PasswordAsync(await app.StartAsync(), user.Email);
        (await app.AnswerAsync(asked, NativeApp.Totp, new { token = codes[0] })).ShouldFail("ABA-60003", NativeApp.Totp);

        AuthKitCalls door = new(server);
        AuthKit.Answer challenged = (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.Forbidden, "mfa_challenge");
        string factor = challenged.Json.GetProperty("authentication_factors")[0].GetProperty("id").GetString()!;
        AuthKit.Answer challenge = (await door.PostAsync($"/auth/factors/{factor}/challenge", new { })).ShouldBe(HttpStatusCode.Created);
        (await door.AuthenticateAsync(
            AuthKitCalls.TotpGrant,
            ("code", codes[0]),
            ("pending_authentication_token", challenged["pending_authentication_token"]),
            ("authentication_challenge_id", challenge["id"]))).ShouldBe(HttpStatusCode.BadRequest, "invalid_one_time_code");
        (await RemainingAsync(user)).ShouldBe(10);
    }

    private async Task<int> RemainingAsync(User user) =>
        (await api.GetAsync($"/users/{user.Id}/recovery-codes")).Expect(200).Data.GetProperty("remaining").GetInt32();
}

public sealed class PostgresRecoveryCodeTests(PostgresDemoServer server) : RecoveryCodeTests(server), IClassFixture<PostgresDemoServer>;
