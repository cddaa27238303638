using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Atrium.Core;
using Atrium.Core.Clients;
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
    public const string EdDSA = ClientRules.EdDsa;

    private readonly SigningKeyStore store;
    private readonly SecretBox box;
    private readonly Ed25519 ed25519;
    private readonly TimeProvider clock;
    private readonly Remembered<Id<Realm>, OpenedKeys> keysByRealm;

    /// <summary>A key that was opened stays open, remembered or not: somebody may be signing with it.</summary>
    private readonly ConcurrentDictionary<(Id<Realm> Realm, string Kid), RealmKey> opened = new();

    public RealmKeys(SigningKeyStore store, SecretBox box, Ed25519 ed25519, ChangeFeed changes, TimeProvider clock)
    {
        this.store = store;
        this.box = box;
        this.ed25519 = ed25519;
        this.clock = clock;
        keysByRealm = new(changes, clock, FindAsync);
        changes.Subscribe(Forget);
        Algorithms = ed25519.IsAvailable ? [ES256, RS256, EdDSA] : [ES256, RS256];
    }

    /// <summary>What this server makes keys of: every realm gets one of each.</summary>
    public IReadOnlyList<string> Algorithms { get; }

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
        return await store.RotateAsync(realm, current => SigningKeyRotation.Of(current, made, now), now, origin, cancellationToken);
    }

    /// <summary>Does what time asks for: lets next keys take over from those that have signed for long enough. Whether anything was due.</summary>
    public async Task<bool> RotateDueAsync(Realm realm, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        TimeSpan? period = realm.Settings.SigningKeyPeriod;
        SigningKey[] known = [.. (await store.PublishedAsync(realm.Id, now, cancellationToken)).Where(static key => key.ReplacedAt is null)];
        IReadOnlyList<string> due = SigningKeyRotation.DueAlgorithms(known, Algorithms, period, now);
        if (due.Count == 0)
            return false;

        // Another node may be as far; who comes second finds nothing due, and what it made is thrown away.
        SigningKey[] made = [.. due.Select(algorithm => Make(realm.Id, algorithm))];
        await store.RotateAsync(realm.Id, current => SigningKeyRotation.Due(current, made, period, now), now, Origin.System, cancellationToken);
        return true;
    }

    /// <summary>The keys that a token of the realm may be signed with, the active ones first; the next ones too, since another node may use them already.</summary>
    public async ValueTask<IReadOnlyList<RealmKey>> AllAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        (await keysByRealm.GetAsync(realm, cancellationToken))?.All ?? [];

    /// <summary>The active key of the algorithm; null where the realm has none.</summary>
    public async ValueTask<RealmKey?> FindSignerAsync(Id<Realm> realm, string algorithm, CancellationToken cancellationToken) =>
        (await keysByRealm.GetAsync(realm, cancellationToken))?.Signers.GetValueOrDefault(algorithm);

    /// <summary>The active key of an algorithm that the realm has.</summary>
    public async ValueTask<RealmKey> SignerAsync(Id<Realm> realm, string algorithm, CancellationToken cancellationToken) =>
        await FindSignerAsync(realm, algorithm, cancellationToken) ?? throw new InvalidOperationException($"The realm {realm} has no {algorithm} key.");

    /// <summary>The algorithms that the realm signs with, at one node or another.</summary>
    public async ValueTask<IReadOnlyList<string>> AlgorithmsOfAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        await keysByRealm.GetAsync(realm, cancellationToken) is { } known ? [.. ClientRules.SignatureAlgorithms.Where(known.Signers.ContainsKey)] : [];

    /// <summary>Whether a client of the realm may have its tokens signed with EdDSA.</summary>
    public async ValueTask<EdDsaSupport> EdDsaOfAsync(Id<Realm> realm, CancellationToken cancellationToken) =>
        !ed25519.IsAvailable ? EdDsaSupport.NoLibrary
            : await FindSignerAsync(realm, EdDSA, cancellationToken) is null ? EdDsaSupport.NoKeyYet
            : EdDsaSupport.Here;

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
        switch (algorithm)
        {
            case ES256:
                using (ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256))
                    return Make(realm, ES256, ec.ExportPkcs8PrivateKey(), Certify(new CertificateRequest(name, ec, HashAlgorithmName.SHA256)));
            case RS256:
                using (RSA rsa = RSA.Create(2048))
                    return Make(realm, RS256, rsa.ExportPkcs8PrivateKey(), Certify(new CertificateRequest(name, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
            default:
                // .NET writes no certificate for such a key, and nobody asks for one.
                byte[] secretKey = ed25519.SecretKeyOf(RandomNumberGenerator.GetBytes(SodiumLibrary.SeedSize));
                SigningKey made = Make(realm, EdDSA, Ed25519Pkcs8.Write(secretKey), certificate: []);
                CryptographicOperations.ZeroMemory(secretKey);
                return made;
        }
    }

    private byte[] Certify(CertificateRequest request)
    {
        DateTimeOffset now = clock.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
        return certificate.RawData;
    }

    private SigningKey Make(Id<Realm> realm, string algorithm, byte[] pkcs8, byte[] certificate)
    {
        DateTimeOffset now = clock.GetUtcNow();
        string kid = Guid.CreateVersion7(now).ToString();
        try
        {
            return new SigningKey
            {
                RealmId = realm,
                Kid = kid,
                Algorithm = algorithm,
                SealedPrivateKey = box.Seal(pkcs8, SecretPlaces.Of(realm, kid)),
                Certificate = certificate,
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
            return RealmKey.From(stored, pkcs8, ed25519);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    /// <summary>What is published, and of each algorithm the one that signs.</summary>
    private sealed record OpenedKeys(IReadOnlyList<RealmKey> All, IReadOnlyDictionary<string, RealmKey> Signers);
}
