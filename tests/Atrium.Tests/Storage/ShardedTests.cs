using System.Net;
using System.Text.RegularExpressions;
using Atrium.Tests.AppNative;
using Atrium.Tests.Architecture;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Npgsql;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>The statements of docs/production.md that spread a database over several by realm.</summary>
public sealed partial class ShardedTests(PrivatePostgres postgres) : IAsyncLifetime
{
    private readonly PostgresDemoServer server = new(postgres);

    public ValueTask InitializeAsync() => server.InitializeAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task Split_by_realm_the_database_serves_every_door_and_a_look_up_touches_one_part()
    {
        string statements = Sql().Match(SourceTree.Read("docs/production.md")).Groups["sql"].Value;
        statements.ShouldContain("PARTITION BY HASH (realm_id)");
        await postgres.ExecuteAsync(statements, server.Database);

        OAuthBrowser browser = new(server);
        TokenReply tokens = await browser.TokensAsync("mia@example.test");
        (await browser.RefreshAsync(tokens.RefreshToken)).Organizations.Length.ShouldBe(2);
        AuthKitCalls authKit = new(server);
        AuthKit.Answer chosen = await authKit.SignInToAsync("mia@example.test", await authKit.OrganizationIdAsync("contoso"));
        (await authKit.RefreshAsync(chosen["refresh_token"])).ShouldBe(HttpStatusCode.OK);
        NativeApp native = new(server);
        (await native.PasswordAsync(await native.StartAtAsync(await native.PathOfAsync("northwind")), "mia@example.test")).Code.ShouldNotBeEmpty();

        string plan = await ExplainAsync(
            """
            SELECT 1 FROM refresh_tokens t JOIN grants g ON g.realm_id = t.realm_id AND g.id = t.grant_id
            WHERE g.realm_id = (SELECT id FROM realms WHERE handle = 'acme') AND t.realm_id = g.realm_id AND t.token_hash = '\x00'
            """);
        Regex.Count(plan, @"refresh_tokens_\d .*\(actual").ShouldBe(1, plan);
    }

    [GeneratedRegex(@"```sql\n(?<sql>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Sql();

    private async Task<string> ExplainAsync(string query)
    {
        await using NpgsqlConnection connection = new($"{await postgres.ConnectionStringAsync(server.Database)};Pooling=false");
        await connection.OpenAsync();
        await using NpgsqlCommand command = new($"EXPLAIN (ANALYZE, COSTS OFF) {query}", connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        List<string> lines = [];
        while (await reader.ReadAsync())
            lines.Add(reader.GetString(0));
        return string.Join('\n', lines);
    }
}
