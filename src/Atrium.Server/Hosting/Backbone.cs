using Atrium.Server.Keys;
using Atrium.Server.Passwords;
using Atrium.Storage;

namespace Atrium.Server.Hosting;

/// <summary>What the server and the command line both stand on: the database, the key file, the stores and the hasher.</summary>
public sealed class Backbone : IAsyncDisposable
{
    private const string DemoKeyFile = "./atrium-demo.key";

    private Backbone(Database database, RealmStore realms, KeyFile keyFile, StorageKeyRing storageKeys, Ed25519 ed25519, TimeProvider clock)
    {
        Database = database;
        KeyFile = keyFile;
        StorageKeys = storageKeys;
        Clock = clock;
        Realms = realms;
        Ed25519 = ed25519;
        Keys = new RealmKeys(new SigningKeyStore(database), storageKeys.Box, ed25519, database.Changes, clock);
    }

    public Database Database { get; }

    /// <summary>As it was when it was opened.</summary>
    public KeyFile KeyFile { get; }

    public StorageKeyRing StorageKeys { get; }

    public TimeProvider Clock { get; }

    public RealmStore Realms { get; }

    public Ed25519 Ed25519 { get; }

    public RealmKeys Keys { get; }

    public PasswordHasher Passwords { get; } = new();

    public static async Task<Backbone> OpenAsync(AtriumOptions options, TimeProvider clock, CancellationToken cancellationToken)
    {
        string keyFilePath = KeyFilePath(options);
        Database database = await Database.OpenAsync(options.Database, cancellationToken);
        database.Time = clock;
        try
        {
            KeyFile keyFile = KeyFile.LoadOrCreate(keyFilePath);
            RealmStore realms = new(database);
            if (keyFile.WasCreated && await realms.AnyAsync(cancellationToken))
            {
                // A new key opens nothing of what is stored; going on would only hide that the old one is missing.
                File.Delete(keyFilePath);
                throw new KeyFileException(
                    $"The database has secrets but there is no key file at {keyFilePath}. Put back the key file that it was made with, or name it with --key-file.");
            }

            StorageKeyRing storageKeys = await StorageKeyRing.OpenAsync(new StorageKeyStore(database), new SigningKeyStore(database), keyFile, clock.GetUtcNow(), cancellationToken);
            return new Backbone(database, realms, keyFile, storageKeys, new Ed25519(options.UsesLibsodium), clock);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Where the key file lies. Nodes that share a database share its key: made up beside one of them, it would be a key that the others don't have.</summary>
    public static string KeyFilePath(AtriumOptions options) =>
        options.KeyFile
        ?? Database.DefaultKeyFile(options.Database)
        ?? (options.Demo
            ? DemoKeyFile
            : throw new KeyFileException(
                "With PostgreSQL, the key file must be named, because every node needs the same one: use --key-file /etc/atrium/atrium.key or ATRIUM_KEY_FILE. "
                + "The first start makes it; copy it to the other nodes."));

    public async ValueTask DisposeAsync()
    {
        Passwords.Dispose();
        Keys.Dispose();
        await Database.DisposeAsync();
    }
}

public static class BackboneServices
{
    public static IServiceCollection AddBackbone(this IServiceCollection services, Backbone backbone) => services
        .AddSingleton(_ => backbone)
        .AddSingleton(backbone.Clock)
        .AddSingleton(backbone.Database)
        .AddSingleton(backbone.StorageKeys)
        .AddSingleton(backbone.StorageKeys.Box)
        .AddSingleton(backbone.Ed25519)
        .AddSingleton(backbone.Keys)
        .AddSingleton(backbone.Passwords)
        .AddSingleton(backbone.Realms)
        .AddSingleton<ApiKeyStore>()
        .AddSingleton<EventStore>()
        .AddSingleton<WebhookStore>()
        .AddSingleton<DeliveryStore>()
        .AddSingleton<DeliveryLogStore>()
        .AddSingleton<ClientStore>()
        .AddSingleton<ClientSharingStore>()
        .AddSingleton<OrganizationStore>()
        .AddSingleton<OrganizationDomainStore>()
        .AddSingleton<OrganizationRemains>()
        .AddSingleton<UserStore>()
        .AddSingleton<ConsentStore>()
        .AddSingleton<FactorStore>()
        .AddSingleton<FactorEnrolmentStore>()
        .AddSingleton<RecoveryCodeStore>()
        .AddSingleton<MembershipStore>()
        .AddSingleton<RoleStore>()
        .AddSingleton<SessionStore>()
        .AddSingleton<SigningKeyStore>()
        .AddSingleton<ClientAssertionStore>()
        .AddSingleton<SignInStore>()
        .AddSingleton<PushedRequestStore>()
        .AddSingleton<GrantStore>()
        .AddSingleton<DpopProofStore>()
        .AddSingleton<BudgetNoticeStore>()
        .AddSingleton<GuessStore>()
        .AddSingleton<IdempotencyStore>()
        .AddSingleton<ConnectionStore>()
        .AddSingleton<OperatorKeyStore>()
        .AddSingleton<DeletedRealmStore>()
        .AddSingleton<LogoutNoticeStore>()
        .AddSingleton<MailStore>()
        .AddSingleton<MailTemplateStore>()
        .AddSingleton<InvitationStore>()
        .AddSingleton<InvitationAcceptance>()
        .AddSingleton<MailedCodeStore>()
        .AddSingleton<AccountStore>()
        .AddSingleton<NodeStore>()
        .AddSingleton<CleaningStore>();
}
