using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Server.Keys;

/// <summary>
/// The keys of this process: those of the key file, and of them the one that the database says new secrets are sealed under. Both may change
/// while a server runs, and no restart is needed for it.
/// </summary>
public sealed class StorageKeyRing
{
    private readonly StorageKeyStore store;
    private KeyFile file;

    private StorageKeyRing(StorageKeyStore store, KeyFile file, StorageKeys needed)
    {
        this.store = store;
        this.file = file;
        Sealing = needed.Sealing;
        Box = new SecretBox(InOrder(file, needed.Sealing));
    }

    /// <summary>Seals and opens secrets with the keys.</summary>
    public SecretBox Box { get; }

    /// <summary>The fingerprint of the key that seals.</summary>
    public string Sealing { get; private set; }

    /// <summary>Fingerprints of all keys, the one that seals first.</summary>
    public IReadOnlyList<string> Fingerprints => [Sealing, .. file.Keys.Select(static key => key.Fingerprint).Where(fingerprint => fingerprint != Sealing)];

    /// <summary>Takes the keys of the file, once it is sure that they are the database's.</summary>
    /// <exception cref="KeyFileException">The database's secrets are sealed under a key that is not in the file.</exception>
    public static async Task<StorageKeyRing> OpenAsync(StorageKeyStore store, SigningKeyStore signingKeys, KeyFile file, DateTimeOffset now, CancellationToken cancellationToken)
    {
        StorageKeys? needed = await store.FindAsync(cancellationToken);
        if (needed is null)
        {
            if (await UnopenedAsync(store, signingKeys, file, cancellationToken) is { } unopened)
                throw new KeyFileException(unopened);
            needed = await store.RecordAsync(
                new StorageKeys(file.Keys[^1].Fingerprint, [.. file.Keys.SkipLast(1).Select(static key => key.Fingerprint)]), now, cancellationToken);
        }

        return Missing(file, needed.All) is { } missing ? throw new KeyFileException(missing) : new StorageKeyRing(store, file, needed);
    }

    /// <summary>
    /// Takes over what changed: keys that were added to the file or removed from it, and which of them seals. Null when all is well, otherwise
    /// why the old state goes on.
    /// </summary>
    public async Task<string?> RefreshAsync(CancellationToken cancellationToken)
    {
        KeyFile now = file.Reload();
        StorageKeys needed = await store.FindAsync(cancellationToken) ?? throw new InvalidOperationException("The keys were recorded at the start.");
        if (Missing(now, needed.All) is { } missing)
            return missing;
        (file, Sealing) = (now, needed.Sealing);
        Box.Use(InOrder(now, needed.Sealing));
        return null;
    }

    /// <summary>Which of the keys that a database needs are not in the file, in a sentence; null when all are.</summary>
    public static string? Missing(KeyFile file, IEnumerable<string> needed)
    {
        string[] missing = [.. needed.Where(fingerprint => file.Find(fingerprint) is null)];
        return missing.Length == 0
            ? null
            : $"The secrets in the database are sealed under the key {string.Join(" and ", missing)}, but the key file {file.Path} has "
                + $"{string.Join(" and ", file.Keys.Select(static key => key.Fingerprint))}. Put the right key file there: the one of the node where the key was made or exchanged last.";
    }

    /// <summary>The first signing key that no key of the file opens, in a sentence; null when all are opened.</summary>
    public static async Task<string?> UnopenedAsync(StorageKeyStore store, SigningKeyStore signingKeys, KeyFile file, CancellationToken cancellationToken)
    {
        SecretBox box = new([.. file.Keys]);
        foreach (Id<Realm> realm in await store.RealmsAsync(cancellationToken))
        {
            foreach (SigningKey key in await signingKeys.AllAsync(realm, cancellationToken))
            {
                if (box.Open(key.SealedPrivateKey, SecretPlaces.Of(realm, key.Kid)) is null)
                {
                    return $"The signing key {key.Kid} of {realm} can't be decrypted with the key file {file.Path}. "
                        + "Name the key file that the database was made with (--key-file), or put it there.";
                }
            }
        }

        return null;
    }

    private static StorageKey[] InOrder(KeyFile file, string sealing) =>
        [file.Find(sealing)!, .. file.Keys.Where(key => key.Fingerprint != sealing)];
}
