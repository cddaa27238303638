using System.Text.RegularExpressions;
using Atrium.Server.Pages;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Pages;

public sealed class PageTests
{
    private const string Hostile = "<script>alert('1')</script>\"><img src=x onerror=alert(1)>";
    private static readonly PageForm Form = new("/t/acme/sign-in", [new("sign_in", "si_1")]);

    private static PageResult SignIn(string? email = null, string? error = null) =>
        PageResult.SignIn(new("Acme", "Demo web", Form, email, error), "http://localhost:3000/callback");

    private static PageResult Picker(int organizations) => PageResult.Organization(
        new("Acme", "Demo web", Form, "mia@example.test", [.. Enumerable.Range(1, organizations).Select(i => new OrganizationOption($"org_{i}", $"Organization {i}", "Member"))]),
        redirectUri: null);

    /// <summary>Every page, with a hostile value in every place that somebody can fill.</summary>
    public static TheoryData<string> HostilePages => [.. Hostiles.Keys];

    private static readonly AccountFrame Account = new(Hostile, Hostile, new(Hostile, [new(Hostile, Hostile)]), Hostile, Hostile);

    private static readonly Dictionary<string, PageResult> Hostiles = new(StringComparer.Ordinal)
    {
        ["sign-in"] = PageResult.SignIn(new(Hostile, Hostile, new(Hostile, [new(Hostile, Hostile)]), Hostile, Hostile), Hostile),
        ["code"] = PageResult.Code(new(Hostile, Hostile, new(Hostile, [new(Hostile, Hostile)]), Hostile, Hostile, 2, Hostile), Hostile),
        ["account"] = PageResult.Account(new(Hostile, Hostile, new(Hostile, [new(Hostile, Hostile)]), Hostile, Hostile), Hostile),
        ["recovery codes"] = PageResult.RecoveryCodes(new(Hostile, new(Hostile, [new(Hostile, Hostile)]), Hostile, [Hostile]), Hostile),
        ["recovery code"] = PageResult.RecoveryCode(new(Hostile, Hostile, new(Hostile, [new(Hostile, Hostile)]), Hostile, Hostile, 1, Hostile), Hostile),
        ["mailbox"] = PageResult.Mailbox(new(Account, Hostile, Hostile, Hostile, Hostile), Hostile),
        ["mailed code"] = PageResult.MailedCode(new(Account, Hostile, (Hostile, Hostile), Hostile, IsNumber: true, TriesLeft: 2, OtherAddress: Hostile), Hostile),
        ["new password"] = PageResult.NewPassword(new(Account, Hostile, IsAccount: true, AsksOrganization: true, Hostile, Hostile), Hostile),
        ["organization"] = PageResult.Organization(new(Hostile, Hostile, new(Hostile, []), Hostile, [new(Hostile, Hostile, Hostile)], Hostile, Hostile), Hostile),
        ["message"] = PageResult.Message(
            new(Hostile, Hostile, Hostile, Hostile, Hostile, Hostile, new(Hostile, Hostile), new(Hostile, new(Hostile, [new(Hostile, Hostile)]))), 400, Hostile),
        ["invitation"] = PageResult.Invitation(
            new(Hostile, Hostile, Hostile, Hostile, Hostile, Hostile, new(Hostile, [new(Hostile, Hostile)]), InvitationAsk.Register, Hostile, Hostile), 200),
        ["organizations to look through"] = PageResult.Organization(
            new(Hostile, Hostile, new(Hostile, []), Hostile, [new(Hostile, Hostile, Hostile, IsAll: true), new(Hostile, Hostile, Hostile, IsLast: true)], Hostile, Hostile)
            {
                Find = new(new(Hostile, [new(Hostile, Hostile)]), Hostile, Hostile, Hostile),
            },
            Hostile),
        ["consent"] = PageResult.Consent(
            new(Hostile, Hostile, Hostile, new(Hostile, [new(Hostile, Hostile)]), Hostile, [new(Hostile, Hostile, IsNew: true), new(Hostile)], false, true, Hostile, Hostile), Hostile),
        ["applications"] = PageResult.Applications(
            new(Hostile, Hostile, [new(Hostile, Hostile, [new(Hostile, Hostile)], Hostile, new(Hostile, [new(Hostile, Hostile)]))], Hostile)),
        ["signed-out"] = PageResult.SignedOut(new(Hostile, [Hostile], new(Hostile, Hostile))),
        ["demo"] = PageResult.Demo(new(
            Hostile, Hostile, Hostile, [new(Hostile, Hostile)], [new(Hostile, Hostile, Hostile, [new(Hostile, Hostile, new(Hostile, Hostile))])],
            [new(Hostile, [new(Hostile, Hostile, Hostile)], Hostile)], [new(Hostile, Hostile, Hostile, Hostile)],
            [new(Hostile, Hostile, Hostile, Hostile)], [new(Hostile, Hostile)])),
    };

    [Theory, MemberData(nameof(HostilePages))]
    public async Task Hostile_values_stay_text_and_nothing_is_inline(string name)
    {
        var page = await Rendered.Of(Hostiles[name]);
        page.Html.ShouldContain("&lt;script&gt;");
        page.Html.ShouldNotContain("<script", Case.Insensitive);
        page.Html.ShouldNotContain("<style", Case.Insensitive);
        page.Html.ShouldNotContain("<img", Case.Insensitive);
        var attributeNames = Regex.Matches(page.Html, "<[a-z][^<>\"]*(?:\"[^\"]*\"[^<>\"]*)*>").SelectMany(tag => Regex.Matches(Regex.Replace(tag.Value, "\"[^\"]*\"", "\"\""), @"\s([a-z-]+)(?==|\s|>)").Select(match => match.Groups[1].Value)).Distinct().ToList();
        attributeNames.ShouldContain("class");
        attributeNames.ShouldNotContain(attribute => attribute == "style" || attribute.StartsWith("on"));
    }

    [Theory, MemberData(nameof(HostilePages))]
    public async Task Every_page_is_a_whole_document_with_one_heading_and_its_headers(string name)
    {
        var page = await Rendered.Of(Hostiles[name]);
        page.Html.ShouldStartWith("<!DOCTYPE html>");
        page.Tags("html").Single()["lang"].ShouldBe("en");
        page.Tags("h1").Count.ShouldBe(1);
        page.Tags("main").Count.ShouldBe(1);
        page.Tags("meta").ShouldContain(meta => meta["name"] == "color-scheme" && meta["content"] == "light dark");
        page.Tags("meta").ShouldContain(meta => meta["name"] == "viewport" && meta["content"] == "width=device-width, initial-scale=1");
        page.Tags("link").ShouldContain(link => link["rel"] == "stylesheet" && link["href"] == PageAssets.Stylesheet);
        page.Response.ContentType.ShouldBe("text/html; charset=utf-8");
        page.Response.Headers.CacheControl.ToString().ShouldBe("no-store");
        page.Response.Headers.XContentTypeOptions.ToString().ShouldBe("nosniff");
        page.Response.Headers["Referrer-Policy"].ToString().ShouldBe("no-referrer");
        page.Response.Headers["Cross-Origin-Opener-Policy"].ToString().ShouldBe("same-origin");
        page.Response.Headers.ContentSecurityPolicy.ToString().ShouldBe(PageHeaders.ContentSecurityPolicy());
    }

    [Theory, MemberData(nameof(HostilePages))]
    public async Task Ids_are_unique_and_every_reference_has_its_target(string name)
    {
        var page = await Rendered.Of(Hostiles[name]);
        var ids = Regex.Matches(page.Html, " id=\"([^\"]+)\"").Select(match => match.Groups[1].Value).ToList();
        ids.ShouldBeUnique();
        var references = Regex.Matches(page.Html, " (?:for|aria-labelledby|aria-describedby)=\"([^\"]+)\"").SelectMany(match => match.Groups[1].Value.Split(' '));
        references.ShouldAllBe(reference => ids.Contains(reference));
    }

    [Fact]
    public async Task The_sign_in_page_is_a_plain_form_with_labelled_inputs()
    {
        var page = await Rendered.Of(SignIn());
        page.TextOf("h1").ShouldBe("Sign in to Demo web");
        page.TextOf("title").ShouldBe("Sign in to Demo web · Acme");
        var form = page.Tags("form").Single();
        (form["method"], form["action"]).ShouldBe(("post", "/t/acme/sign-in"));
        var (email, password) = (page.Input("email"), page.Input("password"));
        (email["type"], email["autocomplete"], email["autofocus"]).ShouldBe(("email", "username", ""));
        (password["type"], password["autocomplete"], password["autofocus"]).ShouldBe(("password", "current-password", null));
        page.Tags("label").Select(label => label["for"]).ShouldBe([email["id"], password["id"]]);
        (page.Input("sign_in")["type"], page.Input("sign_in")["value"]).ShouldBe(("hidden", "si_1"));
        page.Html.ShouldNotContain("role=\"alert\"");
        page.Html.ShouldNotContain("aria-invalid");
    }

    [Fact]
    public async Task A_failed_sign_in_says_so_keeps_the_email_and_never_a_password()
    {
        var page = await Rendered.Of(SignIn("mia@example.test", "That e-mail and password don't match."));
        var alert = page.Tags("p").Single(tag => tag["role"] == "alert");
        foreach (var input in new[] { page.Input("email"), page.Input("password") })
            (input["aria-invalid"], input["aria-describedby"]).ShouldBe(("true", alert["id"]));
        page.Input("email")["value"].ShouldBe("mia@example.test");
        page.Input("password")["value"].ShouldBeNull();
        page.Input("password")["autofocus"].ShouldBe("");
        page.TextOf("title").ShouldStartWith("Error: ");
    }

    [Fact]
    public async Task The_code_page_names_the_person_and_lets_phones_fill_the_code()
    {
        var page = await Rendered.Of(PageResult.Code(new("Acme", "Demo web", Form, "tom@example.test", "That code is not right.", 1), redirectUri: null));
        var code = page.Input("code");
        (code["inputmode"], code["autocomplete"], code["maxlength"]).ShouldBe(("numeric", "one-time-code", "7"));
        foreach (var typed in new[] { "123456", "123 456" })
            Regex.IsMatch(typed, $"^(?:{code["pattern"]})$").ShouldBeTrue();
        Regex.IsMatch("12345a", $"^(?:{code["pattern"]})$").ShouldBeFalse();
        code["aria-describedby"].ShouldBe("error hint");
        page.Tags("label").Single()["for"].ShouldBe(code["id"]);
        page.Html.ShouldContain("tom@example.test");
        page.Html.ShouldContain("One&#xA0;try&#xA0;left.");
    }

    [Theory, InlineData(1), InlineData(2), InlineData(200)]
    public async Task The_picker_offers_each_organization_as_a_button_of_one_form(int organizations)
    {
        var page = await Rendered.Of(Picker(organizations));
        page.Tags("form").Count.ShouldBe(1);
        var buttons = page.Tags("button");
        buttons.Select(button => button["value"]).ShouldBe(Enumerable.Range(1, organizations).Select(i => $"org_{i}"));
        buttons.ShouldAllBe(button => button["name"] == "organization" && button["type"] == "submit");
        page.TextOf("button").ShouldContain("Organization 1");
    }

    [Theory, InlineData("\U0001F3DB\uFE0F Museum"), InlineData(" "), InlineData("")]
    public async Task Any_name_of_an_organization_can_be_shown(string name)
    {
        var page = await Rendered.Of(PageResult.Organization(new("Acme", "Demo web", Form, "mia@example.test", [new("org_1", name)]), redirectUri: null));
        page.Tags("button").Count.ShouldBe(1);
        page.Html.ShouldNotContain("\uFFFD");
    }

    [Fact]
    public async Task A_message_shows_the_ids_that_support_asks_for_and_its_status()
    {
        var page = await Rendered.Of(PageResult.Message(
            new("Acme", "This sign-in has expired", "It was left open too long.", "Sign in again.", "ATR1203", "req-7", new("Back", "http://localhost:3000/")), 400));
        page.Response.StatusCode.ShouldBe(400);
        Regex.Matches(page.Html, "<dd>(.*?)</dd>").Select(match => match.Groups[1].Value).ShouldBe(["ATR1203", "req-7"]);
        page.Tags("a").Single()["href"].ShouldBe("http://localhost:3000/");
        page.Tags("form").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_command_of_a_walk_is_shown_to_the_letter()
    {
        const string command = "curl -s \"$URL\" \\\n  -d '{\"a\":\"<b> & c\"}'";
        var page = await Rendered.Of(PageResult.Demo(new(
            "Acme", "http://localhost:5099", "pw", [], [new("AuthKit", "Title", "Summary", [new("Step", command)])], [], [], [], [])));
        page.TextOf("pre").ShouldBe(command);
        page.Tags("a").Single()["href"].ShouldBe("#walk-1");
        page.Tags("section").ShouldContain(section => section["id"] == "walk-1");
    }
}
