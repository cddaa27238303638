using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Server.Demo;
using Atrium.Storage;
using Shouldly;

namespace Atrium.Tests.Harness;

/// <summary>Other limits of the demo realm's sessions, for those that begin until it is disposed of.</summary>
internal static class SessionLimits
{
    public static async Task<IAsyncDisposable> SetAsync(DemoServer server, SessionSettings limits)
    {
        await ChangeAsync(server, limits);
        return new Back(server);
    }

    private static async Task ChangeAsync(DemoServer server, SessionSettings limits)
    {
        RealmStore realms = server.Get<RealmStore>();
        Realm realm = (await realms.FindByHandleAsync(DemoRealm.Handle, default)).ShouldNotBeNull();
        (await realms.ChangeAsync(realm, current => current with { Settings = current.Settings with { Sessions = limits } }, Origin.System, default)).ShouldNotBeNull();
    }

    private sealed class Back(DemoServer server) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await ChangeAsync(server, new SessionSettings());
    }
}
