using System.Net;
using System.Text.RegularExpressions;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Factors;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Invitations;

/// <summary>The pages behind the link of a letter.</summary>
public abstract partial class InvitationPageTests(DemoServer server)
{
    private const string Chosen = "A-Long-Passw0rd!";

    private readonly World world = new(server);
    private readonly Mailbox mailbox = new(server);

    [Fact]
    public async Task A_new_person_sees_who_invites_to_what_makes_an_account_and_is_signed_in()
    {
        (Organization organization, string address, string path) = await InvitedAsync();
        Person person = new(server, path);
        string page = await person.OpenAsync(HttpStatusCode.OK);
        page.ShouldContain($"Join {organization.Name}");
        page.ShouldContain("Mia Moreno");
        page.ShouldContain("Welcome <b>aboard</b>");
        page.ShouldContain(address);
        (await person.SubmitAsync(HttpStatusCode.BadRequest, ("name", "Sam"), ("password", "password1"), ("repeated", "password1"))).ShouldContain("one of the most used");
        (await person.SubmitAsync(HttpStatusCode.BadRequest, ("name", "Sam"), ("password", Chosen), ("repeated", "Other"))).ShouldContain("not the same");
        (await person.SubmitAsync(HttpStatusCode.BadRequest, ("name", new string('x', 257)), ("password", Chosen), ("repeated", Chosen))).ShouldContain("at most 256");
        await person.SubmitAsync(HttpStatusCode.SeeOther, ("name", "Sam Sommer"), ("password", Chosen), ("repeated", Chosen));
        (await person.OpenAsync(HttpStatusCode.OK)).ShouldContain($"Welcome to {organization.Name}");

        User user = await world.UserAsync(address);
        (user.EmailVerified, user.Name).ShouldBe((true, "Sam Sommer"));
        await ShouldBeMemberAsync(user, organization);

        // The same browser is signed in at the realm: an application gets a code without a page.
        Arrival arrival = await person.Browser.SilentlyAsync();
        arrival.Code.ShouldNotBeNull();
        (await new Person(server, path).OpenAsync(HttpStatusCode.Gone)).ShouldContain("ATR1802");
    }

    [Fact]
    public async Task Who_has_an_account_signs_in_with_it()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail(), emailVerified: false);
        (Organization organization, _, string path) = await InvitedAsync(user.Email);
        Person person = new(server, path);
        (await person.OpenAsync(HttpStatusCode.OK)).ShouldContain("Sign in and join");
        (await person.SubmitAsync(HttpStatusCode.BadRequest, ("password", "wrong"))).ShouldContain("isn’t right");

        // Nobody makes a second account, or gives this one another password.
        await person.SubmitAsync(HttpStatusCode.BadRequest, ("name", "X"), ("password", Chosen), ("repeated", Chosen));
        await person.SubmitAsync(HttpStatusCode.SeeOther, ("password", DemoRealm.Password));
        (await person.OpenAsync(HttpStatusCode.OK)).ShouldContain($"Welcome to {organization.Name}");
        await ShouldBeMemberAsync(user, organization);
        (await world.UserAsync(user.Email)).EmailVerified.ShouldBeTrue();
    }

    [Fact]
    public async Task A_second_factor_is_asked_for_and_its_code_works_once_within_five_tries()
    {
        User tom = await world.UserAsync("tom@example.test");
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        (Organization organization, _, string path) = await InvitedAsync(tom.Email);
        AuthenticatorApp app = new(server);
        Person person = new(server, path);
        await person.OpenAsync(HttpStatusCode.OK);

        // A code without the password before it opens nothing.
        await person.SubmitAsync(HttpStatusCode.SeeOther, ("code", app.Code()));
        await person.OpenAsync(HttpStatusCode.OK);
        (await person.SubmitAsync(HttpStatusCode.OK, ("password", DemoRealm.Password))).ShouldContain("Enter your code");
        for (int i = 0; i < 5; i++)
            (await person.SubmitAsync(HttpStatusCode.BadRequest, ("code", app.WrongCode()))).ShouldContain("That code is not right");
        (await person.SubmitAsync(HttpStatusCode.BadRequest, ("code", app.Code()))).ShouldContain("ATR1313");
        await ShouldBeNoMemberAsync(tom, organization);

        await person.OpenAsync(HttpStatusCode.OK);
        await person.SubmitAsync(HttpStatusCode.OK, ("password", DemoRealm.Password));
        string code = app.Code();
        await person.SubmitAsync(HttpStatusCode.SeeOther, ("code", code));
        await ShouldBeMemberAsync(tom, organization);
        Arrival arrival = await person.Browser.SilentlyAsync();
        (await person.Browser.RedeemAsync(arrival.Code!)).Status.ShouldBe(HttpStatusCode.OK);

        // The code is spent: another invitation does not take it.
        (Organization second, _, string secondPath) = await InvitedAsync(tom.Email);
        Person again = new(server, secondPath);
        await again.OpenAsync(HttpStatusCode.OK);
        await again.SubmitAsync(HttpStatusCode.OK, ("password", DemoRealm.Password));
        await again.SubmitAsync(HttpStatusCode.BadRequest, ("code", code));
        await ShouldBeNoMemberAsync(tom, second);
    }

    [Fact]
    public async Task A_recovery_code_stands_in_for_the_app_and_works_once()
    {
        FactorWalk walk = new(server);
        User user = await walk.PersonAsync();
        (_, string[] codes, _) = await walk.EnrolAsync(new OAuthBrowser(server), user);
        (Organization organization, _, string path) = await InvitedAsync(user.Email);
        Person person = new(server, path);
        await person.OpenAsync(HttpStatusCode.OK);
        (await person.SubmitAsync(HttpStatusCode.OK, ("password", DemoRealm.Password))).ShouldContain("or a recovery code");
        (await person.SubmitAsync(HttpStatusCode.BadRequest, ("code", "aaaa-aaaa-aaaa-aaaa"))).ShouldContain("That code is not right");
        await ShouldBeNoMemberAsync(user, organization);
        await person.SubmitAsync(HttpStatusCode.SeeOther, ("code", codes[0].ToUpperInvariant()));
        await ShouldBeMemberAsync(user, organization);
        (await person.Browser.RedeemAsync((await person.Browser.SilentlyAsync()).Code!)).Status.ShouldBe(HttpStatusCode.OK);
        (await new ManagementCalls(server).GetAsync($"/users/{user.Id}/recovery-codes")).Data.GetProperty("remaining").GetInt32().ShouldBe(codes.Length - 1);

        (Organization second, _, string secondPath) = await InvitedAsync(user.Email);
        Person again = new(server, secondPath);
        await again.OpenAsync(HttpStatusCode.OK);
        await again.SubmitAsync(HttpStatusCode.OK, ("password", DemoRealm.Password));
        await again.SubmitAsync(HttpStatusCode.BadRequest, ("code", codes[0]));
        await ShouldBeNoMemberAsync(user, second);
    }

    [Fact]
    public async Task A_password_that_is_replaced_before_the_code_was_shown_for_nothing()
    {
        FactorWalk walk = new(server);
        User user = await walk.PersonAsync();
        (AuthenticatorApp app, _, _) = await walk.EnrolAsync(new OAuthBrowser(server), user);
        (Organization organization, _, string path) = await InvitedAsync(user.Email);
        Person thief = new(server, path);
        await thief.OpenAsync(HttpStatusCode.OK);
        await thief.SubmitAsync(HttpStatusCode.OK, ("password", DemoRealm.Password));
        (await new ManagementCalls(server).PostAsync($"/users/{user.Id}/password", new { password = Chosen })).Expect(200);
        (await thief.SubmitAsync(HttpStatusCode.BadRequest, ("code", app.Code()))).ShouldContain("ATR1809");
        await ShouldBeNoMemberAsync(user, organization);

        await thief.OpenAsync(HttpStatusCode.OK);
        await thief.SubmitAsync(HttpStatusCode.OK, ("password", Chosen));
        await thief.SubmitAsync(HttpStatusCode.SeeOther, ("code", app.Code()));
        await ShouldBeMemberAsync(user, organization);
    }

    [Fact]
    public async Task Whoever_is_signed_in_as_the_invited_person_says_yes()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        (Organization organization, _, string path) = await InvitedAsync(user.Email);
        Person person = new(server, path);
        await person.Browser.SignInAsync(user.Email);
        (await person.OpenAsync(HttpStatusCode.OK)).ShouldNotContain("type=\"password\"");
        await ShouldBeNoMemberAsync(user, organization);
        await person.SubmitAsync(HttpStatusCode.SeeOther, ("join", "yes"));
        await ShouldBeMemberAsync(user, organization);
        (await person.OpenAsync(HttpStatusCode.OK)).ShouldContain("Welcome to");
    }

    [Fact]
    public async Task Whoever_is_signed_in_as_somebody_else_has_to_sign_out_first()
    {
        (Organization organization, string address, string path) = await InvitedAsync();
        Person person = new(server, path);
        await person.Browser.SignInAsync("sam@example.test");
        string page = await person.OpenAsync(HttpStatusCode.OK);
        page.ShouldContain("sam@example.test");
        page.ShouldContain(address);
        foreach ((string, string)[] fields in new (string, string)[][] { [("join", "yes")], [("password", DemoRealm.Password)], [("name", "x"), ("password", Chosen), ("repeated", Chosen)] })
            await person.SubmitAsync(HttpStatusCode.SeeOther, fields);
        await ShouldBeNoMemberAsync(await world.UserAsync("sam@example.test"), organization);
        await person.OpenAsync(HttpStatusCode.OK);
        await person.SubmitAsync(HttpStatusCode.SeeOther, ("sign_out", "yes"));
        (await person.OpenAsync(HttpStatusCode.OK)).ShouldContain("Make an account and join");
        (await person.Browser.SilentlyAsync(("prompt", "none")))["error"].ShouldBe("login_required");
    }

    [Fact]
    public async Task A_form_from_another_browser_another_site_or_another_invitation_is_not_taken()
    {
        (Organization organization, string address, string path) = await InvitedAsync();
        Person person = new(server, path);
        await person.OpenAsync(HttpStatusCode.OK);
        (string Name, string Value)[] fields = [("form", person.Form), ("name", "x"), ("password", Chosen), ("repeated", Chosen)];
        using HttpResponseMessage elsewhere = await new OAuthBrowser(server).PostAsync(path, fields);
        (elsewhere.StatusCode, await elsewhere.Content.ReadAsStringAsync()).ShouldSatisfyAllConditions(
            answer => answer.Item1.ShouldBe(HttpStatusCode.BadRequest), answer => answer.Item2.ShouldContain("ATR1809"));

        using HttpRequestMessage crossSite = OAuthBrowser.FormOf(path, fields);
        crossSite.Headers.Add("Sec-Fetch-Site", "cross-site");
        using HttpResponseMessage refused = await person.Browser.SendAsync(crossSite);
        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        (_, _, string other) = await InvitedAsync();
        using HttpResponseMessage moved = await person.Browser.PostAsync(other, fields);
        moved.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        server.Clock.Advance(TimeSpan.FromMinutes(31));
        (await person.SubmitAsync(HttpStatusCode.BadRequest, fields[1..])).ShouldContain("ATR1809");
        (await server.Get<UserStore>().FindByEmailAsync(organization.RealmId, address, default)).ShouldBeNull();
    }

    [Fact]
    public async Task Links_that_lead_nowhere_say_why_and_no_more()
    {
        (Organization organization, string address, string path) = await InvitedAsync();
        foreach (string broken in new[] { path[..^1], $"{path}/x", "/t/acme/invitations/nonsense", $"/t/acme/invitations/{new string('x', 200)}", path.Replace("/acme/", "/globex/", StringComparison.Ordinal) })
        {
            string page = await new Person(server, broken).OpenAsync(HttpStatusCode.NotFound);
            page.ShouldContain("ATR1801");
            page.ShouldNotContain(address);
            page.ShouldNotContain(organization.Name);
        }

        Person person = new(server, path);
        await person.OpenAsync(HttpStatusCode.OK);
        await server.Get<OrganizationStore>().UpdateAsync(organization with { Status = OrganizationStatus.Suspended }, null, default);
        (await person.OpenAsync(HttpStatusCode.Conflict)).ShouldContain("ATR1805");
        await person.SubmitAsync(HttpStatusCode.SeeOther, ("name", "x"), ("password", Chosen), ("repeated", Chosen));
        await server.Get<OrganizationStore>().UpdateAsync(organization, null, default);
        await person.OpenAsync(HttpStatusCode.OK);
        server.Clock.Advance(TimeSpan.FromDays(7));
        (await person.OpenAsync(HttpStatusCode.Gone)).ShouldContain("ATR1804");
        await person.SubmitAsync(HttpStatusCode.SeeOther, ("name", "x"), ("password", Chosen), ("repeated", Chosen));
        (await server.Get<UserStore>().FindByEmailAsync(organization.RealmId, address, default)).ShouldBeNull();
    }

    [Fact]
    public async Task Submitted_twenty_times_at_once_one_account_and_one_membership_come_of_it()
    {
        (Organization organization, string address, string path) = await InvitedAsync();
        Person person = new(server, path);
        await person.OpenAsync(HttpStatusCode.OK);
        (string, string)[] fields = [("form", person.Form), ("name", "Sam"), ("password", Chosen), ("repeated", Chosen)];
        HttpResponseMessage[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using HttpRequestMessage request = OAuthBrowser.FormOf(path, fields);
            request.Headers.Add("Cookie", string.Join("; ", person.Browser.Cookies.Select(static cookie => $"{cookie.Key}={cookie.Value}")));
            return await server.Http.SendAsync(request);
        }));
        answers.ShouldAllBe(static answer => answer.StatusCode == HttpStatusCode.SeeOther);
        answers.Count(static answer => answer.Headers.Contains("Set-Cookie")).ShouldBe(1, "one of them is signed in");
        await ShouldBeMemberAsync(await world.UserAsync(address), organization);
        foreach (HttpResponseMessage answer in answers)
            answer.Dispose();
    }

    [Fact]
    public async Task An_account_without_a_password_gets_one()
    {
        User user = await world.PersonAsync(ResourceCalls.UniqueEmail());
        User bare = user with { Id = Core.Id<User>.New(server.Clock), Email = ResourceCalls.UniqueEmail(), EmailVerified = false };
        (await server.Get<UserStore>().CreateAsync(bare, null, Origin.System, default)).ShouldBe(UserWrite.Done);
        (Organization organization, _, string path) = await InvitedAsync(bare.Email);
        Person person = new(server, path);
        (await person.OpenAsync(HttpStatusCode.OK)).ShouldContain("Choose a password");
        await person.SubmitAsync(HttpStatusCode.SeeOther, ("name", ""), ("password", Chosen), ("repeated", Chosen));
        await ShouldBeMemberAsync(bare, organization);
        (await new AuthKitCalls(server).PasswordAsync(bare.Email, Chosen)).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public void The_secret_of_a_link_is_not_logged()
    {
        RouteEndpoint[] pages =
        [
            .. server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
                .Where(static endpoint => endpoint.RoutePattern.RawText!.Contains("/t/{realm}/invitations/", StringComparison.Ordinal)),
        ];
        pages.Length.ShouldBe(3);
        pages.ShouldContain(static page => page.Metadata.GetMetadata<IHttpMethodMetadata>() == null, "whatever the method");
        foreach (RouteEndpoint page in pages)
        {
            DefaultHttpContext context = new() { Request = { Path = "/t/acme/invitations/secret" } };
            context.SetEndpoint(page);
            context.LoggedPath().ShouldBe("/t/{realm}/invitations/{**token}");
        }
    }

    private async Task<(Organization Organization, string Address, string Path)> InvitedAsync(string? address = null)
    {
        Organization organization = await world.NewOrganizationAsync(ResourceCalls.Unique("welcoming"));
        address ??= ResourceCalls.UniqueEmail();
        (await new ManagementCalls(server).PostAsync($"/organizations/{organization.Id}/invitations", new
        {
            email_invited = address, scopes = new[] { "member" }, message = "Welcome <b>aboard</b>", inviter = new { name = "Mia Moreno" },
        })).Expect(201);
        return (organization, address, await mailbox.InvitationAsync(address));
    }

    private async Task ShouldBeMemberAsync(User user, Organization organization) =>
        (await server.Get<MembershipStore>().FindAsync(user.RealmId, user.Id, organization.Id, default)).ShouldNotBeNull().Status.ShouldBe(MembershipStatus.Active);

    private async Task ShouldBeNoMemberAsync(User user, Organization organization) =>
        (await server.Get<MembershipStore>().FindAsync(user.RealmId, user.Id, organization.Id, default)).ShouldBeNull();

    /// <summary>Somebody with a browser and the letter.</summary>
    private sealed partial class Person(DemoServer server, string path)
    {
        public OAuthBrowser Browser { get; } = new(server);

        /// <summary>What the page gave to bring back.</summary>
        public string Form { get; private set; } = "";

        public async Task<string> OpenAsync(HttpStatusCode status)
        {
            using HttpResponseMessage response = await Browser.GetAsync(path);
            return await ReadAsync(response, status);
        }

        public async Task<string> SubmitAsync(HttpStatusCode status, params (string Name, string Value)[] fields)
        {
            using HttpResponseMessage response = await Browser.PostAsync(path, [("form", Form), .. fields]);
            return await ReadAsync(response, status);
        }

        private async Task<string> ReadAsync(HttpResponseMessage response, HttpStatusCode status)
        {
            string page = await response.Content.ReadAsStringAsync();
            response.StatusCode.ShouldBe(status, page);
            if (Sealed().Match(page) is { Success: true } match)
                Form = match.Groups["form"].Value;
            return WebUtility.HtmlDecode(page);
        }

        [GeneratedRegex("name=\"form\" value=\"(?<form>[^\"]+)\"", RegexOptions.ExplicitCapture)]
        private static partial Regex Sealed();
    }
}

public sealed class SqliteInvitationPageTests(DemoServer server) : InvitationPageTests(server), IClassFixture<DemoServer>;

public sealed class PostgresInvitationPageTests(PostgresDemoServer server) : InvitationPageTests(server), IClassFixture<PostgresDemoServer>;
