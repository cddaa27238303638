using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Server.Tokens;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AppNative;

/// <summary>Answers to the password prompt, and the life of a flow.</summary>
public sealed class AuthnTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly NativeApp app = new(server);

    [Fact]
    public async Task The_right_password_completes_with_a_code_the_state_and_a_session_state()
    {
        Answer answer = await app.PasswordAsync(await app.StartAtAsync(await app.PathOfAsync("northwind")), "mia@example.test");
        answer.ShouldComplete().ContentType.ShouldBe("application/json");
        answer.Json.EnumerateObject().Select(static member => member.Name).ShouldBe(["flowStatus", "authData"]);
        JsonElement data = answer.Json.GetProperty("authData");
        data.EnumerateObject().Select(static member => member.Name).ShouldBe(["code", "state", "session_state"]);
        data.GetProperty("state").GetString().ShouldBe("s1_request_0");
    }

    [Fact]
    public async Task The_session_state_is_the_hash_of_client_origin_session_and_salt()
    {
        Answer answer = await app.PasswordAsync(await app.StartAsync(), "zoe@example.test");
        string[] parts = answer.Json.GetProperty("authData").GetProperty("session_state").GetString()!.Split('.');
        IssuedTokens tokens = await RedeemAsync(answer.Code);
        string browserState = Sha256($"opbs {tokens.Facts.Session.Id}");
        parts.ShouldBe([Sha256($"demo-native http://localhost:3000 {browserState} {parts[1]}"), parts[1]]);

        static string Sha256(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public async Task A_state_that_was_not_sent_is_not_returned()
    {
        Answer answer = await app.PasswordAsync(await app.StartAsync(("state", null)), "zoe@example.test");
        answer.ShouldComplete().Json.GetProperty("authData").EnumerateObject().Select(static member => member.Name).ShouldBe(["code", "session_state"]);
    }

    [Fact]
    public async Task Somebody_without_any_organization_signs_in_at_the_root() =>
        (await app.PasswordAsync(await app.StartAsync(), "ZOE@example.test")).ShouldComplete();

    [Fact]
    public async Task A_username_signs_in_like_the_address()
    {
        User user = new()
        {
            RealmId = (await app.World.RealmAsync()).Id,
            Id = Id<User>.New(server.Clock),
            Email = "una@example.test",
            EmailVerified = false,
            Username = "una",
            CreatedAt = server.Clock.GetUtcNow(),
            UpdatedAt = server.Clock.GetUtcNow(),
        };
        string? hash = await server.Get<Backbone>().Passwords.HashAsync("Unas-Passw0rd!", TestContext.Current.CancellationToken);
        await server.Get<UserStore>().CreateAsync(user, hash, Origin.System, TestContext.Current.CancellationToken);
        (await app.PasswordAsync(await app.StartAsync(), "Una", "Unas-Passw0rd!")).ShouldComplete();
    }

    [Fact]
    public async Task A_wrong_password_may_be_corrected_in_the_same_flow()
    {
        Answer start = await app.StartAtAsync(await app.PathOfAsync("northwind"));
        Answer failed = await app.PasswordAsync(start, "mia@example.test", "no");
        failed.ShouldFail("ABA-60003", NativeApp.Basic);
        failed.FlowId.ShouldBe(start.FlowId);
        failed.Json.GetProperty("links").ToString().ShouldBe(start.Json.GetProperty("links").ToString());
        failed.Json.GetProperty("nextStep").GetProperty("authenticators").ToString()
            .ShouldBe(start.Json.GetProperty("nextStep").GetProperty("authenticators").ToString());
        failed.Json.GetProperty("nextStep").GetProperty("messages").ToString().ShouldBe(
            """[{"type":"ERROR","messageId":"ABA-60003","message":"login.fail.message","i18nKey":"message.ABA-60003"}]""");
        (await app.PasswordAsync(failed, "mia@example.test")).ShouldComplete();
    }

    [Fact]
    public async Task Strangers_outsiders_and_people_of_other_realms_look_like_a_wrong_password()
    {
        Answer start = await app.StartAtAsync(await app.PathOfAsync("contoso"));
        string wrong = (await app.PasswordAsync(start, "mia@example.test", "no")).ShouldFail("ABA-60003", NativeApp.Basic).Json.ToString();
        foreach (string person in new[] { "sam@example.test", "nobody@example.test", "kim@example.test", "zoe@example.test" })
            (await app.PasswordAsync(start, person)).ShouldFail("ABA-60003", NativeApp.Basic).Json.ToString().ShouldBe(wrong);
        (await app.PasswordAsync(start, "mia@example.test")).ShouldComplete();
    }

    [Theory]
    [InlineData("""{"username":"mia@example.test"}""")]
    [InlineData("""{"password":"Demo-Passw0rd!"}""")]
    [InlineData("""{"username":" ","password":"Demo-Passw0rd!"}""")]
    [InlineData("""{"username":"mia@example.test","password":""}""")]
    [InlineData("""{"username":null,"password":"x"}""")]
    [InlineData("""{"something":"else"}""")]
    public async Task Credentials_that_are_not_all_there_are_a_failed_try(string parameters)
    {
        Answer start = await app.StartAsync();
        (await app.AnswerAsync(start, NativeApp.Basic, JsonSerializer.Deserialize<JsonElement>(parameters))).ShouldFail("ABA-60003", NativeApp.Basic);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("null")]
    public async Task An_option_without_parameters_is_selected_and_shown_alone(string? parameters)
    {
        Answer start = await app.StartAsync();
        object? given = parameters is null ? null : JsonSerializer.Deserialize<JsonElement>(parameters);
        Answer selected = await app.AnswerAsync(start, NativeApp.Basic, given);
        selected.ShouldPrompt("INCOMPLETE", NativeApp.Basic).StepType.ShouldBe("AUTHENTICATOR_PROMPT");
        (await app.PasswordAsync(selected, "zoe@example.test")).ShouldComplete();
    }

    [Fact]
    public async Task A_value_may_come_as_an_array_of_one() =>
        (await app.AnswerAsync(
            await app.StartAsync(), NativeApp.Basic, new { username = new[] { "zoe@example.test" }, password = new[] { "Demo-Passw0rd!" } })).ShouldComplete();

    [Fact]
    public async Task A_trailing_slash_and_the_root_address_are_fine_for_a_flow_of_an_organization()
    {
        Answer start = await app.StartAtAsync(await app.PathOfAsync("northwind"));
        (await app.AnswerAtAsync("/t/acme/oauth2/authn/", start.FlowId, NativeApp.Basic, new { username = "mia@example.test", password = "no" }))
            .ShouldFail("ABA-60003", NativeApp.Basic).Link.ShouldBe(start.Link);
        (await app.AnswerAtAsync($"{start.Link}/", start.FlowId, NativeApp.Basic, new { username = "mia@example.test", password = "Demo-Passw0rd!" })).ShouldComplete();
    }

    [Fact]
    public async Task An_organization_in_the_path_that_is_not_the_flows_is_refused_and_the_flow_goes_on()
    {
        Answer inNorthwind = await app.StartAtAsync(await app.PathOfAsync("northwind"));
        Answer atRoot = await app.StartAsync();
        object credentials = new { username = "mia@example.test", password = "Demo-Passw0rd!" };
        string[] paths = [await app.PathOfAsync("contoso"), await app.PathOfAsync("tailspin"), "/t/acme/o/nonsense"];
        foreach (string path in paths)
        {
            (await app.AnswerAtAsync($"{path}/oauth2/authn", inNorthwind.FlowId, NativeApp.Basic, credentials)).ShouldBeError(400, "ABA-60002");
            (await app.AnswerAtAsync($"{path}/oauth2/authn", atRoot.FlowId, NativeApp.Basic, credentials)).ShouldBeError(400, "ABA-60002");
        }

        (await app.PasswordAsync(inNorthwind, "mia@example.test")).ShouldComplete();
        (await app.PasswordAsync(atRoot, "mia@example.test")).ShouldComplete();
    }

    [Fact]
    public async Task A_flow_is_another_realms_nothing()
    {
        Answer start = await app.StartAsync();
        (await app.AnswerAtAsync("/t/globex/oauth2/authn", start.FlowId, NativeApp.Basic, new { username = "zoe@example.test", password = "Demo-Passw0rd!" }))
            .ShouldBeError(400, "ABA-60009");
    }

    [Fact]
    public async Task A_finished_flow_is_over()
    {
        Answer start = await app.StartAsync();
        (await app.PasswordAsync(start, "zoe@example.test")).ShouldComplete();
        (await app.PasswordAsync(start, "zoe@example.test")).ShouldBeError(400, "ABA-60009");
    }

    [Fact]
    public async Task A_flow_lasts_thirty_minutes()
    {
        Answer first = await app.StartAsync();
        Answer second = await app.StartAsync();
        server.Clock.Advance(TimeSpan.FromMinutes(30) - TimeSpan.FromSeconds(1));
        (await app.PasswordAsync(first, "zoe@example.test")).ShouldComplete();
        server.Clock.Advance(TimeSpan.FromSeconds(1));
        (await app.PasswordAsync(second, "zoe@example.test")).ShouldBeError(400, "ABA-60009");
        (await app.PasswordAsync(second, "zoe@example.test")).ShouldBeError(400, "ABA-60009");
    }

    [Fact]
    public async Task Of_twenty_right_answers_at_once_one_completes_and_the_others_are_told_clearly()
    {
        Answer start = await app.StartAtAsync(await app.PathOfAsync("northwind"));
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => app.PasswordAsync(start, "mia@example.test")));
        answers.Count(static answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
        answers.Single(static answer => answer.Status == HttpStatusCode.OK).ShouldComplete();
        foreach (Answer lost in answers.Where(static answer => answer.Status != HttpStatusCode.OK))
            lost.ShouldBeError(400, lost.Json.GetProperty("code").GetString() == "ABA-60001" ? "ABA-60001" : "ABA-60009");
    }

    [Fact]
    public async Task Somebody_disabled_is_refused_for_good()
    {
        User sam = await app.World.UserAsync("sam@example.test");
        User disabled = sam with { Id = Id<User>.New(server.Clock), Email = "dora@example.test", Status = UserStatus.Disabled };
        string? hash = await server.Get<Backbone>().Passwords.HashAsync("Doras-Passw0rd!", TestContext.Current.CancellationToken);
        await server.Get<UserStore>().CreateAsync(disabled, hash, Origin.System, TestContext.Current.CancellationToken);
        Answer start = await app.StartAsync();
        (await app.PasswordAsync(start, "dora@example.test", "no")).ShouldFail("ABA-60003", NativeApp.Basic);
        (await app.PasswordAsync(start, "dora@example.test", "Doras-Passw0rd!")).ShouldBeError(400, "ABA-60002");
        (await app.PasswordAsync(start, "dora@example.test", "Doras-Passw0rd!")).ShouldBeError(400, "ABA-60009");
    }

    [Fact]
    public async Task Guessing_is_slowed_down_and_the_flow_survives_it()
    {
        Answer start = await app.StartAsync();
        Answer answer = start;
        for (int guess = 0; guess < 31 && answer.Status == HttpStatusCode.OK; guess++)
            answer = await app.PasswordAsync(start, "guessed@example.test", "no");
        answer.ShouldBeError(429, "429");
        answer.Response.Headers.RetryAfter!.Delta.ShouldNotBeNull();
        (await app.PasswordAsync(start, "zoe@example.test")).ShouldComplete();
    }

    [Fact]
    public async Task The_sign_in_is_written_down_with_its_method_and_place()
    {
        Answer answer = await app.PasswordAsync(await app.StartAtAsync(await app.PathOfAsync("northwind")), "sam@example.test");
        IssuedTokens tokens = await RedeemAsync(answer.Code);
        tokens.Facts.Session.Proofs.ShouldHaveSingleItem().Method.ShouldBe(AuthenticationMethod.Password);
        tokens.Facts.Session.IpAddress.ShouldBe("127.0.0.1");
        tokens.Facts.Grant.OnOrganizationPath.ShouldBeTrue();
        tokens.Scopes.ShouldBe(["openid", "profile", "internal_login"]);
    }

    private async Task<IssuedTokens> RedeemAsync(string code)
    {
        Client client = (await server.Get<ClientStore>().FindByClientIdAsync("demo-native", TestContext.Current.CancellationToken))!;
        GrantResult result = await server.Get<GrantDesk>().RedeemAsync(
            client, new Secret(code), DemoRealm.NativeCallback, verifier: null, RestatedTerms.None, TestContext.Current.CancellationToken);
        return result.ShouldBeOfType<GrantResult.Issued>().Tokens;
    }
}
