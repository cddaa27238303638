using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Dapper;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Consent;

/// <summary>Clients that were registered while nothing read <c>first_party</c> are their operator's own afterwards.</summary>
public sealed class FirstPartyMigrationTests(PrivatePostgres postgres) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-first-party-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_of_an_older_schema_is_its_operators_own(bool onPostgres)
    {
        string connectionString = onPostgres ? await postgres.NewDatabaseAsync() : $"Data Source={Path.Combine(folder, "old.db")}";
        TimeProvider clock = TimeProvider.System;
        Id<Realm> realm = Id<Realm>.New(clock);
        Migration[] before = [.. Migrations.All.Where(static step => step.Version < 16)];
        await using (Database old = await Database.OpenAsync(connectionString, before, default))
        {
            await old.WriteAsync(
                async connection =>
                {
                    await connection.ExecuteAsync(
                        "INSERT INTO realms (id, handle, name, created_at, updated_at) VALUES (@realm, 'old', 'Old', 1, 1)", new { realm });
                    foreach ((string name, string settings) in Settings)
                        await connection.ExecuteAsync(
                            """
                            INSERT INTO clients (realm_id, id, client_id, name, type, redirect_uris, post_logout_redirect_uris, grant_types, status, shared_with_all,
                                settings, created_at, updated_at)
                            VALUES (@realm, @id, @name, @name, 'Spa', '[]', '[]', '[]', 'Active', TRUE, @settings, 1, 1)
                            """,
                            new { realm, id = Id<Client>.New(clock), name, settings });
                    return true;
                },
                default);
        }

        await using Database today = await Database.OpenAsync(connectionString, default);
        ClientStore clients = new(today);
        foreach ((string name, _) in Settings)
        {
            Client client = (await clients.FindByClientIdAsync(name, default)).ShouldNotBeNull();
            client.Settings.FirstParty.ShouldBeTrue(name);
            client.Settings.PkceRequired.ShouldBe(name != "written", "nothing else in the settings is touched");
        }
    }

    private static (string Name, string Settings)[] Settings =>
    [
        ("written", """{"pkce_required":false,"first_party":false}"""),
        ("left-out", "{}"),
        ("said", """{"first_party":true}"""),
    ];
}
