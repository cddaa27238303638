using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Tests.AppNative;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Management;

/// <summary>What an organization's settings ask of a sign-in, as every door keeps it.</summary>
public sealed class SignInPolicyTests(DemoServer server) : IClassFixture<DemoServer>
{
    private static readonly string[] NoPasswords = ["totp", "email_code"];

    private readonly ManagementCalls api = new(server);
    private readonly World world = new(server);
    private readonly OAuthBrowser browser = new(server);
    private readonly AuthKitCalls authKit = new(server);

    [Theory]
    [InlineData("mfa_required")]
    [InlineData("sso_only")]
    [InlineData("allowed_methods")]
    public async Task What_a_session_has_not_shown_leaves_the_organization_out_of_its_tokens_until_it_is_asked_for_no_more(string setting)
    {
        (Organization plain, Organization strict, User user) = await TwoAsync();
        TokenReply tokens = await browser.TokensAsync(user.Email);
        tokens.Organizations.ShouldBe([plain.Id.ToString(), strict.Id.ToString()]);

        await SetAsync(strict, setting, On(setting));
        TokenReply refreshed = await browser.RefreshAsync(tokens.RefreshToken);
        refreshed.Organizations.ShouldBe([plain.Id.ToString()]);
        (await UserInfoOfAsync(tokens)).ShouldBe([plain.Id.ToString()]);
        (await new OAuthBrowser(server).TokensAsync(user.Email)).Organizations.ShouldBe([plain.Id.ToString()]);

        await SetAsync(strict, setting, setting == "allowed_methods" ? null : false);
        (await browser.RefreshAsync(refreshed.RefreshToken)).Organizations.ShouldBe([plain.Id.ToString(), strict.Id.ToString()]);
        (await UserInfoOfAsync(tokens)).ShouldBe([plain.Id.ToString(), strict.Id.ToString()]);
    }

    [Fact]
    public async Task Selected_an_organization_is_asked_what_it_asks_and_named_only_then()
    {
        (_, Organization strict, User user) = await TwoAsync();
        TokenReply tokens = await browser.TokensAsync(user.Email, ("org", strict.Id.ToString()));
        tokens.Organizations.ShouldBe([strict.Id.ToString()]);
        await SetAsync(strict, "mfa_required", true);
        (await browser.RefreshAsync(tokens.RefreshToken)).Organizations.ShouldBeEmpty("the grant lives, and never widens");
        (await browser.SilentlyAsync(("org", strict.Id.ToString()), ("prompt", "none")))["error"].ShouldBe("interaction_required");
        await SetAsync(strict, "mfa_required", false);
        await SetAsync(strict, "allowed_methods", NoPasswords);
        (await browser.SilentlyAsync(("org", strict.Id.ToString()), ("prompt", "none")))["error"].ShouldBe("access_denied");
    }

    [Fact]
    public async Task After_the_organizations_session_age_a_person_proves_again_and_everything_is_as_before()
    {
        (Organization plain, Organization strict, User user) = await TwoAsync();
        await SetAsync(strict, "session_max_age", 300);
        TokenReply tokens = await browser.TokensAsync(user.Email);
        server.Clock.Advance(TimeSpan.FromSeconds(299));
        tokens = await browser.RefreshAsync(tokens.RefreshToken);
        tokens.Organizations.Length.ShouldBe(2);
        server.Clock.Advance(TimeSpan.FromSeconds(2));
        (await UserInfoOfAsync(tokens)).ShouldBe([plain.Id.ToString()]);
        (await browser.RefreshAsync(tokens.RefreshToken)).Organizations.ShouldBe([plain.Id.ToString()]);

        (await browser.SilentlyAsync(("org", plain.Id.ToString()), ("prompt", "none")))["error"].ShouldBeEmpty("the session itself goes on");
        (await browser.SilentlyAsync(("org", strict.Id.ToString()), ("prompt", "none")))["error"].ShouldBe("login_required");
        TokenReply anew = await browser.TokensAsync(user.Email, ("org", strict.Id.ToString()));
        anew.Organizations.ShouldBe([strict.Id.ToString()]);
        Arrival silent = await browser.SilentlyAsync();
        (await browser.RedeemAsync(silent.Code)).Organizations.Length.ShouldBe(2, "the new sign-in counts for all of them");
    }

    [Fact]
    public async Task At_the_AuthKit_door_a_session_that_is_too_old_ends_there_and_cannot_move_there()
    {
        (Organization plain, Organization strict, User user) = await TwoAsync();
        await SetAsync(strict, "session_max_age", 300);
        AuthKit.Answer inStrict = await authKit.SignInToAsync(user.Email, strict.Id.ToString());
        AuthKit.Answer inPlain = await authKit.SignInToAsync(user.Email, plain.Id.ToString());
        inStrict = (await authKit.RefreshAsync(inStrict["refresh_token"])).ShouldBe(HttpStatusCode.OK);
        server.Clock.Advance(TimeSpan.FromSeconds(301));
        (await authKit.RefreshAsync(inStrict["refresh_token"])).ShouldBe(HttpStatusCode.BadRequest, "invalid_grant");
        (await authKit.RefreshAsync(inPlain["refresh_token"], strict.Id.ToString())).ShouldBe(HttpStatusCode.BadRequest, "mfa_enrollment");
        (await authKit.RefreshAsync(inPlain["refresh_token"])).ShouldBe(HttpStatusCode.OK);
        (await authKit.SignInToAsync(user.Email, strict.Id.ToString()))["organization_id"].ShouldBe(strict.Id.ToString());
    }

    [Fact]
    public async Task A_method_that_the_organization_does_not_allow_opens_no_door()
    {
        (Organization plain, Organization strict, User user) = await TwoAsync();
        await SetAsync(strict, "allowed_methods", NoPasswords);

        AuthKit.Answer refused = await authKit.SelectAsync(await authKit.PendingTokenOfAsync(user.Email), strict.Id.ToString());
        refused.ShouldBe(HttpStatusCode.BadRequest, "organization_authentication_methods_required");
        refused.Json.GetProperty("auth_methods").GetProperty("password").GetBoolean().ShouldBeFalse();
        AuthKit.Answer inPlain = await authKit.SignInToAsync(user.Email, plain.Id.ToString());
        (await authKit.RefreshAsync(inPlain["refresh_token"], strict.Id.ToString())).ShouldBe(HttpStatusCode.BadRequest, "organization_authentication_methods_required");

        NativeApp native = new(server, $"native-{Guid.NewGuid():n}");
        await native.MakeClientAsync(static client => client with { SharedWithAll = true });
        (await native.StartAtAsync(await native.PathOfAsync(strict.Handle))).ShouldBeError(400, "ABA-60002");

        await world.ClientAsync($"single-{user.Id}", new ClientSettings { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } });
        (await browser.SilentlyAsync(("client_id", $"single-{user.Id}"), ("org", strict.Id.ToString())))["error"].ShouldBe("access_denied");
    }

    private async Task<(Organization Plain, Organization Strict, User User)> TwoAsync()
    {
        Organization plain = await world.NewOrganizationAsync($"plain-{Guid.NewGuid():n}");
        Organization strict = await world.NewOrganizationAsync($"strict-{Guid.NewGuid():n}");
        User user = await world.PersonAsync($"{Guid.NewGuid():n}@example.test", plain);
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await world.JoinAsync(user, strict, "member");
        return (plain, strict, user);
    }

    private static object On(string setting) => setting == "allowed_methods" ? NoPasswords : true;

    private async Task SetAsync(Organization organization, string setting, object? value) =>
        (await api.PatchAsync($"/organizations/{organization.Id}", new Dictionary<string, object?> { ["settings"] = new Dictionary<string, object?> { [setting] = value } })).Expect(200);

    private async Task<IEnumerable<string?>> UserInfoOfAsync(TokenReply tokens)
    {
        (HttpStatusCode status, JsonElement json, _) = await browser.UserInfoAsync(tokens.AccessToken);
        status.ShouldBe(HttpStatusCode.OK);
        return json.GetProperty("organizations").EnumerateArray().Select(static entry => entry.GetProperty("id").GetString());
    }
}
