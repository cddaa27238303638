using System.Data.Common;
using System.Diagnostics;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Server.Passwords;
using Atrium.Storage;

namespace Atrium.Server.Cli;

/// <summary>Looks at everything that a server stands on. It makes nothing and changes nothing: no database, no key file, no step of the schema.</summary>
public sealed class Doctor(AtriumOptions options, TimeProvider clock)
{
    /// <summary>Tokens of one node are checked by another; the protocols allow for a little.</summary>
    private static readonly TimeSpan LargestSkew = TimeSpan.FromSeconds(2);

    public async Task<IReadOnlyList<Finding>> ExamineAsync(CancellationToken cancellationToken) =>
    [
        .. await DatabaseAsync(cancellationToken),
        await HashingAsync(cancellationToken),
        SignaturesFinding(),
        await MailDoctor.TransportAsync(options, cancellationToken),
    ];

    private async Task<List<Finding>> DatabaseAsync(CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        try
        {
            await using Database database = await Database.OpenAsItIsAsync(options.Database, cancellationToken);
            findings.Add(Finding.Good("database", database.Description));
            findings.AddRange(await database.ExamineAsync(cancellationToken));
            long schema = await database.SchemaAsync(cancellationToken);
            findings.Add(SchemaFinding(schema));
            if (schema is > 0 && schema <= Database.KnownSchema)
            {
                findings.AddRange(await KeysAsync(database, schema, cancellationToken));
                findings.AddRange(await ClockAsync(database, cancellationToken));
                findings.AddRange(await MailDoctor.QueueAsync(database, schema, cancellationToken));
                if (schema >= StorageKeyStore.Since)
                    findings.AddRange(NodesFindings(await new NodeStore(database).ListAsync(cancellationToken)));
            }
        }
        catch (DatabaseConfigurationException e)
        {
            findings.Add(Finding.Bad("database", e.Message, "Put that right, then look again; the other matters of the database were not looked at."));
        }
        catch (Exception e) when (e is DbException or DatabaseUnavailableException)
        {
            findings.Add(Finding.Bad("database", $"it did not answer: {e.Message}", "See whether the server and the disk are well, then look again."));
        }

        return findings;
    }

    private static Finding SchemaFinding(long schema) => schema switch
    {
        0 => Finding.Bad("schema", "there are no tables of Atrium", "Start the server once, which makes them, or name the right database with --database."),
        _ when schema == Database.KnownSchema => Finding.Good("schema", $"{schema}, which this program makes"),
        _ when schema < Database.KnownSchema => Finding.Warning(
            "schema", $"{schema}; this program makes {Database.KnownSchema}", "Take a backup; the next start of the server does the rest."),
        _ => Finding.Bad("schema", $"{schema}; this program knows up to {Database.KnownSchema}", "Use a version of Atrium at least as new as the one that wrote it."),
    };

    private async Task<List<Finding>> KeysAsync(Database database, long schema, CancellationToken cancellationToken)
    {
        const string matter = "key file";
        try
        {
            string path = Backbone.KeyFilePath(options);
            if (!File.Exists(path))
                return [Finding.Bad(matter, $"there is none at {path}", "Put the key file there that the database was made with, or name it with --key-file: without it no server starts.")];
            KeyFile file = KeyFile.Load(path);
            StorageKeyStore store = new(database);
            List<Finding> findings = [];
            if (file.Warning is { } warning)
                findings.Add(Finding.Warning(matter, warning, "Whoever reads it can open the secrets in a copy of the database."));
            StorageKeys? needed = schema >= StorageKeyStore.Since ? await store.FindAsync(cancellationToken) : null;
            string? problem = (needed is null ? null : StorageKeyRing.Missing(file, needed.All))
                ?? await StorageKeyRing.UnopenedAsync(store, new SigningKeyStore(database), file, cancellationToken);
            if (problem is not null)
                findings.Add(Finding.Bad(matter, problem, "Until then no server starts, and one that runs can't sign."));
            else
                findings.Add(Finding.Good(matter, $"{file.Path} opens every signing key; its keys are {string.Join(" and ", file.Keys.Select(static key => key.Fingerprint))}"));
            if (problem is null && needed is not null && (needed.Opening.Count > 0 || file.Keys[^1].Fingerprint != needed.Sealing))
                findings.Add(Finding.Warning(matter, "the exchange of the key is not finished", "Run: atrium key-file rotate"));
            return findings;
        }
        catch (KeyFileException e)
        {
            return [Finding.Bad(matter, e.Message, "Without it no server starts on this database.")];
        }
    }

    private async Task<List<Finding>> ClockAsync(Database database, CancellationToken cancellationToken)
    {
        const string matter = "clock";
        TimeSpan skew = clock.GetUtcNow() - await new NodeStore(database).ClockAsync(cancellationToken);
        if (skew.Duration() > LargestSkew)
            return [Finding.Bad(matter, $"this machine's is {Seconds(skew)} off the database's", "Set both by NTP.")];
        SessionStore sessions = new(database);
        DateTimeOffset newest = DateTimeOffset.MinValue;
        foreach (Id<Realm> realm in await new StorageKeyStore(database).RealmsAsync(cancellationToken))
        {
            if (await sessions.NewestAsync(realm, cancellationToken) is { } made && made > newest)
                newest = made;
        }

        return newest > clock.GetUtcNow() + LargestSkew
            ? [Finding.Bad(matter, $"the last session was made at {newest:u}, which is in the future", "A clock was or is wrong: set this machine's by NTP. Sessions made then end late.")]
            : [Finding.Good(matter, $"agrees with the database's ({Seconds(skew)})")];
    }

    private IEnumerable<Finding> NodesFindings(IReadOnlyList<Node> nodes)
    {
        const string matter = "nodes";
        if (nodes.Count == 0)
        {
            yield return Finding.Good(matter, "no server runs on this database");
            if (options.PublicUrl is { } mine)
                yield return PublicUrlFinding([mine]);
            yield break;
        }

        yield return Finding.Good(matter, string.Join("; ", nodes.Select(static node => $"{node.Host}, Atrium {node.Version}, since {node.StartedAt:u}")));
        foreach (Node node in nodes.Where(static node => (node.Clock - node.SeenAt).Duration() > LargestSkew))
            yield return Finding.Bad(matter, $"the clock of {node.Host} is {Seconds(node.Clock - node.SeenAt)} off the database's", "Set both by NTP.");
        if (nodes.Select(static node => node.Version).Distinct().Count() > 1)
            yield return Finding.Warning(matter, "they run different versions", "Fine while an upgrade goes on; bring all to the newest.");
        if (nodes.Select(static node => string.Join(' ', node.Keys)).Distinct().Count() > 1)
            yield return Finding.Warning(matter, $"their key files differ: {string.Join("; ", nodes.Select(static node => $"{node.Host} has {string.Join(" and ", node.Keys)}"))}", "Copy the newest to all; they need no restart.");
        if (nodes.Select(static node => node.PublicUrl).Where(static url => url.Length > 0).Distinct().ToArray() is { Length: > 0 } urls)
            yield return PublicUrlFinding(urls);
    }

    private static Finding PublicUrlFinding(string[] urls)
    {
        const string matter = "public URL";
        if (urls is not [string url])
            return Finding.Bad(matter, $"the nodes don't agree: {string.Join(", ", urls)}; tokens of one are no tokens to the other", "Start all with the same --public-url.");
        return url.StartsWith("https://", StringComparison.Ordinal) || new Uri(url).IsLoopback
            ? Finding.Good(matter, url)
            : Finding.Warning(matter, $"{url} is not https: passwords and tokens can be read on the way", "Put a proxy with TLS in front and name its address with --public-url https://...");
    }

    private static async Task<Finding> HashingAsync(CancellationToken cancellationToken)
    {
        using PasswordHasher hasher = new();
        Stopwatch watch = Stopwatch.StartNew();
        await hasher.HashAsync("a password of usual length", cancellationToken);
        string text = $"{hasher.Description} One takes {watch.ElapsedMilliseconds} ms here.";
        return hasher.UsesFallback
            ? Finding.Warning("hashing", text, $"Install {Argon2Library.Name} (Debian: libargon2-1).")
            : Finding.Good("hashing", text);
    }

    private Finding SignaturesFinding()
    {
        const string matter = "signing";
        return new Ed25519(options.UsesLibsodium).IsAvailable
            ? Finding.Good(matter, "ES256, RS256 and EdDSA")
            : Finding.Warning(matter, "ES256 and RS256, but not EdDSA", $"{Ed25519.Missing} Install it on every node if a client is to use it; nothing else needs it.");
    }

    private static string Seconds(TimeSpan span) => $"{span.TotalSeconds:+0.000;-0.000} s";
}
