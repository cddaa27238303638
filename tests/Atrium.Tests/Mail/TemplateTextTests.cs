using Atrium.Core.Mail;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Mail;

public sealed class TemplateTextTests
{
    private const string Hostile = "<b>&\"'{{code}}\r\nBcc: all@example.test";

    [Theory]
    [InlineData("Hello {{ user.name }}!", "Hello Sam!")]
    [InlineData("{{#user.name}}Hello {{user.name}}{{/user.name}}{{^user.name}}Hello{{/user.name}}", "Hello Sam")]
    [InlineData("{{#none}}Hello {{none}}{{/none}}{{^none}}Hello{{/none}}", "Hello")]
    [InlineData("{{#user.name}}a{{#none}}b{{/none}}{{^none}}c{{#user.name}}d{{/user.name}}{{/none}}e{{/user.name}}", "acde")]
    [InlineData("{ {user.name} } {user.name} }}", "{ {user.name} } {user.name} }}")]
    [InlineData("", "")]
    public void Values_take_the_places_of_their_names(string text, string rendered)
    {
        TemplateText.TryParse(text, out TemplateText? template, out string? problem).ShouldBeTrue(problem);
        template.Render(new Dictionary<string, string> { ["user.name"] = "Sam", ["none"] = "" }, static (_, value) => value).ShouldBe(rendered);
    }

    [Theory]
    [InlineData("{{User.Name}}", "is no placeholder")]
    [InlineData("{{user.name", "is no placeholder")]
    [InlineData("{{}}", "is no placeholder")]
    [InlineData("{{{user.name}}}", "is no placeholder")]
    [InlineData("{{> header}}", "is no placeholder")]
    [InlineData("{{#user.name}}", "{{/user.name}} is missing")]
    [InlineData("{{/user.name}}", "was not begun")]
    [InlineData("{{#a}}{{#b}}{{/a}}{{/b}}", "was not begun")]
    public void What_is_written_wrong_is_said(string text, string part)
    {
        TemplateText.TryParse(text, out _, out string? problem).ShouldBeFalse();
        problem.ShouldContain(part);
    }

    [Fact]
    public void A_text_has_a_bounded_number_of_placeholders_in_a_bounded_depth()
    {
        TemplateText.TryParse(string.Concat(Enumerable.Repeat("{{code}}", TemplateText.MaxPlaceholders)), out _, out _).ShouldBeTrue();
        TemplateText.TryParse(string.Concat(Enumerable.Repeat("{{code}}", TemplateText.MaxPlaceholders + 1)), out _, out string? many).ShouldBeFalse();
        many.ShouldContain("more than 100");
        TemplateText.TryParse(string.Concat(Enumerable.Repeat("{{#code}}", 9)), out _, out string? deep).ShouldBeFalse();
        deep.ShouldContain("8 deep");
    }

    [Fact]
    public void Every_built_in_template_keeps_its_own_rules()
    {
        foreach (MailKind kind in Enum.GetValues<MailKind>())
            MailKindRules.Of(kind).Check(MailKindRules.Of(kind).BuiltIn).ShouldBeEmpty(kind.ToString());
    }

    [Fact]
    public void All_that_is_wrong_with_a_template_is_said_at_once_by_its_parts()
    {
        MailTemplate template = new("One\r\ntwo", "{{code}} {{invitation.message}}", "{{#code}}no code{{/code}}");
        TemplateProblem[] problems = [.. MailKindRules.Of(MailKind.EmailVerification).Check(template)];
        problems.Select(static problem => problem.Field).ShouldBe(["subject", "text", "html"]);
        problems[1].Message.ShouldStartWith("There is no {{invitation.message}} here. There are {{code}}, ");
        problems[2].Message.ShouldBe("{{code}} must be in it.");
        MailKindRules.Of(MailKind.Layout).Check(new("Hi", " ", new string('x', MailKindRules.MaxHtmlLength + 1))).Select(static problem => problem.Message)
            .ShouldBe(["{{content}} must be in it.", "It can't be empty.", "At most 64000 characters."]);
    }

    [Fact]
    public void Whatever_a_name_holds_it_ends_no_header_makes_no_markup_and_is_not_read_as_a_template()
    {
        MailTemplate template = new("{{user.name}}", "{{user.name}} {{code}}", "<p title=\"{{user.name}}\">{{user.name}}</p>");
        Letter letter = Letter.Write(
            "sam@example.test",
            template,
            new("[{{realm.name}}] {{content}}", "{{content}}", "<html>{{content}} {{realm.name}}</html>"),
            new Dictionary<string, string> { ["user.name"] = Hostile, ["code"] = "123456", ["realm.name"] = Hostile });
        letter.Subject.ShouldNotContain('\r');
        letter.Subject.ShouldNotContain('\n');
        letter.Subject.ShouldContain("{{code}}");
        letter.SenderName.ShouldNotContain('\n');
        letter.Text.ShouldBe($"{Hostile} 123456");
        letter.Html.ShouldStartWith("<html><p title=\"&lt;b&gt;&amp;&quot;&#x27;{{code}}");
        letter.Html.ShouldNotContain("<b>");
        letter.Html.ShouldNotContain("123456");
        Letter.Write("sam@example.test", new(new string('é', 600), "x", "x"), new("{{content}}", "{{content}}", "{{content}}"), new Dictionary<string, string>())
            .Subject.Length.ShouldBeLessThanOrEqualTo(200);
    }

    [Fact]
    public void An_organizations_template_stands_before_the_realms_and_that_before_the_built_in_one()
    {
        MailTemplateOverride realm = new()
        {
            RealmId = default, Kind = MailKind.Invitation, Subject = "realm", Text = "", Html = "", UpdatedAt = DateTimeOffset.UnixEpoch,
        };
        MailTemplateOverride organization = realm with { OrganizationId = default(Core.Id<Core.Organizations.Organization>), Subject = "organization" };
        EffectiveTemplate.Of(MailKind.Invitation, [realm, organization]).Template.Subject.ShouldBe("organization");
        EffectiveTemplate.Of(MailKind.Invitation, [realm]).Source.ShouldBe(MailTemplateSource.Realm);
        EffectiveTemplate.Of(MailKind.Layout, [realm, organization]).Source.ShouldBe(MailTemplateSource.BuiltIn);
    }
}
