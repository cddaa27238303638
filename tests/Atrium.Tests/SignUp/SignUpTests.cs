using System.Net;
using System.Text.Json;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.SignUp;

/// <summary>People who come by themselves: a mailbox is shown, then there is an account, and their sign-in goes on with it.</summary>
public abstract class SignUpTests(DemoServer server)
{
    private const string Path = Newcomer.SignUpPath;

    private readonly Newcomer sam = new(server);
    private readonly World world = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task Somebody_new_shows_a_mailbox_chooses_a_password_and_comes_to_the_application()
    {
        string email = ResourceCalls.UniqueEmail();
        (await sam.BeginAsync()).ShouldContain($"href=\"{Path}?handle={sam.Handle}\">Create an account");
        (await sam.ShowAsync(Path)).ShouldContain("name=\"email\"");
        await sam.AskAsync(Path, email);
        (await sam.ShowAsync(Path)).ShouldContain(email);
        (await NobodyAsync(email)).ShouldBeTrue("nothing exists before the mailbox is shown");
        await sam.SubmitAsync(HttpStatusCode.SeeOther, Path, ("code", await sam.CodeAsync(email)));
        string page = await sam.ShowAsync(Path);
        page.ShouldContain("autocomplete=\"new-password\"");
        page.ShouldContain("At least 8 characters");
        page.ShouldNotContain("name=\"organization\"");
        (await NobodyAsync(email)).ShouldBeTrue("nor before the password is chosen");

        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("name", "Sam"), ("password", "password1"), ("repeated", "password1"))).ShouldContain("one of the most used");
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("name", "Sam"), ("password", "short"), ("repeated", "short"))).ShouldContain("at least 8");
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("name", "Sam"), ("password", Newcomer.Chosen), ("repeated", "other"))).ShouldContain("not the same");
        (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("name", new string('x', 257)), ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen))).ShouldContain("at most 256");
        (await sam.ChooseAsync(Path, ("name", "Sam Sommer"))).ShouldBe($"/t/acme/sign-in?handle={sam.Handle}");

        TokenReply tokens = await sam.Browser.RedeemAsync((await sam.ArriveAsync()).Code);
        User user = await world.UserAsync(email);
        (user.Name, user.EmailVerified, user.Status).ShouldBe(("Sam Sommer", true, UserStatus.Active));
        tokens.Identity.GetProperty("sub").GetString().ShouldBe(user.Id.ToString());
        tokens.Organizations.ShouldBeEmpty();
        (await sam.Browser.SilentlyAsync()).Code.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task The_account_and_its_sign_in_are_told_with_who_did_it_and_from_where()
    {
        string email = ResourceCalls.UniqueEmail();
        await sam.SignUpAsync(email);
        User user = await world.UserAsync(email);
        IReadOnlyList<JsonElement> events = (await api.GetAsync($"/events?user_id={user.Id}")).Expect(200).Items;
        events.Select(static one => one.GetProperty("type").GetString()).ShouldBe(["sign_in.succeeded", "session.created", "user.created"]);
        JsonElement actor = events[^1].GetProperty("actor");
        (actor.GetProperty("type").GetString(), actor.GetProperty("id").GetString()).ShouldBe(("user", user.Id.ToString()));
        events[^1].GetProperty("client_id").GetString().ShouldBe("demo-web");
        events[0].GetProperty("data").GetProperty("methods").ToString().ShouldBe("""["password","email_code"]""");
    }

    [Fact]
    public async Task A_password_chosen_by_a_mailbox_is_not_told_as_two_factors()
    {
        TokenReply tokens = await sam.Browser.RedeemAsync((await sam.SignUpAsync(ResourceCalls.UniqueEmail())).Code);
        tokens.Identity.GetProperty("amr").ToString().ShouldBe("""["pwd","otp"]""");
    }

    [Fact]
    public async Task The_prompt_create_leads_to_the_account_whoever_is_signed_in_and_discovery_tells_of_it()
    {
        await sam.Browser.TokensAsync("zoe@example.test");
        string email = ResourceCalls.UniqueEmail();
        (await sam.BeginAsync(("prompt", "create"), ("login_hint", email))).ShouldContain($"value=\"{email}\"");
        await sam.ShowMailboxAsync(Path, email);
        await sam.ChooseAsync(Path);
        TokenReply tokens = await sam.Browser.RedeemAsync((await sam.ArriveAsync()).Code);
        tokens.Identity.GetProperty("email").GetString().ShouldBe(email);
        (await PromptsAsync()).ShouldBe(["none", "login", "consent", "select_account", "create"]);
        (await sam.Browser.SilentlyAsync(("prompt", "none create")))["error"].ShouldBe("invalid_request");
    }

    [Fact]
    public async Task A_new_account_is_for_no_organization_that_is_there()
    {
        Organization northwind = await world.OrganizationAsync("northwind");
        Arrival refused = await sam.Browser.SilentlyAsync(("prompt", "create"), ("org", northwind.Id.ToString()));
        refused["error"].ShouldBe("invalid_request");
        refused["error_description"].ShouldEndWith("(ATR1331)");
        (await sam.BeginAsync(("org", northwind.Id.ToString()))).ShouldNotContain("Create an account");
        (await sam.ShowAsync(Path, HttpStatusCode.BadRequest)).ShouldContain("ATR1332");
    }

    [Fact]
    public async Task Whether_an_address_has_an_account_shows_in_its_mailbox_alone()
    {
        User there = await world.PersonAsync(ResourceCalls.UniqueEmail());
        string nobody = ResourceCalls.UniqueEmail();
        List<string> answers = [];
        foreach (string email in new[] { there.Email, nobody })
        {
            Newcomer person = new(server);
            await person.BeginAsync();
            List<string> seen = [await person.SubmitAsync(HttpStatusCode.SeeOther, Path, ("email", email)), await person.ShowAsync(Path)];
            for (int i = 0; i < 6; i++)
                seen.Add(await person.SubmitAsync(i < 5 ? HttpStatusCode.BadRequest : HttpStatusCode.SeeOther, Path, ("code", "abc")));
            seen.Add(await person.ShowAsync(Path));
            answers.Add(string.Join('\n', seen).Replace(person.Handle, "HANDLE", StringComparison.Ordinal).Replace(email, "EMAIL", StringComparison.Ordinal));
        }

        answers[0].ShouldBe(answers[1]);
        EmlFile letter = (await new Mailbox(server).LettersAsync(there.Email)).ShouldHaveSingleItem();
        letter.Subject.ShouldBe("You have an account at Acme");
        letter.Text.ShouldNotContain("http", Case.Insensitive);
        (await new Mailbox(server).LettersAsync(nobody)).ShouldHaveSingleItem().Subject.ShouldEndWith("is your code for Acme");
    }

    [Fact]
    public async Task Who_is_made_an_account_meanwhile_is_told_and_signs_in_where_they_are()
    {
        string email = ResourceCalls.UniqueEmail();
        await sam.BeginAsync();
        await sam.ShowMailboxAsync(Path, email);
        User made = await world.PersonAsync(email);
        (await sam.SubmitAsync(HttpStatusCode.Conflict, Path, ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen))).ShouldContain("ATR1334");
        using HttpResponseMessage done = await sam.PostAsync("/t/acme/sign-in", ("email", email), ("password", DemoRealm.Password));
        Arrival.At(done).Code.ShouldNotBeEmpty();
        (await world.UserAsync(email)).Id.ShouldBe(made.Id);
    }

    [Fact]
    public async Task Only_the_realms_domains_are_let_in_where_it_names_them()
    {
        await Newcomer.SettingsAsync(server, static settings => settings with { SignUp = new() { Policy = SignUpPolicy.ByDomain, Domains = ["company.test"] } });
        try
        {
            await sam.BeginAsync(("prompt", "create"));
            (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("email", "mia@example.test"))).ShouldContain("example.test can’t make an account here");
            (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("email", "x@sub.company.test"))).ShouldContain("sub.company.test can’t");
            string email = $"{ResourceCalls.Unique("person")}@Company.test";
            await sam.ShowMailboxAsync(Path, email);

            // What holds when the account is made counts, not what held when the code was sent.
            await Newcomer.SettingsAsync(server, static settings => settings with { SignUp = new() { Policy = SignUpPolicy.ByDomain, Domains = ["other.test"] } });
            (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen))).ShouldContain("ATR1332");
            (await NobodyAsync(email)).ShouldBeTrue();
            await Newcomer.SettingsAsync(server, static settings => settings with { SignUp = new() { Policy = SignUpPolicy.ByDomain, Domains = ["company.test"] } });
            await sam.ChooseAsync(Path);
            (await sam.ArriveAsync()).Code.ShouldNotBeEmpty();
        }
        finally
        {
            await OpenAsync();
        }
    }

    [Fact]
    public async Task Where_people_come_by_invitation_there_is_no_way_in_and_none_is_shown()
    {
        await sam.BeginAsync();
        await sam.ShowMailboxAsync(Path, ResourceCalls.UniqueEmail());
        await Newcomer.SettingsAsync(server, static settings => settings with { SignUp = new() });
        try
        {
            (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen))).ShouldContain("ATR1332");
            Newcomer late = new(server);
            string page = await late.BeginAsync();
            page.ShouldNotContain("Create an account");
            page.ShouldContain("Forgot your password?");
            (await late.ShowAsync(Path, HttpStatusCode.BadRequest)).ShouldContain("ATR1332");
            (await late.SubmitAsync(HttpStatusCode.BadRequest, Path, ("email", "a@b.test"))).ShouldContain("ATR1332");
            Arrival refused = await late.Browser.SilentlyAsync(("prompt", "create"));
            (refused["error"], refused["error_description"].EndsWith("(ATR1330)", StringComparison.Ordinal)).ShouldBe(("invalid_request", true));
            (await PromptsAsync()).ShouldBe(["none", "login", "consent", "select_account"]);
        }
        finally
        {
            await OpenAsync();
        }
    }

    [Fact]
    public async Task Who_makes_an_organization_at_sign_up_owns_it()
    {
        await Newcomer.SettingsAsync(server, static settings => settings with { SignUp = new() { Policy = SignUpPolicy.Open, CreatesOrganization = true } });
        try
        {
            string name = ResourceCalls.Unique("Grüne Äpfel");
            string email = ResourceCalls.UniqueEmail();
            await sam.BeginAsync();
            await sam.ShowMailboxAsync(Path, email);
            (await sam.ShowAsync(Path)).ShouldContain("name=\"organization\"");
            foreach (string bad in new[] { "", "   ", new string('x', 257), "two\nlines" })
                (await sam.SubmitAsync(HttpStatusCode.BadRequest, Path, ("organization", bad), ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen))).ShouldContain("Enter the name of your organization");
            await sam.ChooseAsync(Path, ("organization", $" {name} "));
            TokenReply tokens = await sam.Browser.RedeemAsync((await sam.ArriveAsync()).Code);
            JsonElement entry = tokens.Access.GetProperty("organizations").EnumerateArray().ShouldHaveSingleItem();
            entry.GetProperty("scopes").ToString().ShouldBe("""["owner","*:**"]""");
            entry.GetProperty("title").ValueKind.ShouldBe(JsonValueKind.Null);

            User user = await world.UserAsync(email);
            string organization = entry.GetProperty("id").GetString()!;
            (await api.GetAsync($"/organizations/{organization}")).Expect(200)["name"].ShouldBe(name);
            JsonElement[] events = [.. (await api.GetAsync($"/events?organization_id={organization}")).Expect(200).Items];
            events.Select(static one => one.GetProperty("type").GetString()).ShouldBe([EventTypes.MembershipCreated, EventTypes.OrganizationCreated]);
            events.ShouldAllBe(one => one.GetProperty("actor").GetProperty("id").GetString() == user.Id.ToString());

            // A second one of the same name is another organization.
            Newcomer second = new(server);
            TokenReply theirs = await second.Browser.RedeemAsync((await second.SignUpAsync(ResourceCalls.UniqueEmail(), ("organization", name))).Code);
            theirs.Organizations.ShouldHaveSingleItem().ShouldNotBe(organization);
        }
        finally
        {
            await OpenAsync();
        }
    }

    [Fact]
    public async Task Sent_twenty_times_at_once_one_code_is_heard_and_one_account_is_made()
    {
        string email = ResourceCalls.UniqueEmail();
        await sam.BeginAsync();
        await sam.AskAsync(Path, email);
        string code = await sam.CodeAsync(email);
        await sam.SubmitAtOnceAsync(Path, ("code", code));
        (await sam.ShowAsync(Path)).ShouldContain("new-password");
        await sam.SubmitAtOnceAsync(Path, ("name", "Sam"), ("password", Newcomer.Chosen), ("repeated", Newcomer.Chosen));
        User user = await world.UserAsync(email);
        (await api.GetAsync($"/events?types=user.created&user_id={user.Id}")).Expect(200).Items.Count.ShouldBe(1);
        (await sam.ArriveAsync()).Code.ShouldNotBeEmpty();
    }

    private Task OpenAsync() => Newcomer.SettingsAsync(server, static settings => settings with { SignUp = new() { Policy = SignUpPolicy.Open } });

    private async Task<bool> NobodyAsync(string email) =>
        await server.Get<UserStore>().FindByEmailAsync((await world.RealmAsync()).Id, email, default) is null;

    private async Task<string?[]> PromptsAsync() =>
    [
        .. JsonElement.Parse(await server.Http.GetStringAsync("/t/acme/.well-known/openid-configuration"))
            .GetProperty("prompt_values_supported").EnumerateArray().Select(static value => value.GetString()),
    ];
}

public sealed class SqliteSignUpTests(DemoServer server) : SignUpTests(server), IClassFixture<DemoServer>;

public sealed class PostgresSignUpTests(PostgresDemoServer server) : SignUpTests(server), IClassFixture<PostgresDemoServer>;
