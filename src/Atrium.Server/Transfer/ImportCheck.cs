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
        List<(ImportedMembership Entry, End User, End Organization)> memberships = [];
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
            memberships.SelectMany(static found => found.Entry.ClaimsOf(found.User.Text, found.Organization.Text)
                .Where(claim => claim.Key.Kind != ClaimKind.MembershipPair || (found.User.InRealm && found.Organization.InRealm))
                .Select(static claim => claim.Key)),
            cancellationToken);
        foreach ((ImportedMembership entry, End user, End organization) in memberships)
            Decide(entry.Line, [.. entry.ClaimsOf(user.Text, organization.Text)], takenPairs, problems);
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

    /// <summary>The same end however the line names it.</summary>
    private End? Resolve(ImportedMembership entry, Claim end, IReadOnlyDictionary<ClaimKey, Guid> taken, List<ImportProblem> problems)
    {
        if (ledger.LineOf(end.Key) is { } line)
            return known.TryGetValue(line, out Guid id) ? End.Of(id) : new End($"line {line}", InRealm: false);
        if (taken.TryGetValue(end.Key, out Guid inRealm))
            return End.Of(inRealm);
        problems.Add(new ImportProblem(entry.Line, end.Field, $"names no {ImportRules.Noun(end.Key.Kind)} that is on a line above or in the realm"));
        return null;
    }

    /// <summary>An end of a membership: by its id where the realm has it, else by its line.</summary>
    private readonly record struct End(string Text, bool InRealm)
    {
        public static End Of(Guid id) => new(id.ToString("N"), InRealm: true);
    }
}
