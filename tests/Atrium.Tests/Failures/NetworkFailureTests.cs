using System.Net;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Npgsql;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Failures;

/// <summary>A PostgreSQL that is well, behind a network that is not.</summary>
public sealed class NetworkFailureTests(PrivatePostgres postgres) : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly FakeClock clock = new();
    private NpgsqlConnectionStringBuilder direct = null!;
    private Relay relay = null!;

    public async ValueTask InitializeAsync()
    {
        direct = new(await postgres.NewDatabaseAsync());
        relay = new Relay(direct.Port);
    }

    public async ValueTask DisposeAsync()
    {
        await relay.DisposeAsync();
        await postgres.DropAsync(direct.ConnectionString);
    }

    [Fact]
    public async Task A_database_that_takes_two_seconds_for_an_answer_serves_slowly_and_turns_the_server_unready()
    {
        await using FailingServer server = new(_ => Task.FromResult(ThroughRelay));
        await server.InitializeAsync();
        Visitors visitors = new(server);
        await visitors.ArriveAsync();
        relay.Delay = TimeSpan.FromSeconds(2);
        await visitors.ShouldBeUnreadyAsync("database_slow");
        using (HttpResponseMessage served = await server.Http.GetAsync(OAuthBrowser.Authorize()))
            served.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        relay.Delay = TimeSpan.Zero;
        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
    }

    [Fact]
    public async Task A_change_whose_confirmation_is_lost_is_told_as_in_doubt_and_not_made_again()
    {
        await using Database database = await Database.OpenAsync(ThroughRelay, None);

        // The zero ends a text on the wire: READ COMMITTED is none of these.
        relay.CutBehind("COMMIT\0");
        DatabaseUnavailableException lost = await Should.ThrowAsync<DatabaseUnavailableException>(MakeRealmAsync(database, "acme"));
        (lost.Trouble, lost.MayHaveBeenDone).ShouldBe((DatabaseTrouble.Unreachable, true));
        while (await new RealmStore(database).FindByHandleAsync("acme", None) is null)
            await Task.Delay(20);
    }

    [Fact]
    public async Task A_change_that_is_cut_off_before_its_commit_is_made_once_more_and_once_only()
    {
        await using Database database = await Database.OpenAsync(ThroughRelay, None);
        relay.CutBehind("INSERT INTO realms");
        (await MakeRealmAsync(database, "acme")).ShouldBeTrue("nothing was there from the first time");
    }

    [Fact]
    public async Task Of_several_hosts_the_one_that_answers_as_the_primary_is_used()
    {
        string hosts = new NpgsqlConnectionStringBuilder(direct.ConnectionString) { Host = $"127.0.0.1:1,127.0.0.1:{direct.Port}" }.ConnectionString;
        await using Database database = await Database.OpenAsync(hosts, None);
        (await MakeRealmAsync(database, "acme")).ShouldBeTrue();
        database.Description.ShouldEndWith($"at 127.0.0.1:1,127.0.0.1:{direct.Port}");
    }

    private string ThroughRelay => new NpgsqlConnectionStringBuilder(direct.ConnectionString) { Port = relay.Port }.ConnectionString;

    private Task<bool> MakeRealmAsync(Database database, string handle) => new RealmStore(database).CreateAsync(
        new Realm { Id = Id<Realm>.New(clock), Handle = handle, Name = handle, CreatedAt = clock.GetUtcNow(), UpdatedAt = clock.GetUtcNow() }, [], Origin.System, None);
}
