using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Shouldly;
using Xunit;

namespace Atrium.Tests.SignUp;

public sealed class SignUpRulesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);

    private static readonly MailedCode Sent = new()
    {
        RealmId = default, SignInId = default, Purpose = MailedCodePurpose.SignUp, Email = "sam@example.test", CodeHash = Secret.New().Hash(),
        CreatedAt = Now, ExpiresAt = Now + MailedCode.Lifetime,
    };

    [Fact]
    public void Nobody_comes_uninvited_unless_the_realm_says_so()
    {
        new RealmSettings().SignUp.Policy.ShouldBe(SignUpPolicy.InvitedOnly);
        SignUpRules.IsOpen(new RealmSettings(), sendsMail: true).ShouldBeFalse();
        SignUpRules.Admits(new SignUpSettings(), "sam@example.test").ShouldBeFalse();
    }

    [Fact]
    public void Where_no_mail_is_sent_or_an_organization_is_chosen_nobody_signs_up()
    {
        RealmSettings open = new() { SignUp = new SignUpSettings { Policy = SignUpPolicy.Open } };
        SignUpRules.IsOffered(open, OrganizationChoice.Unchosen, sendsMail: true).ShouldBeTrue();
        SignUpRules.IsOffered(open, OrganizationChoice.Unchosen, sendsMail: false).ShouldBeFalse();
        SignUpRules.IsOffered(open, new OrganizationChoice.Chosen(new Id<Organization>(Guid.NewGuid())), sendsMail: true).ShouldBeFalse();
    }

    [Theory]
    [InlineData("sam@example.com", true)]
    [InlineData("SAM@EXAMPLE.COM", true)]
    [InlineData("sam@sub.example.com", false)]
    [InlineData("sam@example.com.evil.test", false)]
    [InlineData("\"sam@example.com\"@evil.test", false)]
    [InlineData("sam@notexample.com", false)]
    [InlineData("sam", false)]
    public void By_domain_takes_exactly_the_domains_named(string email, bool admitted) =>
        SignUpRules.Admits(new SignUpSettings { Policy = SignUpPolicy.ByDomain, Domains = ["example.org", "example.com"] }, email).ShouldBe(admitted);

    [Fact]
    public void The_first_member_may_do_everything() => SignUpRules.FounderScopes.ShouldBe(["owner", "*:**"]);

    [Fact]
    public void A_mailbox_is_shown_step_by_step_and_for_one_purpose()
    {
        MailboxStep.Next(null, MailedCodePurpose.SignUp, Now).ShouldBeOfType<MailboxStep.AskAddress>();
        MailboxStep.Next(Sent, MailedCodePurpose.PasswordReset, Now).ShouldBeOfType<MailboxStep.AskAddress>();
        MailboxStep.Next(Sent, MailedCodePurpose.SignUp, Now).ShouldBeOfType<MailboxStep.AskCode>();
        MailboxStep.Next(Sent, MailedCodePurpose.SignUp, Sent.ExpiresAt).ShouldBe(new MailboxStep.Over(Sent, IsExpired: true));
        MailedCode tried = Sent with { FailedTries = MailedCode.MaxTries };
        MailboxStep.Next(tried, MailedCodePurpose.SignUp, Now).ShouldBe(new MailboxStep.Over(tried, IsExpired: false));
        MailboxStep.Next(Sent with { ShownAt = Now }, MailedCodePurpose.SignUp, Sent.ExpiresAt).ShouldBeOfType<MailboxStep.Shown>();
    }

    [Fact]
    public void A_code_is_worth_something_with_its_own_handle_alone_however_it_is_typed()
    {
        Secret handle = Secret.New();
        SecretHash hash = MailedCode.HashOf(handle, "KWTF-9XPM");
        MailedCode.HashOf(handle, " kwtf 9xpm").ShouldBe(hash);
        MailedCode.HashOf(handle, "KWTF-9XPN").ShouldNotBe(hash);
        MailedCode.HashOf(Secret.New(), "KWTF-9XPM").ShouldNotBe(hash);
        MailedCode.New().ShouldMatch("^[BCDFGHJKMNPQRSTVWXZ2-9]{4}-[BCDFGHJKMNPQRSTVWXZ2-9]{4}$");
    }
}
