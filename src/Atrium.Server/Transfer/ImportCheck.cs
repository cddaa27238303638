using Atrium.Core.Imports;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Storage;

namespace Atrium.Server.Transfer;

/// <summary>
/// Checks what lines say against each other and against the realm, changing nothing: that nothing is claimed twice, and that whatever a line
/// refers to is above it or in the realm.
/// </summary>
internal sealed class ImportCheck(ImportStore store, Core.Id<Realm> realm)
{
    private readonly ImportLedger ledger = new();

    /// <summary>The lines that speak of something the realm has, and its id there.</summary>
    private readonly Dictionary<long, Guid> known = [];

    /// <summary>How deep the organizations stand that have a parent, by their lines.</summary>
    private readonly Dictionary<string, int> depths = new(StringComparer.Ordinal);

    /// <summary>How many of the entries the realm has already.</summary>
    public long Kept { get; private set; }

    public async Task<IReadOnlyList<ImportProblem>> CheckAsync(IReadOnlyList<ImportEntry> entries, CancellationToken cancellationToken)
    {
        List<ImportProblem> problems = [];
        IReadOnlyDictionary<ClaimKey, Guid> taken = await store.TakenAsync(realm, entries.SelectMany(KeysOf), cancellationToken);
        List<(long Line, Claim[] Claims, bool InRealm)> linked = [];
        List<(ImportedOrganization Entry, End Parent)> children = [];
        foreach (ImportEntry entry in entries)
        {
            switch (entry)
            {
                case ImportedMembership membership:
                    if (Resolve(membership, membership.User, taken, problems) is { } user && Resolve(membership, membership.Organization, taken, problems) is { } joined)
                        linked.Add((entry.Line, [.. membership.ClaimsOf(user.Text, joined.Text)], user.InRealm && joined.InRealm));
                    break;
                case ImportedRole { Organization: { } owner } role:
                    if (Resolve(role, owner, taken, problems) is { } having)
                        linked.Add((entry.Line, [.. role.ClaimsOf(having.Text)], having.InRealm));
                    break;
                case ImportedOrganization { Parent: { } parent } child:
                    if (Resolve(child, parent, taken, problems) is { } above)
                        children.Add((child, above));
                    Decide(entry.Line, [.. entry.Claims], taken, problems);
                    break;
                default:
                    Decide(entry.Line, [.. entry.Claims], taken, problems);
                    break;
            }
        }

        // Only what hangs on things that the realm has can be in the realm.
        IReadOnlyDictionary<ClaimKey, Guid> takenLinks = await store.TakenAsync(
            realm,
            linked.SelectMany(static entry => entry.Claims
                .Where(claim => claim.Key.Kind == ClaimKind.MembershipId || entry.InRealm)
                .Select(static claim => claim.Key)),
            cancellationToken);
        foreach ((long line, Claim[] claims, bool _) in linked)
            Decide(line, claims, takenLinks, problems);
        await CheckDepthAsync(children, problems, cancellationToken);
        return problems;
    }

    private static IEnumerable<ClaimKey> KeysOf(ImportEntry entry) => entry switch
    {
        ImportedMembership membership => [membership.User.Key, membership.Organization.Key],
        ImportedRole { Organization: { } organization } => [organization.Key],
        ImportedOrganization { Parent: { } parent } child => child.Claims.Select(static claim => claim.Key).Append(parent.Key),
        _ => entry.Claims.Select(static claim => claim.Key),
    };

    /// <summary>A parent stands above its children, in the file too, so its depth is known by then.</summary>
    private async Task CheckDepthAsync(
        List<(ImportedOrganization Entry, End Parent)> children, List<ImportProblem> problems, CancellationToken cancellationToken)
    {
        if (children.Count == 0)
            return;
        IReadOnlyDictionary<Guid, int> inRealm = await store.DepthsAsync(
            realm, [.. children.Where(static child => child.Parent.InRealm).Select(static child => Guid.ParseExact(child.Parent.Text, "N"))], cancellationToken);
        foreach ((ImportedOrganization entry, End parent) in children)
        {
            int above = parent.InRealm ? inRealm.GetValueOrDefault(Guid.ParseExact(parent.Text, "N"), 1) : depths.GetValueOrDefault(parent.Text, 1);
            depths[End.OnLine(entry.Line).Text] = above + 1;
            if (above >= OrganizationRules.MaxDepth && !known.ContainsKey(entry.Line))
                problems.Add(ImportRules.TooDeep(entry));
        }
    }

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
    private End? Resolve(ImportEntry entry, Claim end, IReadOnlyDictionary<ClaimKey, Guid> taken, List<ImportProblem> problems)
    {
        if (ledger.LineOf(end.Key) is { } line)
            return known.TryGetValue(line, out Guid id) ? End.Of(id) : End.OnLine(line);
        if (taken.TryGetValue(end.Key, out Guid inRealm))
            return End.Of(inRealm);
        problems.Add(new ImportProblem(entry.Line, end.Field, $"names no {ImportRules.Noun(end.Key.Kind)} that is on a line above or in the realm"));
        return null;
    }

    /// <summary>What a line refers to: by its id where the realm has it, else by its line.</summary>
    private readonly record struct End(string Text, bool InRealm)
    {
        public static End Of(Guid id) => new(id.ToString("N"), InRealm: true);

        public static End OnLine(long line) => new($"line {line}", InRealm: false);
    }
}
