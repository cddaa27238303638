using System.Runtime.CompilerServices;
using Atrium.Core;
using Atrium.Core.Imports;
using Atrium.Core.Realms;
using Atrium.Server.Passwords;
using Atrium.Storage;

namespace Atrium.Server.Transfer;

/// <summary>How an import went.</summary>
/// <param name="Lines">How many lines had something on them.</param>
/// <param name="Added">What the realm did not have yet, or would get.</param>
/// <param name="Kept">What it had, and keeps as it was.</param>
/// <param name="Problems">The first of them, in the order of the file.</param>
/// <param name="ProblemCount">How many there were.</param>
public sealed record ImportReport(long Lines, long Added, long Kept, IReadOnlyList<ImportProblem> Problems, long ProblemCount);

/// <summary>How far it is: what is done, with how many lines, and which part of the file that is, where it is known.</summary>
public sealed record TransferProgress(string Doing, long Lines, double? Part);

/// <summary>
/// Imports a file in two passes. The first checks all of it and changes nothing; the second adds what the realm does not have, in small
/// transactions with a rest after each, so that people can sign in meanwhile. Broken off anywhere, the same import again does the rest.
/// </summary>
public sealed class Importer(ImportStore store, PasswordHasher hasher, TimeProvider clock)
{
    public const int ShownProblems = 100;

    public async Task<ImportReport> CheckAsync(Stream file, Id<Realm> realm, Action<TransferProgress> progress, CancellationToken cancellationToken)
    {
        ImportCheck check = new(store, realm);
        List<ImportProblem> shown = [];
        long lines = 0;
        long problems = 0;
        await foreach (Batch batch in BatchesAsync(file, realm, cancellationToken))
        {
            List<ImportProblem> found = [.. batch.Problems, .. await check.CheckAsync(batch.Entries, cancellationToken)];
            shown.AddRange(found.OrderBy(static problem => problem.Line).Take(ShownProblems - shown.Count));
            problems += found.Count;
            lines += batch.Lines;
            progress(new TransferProgress("Checked", lines, batch.Part));
        }

        return new ImportReport(lines, lines - check.Kept, check.Kept, shown, problems);
    }

    /// <summary>Adds what a file that was checked says. It stops at a problem that was none then: what is in stays, and the problem says where.</summary>
    public async Task<ImportReport> AddAsync(Stream file, Id<Realm> realm, Action<TransferProgress> progress, CancellationToken cancellationToken)
    {
        long lines = 0;
        long added = 0;
        long kept = 0;
        await foreach (Batch batch in BatchesAsync(file, realm, cancellationToken))
        {
            long began = clock.GetTimestamp();
            ImportedBatch done = batch.Problems.Count > 0
                ? new ImportedBatch(0, 0, batch.Problems)
                : await store.AddAsync(realm, batch.Entries, cancellationToken);
            if (done.Problems.Count > 0)
                return new ImportReport(lines, added, kept, done.Problems, done.Problems.Count);
            lines += batch.Lines;
            added += done.Added;
            kept += done.Kept;
            progress(new TransferProgress("Imported", lines, batch.Part));

            // As long as the batch took: half of the database's time is the others'.
            if (done.Added > 0)
                await Task.Delay(clock.GetElapsedTime(began), clock, cancellationToken);
        }

        return new ImportReport(lines, added, kept, [], 0);
    }

    private async IAsyncEnumerable<Batch> BatchesAsync(Stream file, Id<Realm> realm, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        LineParser parser = new(realm, hasher, clock);
        file.Position = 0;
        Batch batch = new();
        await foreach (Line line in LineReader.ReadAsync(file, cancellationToken))
        {
            int before = batch.Problems.Count;
            ImportEntry? entry = parser.Parse(line, batch.Problems);
            if (entry is not null && batch.Problems.Count == before)
                batch.Entries.Add(entry);
            batch.Lines++;
            batch.Part = (double)line.End / Math.Max(1, file.Length);
            if (batch.Lines == store.BatchSize)
            {
                yield return batch;
                batch = new();
            }
        }

        if (batch.Lines > 0)
            yield return batch;
    }

    private sealed class Batch
    {
        public List<ImportEntry> Entries { get; } = [];

        public List<ImportProblem> Problems { get; } = [];

        public int Lines { get; set; }

        public double Part { get; set; }
    }
}
