using System.Diagnostics;
using System.Net;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Server.Demo;
using Atrium.Server.Doors;
using Atrium.Server.Keys;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Npgsql;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Nodes;

/// <summary>
/// What one node changes, the other knows. The nodes' clock stands still, so nothing that is remembered gets older unless a test says so.
/// </summary>
public sealed class ChangesTests(TwoNodes nodes, PrivatePostgres postgres) : IClassFixture<TwoNodes>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly World world = new(nodes);

    [Fact]
    public async Task A_client_that_one_node_disables_is_refused_by_the_other_at_once()
    {
        Client client = await RememberedByBothAsync("told");
        nodes.Get<Database>().Changes.MaxAge.ShouldBeGreaterThan(TimeSpan.FromSeconds(10), "age is not what this test sees");

        await SetStatusAsync(nodes.GetSecond<ClientStore>(), client, ClientStatus.Disabled);
        (await nodes.GetSecond<RealmDirectory>().ClientAsync(client.ClientId, default))!.Status.ShouldBe(ClientStatus.Disabled);
        await UntilAsync(async () => (await FirstSeesAsync(client)).Status == ClientStatus.Disabled);
        (await nodes.Http.GetAsync(Authorize(client))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await nodes.Http.GetAsync(Authorize(client))).StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        await SetStatusAsync(nodes.Get<ClientStore>(), client, ClientStatus.Active);
        (await FirstSeesAsync(client)).Status.ShouldBe(ClientStatus.Active, "who changes something knows it first");
    }

    [Fact]
    public async Task A_signing_key_that_one_node_adds_is_published_by_the_other_at_once()
    {
        await RememberedByBothAsync("keys");
        Realm realm = await world.RealmAsync();
        IReadOnlyList<RealmKey> before = await nodes.Get<RealmKeys>().AllAsync(realm.Id, default);
        SigningKey added = (await nodes.GetSecond<RealmKeys>().RotateAsync(realm.Id, Origin.System, default)).First(static key => key.ActivatedAt is null);
        await UntilAsync(async () => (await nodes.Get<RealmKeys>().AllAsync(realm.Id, default)).Any(key => key.Kid == added.Kid));
        (await nodes.Get<RealmKeys>().AllAsync(realm.Id, default)).ShouldContain(before[0], "what is open stays open");
        (await nodes.Http.GetStringAsync("/t/acme/jwks.json")).ShouldContain(added.Kid);
        (await nodes.Http.GetStringAsync("/t/acme/jwks.json")).ShouldContain(added.Kid);
    }

    [Fact]
    public async Task While_nobody_is_heard_age_tells_and_later_the_listener_is_back()
    {
        Client client = await RememberedByBothAsync("by-age");
        await postgres.ExecuteAsync($"ALTER DATABASE {DatabaseName} ALLOW_CONNECTIONS false");
        try
        {
            await postgres.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DatabaseName}' AND query LIKE 'LISTEN%'");
            await UntilAsync(() => Task.FromResult(nodes.Get<Database>().Changes.MaxAge == TimeSpan.FromSeconds(2)));
            await FirstSeesAsync(client);
            await SetStatusAsync(nodes.GetSecond<ClientStore>(), client, ClientStatus.Disabled);
            (await FirstSeesAsync(client)).Status.ShouldBe(ClientStatus.Active, "the first node hears nothing");
            nodes.Clock.Advance(TimeSpan.FromSeconds(2));
            (await FirstSeesAsync(client)).Status.ShouldBe(ClientStatus.Disabled);
            await SetStatusAsync(nodes.GetSecond<ClientStore>(), client, ClientStatus.Active);
        }
        finally
        {
            await postgres.ExecuteAsync($"ALTER DATABASE {DatabaseName} ALLOW_CONNECTIONS true");
        }

        await HearingAsync();
        (await FirstSeesAsync(client)).Status.ShouldBe(ClientStatus.Active, "what was changed meanwhile went unheard, so nothing is remembered");
        await SetStatusAsync(nodes.GetSecond<ClientStore>(), client, ClientStatus.Disabled);
        await UntilAsync(async () => (await FirstSeesAsync(client)).Status == ClientStatus.Disabled);
    }

    [Fact]
    public async Task What_another_version_says_is_taken_to_be_about_everything()
    {
        Client client = await RememberedByBothAsync("everything");
        await postgres.ExecuteAsync("UPDATE clients SET name = 'Renamed' WHERE client_id = 'everything'; SELECT pg_notify('atrium', 'Colours:blue')", DatabaseName);
        await UntilAsync(async () => (await FirstSeesAsync(client)).Name == "Renamed");
    }

    private string DatabaseName => new NpgsqlConnectionStringBuilder(nodes.Options.Database).Database!;

    private static string Authorize(Client client) => $"/t/{DemoRealm.Handle}/authorize?response_type=code&client_id={client.ClientId}";

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (!await condition())
        {
            waited.Elapsed.ShouldBeLessThan(Patience);
            await Task.Delay(5);
        }
    }

    /// <summary>Both hear each other, and have a connection to the database from then on.</summary>
    private async Task<Client> RememberedByBothAsync(string clientId)
    {
        await HearingAsync();
        Client client = await world.ClientAsync(clientId, new ClientSettings());
        (await nodes.GetSecond<RealmDirectory>().ClientAsync(client.ClientId, default)).ShouldNotBeNull();
        (await FirstSeesAsync(client)).Status.ShouldBe(ClientStatus.Active);
        return client;
    }

    private async Task<Client> FirstSeesAsync(Client client) => (await nodes.Get<RealmDirectory>().ClientAsync(client.ClientId, default)).ShouldNotBeNull();

    private async Task SetStatusAsync(ClientStore clients, Client client, ClientStatus status) =>
        (await clients.ChangeAsync(client.RealmId, client.Id, current => current with { Status = status }, Origin.System, default)).Outcome.ShouldBe(ClientWrite.Done);

    private Task HearingAsync() => UntilAsync(() => Task.FromResult(
        nodes.Get<Database>().Changes.MaxAge > TimeSpan.FromSeconds(2) && nodes.GetSecond<Database>().Changes.MaxAge > TimeSpan.FromSeconds(2)));
}
