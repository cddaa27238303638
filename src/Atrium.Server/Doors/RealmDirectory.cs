using System.Collections.Concurrent;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Server.Doors;

/// <summary>Realms and clients as requests name them, remembered for a moment: nearly every request starts with one of these look-ups.</summary>
public sealed class RealmDirectory(RealmStore realms, ClientStore clients, TimeProvider clock)
{
    /// <summary>How long a change made elsewhere may go unnoticed.</summary>
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(2);

    private readonly Remembered<Realm> realmsByHandle = new(clock);
    private readonly Remembered<Client> clientsById = new(clock);

    public ValueTask<Realm?> RealmAsync(string handle, CancellationToken cancellationToken) =>
        realmsByHandle.GetAsync(handle, realms.FindByHandleAsync, cancellationToken);

    /// <summary>The client of that id, whatever its realm: for the doors whose paths name none.</summary>
    public ValueTask<Client?> ClientAsync(string clientId, CancellationToken cancellationToken) =>
        clientsById.GetAsync(clientId, clients.FindByClientIdAsync, cancellationToken);

    /// <summary>The realm's client of that id.</summary>
    public async ValueTask<Client?> ClientAsync(Realm realm, string clientId, CancellationToken cancellationToken) =>
        await ClientAsync(clientId, cancellationToken) is { } client && client.RealmId == realm.Id ? client : null;

    /// <summary>Remembers what was found, never what was not: a name that does not exist yet must work the moment it does.</summary>
    private sealed class Remembered<T>(TimeProvider clock)
        where T : class
    {
        /// <summary>Names that exist are few; beyond this many the oldest knowledge is dropped whole.</summary>
        private const int Capacity = 10_000;

        private readonly ConcurrentDictionary<string, (T Value, long At)> known = new(StringComparer.Ordinal);

        public ValueTask<T?> GetAsync(string name, Func<string, CancellationToken, Task<T?>> find, CancellationToken cancellationToken) =>
            known.TryGetValue(name, out (T Value, long At) entry) && clock.GetElapsedTime(entry.At) < MaxAge
                ? new(entry.Value)
                : new(FindAsync(name, find, cancellationToken));

        private async Task<T?> FindAsync(string name, Func<string, CancellationToken, Task<T?>> find, CancellationToken cancellationToken)
        {
            T? found = await find(name, cancellationToken);
            if (found is null)
            {
                known.TryRemove(name, out _);
                return null;
            }

            if (known.Count >= Capacity)
                known.Clear();
            known[name] = (found, clock.GetTimestamp());
            return found;
        }
    }
}
