using System.Net;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Factors;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Atrium.Tests.Webhooks;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Operation;

/// <summary>The key file is exchanged under a running server, and no node ever meets a secret that it can't open.</summary>
public abstract class KeyRotationTests(DemoServer server)
{
    private readonly HurriedClock clock = new();
    private readonly List<string> said = [];

    [Fact]
    public async Task A_running_server_goes_on_through_an_exchange_of_the_key_and_the_old_one_opens_nothing_after_it()
    {
        KeyFile before = File;
        await SignInTomAsync();
        await using WebhookReceiver receiver = await WebhookReceiver.StartAsync();
        await using WebhookCalls webhooks = new(server);
        (string _, string secret) = await webhooks.EndpointAsync(receiver.Url, events: "user.*");

        (await Rotation.RunAsync(File, SayAndBeat, default)).ShouldBeTrue(string.Join('\n', said));

        File.Keys.ShouldHaveSingleItem().Fingerprint.ShouldNotBe(before.Keys[0].Fingerprint);
        (await Store.FindAsync(default))!.All.ShouldBe([File.Keys[0].Fingerprint]);
        await SignInTomAsync();
        await webhooks.HappenAsync(EventTypes.UserUpdated, "usr_1");
        WebhookCalls.IsSigned(await receiver.NextAsync(), secret).ShouldBeTrue();
        (await StorageKeyRing.UnopenedAsync(Store, SigningKeys, before, default)).ShouldNotBeNull();
        (await StorageKeyRing.UnopenedAsync(Store, SigningKeys, File, default)).ShouldBeNull();
        KeyFileException refused = await Should.ThrowAsync<KeyFileException>(StorageKeyRing.OpenAsync(Store, SigningKeys, before, server.Clock.GetUtcNow(), default));
        refused.Message.ShouldContain(File.Keys[0].Fingerprint);
        refused.Message.ShouldContain(before.Keys[0].Fingerprint);
    }

    [Fact]
    public async Task While_a_node_lacks_the_new_key_nothing_is_sealed_under_it()
    {
        Node late = new()
        {
            Id = Id<Node>.New(server.Clock), Host = "host-b", Version = "0", PublicUrl = server.Url, Keys = [File.Keys[0].Fingerprint],
            StartedAt = server.Clock.GetUtcNow(), Clock = server.Clock.GetUtcNow(),
        };
        await Nodes.SayAsync(late, default);
        string sealing = (await Store.FindAsync(default))!.Sealing;

        (await Rotation.RunAsync(File, SayAndBeat, default)).ShouldBeFalse();
        (await Store.FindAsync(default))!.All.ShouldBe([sealing]);
        said.ShouldContain("Not yet: host-b.");
        said[^1].ShouldContain("Copy");
        File.Keys.Count.ShouldBe(2, "the new key is there to be copied");

        // Copied to the other node, it is the one that goes on: no third key is made.
        string added = File.Keys[1].Fingerprint;
        await Nodes.LeaveAsync(late.Id, default);
        (await Rotation.RunAsync(File, SayAndBeat, default)).ShouldBeTrue(string.Join('\n', said));
        (await Store.FindAsync(default))!.All.ShouldBe([added]);
    }

    [Fact]
    public async Task An_exchange_that_was_stopped_in_the_middle_goes_on_where_it_was()
    {
        KeyFile two = File.With([.. File.Keys, StorageKey.New()]);
        await Store.SealUnderAsync(two.Keys[^1].Fingerprint, server.Clock.GetUtcNow(), default);

        // A server that starts now opens what either key sealed.
        (await StorageKeyRing.OpenAsync(Store, SigningKeys, File, server.Clock.GetUtcNow(), default)).Sealing.ShouldBe(two.Keys[^1].Fingerprint);
        (await Rotation.RunAsync(File, SayAndBeat, default)).ShouldBeTrue(string.Join('\n', said));
        File.Keys.ShouldHaveSingleItem().Fingerprint.ShouldBe(two.Keys[^1].Fingerprint);
        said.ShouldNotContain(static line => line.StartsWith("Added", StringComparison.Ordinal));
        await SignInTomAsync();
    }

    [Fact]
    public async Task What_people_are_setting_up_meanwhile_is_sealed_anew_too()
    {
        FactorWalk walk = new(server);
        OAuthBrowser preparing = new(server), keeping = new(server);
        HostedForm prepared = await FactorWalk.OpenEnrolmentAsync(preparing, await walk.PersonAsync());
        HostedForm page = await FactorWalk.OpenEnrolmentAsync(keeping, await walk.PersonAsync());
        using HttpResponseMessage confirmed = await keeping.SubmitAsync(page, ("code", walk.AppOf(page).Code()));
        string[] codes = FactorWalk.CodesOf(await keeping.FollowAsync(confirmed));
        (await Rotation.RunAsync(File, SayAndBeat, default)).ShouldBeTrue(string.Join('\n', said));

        FactorWalk.CodesOf(await keeping.FollowAsync(confirmed)).ShouldBe(codes);
        using HttpResponseMessage right = await preparing.SubmitAsync(prepared, ("code", walk.AppOf(prepared).Code()));
        FactorWalk.CodesOf(await preparing.FollowAsync(right)).Length.ShouldBe(codes.Length);
    }

    [Fact]
    public async Task A_server_whose_key_file_is_exchanged_for_a_wrong_one_keeps_its_keys()
    {
        KeyFile right = File;
        try
        {
            right.With([StorageKey.New()]);
            string? problem = await server.Get<StorageKeyRing>().RefreshAsync(default);
            problem.ShouldNotBeNull().ShouldContain(right.Keys[0].Fingerprint);
                await SignInTomAsync();
        }
        finally
        {
            right.With(right.Keys);
        }
    }

    private KeyFile File => KeyFile.Load(server.Options.KeyFile!);

    private StorageKeyStore Store => new(server.Get<Database>());

    private SigningKeyStore SigningKeys => server.Get<SigningKeyStore>();

    private NodeStore Nodes => server.Get<NodeStore>();

    private KeyRotation Rotation => new(Store, Nodes, clock);

    /// <summary>His second factor is a secret of the database; each of its codes works once.</summary>
    private async Task SignInTomAsync()
    {
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        (await new AuthKitCalls(server).SignInWithFactorAsync("tom@example.test")).ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>Where the rotation waits for the server, the server's next round comes at once.</summary>
    private void SayAndBeat(string line)
    {
        said.Add(line);
        if (line.StartsWith("Waiting", StringComparison.Ordinal))
            server.Get<NodePresence>().SayAsync(default).GetAwaiter().GetResult();
    }

    /// <summary>Every wait is over at once, and counted as if it had lasted.</summary>
    private sealed class HurriedClock : TimeProvider
    {
        private long elapsed;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref elapsed);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Add(ref elapsed, dueTime.Ticks);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}

public sealed class SqliteKeyRotationTests(DemoServer server) : KeyRotationTests(server), IClassFixture<DemoServer>
{
    [Fact]
    public async Task Without_a_server_it_is_one_command_and_the_old_file_is_refused_from_then_on()
    {
        string folder = Directory.CreateTempSubdirectory("atrium-rotation-").FullName;
        try
        {
            string[] database = ["--database", $"Data Source={Path.Combine(folder, "atrium.db")}"];
            (await Verb.RunAsync(["realms", "create", "acme", .. database])).ExitCode.ShouldBe(0);
            string old = Path.Combine(folder, "old.key");
            System.IO.File.Copy(Path.Combine(folder, "atrium.key"), old);
            VerbResult rotated = await Verb.RunAsync(["key-file", "rotate", .. database]);
            rotated.ExitCode.ShouldBe(0, rotated.Errors);
            rotated.Output.ShouldContain("Sealed anew: 6 secrets.");
            (await Verb.RunAsync(["keys", "create", "--realm", "acme", .. database])).ExitCode.ShouldBe(0);
            VerbResult refused = await Verb.RunAsync(["keys", "create", "--realm", "acme", "--key-file", old, .. database]);
            refused.ExitCode.ShouldBe(1);
            refused.Errors.ShouldContain("sealed under the key");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

public sealed class PostgresKeyRotationTests(PostgresDemoServer server) : KeyRotationTests(server), IClassFixture<PostgresDemoServer>;
