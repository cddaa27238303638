using System.Net;
using System.Text.RegularExpressions;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>The page that asks which organization a sign-in is for.</summary>
public sealed class OrganizationPickerTests(DemoServer server) : IClassFixture<DemoServer>
{
    private static readonly ClientSettings SingleOrg = new() { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } };
    private static readonly ClientSettings Always = new() { OrganizationPicker = OrganizationPicker.Always };

    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);

    [Fact]
    public async Task What_was_chosen_the_last_time_comes_first_for_each_person_and_each_client()
    {
        Organization northwind = await world.OrganizationAsync("northwind"), contoso = await world.OrganizationAsync("contoso");
        await world.ClientAsync("remembering", SingleOrg);
        await world.ClientAsync("other-remembering", SingleOrg);
        HostedForm picker = await PickerAsync("mia@example.test", ("client_id", "remembering"));
        string[] before = ChoicesIn(picker);
        before.ShouldBe([northwind.Id.ToString(), contoso.Id.ToString()], ignoreOrder: true);
        picker.Html.ShouldNotContain("Last used");
        await ChooseAsync(picker, before[1]);

        picker = await AgainAsync(("client_id", "remembering"));
        ChoicesIn(picker).ShouldBe([before[1], before[0]]);
        Regex.Count(picker.Html, "Last used").ShouldBe(1);
        picker.Html[picker.Html.IndexOf($"value=\"{before[1]}\"", StringComparison.Ordinal)..].IndexOf("Last used", StringComparison.Ordinal)
            .ShouldBeLessThan(picker.Html.IndexOf($"value=\"{before[0]}\"", StringComparison.Ordinal));
        await ChooseAsync(picker, before[0]);
        ChoicesIn(await AgainAsync(("client_id", "remembering"))).ShouldBe(before, "the last of all choices counts");
        (await AgainAsync(("client_id", "other-remembering"))).Html.ShouldNotContain("Last used");
        (await new OrganizationPickerTests(server).PickerAsync((await world.PersonAsync("other-chooser@example.test", northwind, contoso)).Email, ("client_id", "remembering")))
            .Html.ShouldNotContain("Last used");
    }

    [Fact]
    public async Task An_application_that_could_speak_of_all_asks_where_it_says_so_and_offers_all()
    {
        Organization northwind = await world.OrganizationAsync("northwind"), contoso = await world.OrganizationAsync("contoso");
        await world.ClientAsync("always", Always);
        HostedForm picker = await PickerAsync("mia@example.test", ("client_id", "always"));
        ChoicesIn(picker).ShouldBe(["all", northwind.Id.ToString(), contoso.Id.ToString()]);
        picker.Html.ShouldContain("All my organizations");
        TokenReply one = await RedeemAsync("always", await ChooseAsync(picker, contoso.Id.ToString()));
        one.Organizations.ShouldBe([contoso.Id.ToString()]);
        one.Refresh.GetProperty("org_id").GetString().ShouldBe(contoso.Id.ToString(), "one that is picked is as one that is asked for by org");

        picker = await AgainAsync(("client_id", "always"));
        ChoicesIn(picker).ShouldBe([contoso.Id.ToString(), "all", northwind.Id.ToString()]);
        TokenReply all = await RedeemAsync("always", await ChooseAsync(picker, "all"));
        all.Organizations.Length.ShouldBe(2);
        all.Refresh.TryGetProperty("org_id", out _).ShouldBeFalse();
        picker = await AgainAsync(("client_id", "always"));
        ChoicesIn(picker).ShouldBe(["all", northwind.Id.ToString(), contoso.Id.ToString()]);
        Regex.Count(picker.Html, "Last used").ShouldBe(1);

        Arrival silent = await browser.SilentlyAsync(("client_id", "always"), ("prompt", "none"));
        (silent["error"], silent["error_description"]).ShouldBe(("account_selection_required", "The person has to choose an organization before the request can be answered. (ATR1232)"));
        (await RedeemAsync("always", (await browser.SilentlyAsync(("client_id", "always"), ("prompt", "none"), ("org", northwind.Id.ToString()))).Code))
            .Organizations.ShouldBe([northwind.Id.ToString()], "org leaves nothing to ask");
        Regex.Count((await AgainAsync(("client_id", "always"))).Html, "Last used").ShouldBe(1);
        ChoicesIn(await AgainAsync(("client_id", "always")))[0].ShouldBe("all", "what org asks for is nobody's choice to be remembered");
    }

    [Fact]
    public async Task Nobody_is_asked_who_has_nothing_to_choose()
    {
        await world.ClientAsync("always-few", Always);
        User single = await world.PersonAsync("of-one@example.test", await world.OrganizationAsync("northwind"), await world.OrganizationAsync("tailspin"));
        (await RedeemAsync("always-few", (await browser.SignInAsync(single.Email, ("client_id", "always-few"))).Code)).Organizations.Length.ShouldBe(1);
        (await RedeemAsync("always-few", (await new OAuthBrowser(server).SignInAsync("zoe@example.test", ("client_id", "always-few"))).Code)).Organizations.ShouldBeEmpty();
        await world.ClientAsync("always-none", Always with { Restrictions = new() { Organizations = new() { Policy = OrganizationPolicy.None } } });
        (await new OAuthBrowser(server).SignInAsync("mia@example.test", ("client_id", "always-none"))).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Nothing_is_offered_or_taken_that_is_suspended_foreign_or_not_for_the_client()
    {
        Organization northwind = await world.OrganizationAsync("northwind"), contoso = await world.OrganizationAsync("contoso");
        Organization tailspin = await world.OrganizationAsync("tailspin"), third = await world.NewOrganizationAsync("third-of-three"), fourth = await world.NewOrganizationAsync("fourth");
        User person = await world.PersonAsync("of-many@example.test", northwind, contoso, tailspin, third, fourth);
        await world.ChangeAsync(person, fourth, static membership => membership with { Status = MembershipStatus.Suspended });
        await world.ClientAsync("listed", Always with
        {
            Restrictions = new() { Organizations = new() { Policy = OrganizationPolicy.Allowlist, AllowedOrgIds = [northwind.Id.ToString(), contoso.Id.ToString(), tailspin.Id.ToString(), fourth.Id.ToString()] } },
        });
        HostedForm picker = await PickerAsync(person.Email, ("client_id", "listed"));
        ChoicesIn(picker).ShouldBe(["all", northwind.Id.ToString(), contoso.Id.ToString()]);
        foreach (string choice in new[]
        {
            tailspin.Id.ToString(), third.Id.ToString(), fourth.Id.ToString(), (await world.OrganizationAsync("fabrikam")).Id.ToString(), "org_0000000000000000000000000", "ALL", "none", "",
        })
        {
            using HttpResponseMessage refused = await browser.SubmitAsync(picker, ("organization", choice));
            refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest, choice);
            ChoicesIn(new HostedForm(picker.Location, await refused.Content.ReadAsStringAsync())).Length.ShouldBe(3);
        }

        (await RedeemAsync("listed", await ChooseAsync(picker, "all"))).Organizations.ShouldBe([northwind.Id.ToString(), contoso.Id.ToString()], ignoreOrder: true);
        await world.ClientAsync("listed-single", SingleOrg);
        HostedForm single = await AgainAsync(("client_id", "listed-single"));
        using HttpResponseMessage all = await browser.SubmitAsync(single, ("organization", "all"));
        all.StatusCode.ShouldBe(HttpStatusCode.BadRequest, "a token of one organization is not for all");
    }

    [Fact]
    public async Task A_last_choice_that_is_gone_is_not_offered()
    {
        Organization one = await world.NewOrganizationAsync("gone-soon"), two = await world.OrganizationAsync("northwind"), three = await world.OrganizationAsync("contoso");
        User person = await world.PersonAsync("was-there@example.test", one, two, three);
        await world.ClientAsync("forgetting", SingleOrg);
        await ChooseAsync(await PickerAsync(person.Email, ("client_id", "forgetting")), one.Id.ToString());
        await world.LeaveAsync(person, one);
        HostedForm picker = await AgainAsync(("client_id", "forgetting"));
        ChoicesIn(picker).ShouldBe([two.Id.ToString(), three.Id.ToString()]);
        picker.Html.ShouldNotContain("Last used");
    }

    [Fact]
    public async Task Five_hundred_organizations_are_looked_through_by_name_without_a_script()
    {
        User person = await world.PersonAsync("of-five-hundred@example.test");
        Organization last = null!;
        foreach (int[] some in Enumerable.Range(1, 500).Chunk(50))
        {
            Organization[] made = await Task.WhenAll(some.Select(i => world.NewOrganizationAsync($"many-{i:000}")));
            await Task.WhenAll(made.Select(one => world.JoinAsync(person, one, "member")));
            last = made[^1];
        }

        await world.ClientAsync("of-many", Always);
        HostedForm picker = await PickerAsync(person.Email, ("client_id", "of-many"));
        ChoicesIn(picker).Length.ShouldBe(51, "fifty, and all");
        picker.Html.ShouldContain("belongs to 500 organizations");
        picker.Html.ShouldContain("The first 50 of 500 are shown.");
        picker.Html.Length.ShouldBeLessThan(40_000, "a page grows with what it shows");

        HostedForm found = await FindAsync(picker, "MANY-49");
        ChoicesIn(found).Length.ShouldBe(10);
        found.Html.ShouldContain("10 of 500 have");
        found.Html.ShouldContain("value=\"MANY-49\"");
        (await FindAsync(picker, "many-500")).Html.ShouldContain("One of 500 has");
        HostedForm none = await FindAsync(picker, "<b>nothing");
        ChoicesIn(none).ShouldBeEmpty();
        WebUtility.HtmlDecode(none.Html).ShouldContain("None of 500 has “<b>nothing”");
        none.Html.ShouldNotContain("<b>nothing");
        ChoicesIn(await FindAsync(picker, "   ")).Length.ShouldBe(51);
        ChoicesIn(await FindAsync(picker, new string('x', 101))).Length.ShouldBe(51, "what can't be typed is not looked for");

        (await RedeemAsync("of-many", await ChooseAsync(await FindAsync(picker, "many-500"), last.Id.ToString()))).Organizations.ShouldBe([last.Id.ToString()]);
        ChoicesIn(await AgainAsync(("client_id", "of-many")))[..2].ShouldBe([last.Id.ToString(), "all"], "the last choice is among the fifty, whichever it is");
    }

    private async Task<HostedForm> PickerAsync(string email, params (string Name, string? Value)[] changes)
    {
        HostedForm form = await browser.OpenAsync(OAuthBrowser.Authorize(changes));
        using HttpResponseMessage shown = await browser.SubmitPasswordAsync(form, email);
        HostedForm picker = await browser.FollowAsync(shown);
        picker.Asks("organization").ShouldBeTrue();
        return picker;
    }

    private Task<HostedForm> AgainAsync(params (string Name, string? Value)[] changes) => browser.OpenAsync(OAuthBrowser.Authorize(changes));

    private async Task<HostedForm> FindAsync(HostedForm picker, string text)
    {
        using HttpResponseMessage page = await browser.GetAsync($"{picker.Location}&find={Uri.EscapeDataString(text)}");
        page.StatusCode.ShouldBe(HttpStatusCode.OK);
        return new HostedForm(picker.Location, WithoutSearch(await page.Content.ReadAsStringAsync()));

        // The hidden field of the search is the same handle once more.
        static string WithoutSearch(string html) => Regex.Replace(html, "(<form class=\"find\"[^>]*>)\\s*<input type=\"hidden\"[^>]*>", "$1");
    }

    private async Task<string> ChooseAsync(HostedForm picker, string organization)
    {
        using HttpResponseMessage done = await browser.PostAsync(
            $"{OAuthBrowser.Root}/sign-in", ("handle", picker.Hidden[0].Value), ("organization", organization));
        return Arrival.At(done).Code;
    }

    private async Task<TokenReply> RedeemAsync(string client, string code)
    {
        TokenReply reply = await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", client), ("code", code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }

    private static string[] ChoicesIn(HostedForm picker) =>
        [.. Regex.Matches(picker.Html, "<button name=\"organization\" value=\"([^\"]*)\"").Select(static match => match.Groups[1].Value)];
}
