using Atrium.Core.Imports;
using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Server.Transfer;

/// <summary>
/// Checks what lines say against each other and against the realm, changing nothing: that nothing is claimed twice, and that every membership
/// has its two ends above it or in the realm.
/// </summary>
internal sealed class ImportCheck(ImportStore store, Core.Id<Realm> realm)
{
    private readonly ImportLedger ledger = new();

    /// <summary>The lines that speak of something the realm has, and its id there.</summary>
    private readonly Dictionary<long, Guid> known = [];

    /// <summary>How many of the entries the realm has already.</summary>
    public long Kept { get; private set; }

    public async Task<IReadOnlyList<ImportProblem>> CheckAsync(IReadOnlyList<ImportEntry> entries, CancellationToken cancellationToken)
    {
        List<ImportProblem> problems = [];
        IReadOnlyDictionary<ClaimKey, Guid> taken = await store.TakenAsync(realm, entries.SelectMany(KeysOf), cancellationToken);
        List<(ImportedMembership Entry, string User, string Organization)> memberships = [];
        foreach (ImportEntry entry in entries)
        {
            if (entry is not ImportedMembership membership)
                Decide(entry.Line, [.. entry.Claims], taken, problems);
            else if (Resolve(membership, membership.User, taken, problems) is { } user && Resolve(membership, membership.Organization, taken, problems) is { } organization)
                memberships.Add((membership, user, organization));
        }

        // Only a pair whose two ends the realm has can be a membership of the realm.
        IReadOnlyDictionary<ClaimKey, Guid> takenPairs = await store.TakenAsync(
            realm,
            memberships.SelectMany(static found => found.Entry.ClaimsOf(found.User, found.Organization)).Select(static claim => claim.Key)
                .Where(static key => key.Kind != ClaimKind.MembershipPair || !key.Value.Contains('L', StringComparison.Ordinal)),
            cancellationToken);
        foreach ((ImportedMembership entry, string user, string organization) in memberships)
            Decide(entry.Line, [.. entry.ClaimsOf(user, organization)], takenPairs, problems);
        return problems;
    }

    private static IEnumerable<ClaimKey> KeysOf(ImportEntry entry) => entry is ImportedMembership membership
        ? [membership.User.Key, membership.Organization.Key]
        : entry.Claims.Select(static claim => claim.Key);

    private void Decide(long line, Claim[] claims, IReadOnlyDictionary<ClaimKey, Guid> taken, List<ImportProblem> problems)
    {
        if (ledger.Enter(line, claims) is { } twice)
        {
            problems.Add(twice);
            return;
        }

        switch (ImportRules.Decide(line, claims, taken))
        {
            case ImportDecision.Keep(var id):
                known[line] = id;
                Kept++;
                break;
            case ImportDecision.Refuse(var problem):
                problems.Add(problem);
                break;
        }
    }

    /// <summary>What stands for an end, however the line names it: its id if the realm has it, else its line.</summary>
    private string? Resolve(ImportedMembership entry, Claim end, IReadOnlyDictionary<ClaimKey, Guid> taken, List<ImportProblem> problems)
    {
        if (ledger.LineOf(end.Key) is { } line)
            return known.TryGetValue(line, out Guid id) ? id.ToString("N") : $"L{line}";
        if (taken.TryGetValue(end.Key, out Guid inRealm))
            return inRealm.ToString("N");
        problems.Add(new ImportProblem(entry.Line, end.Field, $"names no {ImportRules.Noun(end.Key.Kind)} that is on a line above or in the realm"));
        return null;
    }
}
