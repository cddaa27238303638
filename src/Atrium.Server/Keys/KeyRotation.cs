using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Server.Keys;

/// <summary>
/// Exchanges the key under which secrets are sealed, while servers run. Each step is durable before the next begins, so that a rotation that was
/// stopped anywhere goes on when it is started again, and at no moment is anything sealed under a key that a node lacks:
/// the new key is put into the file; every node has it; the database says that it seals; every node seals under it; what is sealed under the old
/// one is sealed anew; the old one is forgotten and removed from the file.
/// </summary>
public sealed class KeyRotation(StorageKeyStore store, NodeStore nodes, TimeProvider clock)
{
    private const int BatchSize = 200;

    /// <summary>Nodes look at the key file and the database every few seconds.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>What a node sealed under the old key just before it changed is committed within this time: a statement takes ten seconds at most.</summary>
    private static readonly TimeSpan InFlight = TimeSpan.FromSeconds(15);

    /// <summary>True when the key is exchanged; false when an operator has to do something first, and what was then said.</summary>
    /// <exception cref="KeyFileException">The file can't be used or written.</exception>
    public async Task<bool> RunAsync(KeyFile file, Action<string> say, CancellationToken cancellationToken)
    {
        StorageKeys keys = await store.FindAsync(cancellationToken) ?? throw new InvalidOperationException("The keys were recorded when the database was opened.");
        if (keys.Opening.Count == 0)
        {
            if (file.Keys[^1].Fingerprint == keys.Sealing)
            {
                file = file.With([.. file.Keys, StorageKey.New()]);
                say($"Added a new key, {file.Keys[^1].Fingerprint}, to {file.Path}.");
            }

            string added = file.Keys[^1].Fingerprint;
            if (!await EveryNodeAsync(node => node.Keys.Contains(added), say, "to read the new key", cancellationToken))
            {
                say($"Copy {file.Path} to these nodes and run this again; they need no restart. Until then, everything is as it was.");
                return false;
            }

            await store.SealUnderAsync(added, clock.GetUtcNow(), cancellationToken);
            keys = (await store.FindAsync(cancellationToken))!;
        }

        say($"New secrets are sealed under {keys.Sealing}.");
        if (!await EveryNodeAsync(node => node.Keys[0] == keys.Sealing, say, "to seal under it", cancellationToken))
        {
            say("See what these nodes log about the key file, then run this again.");
            return false;
        }

        // A node that runs may have sealed something a moment ago.
        if ((await nodes.ListAsync(cancellationToken)).Count > 0)
            await Task.Delay(InFlight, clock, cancellationToken);
        await SealAnewAsync(file, keys.Sealing, say, cancellationToken);
        await store.ForgetAsync(keys.Opening, cancellationToken);
        file.With([file.Find(keys.Sealing)!]);
        say($"The old key, {string.Join(", ", keys.Opening)}, opens nothing any more and is out of {file.Path}. Back that file up, and copy it to the other nodes.");
        return true;
    }

    private async Task<bool> EveryNodeAsync(Func<Node, bool> isReady, Action<string> say, string what, CancellationToken cancellationToken)
    {
        long begun = clock.GetTimestamp();
        bool said = false;
        while (true)
        {
            Node[] late = [.. (await nodes.ListAsync(cancellationToken)).Where(node => !isReady(node))];
            if (late.Length == 0)
                return true;
            string hosts = string.Join(", ", late.Select(static node => node.Host));
            if (!said)
                say($"Waiting for {hosts} {what} ...");
            said = true;
            if (clock.GetElapsedTime(begun) > Patience)
            {
                say($"Not yet: {hosts}.");
                return false;
            }

            await Task.Delay(Pause, clock, cancellationToken);
        }
    }

    private async Task SealAnewAsync(KeyFile file, string sealing, Action<string> say, CancellationToken cancellationToken)
    {
        SecretBox current = new([file.Find(sealing)!]);
        SecretBox all = new([.. file.Keys]);
        int count = 0, unopened = 0;
        foreach (Id<Realm> realm in await store.RealmsAsync(cancellationToken))
        {
            await SealAsync(SealedColumns.SigningKeys, realm, key => SecretPlaces.Of(realm, key));
            await SealAsync(SealedColumns.Factors, realm, key => SecretPlaces.Of(realm, key));
            await SealAsync(SealedColumns.FactorEnrolments, realm, key => SecretPlaces.Of(realm, key));
            await SealAsync(SealedColumns.RecoveryCodes, realm, key => SecretPlaces.Of(realm, key));
            await SealAsync(SealedColumns.EmailVerifications, realm, key => SecretPlaces.Of(realm, key));
            await SealAsync(SealedColumns.Connections, realm, key => SecretPlaces.Of(realm, key));
            await SealAsync(SealedColumns.WebhookSecrets, realm, key => SecretPlaces.Of(realm, key));
            await SealAsync(SealedColumns.Mails, realm, key => SecretPlaces.Of(realm, key));
        }

        say($"Sealed anew: {count} secrets.");
        if (unopened > 0)
            say($"{unopened} secrets were opened by no key, before either; they are left as they are.");

        async Task SealAsync<TKey>(SealedColumn<TKey> column, Id<Realm> realm, Func<TKey, byte[]> placeOf)
        {
            TKey after = column.First;
            while (await store.NextAsync(column, realm, after, BatchSize, cancellationToken) is [.., { } last] batch)
            {
                List<(SealedValue<TKey> Old, byte[] New)> anew = [];
                foreach (SealedValue<TKey> value in batch)
                {
                    byte[] place = placeOf(value.Key);
                    if (current.Open(value.Value, place) is not null)
                        continue;
                    if (all.Open(value.Value, place) is { } plain)
                        anew.Add((value, current.Seal(plain, place)));
                    else
                        unopened++;
                }

                await store.ReplaceAsync(column, realm, anew, cancellationToken);
                count += anew.Count;
                if (anew.Count == BatchSize)
                    say($"Sealed anew: {count} secrets so far ...");
                after = last.Key;
            }
        }
    }
}
