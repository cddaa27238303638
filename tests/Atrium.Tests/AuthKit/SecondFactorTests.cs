using System.Net;
using System.Text.Json;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AuthKit;

public sealed class SecondFactorTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly AuthKitCalls door = new(server);

    [Fact]
    public async Task A_person_with_a_factor_proves_it_and_is_signed_in()
    {
        (User user, string secret) = await NewUserWithFactorAsync("contoso");
        (string pending, string factor, string challenge) = await UntilCodeAsync(user);
        Answer answer = (await TotpAsync(pending, challenge, door.TotpCode(secret))).ShouldBe(HttpStatusCode.OK);

        factor.ShouldStartWith(Factor.IdPrefix);
        answer["organization_id"].ShouldBe(await door.OrganizationIdAsync("contoso"));
        answer["authentication_method"].ShouldBe("Password");
        (await TotpAsync(pending, challenge, door.TotpCode(secret))).ShouldBe(HttpStatusCode.BadRequest, "invalid_pending_authentication_token");
    }

    [Fact]
    public async Task A_wrong_code_leaves_the_token_good_until_five_tries_are_used_up()
    {
        (User user, string secret) = await NewUserWithFactorAsync();
        (string pending, _, string challenge) = await UntilCodeAsync(user);
        for (int attempt = 0; attempt < 4; attempt++)
            (await TotpAsync(pending, challenge, door.WrongCode(secret))).ShouldBe(HttpStatusCode.BadRequest, "invalid_one_time_code");
        (await TotpAsync(pending, challenge, door.TotpCode(secret))).ShouldBe(HttpStatusCode.OK);

        server.Clock.Advance(TimeSpan.FromMinutes(1));
        (pending, _, challenge) = await UntilCodeAsync(user);
        for (int attempt = 0; attempt < 5; attempt++)
            (await TotpAsync(pending, challenge, door.WrongCode(secret))).ShouldBe(HttpStatusCode.BadRequest, "invalid_one_time_code");
        (await TotpAsync(pending, challenge, door.TotpCode(secret))).ShouldBe(HttpStatusCode.BadRequest, "one_time_code_too_many_attempts");
    }

    [Fact]
    public async Task Guesses_made_at_once_are_all_counted()
    {
        (User user, string secret) = await NewUserWithFactorAsync();
        (string pending, _, string challenge) = await UntilCodeAsync(user);
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TotpAsync(pending, challenge, door.WrongCode(secret))));

        answers.Count(static answer => answer["code"] == "invalid_one_time_code").ShouldBe(5);
        answers.Count(static answer => answer["code"] == "one_time_code_too_many_attempts").ShouldBe(15);
    }

    [Fact]
    public async Task Of_right_codes_sent_at_once_one_signs_in()
    {
        (User user, string secret) = await NewUserWithFactorAsync();
        (string pending, _, string challenge) = await UntilCodeAsync(user);
        string code = door.TotpCode(secret);
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TotpAsync(pending, challenge, code)));

        answers.Count(static answer => answer.Status == HttpStatusCode.OK).ShouldBe(1, string.Join('\n', answers.Select(static answer => answer.Text)));
    }

    [Fact]
    public async Task A_code_works_once_also_in_another_sign_in()
    {
        (User user, string secret) = await NewUserWithFactorAsync();
        string code = door.TotpCode(secret);
        (string pending, _, string challenge) = await UntilCodeAsync(user);
        (await TotpAsync(pending, challenge, code)).ShouldBe(HttpStatusCode.OK);

        (pending, _, string second) = await UntilCodeAsync(user);
        (await TotpAsync(pending, second, code)).ShouldBe(HttpStatusCode.BadRequest, "invalid_one_time_code");
        (await TotpAsync(pending, challenge, code)).ShouldBe(HttpStatusCode.BadRequest, "one_time_code_previously_used");
    }

    [Fact]
    public async Task A_challenge_expires_and_belongs_to_a_factor_of_the_person()
    {
        (User user, string secret) = await NewUserWithFactorAsync();
        (User other, _) = await NewUserWithFactorAsync();
        (string pending, _, string challenge) = await UntilCodeAsync(user);
        (_, _, string foreign) = await UntilCodeAsync(other);
        foreach (string unknown in new[] { foreign, "chal_0000000000000000000000001", "nonsense" })
            (await TotpAsync(pending, unknown, door.TotpCode(secret))).ShouldBe(HttpStatusCode.NotFound, "entity_not_found");

        server.Clock.Advance(TimeSpan.FromMinutes(11));
        (await TotpAsync(pending, challenge, door.TotpCode(secret))).ShouldBe(HttpStatusCode.BadRequest, "one_time_code_expired");
    }

    [Fact]
    public async Task A_choice_does_not_stand_in_for_the_code_and_changes_nothing()
    {
        (User user, string secret) = await NewUserWithFactorAsync("contoso", "northwind");
        (string pending, _, string challenge) = await UntilCodeAsync(user);
        string contoso = await door.OrganizationIdAsync("contoso");
        (await door.SelectAsync(pending, contoso)).ShouldBe(HttpStatusCode.Forbidden, "mfa_challenge")["pending_authentication_token"].ShouldBe(pending);

        Answer next = (await TotpAsync(pending, challenge, door.TotpCode(secret))).ShouldBe(HttpStatusCode.Forbidden, "organization_selection_required");
        next["pending_authentication_token"].ShouldNotBe(pending);
        (await door.SelectAsync(pending, contoso)).ShouldBe(HttpStatusCode.BadRequest, "invalid_pending_authentication_token");
        (await door.SelectAsync(next["pending_authentication_token"], contoso)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Who_must_enrol_enrols_and_the_first_right_code_confirms_and_signs_in()
    {
        User user = await door.NewUserAsync();
        await door.JoinAsync(user, await door.NewOrganizationAsync(new OrganizationSettings { MfaRequired = true }));
        Answer asked = (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.Forbidden, "mfa_enrollment");
        asked.Json.GetProperty("user").GetProperty("id").GetString().ShouldBe(user.Id.ToString());

        JsonElement enrolled = (await EnrolAsync(user)).Json;
        string secret = enrolled.GetProperty("authentication_factor").GetProperty("totp").GetProperty("secret").GetString()!;
        string challenge = enrolled.GetProperty("authentication_challenge").GetProperty("id").GetString()!;
        string pending = asked["pending_authentication_token"]!;
        (await TotpAsync(pending, challenge, door.WrongCode(secret))).ShouldBe(HttpStatusCode.BadRequest, "invalid_one_time_code");
        (await TotpAsync(pending, challenge, door.TotpCode(secret))).ShouldBe(HttpStatusCode.OK);

        (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.Forbidden, "mfa_challenge");
    }

    [Fact]
    public async Task An_enrolment_shows_its_secret_once_and_locks_nobody_out_before_it_is_confirmed()
    {
        User user = await door.NewUserAsync();
        Answer enrolled = await EnrolAsync(user);
        JsonElement factor = enrolled.Json.GetProperty("authentication_factor");
        JsonElement totp = factor.GetProperty("totp");
        totp.GetProperty("uri").GetString().ShouldStartWith("otpauth://totp/Acme:");
        totp.GetProperty("qr_code").GetString().ShouldStartWith("data:image/png;base64,iVBOR");
        totp.GetProperty("user").GetString().ShouldBe(user.Email);
        (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.OK);

        string id = factor.GetProperty("id").GetString()!;
        Answer read = (await door.GetAsync($"/auth/factors/{id}")).ShouldBe(HttpStatusCode.OK);
        read.Json.GetProperty("totp").EnumerateObject().Select(static property => property.Name).ShouldBe(["issuer", "user"]);
        read.Json.GetProperty("object").GetString().ShouldBe("authentication_factor");
        Answer list = (await door.GetAsync($"/user_management/users/{user.Id}/auth_factors")).ShouldBe(HttpStatusCode.OK);
        list.Json.GetProperty("data").GetArrayLength().ShouldBe(1);
        list.Json.GetProperty("list_metadata").GetProperty("after").ValueKind.ShouldBe(JsonValueKind.Null);

        string challenge = enrolled.Json.GetProperty("authentication_challenge").GetProperty("id").GetString()!;
        string secret = totp.GetProperty("secret").GetString()!;
        (await VerifyAsync(challenge, door.TotpCode(secret))).Json.GetProperty("valid").GetBoolean().ShouldBeTrue();
        (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.Forbidden, "mfa_challenge");

        (await door.SendAsync(HttpMethod.Delete, $"/auth/factors/{id}")).ShouldBe(HttpStatusCode.NoContent);
        (await door.SendAsync(HttpMethod.Delete, $"/auth/factors/{id}")).ShouldBe(HttpStatusCode.NotFound, "entity_not_found");
        (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_challenge_alone_is_verified_once_within_its_time_and_tries()
    {
        (_, string secret, string factor) = await NewFactorAsync();
        string challenge = await ChallengeAsync(factor);
        Answer wrong = await VerifyAsync(challenge, door.WrongCode(secret));
        wrong.Json.GetProperty("valid").GetBoolean().ShouldBeFalse();
        wrong.Json.GetProperty("challenge").GetProperty("id").GetString().ShouldBe(challenge);
        (await VerifyAsync(challenge, door.TotpCode(secret))).Json.GetProperty("valid").GetBoolean().ShouldBeTrue();
        (await door.PostAsync($"/auth/challenges/{challenge}/verify", new { code = "000000" }))
            .ShouldBe(HttpStatusCode.UnprocessableEntity, "authentication_challenge_previously_verified");

        challenge = await ChallengeAsync(factor);
        (await VerifyAsync(challenge, door.TotpCode(secret))).Json.GetProperty("valid").GetBoolean().ShouldBeFalse("a code works once");
        server.Clock.Advance(TimeSpan.FromMinutes(10));
        (await door.PostAsync($"/auth/challenges/{challenge}/verify", new { code = door.TotpCode(secret) }))
            .ShouldBe(HttpStatusCode.UnprocessableEntity, "authentication_challenge_expired");

        challenge = await ChallengeAsync(factor);
        for (int attempt = 0; attempt < 5; attempt++)
            await VerifyAsync(challenge, door.WrongCode(secret));
        (await door.PostAsync($"/auth/challenges/{challenge}/verify", new { code = door.TotpCode(secret) }))
            .ShouldBe(HttpStatusCode.BadRequest, "one_time_code_too_many_attempts");
    }

    [Fact]
    public async Task A_secret_can_be_brought_along()
    {
        User user = await door.NewUserAsync();
        Answer enrolled = await door.PostAsync(
            $"/user_management/users/{user.Id}/auth_factors",
            new { type = "totp", totp_secret = DemoRealm.TotpSecret, totp_issuer = "My: App", totp_user = "me" });
        enrolled.ShouldBe(HttpStatusCode.Created);
        enrolled.Json.GetProperty("authentication_factor").GetProperty("totp").GetProperty("secret").GetString().ShouldBe(DemoRealm.TotpSecret);
        foreach (string bad in new[] { "short", "1189", new string('A', 200) })
        {
            (await door.PostAsync($"/user_management/users/{user.Id}/auth_factors", new { type = "totp", totp_secret = bad }))
                .ShouldBe(HttpStatusCode.UnprocessableEntity, "invalid_request_parameters");
        }
    }

    private async Task<(User User, string Secret)> NewUserWithFactorAsync(params string[] organizations)
    {
        (User user, string secret, _) = await NewFactorAsync(organizations);
        return (user, secret);
    }

    /// <summary>A person with a confirmed factor none of whose codes has been used in the present step.</summary>
    private async Task<(User User, string Secret, string Factor)> NewFactorAsync(params string[] organizations)
    {
        User user = await door.NewUserAsync(true, organizations);
        JsonElement enrolled = (await EnrolAsync(user)).Json;
        JsonElement factor = enrolled.GetProperty("authentication_factor");
        string secret = factor.GetProperty("totp").GetProperty("secret").GetString()!;
        await VerifyAsync(enrolled.GetProperty("authentication_challenge").GetProperty("id").GetString()!, door.TotpCode(secret));
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        return (user, secret, factor.GetProperty("id").GetString()!);
    }

    private async Task<Answer> EnrolAsync(User user) =>
        (await door.PostAsync($"/user_management/users/{user.Id}/auth_factors", new { type = "totp" })).ShouldBe(HttpStatusCode.Created);

    private async Task<string> ChallengeAsync(string factor) =>
        (await door.PostAsync($"/auth/factors/{factor}/challenge", "")).ShouldBe(HttpStatusCode.Created)["id"]!;

    private async Task<Answer> VerifyAsync(string challenge, string code) =>
        (await door.PostAsync($"/auth/challenges/{challenge}/verify", new { code })).ShouldBe(HttpStatusCode.Created);

    private async Task<(string Pending, string Factor, string Challenge)> UntilCodeAsync(User user)
    {
        Answer asked = (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.Forbidden, "mfa_challenge");
        JsonElement factor = asked.Json.GetProperty("authentication_factors")[0];
        factor.GetProperty("type").GetString().ShouldBe("totp");
        string id = factor.GetProperty("id").GetString()!;
        return (asked["pending_authentication_token"]!, id, await ChallengeAsync(id));
    }

    private Task<Answer> TotpAsync(string pending, string challenge, string code) => door.AuthenticateAsync(
        AuthKitCalls.TotpGrant, ("pending_authentication_token", pending), ("authentication_challenge_id", challenge), ("code", code));
}
