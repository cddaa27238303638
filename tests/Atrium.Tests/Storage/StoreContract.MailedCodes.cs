using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Mail;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Storage;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>Codes mailed to those who can't sign in yet, and what is made of them.</summary>
public abstract partial class StoreContract
{
    private MailedCodeStore MailedCodes => new(Database);

    private AccountStore Accounts => new(Database, Memberships);

    [Fact]
    public async Task A_sign_in_has_one_mailed_code_at_a_time_and_with_it_the_code_goes()
    {
        (SignIn signIn, _) = await MakeSignIn(await MakeClient());
        MailedCode first = NewMailedCode(signIn);
        QueuedMail letter = NewLetter(signIn);
        (await MailedCodes.ReplaceAsync(first, letter, isSent: true, Now - MailedCode.Pause, None)).ShouldBeTrue();
        (await MailedCodes.ReplaceAsync(NewMailedCode(signIn), NewLetter(signIn), isSent: true, Now - MailedCode.Pause, None)).ShouldBeFalse("one was sent just now");
        (await MailedCodes.FindAsync(Realm.Id, signIn.Id, None)).ShouldBe(first);
        (await MailedCodes.FindAsync(Other.Id, signIn.Id, None)).ShouldBeNull();

        MailedCode other = NewMailedCode(signIn) with { Email = "other@example.test" };
        (await MailedCodes.ReplaceAsync(other, NewLetter(signIn), isSent: false, Now - MailedCode.Pause, None)).ShouldBeTrue();
        (await MailedCodes.FindAsync(Realm.Id, signIn.Id, None)).ShouldBe(other);
        (await CountAsync("mails")).ShouldBe(0, "the letter before is withdrawn, and this one is nobody's");
        (await MailedCodes.CountTryAsync(first, Now, None)).ShouldBeNull("its place is taken");

        await SignIns.DeleteAsync(signIn, None);
        (await MailedCodes.FindAsync(Realm.Id, signIn.Id, None)).ShouldBeNull();
        (await MailedCodes.ReplaceAsync(first, letter, isSent: true, Now, None)).ShouldBeFalse("its sign-in is gone");
    }

    [Fact]
    public async Task A_mailed_code_is_heard_five_times_and_is_right_once()
    {
        (SignIn signIn, _) = await MakeSignIn(await MakeClient());
        MailedCode code = NewMailedCode(signIn);
        await MailedCodes.ReplaceAsync(code, NewLetter(signIn), isSent: true, Now, None);
        (await MailedCodes.CountTryAsync(code with { RealmId = Other.Id }, Now, None)).ShouldBeNull();
        (await MailedCodes.CountTryAsync(code, code.ExpiresAt, None)).ShouldBeNull();
        MailedCode?[] heard = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => MailedCodes.CountTryAsync(code, Now, None)));
        heard.OfType<MailedCode>().Select(static one => one.FailedTries).Order().ShouldBe([1, 2, 3, 4, 5]);
        (await MailedCodes.ShowAsync(code with { RealmId = Other.Id }, Now, None)).ShouldBeFalse();
        bool[] shown = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => MailedCodes.ShowAsync(code, Now, None)));
        shown.Count(static one => one).ShouldBe(1);
    }

    [Fact]
    public async Task An_account_is_made_of_a_shown_mailbox_and_of_nothing_else()
    {
        (SignIn signIn, _) = await MakeSignIn(await MakeClient());
        MailedCode code = NewMailedCode(signIn);
        await MailedCodes.ReplaceAsync(code, NewLetter(signIn), isSent: true, Now, None);
        User user = NewUser("new@example.test");
        NewAccount account = new(signIn with { UserId = user.Id }, user, "hash");
        (await Accounts.SignUpAsync(account, Origin.System, None)).ShouldBe(AccountWrite.Outdated, "it was not shown");
        await MailedCodes.ShowAsync(code, Now, None);
        (await Accounts.SignUpAsync(account with { User = user with { Email = "another@example.test" } }, Origin.System, None)).ShouldBe(AccountWrite.Outdated);
        (await Accounts.SignUpAsync(account with { SignIn = account.SignIn with { Version = 7 } }, Origin.System, None)).ShouldBe(AccountWrite.Outdated);
        AccountWrite[] made = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
        {
            User one = user with { Id = Id<User>.New(Clock) };
            return Accounts.SignUpAsync(new NewAccount(signIn with { UserId = one.Id }, one, "hash"), Origin.System, None);
        }));
        made.Count(static one => one == AccountWrite.Done).ShouldBe(1);
        (await Users.ListAsync(Realm.Id, new UserFilter { Email = user.Email }, new PageRequest<User>(10), None)).Items.Count.ShouldBe(1);
    }

    private MailedCode NewMailedCode(SignIn signIn) => new()
    {
        RealmId = signIn.RealmId, SignInId = signIn.Id, Purpose = MailedCodePurpose.SignUp, Email = "new@example.test", CodeHash = Secret.New().Hash(),
        CreatedAt = Now, ExpiresAt = Now + MailedCode.Lifetime,
    };

    private QueuedMail NewLetter(SignIn signIn) => new()
    {
        RealmId = signIn.RealmId, Id = Id<QueuedMail>.New(Clock), Kind = MailKind.SignUp, About = signIn.Id.ToString(), Recipient = "new@example.test",
        SealedLetter = [1], CreatedAt = Now, ExpiresAt = Now + MailedCode.Lifetime,
    };
}
