namespace Atrium.Storage;

/// <summary>
/// The queries that load a grant with all that issuing from it depends on, starting from what a caller shows: the grant itself, a code or a
/// refresh token. They run together in one round trip, so each finds its own way from there.
/// </summary>
/// <param name="carrier">The columns of what is shown, and a comma; nothing where it is the grant itself.</param>
/// <param name="from">The tables from what is shown to the grant, which is <c>g</c>.</param>
/// <param name="where">What is shown, with its realm.</param>
/// <param name="elements">How the database takes the scopes of the membership <c>m</c> apart; see <see cref="Database.ElementsOf"/>.</param>
internal sealed class GrantFactsSql(string carrier, string from, string where, string elements)
{
    internal const string GrantColumns =
        "realm_id, id, session_id, client_id, user_id, door, profile, scopes, choice, organization_id, on_organization_path, resource, created_at, ended_at";

    /// <summary>Where the columns of the next one begin in a row of the first query.</summary>
    internal const string Splits = $"grant_split,{SplitsOfGrant}";

    /// <summary>The same in a row that begins with the grant.</summary>
    internal const string SplitsOfGrant = "session_split,client_split,user_split,realm_split";

    private const string MembershipColumns =
        "m.organization_id, o.name AS organization_name, o.handle AS organization_handle, o.status AS organization_status, o.settings AS organization_settings, m.scopes, m.title, m.status, m.joined_at";

    /// <summary>
    /// Three queries: the one row of everything that there is one of; the memberships that a token of the grant may speak of, all or the
    /// chosen one alone; the roles that these name, the realm's and the organization's own, for the one profile that looks into them.
    /// @switchTo stands in for the organization that the grant has chosen; of all memberships, @mostMemberships are read.
    /// </summary>
    public string Text { get; } =
        $"""
        SELECT {carrier}g.realm_id AS grant_split, {SqlTypes.Of("g", GrantColumns)},
            s.realm_id AS session_split, {SqlTypes.Of("s", SessionStore.Columns)},
            c.realm_id AS client_split, {SqlTypes.Of("c", ClientStore.Columns)},
            u.realm_id AS user_split, {SqlTypes.Of("u", UserStore.Columns)},
            r.id AS realm_split, {SqlTypes.Of("r", RealmStore.Columns)}
        FROM {from}
            JOIN sessions s ON s.realm_id = g.realm_id AND s.id = g.session_id
            JOIN clients c ON c.realm_id = g.realm_id AND c.id = g.client_id
            JOIN users u ON u.realm_id = g.realm_id AND u.id = g.user_id
            JOIN realms r ON r.id = g.realm_id
        WHERE g.realm_id = @realm AND {where};

        SELECT * FROM (
            SELECT {MembershipColumns}
            FROM {from}
                JOIN memberships m ON m.realm_id = g.realm_id AND m.user_id = g.user_id
                JOIN organizations o ON o.realm_id = m.realm_id AND o.id = m.organization_id
            WHERE g.realm_id = @realm AND {where} AND g.choice = 'all' AND @switchTo IS NULL
            LIMIT @mostMemberships) AS every
        UNION ALL
        SELECT {MembershipColumns}
        FROM {from}
            JOIN memberships m ON m.realm_id = g.realm_id AND m.user_id = g.user_id AND m.organization_id = coalesce(@switchTo, g.organization_id)
            JOIN organizations o ON o.realm_id = m.realm_id AND o.id = m.organization_id
        WHERE g.realm_id = @realm AND {where};

        SELECT DISTINCT {RoleStore.OfRealm("r")}
        FROM {from}
            JOIN memberships m ON m.realm_id = g.realm_id AND m.user_id = g.user_id AND m.organization_id = coalesce(@switchTo, g.organization_id)
            CROSS JOIN {elements} AS scope
            JOIN roles r ON r.realm_id = m.realm_id AND r.slug = scope.value
        WHERE g.realm_id = @realm AND {where} AND g.profile = 'SingleOrg'
        UNION ALL
        SELECT DISTINCT {RoleStore.OfOrganization("r")}
        FROM {from}
            JOIN memberships m ON m.realm_id = g.realm_id AND m.user_id = g.user_id AND m.organization_id = coalesce(@switchTo, g.organization_id)
            CROSS JOIN {elements} AS scope
            JOIN organization_roles r ON r.realm_id = m.realm_id AND r.organization_id = m.organization_id AND r.slug = scope.value
        WHERE g.realm_id = @realm AND {where} AND g.profile = 'SingleOrg'
        """;
}
