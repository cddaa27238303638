using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Bench;

/// <summary>The demo's realm, filled by the shortest way. Nobody works in an empty one, and PostgreSQL would plan for that.</summary>
internal static class FilledRealm
{
    /// <summary>How many of its users are signed in.</summary>
    public const int People = 1_000;

    /// <summary>The id of an organization, by its number.</summary>
    public static string Organization(int number) => new Id<Organization>(new Guid($"{number:x32}")).ToString();

    /// <summary>The id of a person, by their number.</summary>
    public static string User(int number) => new Id<User>(new Guid($"{number:x32}")).ToString();

    private const int MembershipsEach = 3;
    private const string Empty = "'{}'";

    /// <summary>Fills the realm, and signs people in who are spread over all of it: a refresh token of each.</summary>
    public static async Task<IReadOnlyList<string>> FillAsync(Installation installation, int users, int organizations)
    {
        // The first start makes the realm.
        await using (await installation.StartNodeAsync())
        {
        }

        bool postgres = installation.IsPostgres;
        await using (DbConnection connection = await installation.ConnectAsync())
        {
            // What is made here fits together: asking for each row whether its parents are there would take most of the time.
            await connection.ExecuteAsync(postgres ? "SET session_replication_role = replica" : "PRAGMA cache_size = -200000; BEGIN IMMEDIATE");
            await connection.ExecuteAsync(
                $"""
                INSERT INTO organizations (realm_id, id, handle, name, name_key, status, metadata, settings, created_at, updated_at)
                SELECT r.id, {Id("i")}, 'large-' || i, 'Organization ' || i, 'organization ' || i, 'Active', {Empty}, {Empty}, 0, 0 FROM realms r CROSS JOIN {installation.Numbers(organizations)} WHERE r.handle = 'acme'
                """);
            await connection.ExecuteAsync(
                $"""
                INSERT INTO users (realm_id, id, email, email_key, email_verified, metadata, status, created_at, updated_at)
                SELECT r.id, {Id("i")}, i || '@large.test', i || '@large.test', {(postgres ? "true" : "1")}, {Empty}, 'Active', 0, 0 FROM realms r CROSS JOIN {installation.Numbers(users)} WHERE r.handle = 'acme'
                """);
            await connection.ExecuteAsync(
                $"""
                INSERT INTO memberships (realm_id, id, user_id, organization_id, scopes, status, joined_at, created_at, updated_at)
                SELECT r.id, {Id("i")}, {Id($"(i + {MembershipsEach - 1}) / {MembershipsEach}")}, {Id($"((i + {MembershipsEach - 1}) / {MembershipsEach} + (i % {MembershipsEach}) * {organizations / MembershipsEach}) % {organizations} + 1")},
                    '["member","projects:read"]', 'Active', 0, 0, 0
                FROM realms r CROSS JOIN {installation.Numbers(users * MembershipsEach)} WHERE r.handle = 'acme'
                """);
            await connection.ExecuteAsync(
                $$"""
                DELETE FROM events;
                INSERT INTO events (realm_id, position, id, type, created_at, subject, user_id, actor, data)
                SELECT r.id, i, {{Id("i")}}, 'user.created', 0, 'usr_' || i, {{Id("i")}}, '{"type":"system"}', '{}' FROM realms r CROSS JOIN {{installation.Numbers(users)}} WHERE r.handle = 'acme';
                UPDATE event_positions SET position = {{users}} WHERE reader = 'log' AND realm_id = (SELECT id FROM realms WHERE handle = 'acme')
                """);
            if (!postgres)
                await connection.ExecuteAsync("COMMIT");
        }

        return await installation.SeedAsync(seed => seed.RefreshTokensAsync(
            Enumerable.Range(1, People).Select(i => new Guid($"{i * (users / People):x32}"))));

        string Id(string number) => postgres ? $"CAST(lpad(to_hex({number}), 32, '0') AS uuid)" : $"unhex(printf('%032x', {number}))";
    }
}
