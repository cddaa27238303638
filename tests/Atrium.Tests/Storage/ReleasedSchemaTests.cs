using System.Net;
using System.Security.Cryptography;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>A database as any released version left it is opened, brought to today's schema, and used.</summary>
public sealed class ReleasedSchemaTests(PrivatePostgres postgres)
{
    public static TheoryData<string, bool> Kept
    {
        get
        {
            TheoryData<string, bool> rows = [];
            foreach (string name in ReleasedSchema.All)
            {
                rows.Add(name, false);
                rows.Add(name, true);
            }

            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Kept))]
    public async Task What_a_released_version_left_behind_is_opened_and_used(string name, bool onPostgres)
    {
        ReleasedSchema released = new(name);
        await using ReleasedServer server = new(released, onPostgres ? postgres : null);
        await server.InitializeAsync();
        (await server.Get<Database>().SchemaAsync(default)).ShouldBe(Database.KnownSchema);

        AuthKitCalls calls = new(server);
        (await calls.RefreshAsync(released.RefreshToken(onPostgres))).ShouldBe(HttpStatusCode.OK);
        (await calls.PasswordAsync("sam@example.test")).ShouldBe(HttpStatusCode.OK);
        string organization = await calls.OrganizationIdAsync("northwind");
        AuthKitCalls.ClaimsOf(await calls.SignInToAsync("mia@example.test", organization)).GetProperty("org_id").GetString().ShouldBe(organization);
        Answer members = (await calls.GetAsync($"/user_management/organization_memberships?organization_id={organization}")).ShouldBe(HttpStatusCode.OK);
        members.Json.GetProperty("data").GetArrayLength().ShouldBe(2);

        // Tom's second factor is a secret that the kept key file opens.
        (await calls.SignInWithFactorAsync("tom@example.test")).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public void A_released_step_of_the_schema_never_changes_again()
    {
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src/Atrium.Storage/Migrations"), "*.sql").Order(StringComparer.Ordinal)];
        foreach (ReleasedSchema released in ReleasedSchema.All.Select(static name => new ReleasedSchema(name)))
        {
            released.Migrations.Keys.ShouldBe(
                files.Select(static file => Path.GetFileName(file)).Where(name => long.Parse(name[..4]) <= released.Version),
                "each released schema freezes all steps up to its own");
            foreach ((string name, string hash) in released.Migrations)
            {
                string file = files.Single(file => Path.GetFileName(file) == name);
                Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))).ShouldBe(hash, $"{name} was released with {released.Name}; make a new step instead");
            }
        }
    }

    /// <summary>Today's server on a copy of what was kept, an hour after it was.</summary>
    private sealed class ReleasedServer(ReleasedSchema released, PrivatePostgres? postgres) : DemoServer
    {
        protected override async Task<string> NewDatabaseAsync(string path)
        {
            Clock.Advance(released.MadeAt.AddHours(1) - Clock.GetUtcNow());
            released.CopyKeyFile(postgres is not null, Path.ChangeExtension(path, ".key"));
            if (postgres is null)
            {
                await released.CopySqliteAsync(path);
                return await base.NewDatabaseAsync(path);
            }

            string connectionString = await postgres.NewDatabaseAsync();
            await released.LoadPostgresAsync(connectionString);
            return connectionString;
        }
    }
}
