using Atrium.Core.Organizations;

namespace Atrium.Core.Imports;

/// <summary>What becomes of an entry.</summary>
public abstract record ImportDecision
{
    private ImportDecision()
    {
    }

    public sealed record Add : ImportDecision;

    /// <summary>The realm has it: it stays as it is there, since an import only adds.</summary>
    public sealed record Keep(Guid Id) : ImportDecision;

    public sealed record Refuse(ImportProblem Problem) : ImportDecision;
}

/// <summary>Decides what becomes of an entry. Pure: what the realm has comes in.</summary>
public static class ImportRules
{
    /// <param name="claims">The entry's own, the strongest first.</param>
    /// <param name="taken">Who in the realm has what the entry claims.</param>
    public static ImportDecision Decide(long line, IReadOnlyList<Claim> claims, IReadOnlyDictionary<ClaimKey, Guid> taken)
    {
        if (taken.TryGetValue(claims[0].Key, out Guid same))
            return new ImportDecision.Keep(same);
        return claims.FirstOrDefault(claim => taken.ContainsKey(claim.Key)) is { } conflict
            ? new ImportDecision.Refuse(new ImportProblem(line, conflict.Field, $"belongs to another {Noun(conflict.Key.Kind)} of the realm"))
            : new ImportDecision.Add();
    }

    public static ImportProblem TooDeep(ImportedOrganization entry) =>
        new(entry.Line, entry.Parent?.Field ?? "", $"stands too deep: at most {OrganizationRules.MaxDepth} organizations stand in a line");

    public static string Noun(ClaimKind kind) => kind switch
    {
        ClaimKind.RoleSlug or ClaimKind.OrganizationRole => "role",
        ClaimKind.OrganizationId or ClaimKind.OrganizationExternalId or ClaimKind.OrganizationHandle => "organization",
        ClaimKind.DomainId or ClaimKind.DomainName => "organization's domain",
        ClaimKind.UserId or ClaimKind.UserExternalId or ClaimKind.UserEmail or ClaimKind.UserName => "user",
        _ => "membership",
    };
}
