using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Server.Hosting;
using Atrium.Storage;

namespace Atrium.Server.Keys;

/// <summary>Makes, keeps and finds the keys that realms sign with.</summary>
public sealed class RealmKeys : IDisposable
{
    public const string ES256 = "ES256";
    public const string RS256 = "RS256";

    private readonly SigningKeyStore store;
    private readonly SecretBox box;
    private readonly TimeProvider clock;
    private readonly Remembered<Id<Realm>, OpenedKeys> keysByRealm;

    /// <summary>A key that was opened stays open, remembered or not: somebody may be signing with it.</summary>
    private readonly ConcurrentDictionary<(Id<Realm> Realm, string Kid), RealmKey> opened = new();

    public RealmKeys(SigningKeyStore store, SecretBox box, ChangeFeed changes, TimeProvider clock)
    {
        this.store = store;
        this.box = box;
        this.clock = clock;
        keysByRealm = new(changes, clock, FindAsync);
        changes.Subscribe(Forget);
    }

    /// <summary>Every realm has a key of each.</summary>
    private static readonly string[] Algorithms = [ES256, RS256];

    public static bool IsAlgorithm(string name) => Algorithms.Contains(name);

    /// <summary>
    /// The first keys of a new realm: ES256 to sign fast, RS256 for the clients that know nothing else; and those that will take their place, so that
    /// verifiers know them long before.
    /// </summary>
    public IReadOnlyList<SigningKey> MakeFor(Realm realm)
    {
        DateTimeOffset now = clock.GetUtcNow();
        return [.. Algorithms.Select(algorithm => Make(realm.Id, algorithm) with { ActivatedAt = now }), .. Algorithms.Select(algorithm => Make(realm.Id, algorithm))];
    }

    /// <summary>Lets the next keys of the realm sign from now on, on every node; those that no other has replaced then.</summary>
    public async Task<IReadOnlyList<SigningKey>> RotateAsync(Id<Realm> realm, Origin origin, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        IReadOnlyList<SigningKey> known = await store.PublishedAsync(realm, now, cancellationToken);
        SigningKey[] made =
        [
            .. Algorithms.SelectMany(algorithm => Enumerable.Range(0, known.Any(key => key.Algorithm == algorithm && key.StatusAt(now) == SigningKeyStatus.Next) ? 1 : 2)
                .Select(_ => Make(realm, algorithm))),
        ];
        return await store.RotateAsync(realm, made, now, origin, cancellationToken);
    }

    /// <summary>The keys that a token of the realm may be signed with, the active ones first; the next ones too, since another node may use them already.</summary>
    public async ValueTask<IReadOnlyList<RealmKey>> AllAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        (await keysByRealm.GetAsync(realm, cancellationToken))?.All ?? [];

    /// <summary>The active key of the algorithm.</summary>
    public async ValueTask<RealmKey> SignerAsync(Id<Realm> realm, string algorithm, CancellationToken cancellationToken) =>
        (await keysByRealm.GetAsync(realm, cancellationToken))?.Signers.GetValueOrDefault(algorithm)
            ?? throw new InvalidOperationException($"The realm {realm} has no {algorithm} key.");

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

    private async Task<OpenedKeys?> FindAsync(Id<Realm> realm, CancellationToken cancellationToken)
    {
        List<RealmKey> all = [];
        Dictionary<string, RealmKey> signers = new(StringComparer.Ordinal);
        DateTimeOffset now = clock.GetUtcNow();

        // The key set begins with the keys that sign: there are verifiers that look at the first of a kind only.
        foreach (SigningKey key in (await store.PublishedAsync(realm, now, cancellationToken)).OrderBy(key => key.StatusAt(now) != SigningKeyStatus.Active))
        {
            RealmKey open = opened.GetOrAdd((key.RealmId, key.Kid), static (_, given) => given.Keys.Open(given.Key), (Keys: this, Key: key));
            all.Add(open);
            if (key is { ActivatedAt: not null, ReplacedAt: null })
                signers[key.Algorithm] = open;
        }

        return new(all, signers);
    }

    private SigningKey Make(Id<Realm> realm, string algorithm)
    {
        // The issuer of its tokens is named by the token; the certificate only carries the key.
        X500DistinguishedName name = new($"CN=Atrium {realm}");
        if (algorithm == ES256)
        {
            using ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return Make(realm, ES256, new CertificateRequest(name, ec, HashAlgorithmName.SHA256), ec);
        }

        using RSA rsa = RSA.Create(2048);
        return Make(realm, RS256, new CertificateRequest(name, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), rsa);
    }

    private SigningKey Make(Id<Realm> realm, string algorithm, CertificateRequest request, AsymmetricAlgorithm key)
    {
        DateTimeOffset now = clock.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
        string kid = Guid.CreateVersion7(now).ToString();
        byte[] pkcs8 = key.ExportPkcs8PrivateKey();
        try
        {
            return new SigningKey
            {
                RealmId = realm,
                Kid = kid,
                Algorithm = algorithm,
                SealedPrivateKey = box.Seal(pkcs8, SecretPlaces.Of(realm, kid)),
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

    /// <summary>What is published, and of each algorithm the one that signs.</summary>
    private sealed record OpenedKeys(IReadOnlyList<RealmKey> All, IReadOnlyDictionary<string, RealmKey> Signers);
}
