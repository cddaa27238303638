using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;

namespace Atrium.Core.Tokens;

/// <summary>
/// What a token says about organizations. <see cref="Resolve"/> is the one place that decides it, for code, refresh, userinfo,
/// introspection and every door. Who writes them says how: <see cref="InFull"/>, or <see cref="WithinBudget"/>.
/// </summary>
public abstract record OrganizationClaims
{
    private OrganizationClaims()
    {
    }

    /// <summary>The client's policy is <c>none</c>: the claim is left out.</summary>
    public sealed record Omitted : OrganizationClaims;

    /// <summary><c>multi_org</c>: always an array, oldest membership first.</summary>
    public sealed record Many(IReadOnlyList<MembershipFacts> Memberships) : OrganizationClaims;

    /// <summary><c>single_org</c> with an organization.</summary>
    public sealed record One(Id<Organization> Organization, IReadOnlyList<string> Roles, IReadOnlyList<string> Permissions) : OrganizationClaims;

    /// <summary><c>organization</c>: at the root the realm speaks for itself; <paramref name="UserOrganization"/> is the organization entered.</summary>
    public sealed record Named(string Id, string Name, string Handle, string? UserOrganization) : OrganizationClaims;

    /// <summary>
    /// The grant was for one organization and that is over, or asks for more than the session has shown: profiles that speak of one
    /// organization issue nothing more.
    /// </summary>
    public sealed record Ended : OrganizationClaims;

    /// <param name="shown">
    /// What the session rests on. An organization whose policy that does not meet is left out, whatever the profile, until the person shows more.
    /// </param>
    /// <param name="roles">The roles that the memberships' scopes name, of the realm and of organizations.</param>
    public static OrganizationClaims Resolve(
        TokenProfile profile,
        OrganizationChoice choice,
        bool onOrganizationPath,
        OrganizationRestriction restriction,
        ShownProofs shown,
        IEnumerable<MembershipFacts> memberships,
        IReadOnlyList<Role> roles,
        Realm realm)
    {
        if (profile == TokenProfile.MultiOrg && restriction.Policy == OrganizationPolicy.None)
            return new Omitted();

        MembershipFacts[] effective =
        [
            .. memberships
                .Where(membership => membership.IsOpenTo(shown)
                    && restriction.Allows(membership.OrganizationId)
                    && (choice.Selected is null || choice.Selected == membership.OrganizationId))
                .OrderBy(static membership => membership.JoinedAt)
                .ThenBy(static membership => membership.OrganizationId.Value),
        ];

        if (profile == TokenProfile.MultiOrg)
        {
            bool speaksOfNone = choice == OrganizationChoice.NoOrganization || choice == OrganizationChoice.Unchosen;
            return new Many(speaksOfNone ? [] : effective);
        }

        if (choice is not OrganizationChoice.Chosen)
        {
            return profile == TokenProfile.SingleOrg
                ? new Omitted()
                : new Named(realm.Id.ToString(), realm.Name, realm.Handle, UserOrganization: null);
        }

        return effective switch
        {
            [] => new Ended(),
            [var only, ..] when profile == TokenProfile.SingleOrg => OneOf(only, roles),
            [var only, ..] => NamedOf(only, onOrganizationPath, realm),
        };
    }

    /// <summary>As userinfo and introspection say them.</summary>
    public OrganizationProjection InFull() => new(this, sourceEndpoint: null);

    /// <summary>As tokens carry them: an array of more bytes than the client's budget is left out for the place where it is, whole. Nothing is cut.</summary>
    /// <param name="bytes">Of the array's JSON in UTF-8, brackets included.</param>
    /// <param name="sourceEndpoint">Where whoever holds the token gets the array.</param>
    public OrganizationProjection WithinBudget(int bytes, string sourceEndpoint) =>
        new(this, this is Many many && OrganizationArray.IsLarger(many.Memberships, bytes) ? sourceEndpoint : null);

    /// <summary>
    /// Scopes that name a role are the roles, else the first scope is; the permissions are those of the roles and the scopes that are no role.
    /// </summary>
    public static (IReadOnlyList<string> Roles, IReadOnlyList<string> Permissions) SplitScopes(
        Id<Organization> organization, IReadOnlyList<string> scopes, IReadOnlyList<Role> roles)
    {
        IReadOnlyDictionary<string, Role> named = Role.In(organization, roles);
        string[] slugs = [.. scopes.Where(named.ContainsKey).Distinct(StringComparer.Ordinal)];
        if (slugs.Length == 0 && scopes.Count > 0)
            slugs = [scopes[0]];
        IEnumerable<string> brought = slugs.SelectMany(slug => named.TryGetValue(slug, out Role? role) ? role.Permissions : []);
        return (slugs, [.. brought.Concat(scopes.Except(slugs, StringComparer.Ordinal)).Distinct(StringComparer.Ordinal)]);
    }

    private static One OneOf(MembershipFacts membership, IReadOnlyList<Role> roles)
    {
        (IReadOnlyList<string> slugs, IReadOnlyList<string> permissions) = SplitScopes(membership.OrganizationId, membership.Scopes, roles);
        return new One(membership.OrganizationId, slugs, permissions);
    }

    /// <summary>A sign-in on the organization's path speaks of the organization; one that began at the root speaks of the realm and names the organization entered.</summary>
    private static Named NamedOf(MembershipFacts membership, bool onOrganizationPath, Realm realm)
    {
        string entered = membership.OrganizationId.ToString();
        return onOrganizationPath
            ? new Named(entered, membership.OrganizationName, membership.OrganizationHandle, entered)
            : new Named(realm.Id.ToString(), realm.Name, realm.Handle, entered);
    }
}
