using System.Net;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AppNative;

/// <summary>Organization login from the root: the organization option, and naming the organization at once.</summary>
public sealed class OrganizationTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly NativeApp app = new(server);

    public static TheoryData<string> Ways => new(
        """{"orgHandle":"contoso"}""",
        """{"org":"Contoso"}""",
        """{"login_hint":"anyone@contoso.test","orgDiscoveryType":"emailDomain"}""",
        """{"login_hint":"Anyone@CONTOSO.test"}""",
        """{"orgId":"","org":"","orgHandle":" contoso ","login_hint":"","orgDiscoveryType":""}""",
        """{"orgId":"{contoso}"}""",
        """{"orgId":"{contoso}","orgHandle":"northwind","login_hint":"a@northwind.test","org":"Northwind"}""");

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task The_option_finds_the_organization_and_the_flow_goes_on_there(string parameters)
    {
        Answer start = await app.StartAsync();
        Answer entered = await app.AnswerAsync(start, NativeApp.Sso, await ParsedAsync(parameters));
        entered.ShouldPrompt("INCOMPLETE", NativeApp.Basic);
        entered.FlowId.ShouldBe(start.FlowId);
        entered.StepType.ShouldBe("AUTHENTICATOR_PROMPT");
        entered.Link.ShouldBe($"{server.Url}{await app.PathOfAsync("contoso")}/oauth2/authn");
        (await app.PasswordAsync(entered, "sam@example.test")).ShouldFail("ABA-60003", NativeApp.Basic);
        (await app.PasswordAsync(entered, "mia@example.test")).ShouldComplete();
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task The_organization_can_be_named_at_once_with_every_client(string parameters)
    {
        (string, string?)[] named = [.. (await ParsedAsync(parameters)).EnumerateObject().Select(static member => (member.Name, (string?)member.Value.GetString()))];
        foreach (string client in new[] { "demo-native", "demo-native-mfa" })
        {
            Answer start = await new NativeApp(server, client).StartAsync(named);
            start.ShouldPrompt("INCOMPLETE", NativeApp.Basic);
            start.Link.ShouldBe($"{server.Url}{await app.PathOfAsync("contoso")}/oauth2/authn");
        }
    }

    [Fact]
    public async Task A_flow_that_entered_an_organization_is_answered_at_the_root_address_as_well()
    {
        Answer entered = await app.AnswerAsync(await app.StartAsync(), NativeApp.Sso, new { orgHandle = "northwind" });
        (await app.AnswerAtAsync("/t/acme/oauth2/authn", entered.FlowId, NativeApp.Basic, new { username = "sam@example.test", password = "Demo-Passw0rd!" }))
            .ShouldComplete();
    }

    [Fact]
    public async Task Inside_an_organization_the_option_is_gone()
    {
        Answer entered = await app.AnswerAsync(await app.StartAsync(), NativeApp.Sso, new { orgHandle = "northwind" });
        (await app.AnswerAsync(entered, NativeApp.Sso, new { orgHandle = "contoso" })).ShouldBeError(400, "ABA-60012");
        Answer direct = await app.StartAtAsync(await app.PathOfAsync("northwind"));
        (await app.AnswerAsync(direct, NativeApp.Sso, new { orgHandle = "contoso" })).ShouldBeError(400, "ABA-60012");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"orgDiscoveryType":"emailDomain"}""")]
    public async Task The_option_alone_asks_for_the_organization_and_requires_one_parameter(string parameters)
    {
        Answer start = await app.StartAsync();
        Answer asked = await app.AnswerAsync(start, NativeApp.Sso, JsonSerializer.Deserialize<JsonElement>(parameters));
        asked.ShouldPrompt("INCOMPLETE", NativeApp.Sso);
        asked.StepType.ShouldBe("AUTHENTICATOR_PROMPT");
        JsonElement option = asked.Json.GetProperty("nextStep").GetProperty("authenticators")[0];
        option.GetProperty("requiredParams").ToString().ShouldBe("""["orgHandle"]""");
        option.GetProperty("metadata").GetProperty("promptType").GetString().ShouldBe("USER_PROMPT");
        option.GetProperty("metadata").GetProperty("params").EnumerateArray()
            .Select(static parameter => (parameter.GetProperty("param").GetString(), parameter.GetProperty("order").GetInt32(), parameter.GetProperty("i18nKey").GetString()))
            .ShouldBe(
            [
                ("orgId", 0, "organization.id.param"),
                ("org", 1, "organization.name.param"),
                ("orgHandle", 2, "organization.handle.param"),
                ("login_hint", 3, "login.hint.param"),
                ("orgDiscoveryType", 4, "organization.discovery.type.param"),
            ]);

        // The person may still do without an organization.
        (await app.PasswordAsync(asked, "zoe@example.test")).ShouldComplete();
    }

    [Theory]
    [InlineData("""{"orgHandle":"nobody"}""", "invalid.organization.handle")]
    [InlineData("""{"orgHandle":"initech"}""", "invalid.organization.handle")]
    [InlineData("""{"org":"Nobody"}""", "invalid.organization.name")]
    [InlineData("""{"org":"Initech"}""", "invalid.organization.name")]
    [InlineData("""{"org":"Nobody","orgHandle":"nobody"}""", "invalid.organization.handle")]
    [InlineData("""{"orgId":"org_0000000000000000000000001"}""", "invalid.organization")]
    [InlineData("""{"orgId":"garbage"}""", "invalid.organization")]
    [InlineData("""{"orgId":"{initech}"}""", "invalid.organization")]
    [InlineData("""{"login_hint":"a@nobody.test"}""", "invalid.organization")]
    [InlineData("""{"login_hint":"not-an-address","orgDiscoveryType":"emailDomain"}""", "invalid.organization")]
    [InlineData("""{"orgHandle":"tailspin"}""", "invalid.organization")]
    [InlineData("""{"orgHandle":"fabrikam"}""", "organization.not.associated.with.application")]
    [InlineData("""{"login_hint":"a@contoso.test","orgDiscoveryType":"magic"}""", "invalid.organization.discovery.type")]
    [InlineData("""{"orgHandle":" ","org":""}""", "organization.discovery.failure")]
    public async Task An_organization_that_is_not_found_is_said_so_and_the_person_goes_on_as_they_like(string parameters, string key)
    {
        Answer start = await app.StartAsync();
        Answer failed = await app.AnswerAsync(start, NativeApp.Sso, await ParsedAsync(parameters));
        failed.ShouldFail(key, NativeApp.Sso).FlowId.ShouldBe(start.FlowId);
        failed.Json.GetProperty("nextStep").GetProperty("messages").ToString().ShouldBe(
            $$"""[{"type":"ERROR","messageId":"{{key}}","message":"{{key}}","i18nKey":"message.{{key}}"}]""");
        (await app.AnswerAsync(failed, NativeApp.Basic)).ShouldPrompt("INCOMPLETE", NativeApp.Basic);
        (await app.AnswerAsync(failed, NativeApp.Sso, new { orgHandle = "northwind" })).ShouldPrompt("INCOMPLETE", NativeApp.Basic);
    }

    [Fact]
    public async Task An_organization_elsewhere_and_one_that_does_not_exist_are_the_same()
    {
        Answer start = await app.StartAsync();
        string elsewhere = (await app.AnswerAsync(start, NativeApp.Sso, new { orgId = (await app.OrganizationAsync("initech", "globex")).ToString() })).Json.ToString();
        (await app.AnswerAsync(start, NativeApp.Sso, new { orgId = "org_0000000000000000000000001" })).Json.ToString().ShouldBe(elsewhere);
    }

    [Theory]
    [InlineData("orgHandle", "nobody", "invalid.organization.handle")]
    [InlineData("orgHandle", "tailspin", "invalid.organization")]
    [InlineData("org", "Fabrikam", "organization.not.associated.with.application")]
    public async Task An_organization_that_is_not_found_at_once_can_be_named_again_where_the_option_is_offered(string name, string value, string key)
    {
        Answer failed = await app.StartAsync((name, value));
        failed.ShouldFail(key, NativeApp.Sso);
        (await app.AnswerAsync(failed, NativeApp.Sso, new { orgHandle = "northwind" })).ShouldPrompt("INCOMPLETE", NativeApp.Basic);
        (await new NativeApp(server, "demo-native-mfa").StartAsync((name, value))).ShouldBeError(400, "ABA-60002");
    }

    [Theory]
    [InlineData("login_hint=zoe@example.test")]
    [InlineData("login_hint=zoe@example.test&orgDiscoveryType=emailDomain")]
    [InlineData("login_hint=zoe")]
    [InlineData("login_hint=&orgHandle=&orgId=&org=&orgDiscoveryType=")]
    public async Task A_login_hint_that_leads_nowhere_is_a_hint_at_the_person(string parameters)
    {
        (string, string?)[] hint = [.. parameters.Split('&').Select(static pair => (pair.Split('=')[0], (string?)pair.Split('=')[1]))];
        (await app.StartAsync(hint)).ShouldPrompt("INCOMPLETE", NativeApp.Basic, NativeApp.Sso);
    }

    [Fact]
    public async Task A_login_hint_does_not_lead_past_the_organization_named_beside_it()
    {
        string northwind = $"{server.Url}{await app.PathOfAsync("northwind")}/oauth2/authn";
        string contoso = $"{server.Url}{await app.PathOfAsync("contoso")}/oauth2/authn";
        (await app.StartAsync(("orgHandle", "northwind"), ("login_hint", "mia@contoso.test"))).Link.ShouldBe(northwind);
        (await app.StartAsync(("orgHandle", "northwind"), ("login_hint", "mia@example.test"))).Link.ShouldBe(northwind);
        (await app.StartAsync(("orgHandle", "northwind"), ("login_hint", "mia@contoso.test"), ("orgDiscoveryType", "emailDomain"))).Link.ShouldBe(contoso);
    }

    [Fact]
    public async Task A_client_for_one_organization_asks_somebody_in_several_which()
    {
        NativeApp single = new(server, "native-single");
        await single.MakeClientAsync(
            static client => client with { Settings = client.Settings with { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } } },
            "northwind",
            "contoso");
        Answer choose = await single.PasswordAsync(await single.StartAsync(), "mia@example.test");
        choose.ShouldPrompt("INCOMPLETE", NativeApp.Sso);
        (await single.AnswerAsync(choose, NativeApp.Sso, new { orgHandle = "nobody" })).ShouldFail("invalid.organization.handle", NativeApp.Sso);
        (await single.AnswerAsync(choose, NativeApp.Sso, new { orgHandle = "contoso" })).ShouldComplete();
        (await single.PasswordAsync(await single.StartAsync(), "sam@example.test")).ShouldComplete();
    }

    [Fact]
    public async Task An_organization_that_the_clients_tokens_may_not_speak_of_is_not_entered()
    {
        NativeApp restricted = new(server, "native-restricted");
        string contoso = (await app.OrganizationAsync("contoso")).ToString();
        await restricted.MakeClientAsync(
            client => client with
            {
                Settings = client.Settings with
                {
                    Restrictions = new RestrictionSettings { Organizations = new() { Policy = OrganizationPolicy.Allowlist, AllowedOrgIds = [contoso] } },
                },
            },
            "northwind",
            "contoso");
        Answer failed = await restricted.AnswerAsync(await restricted.StartAsync(), NativeApp.Sso, new { orgHandle = "northwind" });
        failed.ShouldFail("organization.not.associated.with.application", NativeApp.Sso);
        (await restricted.PasswordAsync(await restricted.AnswerAsync(failed, NativeApp.Sso, new { orgHandle = "contoso" }), "mia@example.test")).ShouldComplete();
    }

    [Fact]
    public async Task Two_choices_of_an_organization_at_once_do_not_both_count()
    {
        Answer start = await app.StartAsync();
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(number =>
            app.AnswerAsync(start, NativeApp.Sso, new { orgHandle = number % 2 == 0 ? "northwind" : "contoso" })));
        answers.Count(static answer => answer.Status == HttpStatusCode.OK).ShouldBe(1);
        answers.ShouldAllBe(static answer =>
            answer.Status == HttpStatusCode.OK || answer.Json.GetProperty("code").GetString() == "ABA-60001" || answer.Json.GetProperty("code").GetString() == "ABA-60012");
    }

    private async Task<JsonElement> ParsedAsync(string parameters) => JsonSerializer.Deserialize<JsonElement>(parameters
        .Replace("{contoso}", (await app.OrganizationAsync("contoso")).ToString(), StringComparison.Ordinal)
        .Replace("{initech}", (await app.OrganizationAsync("initech", "globex")).ToString(), StringComparison.Ordinal));
}
