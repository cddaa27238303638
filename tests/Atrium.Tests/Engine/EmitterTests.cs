using System.Text.Json;
using Atrium.Core.Realms;
using Atrium.Core.Tokens;
using Atrium.Server.Doors;
using Atrium.Server.Tokens;
using Atrium.Tests.Harness;
using FsCheck.Fluent;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Engine;

/// <summary>Whatever says something about organizations says the same.</summary>
public sealed class EmitterTests(DemoServer server) : IClassFixture<DemoServer>
{
    private static readonly string[] Claims = ["organizations", "org_id", "org_name", "org_handle", "user_org", "role", "roles", "permissions"];

    [Fact]
    public async Task Access_token_and_ID_token_say_the_same_about_organizations()
    {
        Realm acme = (await server.Get<RealmDirectory>().RealmAsync("acme", CancellationToken.None))!;
        TokenIssuer issuer = server.Get<TokenIssuer>();
        var cases =
            from world in Worlds.Any.Generator
            from profile in Worlds.AnyProfile()
            from choice in Worlds.AnyChoice()
            from onPath in Worlds.Of(true, false)
            select world.GrantFacts(profile, choice, onPath);
        foreach (GrantFacts facts in cases.Sample(150).Select(facts => facts with { Realm = acme }))
        {
            OrganizationClaims organizations = facts.OrganizationsAt(Worlds.Start);
            string access = await issuer.AccessTokenAsync(facts, organizations, facts.Grant.Scopes, dpopJkt: null, CancellationToken.None);
            string id = await issuer.IdTokenAsync(facts, organizations, nonce: null, CancellationToken.None);
            Said(access).ShouldBe(Said(id));
            Said(access).ShouldBe(Said(organizations));
        }
    }

    private static string Said(string token) => Said(Jwts.ClaimsOf(token));

    private static string Said(OrganizationClaims organizations)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            json.WriteStartObject();
            organizations.WriteTo(json);
            json.WriteEndObject();
        }

        return Said(JsonElement.Parse(stream.ToArray()));
    }

    private static string Said(JsonElement token) => string.Join(
        '\n', Claims.Where(name => token.TryGetProperty(name, out JsonElement _)).Select(name => $"{name} {token.GetProperty(name).GetRawText()}"));
}
