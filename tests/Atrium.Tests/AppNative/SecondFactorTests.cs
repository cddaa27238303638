using System.Net;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AppNative;

/// <summary>TOTP as the second step.</summary>
public sealed class SecondFactorTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Tom = "tom@example.test";

    private readonly NativeApp app = new(server);
    private readonly NativeApp mfa = new(server, "demo-native-mfa");

    [Theory]
    [InlineData("demo-native-mfa")]
    [InlineData("demo-native")]
    public async Task A_code_is_asked_for_after_the_password_where_the_client_or_the_person_has_it_so(string clientId)
    {
        NativeApp client = new(server, clientId);
        string path = await client.PathOfAsync("contoso");
        Answer start = await client.StartAtAsync(path);
        Answer second = await client.PasswordAsync(start, Tom);
        second.ShouldPrompt("INCOMPLETE", NativeApp.Totp).FlowId.ShouldBe(start.FlowId);
        second.Json.GetProperty("nextStep").ToString().ShouldBe(
            """
            {"stepType":"AUTHENTICATOR_PROMPT","authenticators":[{"authenticatorId":"dG90cDpMT0NBTA","authenticator":"TOTP","idp":"LOCAL",
            "metadata":{"i18nKey":"authenticator.totp","promptType":"USER_PROMPT","params":[
            {"param":"token","type":"STRING","order":0,"i18nKey":"totp.authenticator","displayName":"Token","confidential":false}]},
            "requiredParams":["token"]}]}
            """.ReplaceLineEndings(""));
        second.Link.ShouldBe($"{server.Url}{path}/oauth2/authn");

        (await client.PasswordAsync(second, Tom)).ShouldBeError(400, "ABA-60012");
        Answer failed = await client.AnswerAsync(second, NativeApp.Totp, new { token = client.WrongTotp() });
        failed.ShouldFail("ABA-60003", NativeApp.Totp).FlowId.ShouldBe(start.FlowId);
        (await client.AnswerAsync(failed, NativeApp.Totp, new { token = client.FreshTotp() })).ShouldComplete();
        (await client.AnswerAsync(failed, NativeApp.Totp, new { token = client.FreshTotp() })).ShouldBeError(400, "ABA-60009");
    }

    [Fact]
    public async Task A_code_works_once()
    {
        string code = app.FreshTotp();
        (await app.AnswerAsync(await app.PasswordAsync(await app.StartAsync(), Tom), NativeApp.Totp, new { token = code })).ShouldComplete();
        Answer again = await app.PasswordAsync(await app.StartAsync(), Tom);
        (await app.AnswerAsync(again, NativeApp.Totp, new { token = code })).ShouldFail("ABA-60003", NativeApp.Totp);
    }

    [Fact]
    public async Task Five_wrong_codes_end_the_flow()
    {
        Answer second = await mfa.PasswordAsync(await mfa.StartAsync(), Tom);
        for (int wrong = 1; wrong <= 4; wrong++)
            (await mfa.AnswerAsync(second, NativeApp.Totp, new { token = mfa.WrongTotp() })).ShouldFail("ABA-60003", NativeApp.Totp);
        (await mfa.AnswerAsync(second, NativeApp.Totp, new { token = mfa.WrongTotp() })).ShouldBeError(400, "ABA-60002");
        (await mfa.AnswerAsync(second, NativeApp.Totp, new { token = mfa.FreshTotp() })).ShouldBeError(400, "ABA-60009");
    }

    [Fact]
    public async Task Blank_and_missing_codes_cost_no_try()
    {
        Answer second = await mfa.PasswordAsync(await mfa.StartAsync(), Tom);
        foreach (string parameters in Enumerable.Repeat("""{"token":" "}""", 4).Append("""{"OTPCode":"123456"}""").Append("""{"token":""}"""))
            (await mfa.AnswerAsync(second, NativeApp.Totp, JsonSerializer.Deserialize<JsonElement>(parameters))).ShouldFail("ABA-60003", NativeApp.Totp);
        (await mfa.AnswerAsync(second, NativeApp.Totp)).ShouldPrompt("INCOMPLETE", NativeApp.Totp);
        string code = mfa.FreshTotp();
        (await mfa.AnswerAsync(second, NativeApp.Totp, new { token = $"{code[..3]} {code[3..]}" })).ShouldComplete();
    }

    [Fact]
    public async Task Somebody_without_the_factor_that_the_client_demands_is_refused_for_good()
    {
        Answer start = await mfa.StartAtAsync(await mfa.PathOfAsync("northwind"));
        (await mfa.PasswordAsync(start, "mia@example.test")).ShouldBeError(400, "ABA-60002");
        (await mfa.PasswordAsync(start, "mia@example.test")).ShouldBeError(400, "ABA-60009");
    }

    [Fact]
    public async Task The_policies_of_the_organization_entered_hold()
    {
        Id<Organization> strict = await MakeOrganizationAsync("strict", new OrganizationSettings { MfaRequired = true });
        Id<Organization> federated = await MakeOrganizationAsync("federated", new OrganizationSettings { SsoOnly = true });
        NativeApp everywhere = new(server, "native-everywhere");
        await everywhere.MakeClientAsync(static client => client with { SharedWithAll = true });

        (await everywhere.PasswordAsync(await everywhere.StartAtAsync($"/t/acme/o/{strict}"), "zoe@example.test")).ShouldBeError(400, "ABA-60002");
        Answer start = await everywhere.StartAtAsync($"/t/acme/o/{federated}");
        (await everywhere.PasswordAsync(start, "zoe@example.test")).ShouldBeError(501, "ABA-60006");
        (await everywhere.PasswordAsync(start, "zoe@example.test")).ShouldBeError(400, "ABA-60009");
    }

    [Fact]
    public async Task Of_twenty_right_codes_at_once_one_completes()
    {
        Answer second = await mfa.PasswordAsync(await mfa.StartAtAsync(await mfa.PathOfAsync("contoso")), Tom);
        string token = mfa.FreshTotp();
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => mfa.AnswerAsync(second, NativeApp.Totp, new { token })));
        answers.Count(static answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
        answers.Single(static answer => answer.Status == HttpStatusCode.OK).ShouldComplete();
        answers.Where(static answer => answer.Status != HttpStatusCode.OK).ShouldAllBe(static answer => answer.Status == HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Guesses_sent_at_once_get_no_more_looks_than_guesses_one_by_one()
    {
        Answer second = await mfa.PasswordAsync(await mfa.StartAsync(), Tom);
        string wrong = mfa.WrongTotp();
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => mfa.AnswerAsync(second, NativeApp.Totp, new { token = wrong })));
        answers.Count(static answer => answer.Status == HttpStatusCode.OK).ShouldBeLessThanOrEqualTo(4);
        answers.Count(static answer => answer.Status == HttpStatusCode.BadRequest && answer.Json.GetProperty("code").GetString() == "ABA-60002")
            .ShouldBeLessThanOrEqualTo(1);
    }

    private async Task<Id<Organization>> MakeOrganizationAsync(string handle, OrganizationSettings settings)
    {
        Organization organization = await app.World.NewOrganizationAsync(handle, settings);
        await app.World.JoinAsync(await app.World.UserAsync("zoe@example.test"), organization, "member");
        return organization.Id;
    }
}
