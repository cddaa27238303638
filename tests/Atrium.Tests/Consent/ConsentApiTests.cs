using System.Net;
using System.Text.Json;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Atrium.Tests.Harness;
using Atrium.Tests.Management;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Consent;

/// <summary>Consents as those who run the realm see them.</summary>
public sealed class ConsentApiTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly World world = new(server);
    private readonly ManagementCalls api = new(server);

    [Fact]
    public async Task What_a_person_allowed_is_listed_and_taken_away_with_every_grant_of_the_application()
    {
        Organization northwind = await world.OrganizationAsync("northwind");
        User person = await world.PersonAsync("api-consent@example.test", northwind);
        ThirdParty app = await ThirdParty.NewAsync(server, "api-app", static client => client with { Name = "The app" });
        TokenReply tokens = await app.TokensAsync(person.Email, ("org", northwind.Id.ToString()), ("resource", ThirdParty.Resource), ("scope", "openid ledgers"));
        TokenReply all = await app.RedeemAsync((await app.AllowAsync(await app.AskAgainAsync(("scope", "openid")))).Code);

        ManagementAnswer list = (await api.GetAsync($"/users/{person.Id}/consents")).Expect(200);
        list.Items.Count.ShouldBe(2);
        JsonElement chosen = list.Items[1];
        string id = chosen.GetProperty("id").GetString()!;
        id.ShouldStartWith("con_");
        JsonElement.DeepEquals(
            JsonElement.Parse(
                $$"""
                {"id":"{{id}}","user_id":"{{person.Id}}","client_id":"api-app","client_name":"The app","scopes":["openid","ledgers"],"organizations":"chosen",
                 "organization_id":"{{northwind.Id}}","resource":"https://api.example.test","granted_at":{{chosen.GetProperty("granted_at").GetInt64()}}}
                """),
            chosen).ShouldBeTrue(chosen.ToString());
        ManagementAnswer one = (await api.GetAsync($"/users/{person.Id}/consents/{id}")).Expect(200);
        JsonElement.DeepEquals(one.Data, chosen).ShouldBeTrue();
        JsonElement granted = (await api.GetAsync("/events?types=user.consent.granted&client_id=api-app")).Expect(200).Items[^1];
        JsonElement.DeepEquals(granted.GetProperty("data"), chosen).ShouldBeTrue();
        granted.GetProperty("user_id").GetString().ShouldBe(person.Id.ToString());

        (await api.DeleteAsync($"/users/{person.Id}/consents/{id}", ("If-Match", "\"another\""))).Expect(412);
        (await app.RefreshAsync(tokens)).Status.ShouldBe(HttpStatusCode.OK);
        (await api.DeleteAsync($"/users/{person.Id}/consents/{id}", ("If-Match", one.ETag))).Expect(204);
        (await api.DeleteAsync($"/users/{person.Id}/consents/{id}")).Expect(404);
        foreach (TokenReply ended in new[] { tokens, all })
            (await app.RefreshAsync(ended)).Error.ShouldBe("invalid_grant");
        (await app.SilentlyAsync(("scope", "openid"), ("prompt", "none"))).Code.ShouldNotBeEmpty("what the other consent covers may be had anew");
        (await app.SilentlyAsync(("scope", "openid ledgers"), ("prompt", "none")))["error"].ShouldBe("consent_required");
    }

    [Fact]
    public async Task Consents_need_the_scopes_of_people_and_are_each_persons_own()
    {
        User person = await world.PersonAsync("own-consent@example.test"), other = await world.PersonAsync("other-consent@example.test");
        ThirdParty app = await ThirdParty.NewAsync(server, "own-app");
        await app.TokensAsync(person.Email);
        string id = (await api.GetAsync($"/users/{person.Id}/consents")).Expect(200).Ids.Single();
        ManagementCalls reader = api.With(await world.NewKeyAsync(null, "users:read")), stranger = api.With(await world.NewKeyAsync(null, "sessions:read"));
        (await reader.GetAsync($"/users/{person.Id}/consents")).Expect(200);
        (await reader.DeleteAsync($"/users/{person.Id}/consents/{id}")).Expect(403, "insufficient_scope");
        (await stranger.GetAsync($"/users/{person.Id}/consents")).Expect(403, "insufficient_scope");
        (await api.GetAsync($"/users/{other.Id}/consents/{id}")).Expect(404);
        (await api.DeleteAsync($"/users/{other.Id}/consents/{id}")).Expect(404);
        (await api.Globex.DeleteAsync($"/users/{person.Id}/consents/{id}")).Expect(404);
        (await api.GetAsync($"/users/{other.Id}/consents")).Expect(200).Items.ShouldBeEmpty();
        (await api.GetAsync($"/users/{person.Id}/consents")).Expect(200).Ids.ShouldBe([id]);
    }

    [Fact]
    public async Task Explain_says_that_the_person_is_asked()
    {
        await ThirdParty.NewAsync(server, "explained-app");
        string user = (await world.UserAsync("mia@example.test")).Id.ToString();
        JsonElement explained = (await api.PostAsync("/explain/sign-in", new { user, client_id = "explained-app" })).Expect(200).Data;
        explained.GetProperty("outcome").GetString().ShouldBe("signs_in");
        explained.GetProperty("steps").EnumerateArray().Select(static step => step.GetProperty("step").GetString()).ShouldBe(["prove", "consent", "complete"]);
        explained = (await api.PostAsync("/explain/sign-in", new { user, client_id = "explained-app", door = "app_native" })).Expect(200).Data;
        explained.GetProperty("outcome").GetString().ShouldBe("refused");
        explained.GetProperty("summary").GetString().ShouldNotBeNull().ShouldContain("first_party");
    }
}
