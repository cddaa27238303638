using System.Text.Json;
using System.Text.RegularExpressions;
using Atrium.Server.Demo;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.OAuth;

/// <summary>docs/claims.md names every claim that there is, where it is, and no other.</summary>
public sealed partial class ClaimsReferenceTests(DemoServer server) : IClassFixture<DemoServer>
{
    private static readonly string[] Places = ["access", "ID", "refresh", "userinfo", "introspection"];

    private readonly OAuthBrowser browser = new(server);

    [Fact]
    public async Task The_table_of_claims_is_that_of_real_tokens()
    {
        (string, string)[] credentials = [("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret)];
        foreach (string scope in new[] { "openid", "openid profile email phone address", "profile" })
        {
            Arrival arrival = await new OAuthBrowser(server).SignInAsync("mia@example.test", ("client_id", "demo-server"), ("scope", scope));
            TokenReply tokens = await browser.TokenAsync(
                [.. credentials, ("grant_type", "authorization_code"), ("code", arrival.Code), ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier)]);
            ShouldAgree("access", tokens.Access);
            ShouldAgree("refresh", tokens.Refresh);
            foreach (string token in new[] { tokens.AccessToken, tokens.RefreshToken })
                ShouldAgree("introspection", await IntrospectAsync(credentials, token));
            if (!scope.StartsWith("openid", StringComparison.Ordinal))
                continue;
            ShouldAgree("ID", tokens.Identity);
            ShouldAgree("userinfo", (await browser.UserInfoAsync(tokens.AccessToken)).Json);
            TokenReply refreshed = await browser.TokenAsync([.. credentials, ("grant_type", "refresh_token"), ("refresh_token", tokens.RefreshToken)]);
            ShouldAgree("ID", refreshed.Identity);
        }

        (string, string)[] machine = [("client_id", "demo-m2m"), ("client_secret", DemoRealm.MachineSecret)];
        TokenReply own = await browser.TokenAsync([.. machine, ("grant_type", "client_credentials")]);
        ShouldAgree("access", own.Access);
        ShouldAgree("introspection", await IntrospectAsync(machine, own.AccessToken));
    }

    private static void ShouldAgree(string place, JsonElement claims)
    {
        string[] names = [.. claims.EnumerateObject().Select(static claim => claim.Name)];
        names.ShouldNotBeEmpty();
        names.Except(Documented(place, "●○"), StringComparer.Ordinal).ShouldBeEmpty($"documented for {place}");
        Documented(place, "●").Except(names, StringComparer.Ordinal).ShouldBeEmpty($"always in {place}");
    }

    /// <summary>The claims whose mark in the column of that place is one of these.</summary>
    private static IEnumerable<string> Documented(string place, string marks)
    {
        int column = 2 + Array.IndexOf(Places, place);
        string text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "claims.md"));
        string table = Table().Match(text).Groups["table"].Value;
        return table.Split('\n')
            .Select(static line => line.Split('|'))
            .Where(cells => cells.Length > column && marks.Contains(cells[column].Trim(), StringComparison.Ordinal) && cells[column].Trim().Length == 1)
            .SelectMany(static cells => Name().Matches(cells[1]).Select(static match => match.Groups["name"].Value));
    }

    private async Task<JsonElement> IntrospectAsync((string, string)[] credentials, string token)
    {
        using HttpResponseMessage answer = await browser.PostAsync("/t/acme/introspect", [.. credentials, ("token", token)]);
        return JsonElement.Parse(await answer.Content.ReadAsStringAsync());
    }

    [GeneratedRegex("<!-- claims -->(?<table>.*?)<!-- /claims -->", RegexOptions.Singleline)]
    private static partial Regex Table();

    [GeneratedRegex("`(?<name>[^`]+)`")]
    private static partial Regex Name();
}
