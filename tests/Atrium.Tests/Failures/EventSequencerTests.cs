using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Server.Demo;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Dapper;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Failures;

/// <summary>What is wrong with one realm's log harms neither the others' nor the server.</summary>
public sealed class EventSequencerTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly EventStore events = server.Get<EventStore>();

    [Fact]
    public async Task A_log_that_takes_nothing_holds_up_no_other_and_catches_up_when_it_can()
    {
        World world = new(server);
        Id<Realm> broken = (await world.RealmAsync()).Id;
        Id<Realm> whole = (await world.RealmAsync(DemoRealm.NeighbourHandle)).Id;
        await RunAsync(
            $"CREATE TRIGGER broken BEFORE INSERT ON events WHEN NEW.realm_id = x'{broken.Value:N}' BEGIN SELECT RAISE(ABORT, 'broken'); END");
        await HappenAsync(broken, "first");
        await HappenAsync(whole, "second");
        await ShouldBeInTheLogAsync(whole, "second");
        (await events.ReadAsync(broken, 0, 1000, default)).ShouldNotContain(static one => one.Subject == "first");

        await RunAsync("DROP TRIGGER broken");
        await ShouldBeInTheLogAsync(broken, "first");
        (await server.Http.GetAsync("/health/ready")).EnsureSuccessStatusCode();
    }

    private Task HappenAsync(Id<Realm> realm, string subject) =>
        events.RecordAsync(realm, new EventDraft(EventTypes.UserUpdated, subject, "{}"), Origin.System, default);

    private async Task ShouldBeInTheLogAsync(Id<Realm> realm, string subject)
    {
        for (int i = 0; i < 1000; i++)
        {
            if ((await events.ReadAsync(realm, 0, 1000, default)).Any(one => one.Subject == subject))
                return;
            await Task.Delay(20);
        }

        throw new ShouldAssertException($"{subject} did not get its place in the log.");
    }

    private Task<int> RunAsync(string sql) => server.Get<Database>().WriteAsync(connection => connection.ExecuteAsync(sql), default);
}
