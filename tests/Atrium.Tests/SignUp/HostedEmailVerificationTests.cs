using System.Net;
using System.Text.Json;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Tests.AppNative;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.SignUp;

/// <summary>A realm that wants addresses verified asks for it at every door; on the hosted pages a code does it.</summary>
public sealed class HostedEmailVerificationTests(HostedEmailVerificationTests.StrictServer server) : IClassFixture<HostedEmailVerificationTests.StrictServer>
{
    private const string Path = "/t/acme/sign-in";

    private readonly Newcomer sam = new(server);
    private readonly World world = new(server);
    private readonly Mailbox mailbox = new(server);

    [Fact]
    public async Task The_page_mails_a_code_and_the_code_leads_on()
    {
        User user = await HalfWayAsync();
        string page = await sam.ShowAsync(Path);
        page.ShouldContain("Verify your e-mail");
        page.ShouldContain(user.Email);
        await sam.ShowAsync(Path);
        (await mailbox.LettersAsync(user.Email)).Count.ShouldBe(1, "however often the page is shown");
        (await sam.Browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
        string code = await sam.CodeAsync(user.Email);
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", code == "000000" ? "000001" : "000000"))).ShouldContain("not right");
        using HttpResponseMessage done = await sam.PostAsync(Path, ("code", code));
        TokenReply tokens = await sam.Browser.RedeemAsync(Arrival.At(done).Code);
        tokens.Identity.GetProperty("email_verified").GetBoolean().ShouldBeTrue();
        tokens.Identity.GetProperty("amr").ToString().ShouldBe("""["pwd","otp"]""");
        JsonElement told = (await new ManagementCalls(server).GetAsync($"/events?types=user.updated&user_id={user.Id}")).Expect(200).Items.ShouldHaveSingleItem();
        told.GetProperty("changed").ToString().ShouldBe("""["email_verified"]""");

        // Once and for all.
        (await new OAuthBrowser(server).SignInAsync(user.Email)).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Wrong_codes_are_counted_and_another_one_can_be_sent_now_and_then()
    {
        User user = await HalfWayAsync();
        await sam.ShowAsync(Path);
        string first = await sam.CodeAsync(user.Email);
        string wrong = first == "000000" ? "000001" : "000000";
        for (int i = 0; i < EmailVerification.MaxTries; i++)
            await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", wrong));
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", first))).ShouldContain("Too many wrong codes");
        for (int letter = 2; letter <= 6; letter++)
        {
            server.Clock.Advance(MailedCode.Pause);
            await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("again", "yes"));
        }

        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("again", "yes"));
        (await mailbox.LettersAsync(user.Email)).Count.ShouldBe(6, "no second one within moments");
        server.Clock.Advance(MailedCode.Pause);
        (await sam.SubmitAsync(HttpStatusCode.TooManyRequests, Path, ("again", "yes"))).ShouldContain("Many codes were sent lately");
        using HttpResponseMessage done = await sam.PostAsync(Path, ("code", await sam.CodeAsync(user.Email)));
        Arrival.At(done).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task A_code_expires_and_the_page_sends_a_new_one()
    {
        User user = await HalfWayAsync();
        await sam.ShowAsync(Path);
        string first = await sam.CodeAsync(user.Email);
        server.Clock.Advance(EmailVerification.Lifetime);
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("code", first))).ShouldContain("has expired");
        await sam.ShowAsync(Path);
        (await mailbox.LettersAsync(user.Email)).Count.ShouldBe(2);
        using HttpResponseMessage done = await sam.PostAsync(Path, ("code", await sam.CodeAsync(user.Email)));
        Arrival.At(done).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Sent_twenty_times_at_once_a_right_code_makes_one_session()
    {
        User user = await HalfWayAsync();
        await sam.ShowAsync(Path);
        string code = await sam.CodeAsync(user.Email);
        HttpResponseMessage[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using HttpRequestMessage request = OAuthBrowser.FormOf(Path, ("handle", sam.Handle), ("code", code));
            request.Headers.Add("Cookie", string.Join("; ", sam.Browser.Cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}")));
            return await server.Http.SendAsync(request);
        }));
        answers.Count(static answer => answer.Headers.Location?.OriginalString.Contains("code=", StringComparison.Ordinal) == true).ShouldBe(1);
        answers.Count(static answer => answer.Headers.Contains("Set-Cookie")).ShouldBe(1);
        foreach (HttpResponseMessage answer in answers)
            answer.Dispose();
    }

    [Fact]
    public async Task A_standing_session_of_an_unverified_person_is_asked_too_and_not_silently()
    {
        await Newcomer.SettingsAsync(server, static settings => settings with { EmailVerificationRequired = false });
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail(), emailVerified: false);
        await sam.Browser.TokensAsync(user.Email);
        await Newcomer.SettingsAsync(server, static settings => settings with { EmailVerificationRequired = true });
        (await sam.Browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("interaction_required");
        (await sam.BeginAsync()).ShouldContain("Verify your e-mail");
        using HttpResponseMessage done = await sam.PostAsync(Path, ("code", await sam.CodeAsync(user.Email)));
        Arrival.At(done).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task No_other_door_lets_an_unverified_person_past_it()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail(), emailVerified: false, await world.OrganizationAsync("northwind"));
        NativeApp app = new(server);
        AppNative.Answer start = await app.StartAtAsync(await app.PathOfAsync("northwind"));
        AppNative.Answer refused = await app.PasswordAsync(start, user.Email);
        refused.Json.ToString().ShouldContain("must be verified");
        ManagementAnswer explained = (await new ManagementCalls(server).PostAsync(
            "/explain/sign-in", new { user = user.Email, client_id = "demo-native", organization = "northwind", door = "app_native" })).Expect(200);
        explained["outcome"].ShouldBe("refused");
        (await new AuthKitCalls(server).PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.Forbidden, "email_verification_required");
    }

    private async Task<User> HalfWayAsync()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail(), emailVerified: false);
        await sam.BeginAsync();
        (await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("email", user.Email), ("password", DemoRealm.Password))).ShouldStartWith(Path);
        return user;
    }

    public sealed class StrictServer : DemoServer
    {
        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            await Newcomer.SettingsAsync(this, static settings => settings with { EmailVerificationRequired = true });
        }
    }
}

/// <summary>A server that sends no mail offers nothing that needs it.</summary>
public sealed class WithoutMailTests(WithoutMailTests.SilentServer server) : IClassFixture<WithoutMailTests.SilentServer>
{
    [Fact]
    public async Task Nothing_is_offered_that_needs_a_letter()
    {
        Newcomer sam = new(server);
        string page = await sam.BeginAsync();
        page.ShouldNotContain("Create an account");
        page.ShouldNotContain("Forgot your password?");
        (await sam.ShowAsync(Newcomer.SignUpPath, HttpStatusCode.BadRequest)).ShouldContain("ATR1332");
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Newcomer.ForgotPath, ("email", "mia@example.test"))).ShouldContain("ATR1333");
        (await sam.Browser.SilentlyAsync(("prompt", "create")))["error_description"].ShouldEndWith("(ATR1330)");
        (await server.Http.GetStringAsync("/t/acme/.well-known/openid-configuration")).ShouldNotContain("\"create\"");
    }

    public sealed class SilentServer : DemoServer
    {
        protected override AtriumOptions Change(AtriumOptions options) => options with { MailFolder = null };
    }
}
