using System.Net;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Server.SignIns;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.SignUp;

/// <summary>A forgotten password is replaced by whoever has the mailbox, and by nobody else.</summary>
public abstract class PasswordResetTests(DemoServer server)
{
    private const string Path = Newcomer.ForgotPath;

    private readonly Newcomer sam = new(server);
    private readonly World world = new(server);
    private readonly Mailbox mailbox = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task A_new_password_takes_the_place_of_a_forgotten_one_and_ends_all_that_the_old_one_opened()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail(), emailVerified: false);
        OAuthBrowser elsewhere = new(server);
        TokenReply old = await elsewhere.TokensAsync(user.Email);

        (await sam.BeginAsync(("login_hint", user.Email))).ShouldContain($"href=\"{Path}?handle={sam.Handle}\">Forgot your password?");
        (await sam.ShowAsync(Path)).ShouldContain($"value=\"{user.Email}\"");
        await sam.AskAsync(Path, user.Email);
        string letter = (await mailbox.NewestAsync(user.Email)).Text;
        letter.ShouldNotContain("http", Case.Insensitive);
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("code", (await sam.CodeAsync(user.Email)).ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal)));
        string page = await sam.ShowAsync(Path);
        page.ShouldContain("Choose a new password");
        page.ShouldNotContain("name=\"name\"");
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("password", "password1"), ("repeated", "password1"))).ShouldContain("one of the most used");
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("password", Newcomer.Chosen), ("repeated", "x"))).ShouldContain("not the same");
        (await elsewhere.SilentlyAsync()).Code.ShouldNotBeEmpty();

        server.Clock.Advance(TimeSpan.FromSeconds(1));
        await sam.ChooseAsync(Path);
        (await elsewhere.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        (await elsewhere.RefreshAsync(old.RefreshToken)).Error.ShouldBe("invalid_grant");
        TokenReply tokens = await sam.Browser.RedeemAsync((await sam.ArriveAsync()).Code);
        tokens.Identity.GetProperty("sub").GetString().ShouldBe(user.Id.ToString());
        (await world.UserAsync(user.Email)).EmailVerified.ShouldBeTrue();

        AuthKitCalls door = new(server);
        (await door.PasswordAsync(user.Email)).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await door.PasswordAsync(user.Email, Newcomer.Chosen)).ShouldBe(HttpStatusCode.OK);
        EmlFile told = await mailbox.NewestAsync(user.Email);
        told.Subject.ShouldBe("Your password for Acme was changed");
        told.Text.ShouldNotContain(Newcomer.Chosen);
        string?[] types = [.. (await api.GetAsync($"/events?user_id={user.Id}")).Expect(200).Items.Select(static one => one.GetProperty("type").GetString())];
        types.Count(static type => type == EventTypes.UserPasswordChanged).ShouldBe(1);
        types.ShouldContain(EventTypes.SessionEnded);
        types.ShouldContain(EventTypes.UserUpdated);
    }

    [Fact]
    public async Task The_letter_goes_to_the_address_of_the_account_however_it_was_typed()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        string typed = user.Email.ToUpperInvariant();
        await sam.BeginAsync();
        await sam.AskAsync(Path, typed);
        (await mailbox.LettersAsync(typed)).ShouldBeEmpty();
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("code", await sam.CodeAsync(user.Email)));
        await sam.ChooseAsync(Path);
        (await sam.ArriveAsync()).Code.ShouldNotBeEmpty();

        Newcomer asked = new(server);
        server.Clock.Advance(MailedCode.Pause);
        await asked.BeginAsync();
        await asked.AskAsync(Newcomer.SignUpPath, typed);
        (await mailbox.LettersAsync(typed)).ShouldBeEmpty();
        (await mailbox.NewestAsync(user.Email)).Subject.ShouldStartWith("You have an account");
    }

    [Fact]
    public async Task A_password_that_was_checked_just_before_opens_nothing_after()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        SignInDesk desk = server.Get<SignInDesk>();
        Client client = (await server.Get<ClientStore>().FindByClientIdAsync("demo-web", default)).ShouldNotBeNull();
        SignInProgress begun = desk.Begin(client, Door.OAuth, new AuthorizationRequest(), OrganizationChoice.AllMemberships, Origin.System);
        SignInProgress proved = (await desk.ProvePasswordAsync(begun, user.Email, DemoRealm.Password, default)).ShouldBeOfType<ProofResult.Proved>().Progress;
        SignInStep.Complete step = (await desk.NextAsync(proved, default)).ShouldBeOfType<SignInStep.Complete>();

        await sam.BeginAsync();
        await sam.ShowMailboxAsync(Path, user.Email);
        await sam.ChooseAsync(Path);
        (await desk.CompleteAsync(proved, step, cookie: null, default)).ShouldBeNull();
        (await desk.SaveAsync(proved, Secret.New(), default)).ShouldBeFalse();
        (await sam.ArriveAsync()).Code.ShouldNotBeEmpty();
    }

    /// <summary>OWASP ASVS 6.4.3.</summary>
    [Fact]
    public async Task A_new_password_is_no_way_around_the_second_factor()
    {
        User user = await WithFactorAsync();
        await sam.BeginAsync();
        await sam.ShowMailboxAsync(Path, user.Email);
        await sam.ChooseAsync(Path);
        sam.Browser.Cookies.ShouldNotContainKey("atrium_session");
        (await sam.ShowAsync("/t/acme/sign-in")).ShouldContain("authenticator app");
        AuthenticatorApp app = new(server);
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, "/t/acme/sign-in", ("code", app.WrongCode()))).ShouldContain("not right");
        using HttpResponseMessage done = await sam.PostAsync("/t/acme/sign-in", ("code", app.Code()));
        Arrival.At(done).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_sign_in_that_is_half_way_with_the_old_password_is_over()
    {
        User user = await WithFactorAsync();
        Newcomer thief = new(server);
        await thief.BeginAsync();
        using (HttpResponseMessage halfWay = await thief.PostAsync("/t/acme/sign-in", ("email", user.Email), ("password", DemoRealm.Password)))
            halfWay.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        (await thief.ShowAsync("/t/acme/sign-in")).ShouldContain("authenticator app");
        await sam.BeginAsync();
        await sam.ShowMailboxAsync(Path, user.Email);
        await sam.ChooseAsync(Path);
        (await thief.ShowAsync("/t/acme/sign-in", HttpStatusCode.BadRequest)).ShouldContain("ATR1301");
        (await thief.SubmitAsync(HttpStatusCode.BadRequest, "/t/acme/sign-in", ("code", new AuthenticatorApp(server).Code()))).ShouldContain("ATR1301");
    }

    [Fact]
    public async Task Whoever_asks_sees_the_same_whether_or_not_there_is_an_account()
    {
        User there = await world.PersonAsync(ResourceCalls.UniqueEmail());
        User disabled = await world.PersonAsync(ResourceCalls.UniqueEmail());
        await server.Get<UserStore>().UpdateAsync(disabled with { Status = UserStatus.Disabled }, null, default);
        string nobody = ResourceCalls.UniqueEmail();
        List<string> answers = [];
        foreach (string email in new[] { there.Email, disabled.Email, nobody, "kim@example.test" })
        {
            Newcomer person = new(server);
            await person.BeginAsync();
            List<string> seen = [await person.SubmitAsync(HttpStatusCode.SeeOther, Path, ("email", email)), await person.ShowAsync(Path)];
            for (int i = 0; i < 5; i++)
                seen.Add(await person.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", "BBBB-BBBB")));
            seen.Add(await person.ShowAsync(Path));
            answers.Add(string.Join('\n', seen).Replace(person.Handle, "HANDLE", StringComparison.Ordinal).Replace(email, "EMAIL", StringComparison.Ordinal));
        }

        answers.Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
        (await mailbox.LettersAsync(there.Email)).Count.ShouldBe(1);
        foreach (string none in new[] { disabled.Email, nobody, "kim@example.test" })
            (await mailbox.LettersAsync(none)).ShouldBeEmpty(none);
    }

    [Theory]
    [InlineData("disabled")]
    [InlineData("deleted")]
    [InlineData("moved")]
    public async Task An_account_that_changed_meanwhile_gets_no_password(string how)
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        await sam.BeginAsync();
        await sam.ShowMailboxAsync(Path, user.Email);
        UserStore users = server.Get<UserStore>();
        switch (how)
        {
            case "disabled":
                await users.UpdateAsync(user with { Status = UserStatus.Disabled }, null, default);
                break;
            case "moved":
                await users.UpdateAsync(user with { Email = ResourceCalls.UniqueEmail() }, null, default);
                break;
            default:
                await users.DeleteAsync(user.RealmId, user.Id, static _ => true, Origin.System, default);
                break;
        }

        string answer = await sam.SubmitAsync(
            how == "deleted" ? HttpStatusCode.SeeOther : HttpStatusCode.Conflict, Path, ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen));
        answer.ShouldContain(how == "deleted" ? Path : "ATR1335");
        (await mailbox.LettersAsync(user.Email)).ShouldAllBe(static letter => !letter.Subject.Contains("was changed", StringComparison.Ordinal));
        if (how == "moved")
            (await new AuthKitCalls(server).PasswordAsync((await users.FindAsync(user.RealmId, user.Id, default))!.Email)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Once_a_password_is_set_every_other_code_for_it_is_worth_nothing()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        Newcomer older = new(server);
        await older.BeginAsync();
        await older.ShowMailboxAsync(Path, user.Email);
        Newcomer asked = new(server);
        await asked.BeginAsync();
        server.Clock.Advance(MailedCode.Pause);
        await asked.AskAsync(Path, user.Email);
        string unused = await asked.CodeAsync(user.Email);
        server.Clock.Advance(MailedCode.Pause);
        await sam.BeginAsync();
        await sam.ShowMailboxAsync(Path, user.Email);
        await sam.ChooseAsync(Path);
        (await older.SubmitAsync(HttpStatusCode.SeeOther, Path, ("password", "Another-Passw0rd!"), ("repeated", "Another-Passw0rd!"))).ShouldStartWith(Path);
        (await asked.SubmitAsync(HttpStatusCode.SeeOther, Path, ("code", unused))).ShouldStartWith(Path);
        (await asked.ShowAsync(Path)).ShouldContain("name=\"email\"");
        (await new AuthKitCalls(server).PasswordAsync(user.Email, Newcomer.Chosen)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_code_is_superseded_by_a_newer_one_expires_and_is_nobody_elses()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        await sam.BeginAsync();
        await sam.AskAsync(Path, user.Email);
        string first = await sam.CodeAsync(user.Email);
        Newcomer thief = new(server);
        await thief.BeginAsync();
        server.Clock.Advance(MailedCode.Pause);
        await thief.AskAsync(Path, ResourceCalls.UniqueEmail());
        await thief.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", first));
        await thief.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", first), ("purpose", "PasswordReset"), ("user_id", user.Id.ToString()));
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("again", "yes"));
        await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", first));
        string second = await sam.CodeAsync(user.Email);
        foreach (string altered in new[] { second[..^1], second + "B", second[..^1] + (second[^1] == 'B' ? 'C' : 'B') })
            await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", altered));
        server.Clock.Advance(MailedCode.Lifetime);
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("code", second));
        (await sam.ShowAsync(Path)).ShouldContain("has expired");
        (await new AuthKitCalls(server).PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Sent_twenty_times_at_once_one_password_is_set()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        await sam.BeginAsync();
        await sam.AskAsync(Path, user.Email);
        await sam.SubmitAtOnceAsync(Path, ("code", await sam.CodeAsync(user.Email)));
        await sam.SubmitAtOnceAsync(Path, ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen));
        (await api.GetAsync($"/events?types=user.password.changed&user_id={user.Id}")).Expect(200).Items.Count.ShouldBe(1);
        (await mailbox.LettersAsync(user.Email)).Count(static letter => letter.Subject.Contains("was changed", StringComparison.Ordinal)).ShouldBe(1);
        (await sam.ArriveAsync()).Code.ShouldNotBeEmpty();

        // Spent: the sign-in it belonged to is over, and so is the code.
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("password", "Another-Passw0rd!"), ("repeated", "Another-Passw0rd!"))).ShouldContain("ATR1301");
    }

    [Fact]
    public async Task An_account_without_a_password_gets_one_by_its_mailbox()
    {
        User like = await world.PersonAsync(ResourceCalls.UniqueEmail());
        User bare = like with { Id = Id<User>.New(server.Clock), Email = ResourceCalls.UniqueEmail(), EmailVerified = false };
        (await server.Get<UserStore>().CreateAsync(bare, null, Origin.System, default)).ShouldBe(UserWrite.Done);
        await sam.BeginAsync();
        await sam.ShowMailboxAsync(Path, bare.Email);
        await sam.ChooseAsync(Path);
        (await sam.ArriveAsync()).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task The_host_that_a_request_names_stands_in_no_letter()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        await sam.BeginAsync();
        using HttpRequestMessage request = OAuthBrowser.FormOf(Path, ("handle", sam.Handle), ("email", user.Email));
        request.Headers.Host = "evil.test";
        using HttpResponseMessage answer = await sam.Browser.SendAsync(request);
        EmlFile letter = await mailbox.NewestAsync(user.Email);
        (letter.Text + letter.Html + answer.Headers.Location?.OriginalString).ShouldNotContain("evil.test");
    }

    /// <summary>Somebody of the test's own with the demo's second factor.</summary>
    private async Task<User> WithFactorAsync()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        Base32.TryDecode(DemoRealm.TotpSecret, out byte[]? secret).ShouldBeTrue();
        DateTimeOffset now = server.Clock.GetUtcNow();
        Factor factor = new()
        {
            RealmId = user.RealmId, Id = Id<Factor>.New(server.Clock), UserId = user.Id, Issuer = "Acme", Account = user.Email, SealedSecret = [], Confirmed = true,
            CreatedAt = now, UpdatedAt = now,
        };
        (await server.Get<FactorStore>().CreateAsync(server.Get<SignInDesk>().SealFactor(factor, secret!), Origin.System, default)).ShouldBeTrue();
        return user;
    }
}

public sealed class SqlitePasswordResetTests(DemoServer server) : PasswordResetTests(server), IClassFixture<DemoServer>;

public sealed class PostgresPasswordResetTests(PostgresDemoServer server) : PasswordResetTests(server), IClassFixture<PostgresDemoServer>;
