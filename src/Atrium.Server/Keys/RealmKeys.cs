using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Hosting;
using Atrium.Storage;

namespace Atrium.Server.Keys;

/// <summary>Makes, keeps and finds the keys that realms sign with.</summary>
public sealed class RealmKeys : IDisposable
{
    public const string ES256 = "ES256";
    public const string RS256 = "RS256";

    private readonly RealmStore realms;
    private readonly SecretBox box;
    private readonly TimeProvider clock;
    private readonly Remembered<Id<Realm>, IReadOnlyList<RealmKey>> keysByRealm;

    /// <summary>A key that was opened stays open, remembered or not: somebody may be signing with it.</summary>
    private readonly ConcurrentDictionary<(Id<Realm> Realm, string Kid), RealmKey> opened = new();

    public RealmKeys(RealmStore realms, SecretBox box, ChangeFeed changes, TimeProvider clock)
    {
        this.realms = realms;
        this.box = box;
        this.clock = clock;
        keysByRealm = new(changes, clock, FindAsync);
        changes.Subscribe(Forget);
    }

    /// <summary>Whether every realm has a key of this algorithm.</summary>
    public static bool IsAlgorithm(string name) => name is ES256 or RS256;

    /// <summary>The first keys of a new realm: ES256 to sign fast, RS256 for the clients that know nothing else.</summary>
    public IReadOnlyList<SigningKey> MakeFor(Realm realm)
    {
        using ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using RSA rsa = RSA.Create(2048);
        X500DistinguishedName name = new($"CN=Atrium {realm.Handle}");
        return
        [
            Make(realm, ES256, new CertificateRequest(name, ec, HashAlgorithmName.SHA256), ec),
            Make(realm, RS256, new CertificateRequest(name, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), rsa),
        ];
    }

    /// <summary>The realm's keys, oldest first.</summary>
    public async ValueTask<IReadOnlyList<RealmKey>> AllAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        await keysByRealm.GetAsync(realm, cancellationToken) ?? [];

    /// <summary>The newest key of the algorithm, which signs.</summary>
    public async ValueTask<RealmKey> SignerAsync(Id<Realm> realm, string algorithm, CancellationToken cancellationToken)
    {
        IReadOnlyList<RealmKey> keys = await AllAsync(realm, cancellationToken);
        for (int i = keys.Count - 1; i >= 0; i--)
        {
            if (keys[i].Algorithm == algorithm)
                return keys[i];
        }

        throw new InvalidOperationException($"The realm {realm} has no {algorithm} key.");
    }

    public void Dispose()
    {
        foreach (RealmKey key in opened.Values)
            key.Dispose();
    }

    private void Forget(Change change)
    {
        if (change.Kind == ChangeKind.SigningKeys && Id<Realm>.Parse(change.Name) is { } realm)
            keysByRealm.Forget(realm);
        else if (change.Kind == ChangeKind.Everything)
            keysByRealm.ForgetAll();
    }

    private async Task<IReadOnlyList<RealmKey>?> FindAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
    [
        .. (await realms.SigningKeysAsync(realm, cancellationToken)).Select(key => opened.GetOrAdd((key.RealmId, key.Kid), static (_, given) => given.Keys.Open(given.Key), (Keys: this, Key: key))),
    ];

    private SigningKey Make(Realm realm, string algorithm, CertificateRequest request, AsymmetricAlgorithm key)
    {
        DateTimeOffset now = clock.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
        string kid = Guid.CreateVersion7(now).ToString();
        byte[] pkcs8 = key.ExportPkcs8PrivateKey();
        try
        {
            return new SigningKey
            {
                RealmId = realm.Id,
                Kid = kid,
                Algorithm = algorithm,
                SealedPrivateKey = box.Seal(pkcs8, SecretPlaces.Of(realm.Id, kid)),
                Certificate = certificate.RawData,
                CreatedAt = now,
            };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    private RealmKey Open(SigningKey stored)
    {
        byte[] pkcs8 = box.Open(stored.SealedPrivateKey, SecretPlaces.Of(stored.RealmId, stored.Kid))
            ?? throw new KeyFileException(
                $"The signing key {stored.Kid} can't be decrypted with this key file. Start Atrium with the key file that the database was made with (--key-file).");
        try
        {
            return RealmKey.From(stored, pkcs8);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }
}
