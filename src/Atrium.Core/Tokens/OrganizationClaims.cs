using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;

namespace Atrium.Core.Tokens;

/// <summary>
/// What a token says about organizations. <see cref="Resolve"/> is the one place that decides it, for code, refresh, userinfo,
/// introspection and every door; <see cref="WriteTo"/> is the one place that spells it.
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

    /// <summary>Writes the claims into the JSON object that is being written.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        switch (this)
        {
            case Many many:
                json.WriteStartArray("organizations"u8);
                foreach (MembershipFacts membership in many.Memberships)
                {
                    json.WriteStartObject();
                    json.WriteString("id"u8, membership.OrganizationId.ToString());
                    json.WriteString("title"u8, membership.Title);
                    WriteStrings(json, "scopes", membership.Scopes);
                    json.WriteNumber("joined_at"u8, membership.JoinedAt.ToUnixTimeSeconds());
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                break;
            case One one:
                json.WriteString("org_id"u8, one.Organization.ToString());
                if (one.Roles is [var primary, ..])
                    json.WriteString("role"u8, primary);
                WriteStrings(json, "roles", one.Roles);
                WriteStrings(json, "permissions", one.Permissions);
                break;
            case Named named:
                json.WriteString("org_id"u8, named.Id);
                json.WriteString("org_name"u8, named.Name);
                json.WriteString("org_handle"u8, named.Handle);
                if (named.UserOrganization is { } userOrganization)
                    json.WriteString("user_org"u8, userOrganization);
                break;
            default:
                break;
        }
    }

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

    private static void WriteStrings(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
