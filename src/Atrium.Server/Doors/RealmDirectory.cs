using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Server.Hosting;
using Atrium.Storage;

namespace Atrium.Server.Doors;

/// <summary>Realms, clients and API keys as requests name them, remembered: nearly every request starts with one of these look-ups.</summary>
public sealed class RealmDirectory
{
    private readonly Remembered<string, Realm> realmsByHandle;
    private readonly Remembered<Id<Realm>, Realm> realmsById;
    private readonly Remembered<string, Client> clientsById;
    private readonly Remembered<SecretHash, ApiKey> keysBySecret;

    public RealmDirectory(RealmStore realms, ClientStore clients, ApiKeyStore keys, Database database, TimeProvider clock)
    {
        realmsByHandle = new(database.Changes, clock, realms.FindByHandleAsync);
        realmsById = new(database.Changes, clock, realms.FindAsync);
        clientsById = new(database.Changes, clock, clients.FindByClientIdAsync);
        keysBySecret = new(database.Changes, clock, keys.FindAsync);
        database.Changes.Subscribe(Forget);
    }

    public ValueTask<Realm?> RealmAsync(string handle, CancellationToken cancellationToken) => realmsByHandle.GetAsync(handle, cancellationToken);

    public ValueTask<Realm?> RealmAsync(Id<Realm> id, CancellationToken cancellationToken) => realmsById.GetAsync(id, cancellationToken);

    /// <summary>The client of that id, whatever its realm: for the doors whose paths name none.</summary>
    public ValueTask<Client?> ClientAsync(string clientId, CancellationToken cancellationToken) => clientsById.GetAsync(clientId, cancellationToken);

    /// <summary>The realm's client of that id.</summary>
    public async ValueTask<Client?> ClientAsync(Realm realm, string clientId, CancellationToken cancellationToken) =>
        await ClientAsync(clientId, cancellationToken) is { } client && client.RealmId == realm.Id ? client : null;

    /// <summary>The key that a caller presented, whatever its realm; it may have expired.</summary>
    public ValueTask<ApiKey?> ApiKeyAsync(Secret presented, CancellationToken cancellationToken) => keysBySecret.GetAsync(presented.Hash(), cancellationToken);

    private void Forget(Change change)
    {
        switch (change.Kind)
        {
            case ChangeKind.Realm:
                realmsByHandle.Forget(change.Name);
                realmsById.ForgetAll();
                break;
            case ChangeKind.Client:
                clientsById.Forget(change.Name);
                break;
            case ChangeKind.ApiKey:
                keysBySecret.ForgetAll();
                break;
            case ChangeKind.Everything:
                realmsByHandle.ForgetAll();
                realmsById.ForgetAll();
                clientsById.ForgetAll();
                keysBySecret.ForgetAll();
                break;
        }
    }
}
