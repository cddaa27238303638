namespace Atrium.Storage;

/// <summary>
/// The queries that load what deciding a sign-in's next step may need. They run together in one round trip, each finding its own way from the
/// sign-in, which is <c>i</c>: as it is stored, or as it has become in a request.
/// </summary>
/// <param name="from">Where the sign-in is read from.</param>
/// <param name="where">Which one it is.</param>
internal sealed class SignInFactsSql(string from, string where)
{
    /// <summary>Where memberships and organizations meet in a row of the second query.</summary>
    internal const string MembershipSplit = "organization_split";

    private static readonly string WithOrganization =
        $"{SqlTypes.Of("m", MembershipStore.Columns)}, o.realm_id AS organization_split, {SqlTypes.Of("o", OrganizationStore.Columns)}";

    /// <summary>
    /// Seven queries: the person's factors; the memberships to choose among while the choice is open, or the chosen one; the organization
    /// chosen; whether the client is shared with it; what the person has let the client have; what they chose for it the last time; the settings
    /// of the realm.
    /// </summary>
    public string Text { get; } =
        $"""
        SELECT {SqlTypes.Of("f", FactorStore.Columns)}
        FROM {from} JOIN factors f ON f.realm_id = i.realm_id AND f.user_id = i.user_id
        WHERE i.realm_id = @realm AND {where} ORDER BY f.id;

        SELECT {WithOrganization}
        FROM {from}
            JOIN memberships m ON m.realm_id = i.realm_id AND m.user_id = i.user_id
            JOIN organizations o ON o.realm_id = m.realm_id AND o.id = m.organization_id
        WHERE i.realm_id = @realm AND {where} AND i.choice = 'unchosen'
        UNION ALL
        SELECT {WithOrganization}
        FROM {from}
            JOIN memberships m ON m.realm_id = i.realm_id AND m.user_id = i.user_id AND m.organization_id = i.organization_id
            JOIN organizations o ON o.realm_id = m.realm_id AND o.id = m.organization_id
        WHERE i.realm_id = @realm AND {where};

        SELECT {SqlTypes.Of("o", OrganizationStore.Columns)}
        FROM {from} JOIN organizations o ON o.realm_id = i.realm_id AND o.id = i.organization_id AND o.status <> 'Deleting'
        WHERE i.realm_id = @realm AND {where};

        SELECT s.organization_id
        FROM {from} JOIN client_organizations s ON s.realm_id = i.realm_id AND s.client_id = i.client_id AND s.organization_id = i.organization_id
        WHERE i.realm_id = @realm AND {where};

        SELECT {SqlTypes.Of("n", ConsentStore.Columns)}
        FROM {from} JOIN consents n ON n.realm_id = i.realm_id AND n.user_id = i.user_id AND n.client_id = i.client_id
        WHERE i.realm_id = @realm AND {where} ORDER BY n.id;

        SELECT h.choice, h.organization_id
        FROM {from} JOIN organization_choices h ON h.realm_id = i.realm_id AND h.user_id = i.user_id AND h.client_id = i.client_id
        WHERE i.realm_id = @realm AND {where} AND i.choice = 'unchosen';

        SELECT settings FROM realms WHERE id = @realm
        """;
}
