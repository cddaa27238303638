using System.Net;
using System.Text;
using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>A token carries its organizations up to the client's budget; over it, it says where they are. Nothing is cut.</summary>
public sealed class TokenBudgetTests(DemoServer server) : IClassFixture<DemoServer>
{
    private const string Secret = "the-secret-of-the-budgeted-client";

    private readonly OAuthBrowser browser = new(server);
    private readonly World world = new(server);
    private readonly ManagementCalls api = new(server);

    [Theory]
    [InlineData(1, false)]
    [InlineData(20, false)]
    [InlineData(500, true)]
    public async Task Somebody_in_any_number_of_organizations_signs_in_and_is_told_all_of_them(int count, bool isElsewhere)
    {
        string client = await ClientAsync();
        User user = await PersonInAsync(count);
        TokenReply tokens = await RedeemAsync(client, (await browser.SignInAsync(user.Email, ("client_id", client))).Code);
        TokenReply refreshed = await RefreshAsync(client, tokens.RefreshToken);
        foreach (JsonElement token in new[] { tokens.Access, tokens.Identity, refreshed.Access, refreshed.Identity })
        {
            IsElsewhere(token).ShouldBe(isElsewhere);
            token.GetRawText().Length.ShouldBeLessThan(4096 + 1024);
        }

        // The JSON is what it is: two members that stand for one that is not there.
        if (isElsewhere)
        {
            tokens.Access.GetProperty("_claim_names").GetRawText().ShouldBe("""{"organizations":"userinfo"}""");
            tokens.Access.GetProperty("_claim_sources").GetRawText().ShouldBe($$$"""{"userinfo":{"endpoint":"{{{browser.Issuer}}}/userinfo"}}""");
        }

        JsonElement everything = (await browser.UserInfoAsync(tokens.AccessToken)).Json.GetProperty("organizations");
        everything.GetArrayLength().ShouldBe(count);
        (await IntrospectAsync(client, tokens.AccessToken)).GetProperty("organizations").GetRawText().ShouldBe(everything.GetRawText());
        (await IntrospectAsync(client, refreshed.AccessToken)).GetProperty("organizations").GetRawText().ShouldBe(everything.GetRawText());
        (await IntrospectAsync(client, refreshed.RefreshToken)).GetProperty("organizations").GetRawText().ShouldBe(everything.GetRawText());
        if (!isElsewhere)
            tokens.Access.GetProperty("organizations").GetRawText().ShouldBe(everything.GetRawText());
        tokens.Refresh.TryGetProperty("_claim_names", out _).ShouldBeFalse("the refresh token speaks of no organizations");
    }

    [Fact]
    public async Task The_budget_is_met_to_the_byte()
    {
        User user = await PersonInAsync(7, "Größe \"&'<", "réviseur");
        TokenReply whole = await browser.TokensAsync(user.Email);
        int size = Encoding.UTF8.GetByteCount(whole.Access.GetProperty("organizations").GetRawText());
        foreach ((int budget, bool isElsewhere) in new[] { (size, false), (size - 1, true) })
        {
            string client = await ClientAsync(budget);
            TokenReply tokens = await RedeemAsync(client, (await browser.SilentlyAsync(("client_id", client))).Code);
            IsElsewhere(tokens.Access).ShouldBe(isElsewhere);
            IsElsewhere(tokens.Identity).ShouldBe(isElsewhere);
        }
    }

    [Fact]
    public async Task A_selected_organization_stays_an_array_where_all_of_them_are_too_many()
    {
        string client = await ClientAsync(256);
        User user = await PersonInAsync(5);
        TokenReply all = await RedeemAsync(client, (await browser.SignInAsync(user.Email, ("client_id", client))).Code);
        IsElsewhere(all.Access).ShouldBeTrue();
        string selected = (await browser.UserInfoAsync(all.AccessToken)).Json.GetProperty("organizations")[3].GetProperty("id").GetString()!;
        TokenReply tokens = await RedeemAsync(client, (await browser.SilentlyAsync(("client_id", client), ("org", selected))).Code);
        tokens.Organizations.ShouldBe([selected]);
        IsElsewhere(tokens.Access).ShouldBeFalse();
    }

    [Fact]
    public async Task A_client_that_may_speak_of_no_organization_says_nothing_of_userinfo_either()
    {
        Client client = await world.RestrictedClientAsync($"none-{Guid.NewGuid():n}", OrganizationPolicy.None);
        User user = await PersonInAsync(60);
        Arrival arrival = await browser.SignInAsync(user.Email, ("client_id", client.ClientId));
        TokenReply tokens = await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", client.ClientId), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback),
            ("code_verifier", OAuthBrowser.Verifier));
        tokens.Access.TryGetProperty("organizations", out _).ShouldBeFalse();
        tokens.Access.TryGetProperty("_claim_names", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Those_that_the_session_may_not_enter_take_no_room_even_where_they_are_read_first()
    {
        // More of them than a token could ever carry, and read before the two that it speaks of.
        OrganizationSettings strict = new() { MfaRequired = true };
        User user = await PersonInAsync(60, settings: strict);
        Organization open = await world.NewOrganizationAsync($"open-{Guid.NewGuid():n}");
        Organization another = await world.NewOrganizationAsync($"open-{Guid.NewGuid():n}");
        await world.JoinAsync(user, open, "member");
        await world.JoinAsync(user, another, "member");
        TokenReply tokens = await browser.TokensAsync(user.Email);
        tokens.Organizations.ShouldBe([open.Id.ToString(), another.Id.ToString()], ignoreOrder: true);
        (await browser.RefreshAsync(tokens.RefreshToken)).Organizations.Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_token_without_openid_gets_its_organizations_at_the_place_that_it_names_and_nothing_else()
    {
        string client = await ClientAsync(256);
        User user = await PersonInAsync(10);
        TokenReply tokens = await RedeemAsync(client, (await browser.SignInAsync(user.Email, ("client_id", client), ("scope", "email profile"))).Code);
        tokens.Json.TryGetProperty("id_token", out _).ShouldBeFalse();
        string endpoint = tokens.Access.GetProperty("_claim_sources").GetProperty("userinfo").GetProperty("endpoint").GetString()!;
        endpoint.ShouldBe($"{browser.Issuer}/userinfo");
        (HttpStatusCode status, JsonElement info, _) = await browser.UserInfoAsync(tokens.AccessToken);
        status.ShouldBe(HttpStatusCode.OK);
        info.EnumerateObject().Select(static member => member.Name).ShouldBe(["sub", "organizations"]);
        info.GetProperty("organizations").GetArrayLength().ShouldBe(10);

        // One that carries its organizations has no business there.
        string roomy = await ClientAsync(65536);
        TokenReply carrying = await RedeemAsync(roomy, (await browser.SilentlyAsync(("client_id", roomy), ("scope", "email"))).Code);
        (await browser.UserInfoAsync(carrying.AccessToken)).Status.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task What_explain_says_is_what_the_token_says()
    {
        string client = await ClientAsync(256);
        User user = await PersonInAsync(9);
        TokenReply tokens = await RedeemAsync(client, (await browser.SignInAsync(user.Email, ("client_id", client))).Code);
        JsonElement explained = (await api.PostAsync("/explain/sign-in", new { user = user.Email, client_id = client })).Expect(200).Data;
        foreach (string name in new[] { "_claim_names", "_claim_sources" })
            explained.GetProperty("claims").GetProperty(name).GetRawText().ShouldBe(tokens.Access.GetProperty(name).GetRawText());
        explained.GetProperty("claims").TryGetProperty("organizations", out _).ShouldBeFalse();
        explained.GetProperty("organizations").EnumerateArray().ShouldAllBe(static organization => organization.GetProperty("in_token").GetBoolean());
    }

    [Fact]
    public async Task A_door_whose_issuer_has_no_userinfo_gives_the_array_whole()
    {
        AuthKitCalls authKit = new(server);
        string client = await ClientAsync(256, new AuthKitSettings { Enabled = true }, TokenProfile.MultiOrg);
        User user = await PersonInAsync(60);
        AuthKit.Answer answer = await authKit.AuthenticateAsync(client, DemoRealm.ApiKey, "password", ("email", user.Email), ("password", DemoRealm.Password));
        answer.ShouldBe(HttpStatusCode.OK);
        AuthKitCalls.ClaimsOf(answer).GetProperty("organizations").GetArrayLength().ShouldBe(60);
        answer = await authKit.AuthenticateAsync(client, DemoRealm.ApiKey, "refresh_token", ("refresh_token", answer["refresh_token"]));
        AuthKitCalls.ClaimsOf(answer).GetProperty("organizations").GetArrayLength().ShouldBe(60);
    }

    [Fact]
    public async Task The_event_log_says_so_once_for_each_client_and_day()
    {
        string client = await ClientAsync(256);
        string other = await ClientAsync(256);
        User user = await PersonInAsync(60);
        TokenReply tokens = await RedeemAsync(client, (await browser.SignInAsync(user.Email, ("client_id", client))).Code);
        JsonElement told = (await NoticesOfAsync(client)).ShouldHaveSingleItem();
        JsonElement data = told.GetProperty("data");
        Client stored = (await server.Get<ClientStore>().FindByClientIdAsync(client, default))!;
        (data.GetProperty("id").GetString(), data.GetProperty("client_id").GetString()).ShouldBe((stored.Id.ToString(), client));
        string whole = (await browser.UserInfoAsync(tokens.AccessToken)).Json.GetProperty("organizations").GetRawText();
        (data.GetProperty("budget").GetInt32(), data.GetProperty("count").GetInt32(), data.GetProperty("bytes").GetInt32()).ShouldBe((256, 60, whole.Length));
        data.GetProperty("day").GetString().ShouldBe(server.Clock.GetUtcNow().ToString("yyyy-MM-dd"));

        (await RefreshAsync(client, tokens.RefreshToken)).Status.ShouldBe(HttpStatusCode.OK);
        (await NoticesOfAsync(client)).Length.ShouldBe(1, "once a day");
        await RedeemAsync(other, (await browser.SilentlyAsync(("client_id", other))).Code);
        (await NoticesOfAsync(other)).Length.ShouldBe(1, "each client by itself");
        server.Clock.Advance(TimeSpan.FromDays(1));
        await RedeemAsync(client, (await new OAuthBrowser(server).SignInAsync(user.Email, ("client_id", client))).Code);
        (await NoticesOfAsync(client)).Length.ShouldBe(2, "the next day again");
    }

    [Fact]
    public async Task Many_tokens_at_once_are_told_of_once()
    {
        string client = await ClientAsync(256);
        User user = await PersonInAsync(5);
        Arrival[] arrivals = new Arrival[20];
        arrivals[0] = await browser.SignInAsync(user.Email, ("client_id", client));
        for (int i = 1; i < arrivals.Length; i++)
            arrivals[i] = await browser.SilentlyAsync(("client_id", client));
        TokenReply[] all = await Task.WhenAll(arrivals.Select(arrival => RedeemAsync(client, arrival.Code)));
        all.ShouldAllBe(static reply => reply.Status == HttpStatusCode.OK);
        (await NoticesOfAsync(client)).Length.ShouldBe(1);
    }

    [Fact]
    public async Task Within_the_budget_nothing_is_told()
    {
        string client = await ClientAsync(65536);
        User user = await PersonInAsync(60);
        await RedeemAsync(client, (await browser.SignInAsync(user.Email, ("client_id", client))).Code);
        (await NoticesOfAsync(client)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_notice_is_written_by_whoever_is_first_and_ends_with_its_client()
    {
        string clientId = await ClientAsync(256);
        Client client = (await server.Get<ClientStore>().FindByClientIdAsync(clientId, default))!;
        BudgetNoticeStore notices = server.Get<BudgetNoticeStore>();
        DateTimeOffset day = new(server.Clock.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);
        EventDraft notice = new(EventTypes.ClientOrganizationBudgetExceeded, client.Id.ToString(), "{}");
        bool[] told = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => notices.TellAsync(client.RealmId, client.Id, day, notice, default)));
        told.Count(static first => first).ShouldBe(1);
        (await notices.TellAsync(client.RealmId, Id<Client>.New(server.Clock), day, notice, default)).ShouldBeFalse("there is no such client");
    }

    private static bool IsElsewhere(JsonElement token)
    {
        bool names = token.TryGetProperty("_claim_names", out _);
        token.TryGetProperty("_claim_sources", out _).ShouldBe(names);
        token.TryGetProperty("organizations", out _).ShouldBe(!names, "one of the two");
        return names;
    }

    private async Task<string> ClientAsync(int budget = 4096, AuthKitSettings? authKit = null, TokenProfile? profile = null)
    {
        string clientId = $"budget-{Guid.NewGuid():n}";
        await world.ClientAsync(
            clientId,
            new ClientSettings { Tokens = new TokenSettings { OrganizationBudgetBytes = budget, Profile = profile }, Authkit = authKit ?? new() },
            static client => client with { Type = ClientType.Web, SecretHash = new Secret(Secret).Hash() });
        return clientId;
    }

    private async Task<User> PersonInAsync(int count, string? title = null, string scope = "member", OrganizationSettings? settings = null)
    {
        User user = await world.PersonAsync($"{Guid.NewGuid():n}@example.test");
        for (int i = 0; i < count; i++)
        {
            Organization organization = await world.NewOrganizationAsync($"o-{Guid.NewGuid():n}", settings);
            await world.JoinAsync(user, organization, scope);
            if (title is not null)
                await world.ChangeAsync(user, organization, membership => membership with { Title = title });
        }

        return user;
    }

    private Task<TokenReply> RedeemAsync(string client, string code) => browser.TokenAsync(
        ("grant_type", "authorization_code"), ("client_id", client), ("client_secret", Secret), ("code", code), ("redirect_uri", DemoRealm.Callback),
        ("code_verifier", OAuthBrowser.Verifier));

    private Task<TokenReply> RefreshAsync(string client, string token) =>
        browser.TokenAsync(("grant_type", "refresh_token"), ("client_id", client), ("client_secret", Secret), ("refresh_token", token));

    private async Task<JsonElement> IntrospectAsync(string client, string token) =>
        (await browser.TokenAtAsync($"{OAuthBrowser.Root}/introspect", ("client_id", client), ("client_secret", Secret), ("token", token))).Json;

    private async Task<JsonElement[]> NoticesOfAsync(string client) =>
    [
        .. (await api.GetAsync("/events?types=client.organization_budget_exceeded&limit=100")).Expect(200).Data.EnumerateArray()
            .Where(happened => happened.GetProperty("client_id").GetString() == client),
    ];
}
