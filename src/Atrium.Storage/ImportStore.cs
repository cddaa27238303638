using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Imports;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>What came of a batch: all of it, or, where there is a problem, nothing.</summary>
public sealed record ImportedBatch(int Added, int Kept, IReadOnlyList<ImportProblem> Problems);

/// <summary>
/// Writes what an import brings: a batch is one transaction, and every kind of thing in it one statement, whose rows come as one text of JSON.
/// </summary>
public sealed class ImportStore(Database database)
{
    /// <summary>Somebody may take a name between the look and the write; the next look sees it.</summary>
    private const int MaxAttempts = 3;

    /// <summary>Where each thing stands that only one can have.</summary>
    private static readonly IReadOnlyDictionary<ClaimKind, (string Table, string Column, string Owner)> Places =
        new Dictionary<ClaimKind, (string, string, string)>
        {
            [ClaimKind.RoleSlug] = ("roles", "slug", "realm_id"),
            [ClaimKind.OrganizationId] = ("organizations", "id", "id"),
            [ClaimKind.OrganizationExternalId] = ("organizations", "external_id", "id"),
            [ClaimKind.OrganizationHandle] = ("organizations", "handle", "id"),
            [ClaimKind.DomainId] = ("organization_domains", "id", "id"),
            [ClaimKind.DomainName] = ("organization_domains", "domain", "id"),
            [ClaimKind.UserId] = ("users", "id", "id"),
            [ClaimKind.UserExternalId] = ("users", "external_id", "id"),
            [ClaimKind.UserEmail] = ("users", "email_key", "id"),
            [ClaimKind.UserName] = ("users", "username_key", "id"),
            [ClaimKind.MembershipId] = ("memberships", "id", "id"),
        };

    /// <summary>How many entries to add at a time.</summary>
    public int BatchSize => database.RowsAtATime;

    /// <summary>Who in the realm has these.</summary>
    public Task<IReadOnlyDictionary<ClaimKey, Guid>> TakenAsync(Id<Realm> realm, IEnumerable<ClaimKey> keys, CancellationToken cancellationToken) =>
        database.ReadAsync(connection => TakenAsync(connection, realm, keys), cancellationToken);

    /// <summary>How deep organizations of the realm stand: 1 without a parent.</summary>
    public Task<IReadOnlyDictionary<Guid, int>> DepthsAsync(Id<Realm> realm, IReadOnlyList<Guid> organizations, CancellationToken cancellationToken) =>
        database.QueryAsync(connection => OrganizationParents.DepthsAsync(database, connection, realm, organizations), cancellationToken);

    /// <summary>Adds those of the entries that the realm does not have yet, or none of them where one can't be added.</summary>
    public async Task<ImportedBatch> AddAsync(Id<Realm> realm, IReadOnlyList<ImportEntry> entries, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await database.WriteAsync(connection => AddAsync(connection, realm, entries), cancellationToken);
            }
            catch (DbException e) when (database.IsUniqueViolation(e) && attempt < MaxAttempts)
            {
                // All of it is undone; whoever was faster is seen now.
            }
            catch (RefusedException e)
            {
                return new ImportedBatch(0, 0, e.Problems);
            }
        }
    }

    private async Task<ImportedBatch> AddAsync(DbConnection connection, Id<Realm> realm, IReadOnlyList<ImportEntry> entries)
    {
        ImportEntry[] linked = [.. entries.Where(static entry => entry is ImportedMembership or ImportedRole { Organization: not null })];
        List<ImportEntry> added = await NewOnesAsync(connection, realm, [.. entries.Except(linked)]);
        await InsertAsync(connection, realm, added);
        ImportedOrganization[] children = [.. added.OfType<ImportedOrganization>().Where(static entry => entry.Parent is not null)];

        // Whatever the batch brought is in the realm by now: what a line refers to has its id there.
        IReadOnlyDictionary<ClaimKey, Guid> ends = await TakenAsync(
            connection,
            realm,
            children.Select(static child => child.Parent!.Key).Concat(linked.SelectMany(static entry => entry switch
            {
                ImportedMembership membership => new[] { membership.User.Key, membership.Organization.Key },
                ImportedRole role => [role.Organization!.Key],
                _ => [],
            })));
        await PutBelowAsync(connection, realm, [.. children.Select(child => (child, new Id<Organization>(EndOf(child, child.Parent!, ends))))]);
        List<ImportEntry> addedLinked = await NewOnesAsync(connection, realm, [.. linked.Select(entry => Resolved(entry, ends))]);
        await InsertAsync(
            connection,
            realm,
            "organization_roles",
            "organization_id uuid, slug text, name text, permissions text, created_at bigint, updated_at bigint",
            addedLinked.OfType<ImportedRole>().Select(JsonRows.Of));
        await InsertAsync(connection, realm, [.. addedLinked.OfType<ImportedMembership>().Select(static entry => entry.Membership)]);
        int count = added.Count + addedLinked.Count;
        return new ImportedBatch(count, entries.Count - count, []);
    }

    private static ImportEntry Resolved(ImportEntry entry, IReadOnlyDictionary<ClaimKey, Guid> ends) => entry switch
    {
        ImportedMembership membership => membership with
        {
            Membership = membership.Membership with
            {
                UserId = new Id<User>(EndOf(entry, membership.User, ends)), OrganizationId = new Id<Organization>(EndOf(entry, membership.Organization, ends)),
            },
        },
        ImportedRole { Organization: { } organization } role =>
            role with { Role = role.Role with { OrganizationId = new Id<Organization>(EndOf(entry, organization, ends)) } },
        _ => entry,
    };

    /// <summary>Puts new organizations below their parents, which are held; none deeper than an organization may stand.</summary>
    private async Task PutBelowAsync(
        DbConnection connection, Id<Realm> realm, IReadOnlyList<(ImportedOrganization Child, Id<Organization> Parent)> links)
    {
        if (links.Count == 0)
            return;
        string rows = JsonRows.Write(links.Select(static link => new { Id = link.Child.Organization.Id.Value.ToString("N"), ParentId = link.Parent.Value.ToString("N") }));
        HashSet<Id<Organization>> held = await OrganizationParents.HoldAsync(database, connection, realm, [.. links.Select(static link => link.Parent).Distinct()]);
        await connection.ExecuteAsync(
            $"""
            UPDATE organizations SET parent_id = r.parent_id FROM {database.RowsOf("@rows", "id uuid, parent_id uuid")}
            WHERE organizations.realm_id = @realm AND organizations.id = r.id
            """,
            new { realm, rows });
        IReadOnlyDictionary<Guid, int> depths =
            await OrganizationParents.DepthsAsync(database, connection, realm, links.Select(static link => link.Child.Organization.Id.Value));
        ImportProblem[] problems =
        [
            .. links.Where(link => !held.Contains(link.Parent)).Select(static link => Gone(link.Child, link.Child.Parent!)),
            .. links.Where(link => depths[link.Child.Organization.Id.Value] > OrganizationRules.MaxDepth).Select(static link => ImportRules.TooDeep(link.Child)),
        ];
        if (problems.Length > 0)
            throw new RefusedException(problems);
    }

    private static ImportProblem Gone(ImportEntry entry, Claim end) => new(entry.Line, end.Field, "is gone from the realm since the file was checked");

    private static Guid EndOf(ImportEntry entry, Claim end, IReadOnlyDictionary<ClaimKey, Guid> ends) =>
        ends.TryGetValue(end.Key, out Guid id)
            ? id
            : throw new RefusedException([Gone(entry, end)]);

    /// <summary>Those of the entries that are to be added.</summary>
    private async Task<List<ImportEntry>> NewOnesAsync(DbConnection connection, Id<Realm> realm, IReadOnlyList<ImportEntry> entries)
    {
        (ImportEntry Entry, Claim[] Claims)[] claimed = [.. entries.Select(static entry => (entry, entry.Claims.ToArray()))];
        IReadOnlyDictionary<ClaimKey, Guid> taken = await TakenAsync(
            connection, realm, claimed.SelectMany(static entry => entry.Claims).Select(static claim => claim.Key));
        List<ImportEntry> added = [];
        List<ImportProblem> problems = [];
        foreach ((ImportEntry entry, Claim[] claims) in claimed)
        {
            switch (ImportRules.Decide(entry.Line, claims, taken))
            {
                case ImportDecision.Add:
                    added.Add(entry);
                    break;
                case ImportDecision.Refuse refusal:
                    problems.Add(refusal.Problem);
                    break;
            }
        }

        return problems.Count == 0 ? added : throw new RefusedException(problems);
    }

    private async Task<IReadOnlyDictionary<ClaimKey, Guid>> TakenAsync(DbConnection connection, Id<Realm> realm, IEnumerable<ClaimKey> keys)
    {
        Dictionary<ClaimKey, Guid> taken = [];
        foreach (IGrouping<ClaimKind, ClaimKey> ofKind in keys.GroupBy(static key => key.Kind))
        {
            if (ofKind.Key == ClaimKind.OrganizationRole)
            {
                foreach (Role row in await OrganizationRolesAsync(connection, realm, ofKind))
                    taken[new ClaimKey(ClaimKind.OrganizationRole, $"{row.OrganizationId!.Value.Value:N}/{row.Slug}")] = row.OrganizationId.Value.Value;
                continue;
            }

            if (ofKind.Key == ClaimKind.MembershipPair)
            {
                foreach (PairRow row in await PairsAsync(connection, realm, ofKind))
                    taken[new ClaimKey(ClaimKind.MembershipPair, $"{row.UserId.Value:N}/{row.OrganizationId.Value:N}")] = row.Id.Value;
                continue;
            }

            // The owner's id is read as an Id of some kind, because both databases can read one.
            (string table, string column, string owner) = Places[ofKind.Key];
            bool isId = column == "id";
            string rows = JsonRows.Write(ofKind.Distinct().Select(static key => new { key.Value }));
            foreach (OwnerRow row in await connection.QueryAsync<OwnerRow>(
                $"""
                SELECT t.{owner} AS owner{(isId ? "" : $", t.{column} AS value")}
                FROM {database.RowsOf("@rows", isId ? "value uuid" : "value text")} CROSS JOIN {table} t
                WHERE t.realm_id = @realm AND t.{column} = r.value{(ofKind.Key == ClaimKind.DomainName ? " AND t.state = 'Verified'" : "")}
                """,
                new { realm, rows }))
            {
                taken[new ClaimKey(ofKind.Key, row.Value ?? row.Owner.Value.ToString("N"))] = row.Owner.Value;
            }
        }

        return taken;
    }

    private Task<IEnumerable<Role>> OrganizationRolesAsync(DbConnection connection, Id<Realm> realm, IEnumerable<ClaimKey> keys) =>
        connection.QueryAsync<Role>(
            $"""
            SELECT {RoleStore.OfOrganization("t")}
            FROM {database.RowsOf("@rows", "organization_id uuid, slug text")} CROSS JOIN organization_roles t
            WHERE t.realm_id = @realm AND t.organization_id = r.organization_id AND t.slug = r.slug
            """,
            new { realm, rows = JsonRows.Write(keys.Select(static key => key.Value.Split('/', 2)).Select(static parts => new { OrganizationId = parts[0], Slug = parts[1] })) });

    private Task<IEnumerable<PairRow>> PairsAsync(DbConnection connection, Id<Realm> realm, IEnumerable<ClaimKey> keys) =>
        connection.QueryAsync<PairRow>(
            $"""
            SELECT m.id, m.user_id, m.organization_id
            FROM {database.RowsOf("@rows", "user_id uuid, organization_id uuid")} CROSS JOIN memberships m
            WHERE m.realm_id = @realm AND m.user_id = r.user_id AND m.organization_id = r.organization_id
            """,
            new { realm, rows = JsonRows.Write(keys.Select(static key => key.Value.Split('/')).Select(static ends => new { UserId = ends[0], OrganizationId = ends[1] })) });

    private async Task InsertAsync(DbConnection connection, Id<Realm> realm, List<ImportEntry> entries)
    {
        ImportedOrganization[] organizations = [.. entries.OfType<ImportedOrganization>()];
        await InsertAsync(connection, realm, "roles", "slug text, name text, permissions text, created_at bigint, updated_at bigint", entries.OfType<ImportedRole>().Select(JsonRows.Of));
        await InsertAsync(
            connection,
            realm,
            "organizations",
            "id uuid, handle text, name text, name_key text, status text, status_reason text, external_id text, metadata text, settings text, created_at bigint, updated_at bigint",
            organizations.Select(static entry => JsonRows.Of(entry.Organization)));
        await InsertAsync(
            connection,
            realm,
            "organization_domains",
            "id uuid, organization_id uuid, domain text, state text, checked_at bigint, created_at bigint, updated_at bigint",
            organizations.SelectMany(static entry => entry.Domains).Select(JsonRows.Of));
        await InsertAsync(
            connection,
            realm,
            "users",
            """
            id uuid, email text, email_key text, email_verified boolean, username text, username_key text, given_name text, family_name text, name text,
            picture text, locale text, phone_number text, phone_number_verified boolean, address text, external_id text, metadata text, status text,
            password_hash text, last_sign_in_at bigint, created_at bigint, updated_at bigint
            """,
            entries.OfType<ImportedUser>().Select(JsonRows.Of));
    }

    private Task InsertAsync(DbConnection connection, Id<Realm> realm, IReadOnlyList<Membership> memberships) =>
        InsertAsync(
            connection,
            realm,
            "memberships",
            """
            id uuid, user_id uuid, organization_id uuid, scopes text, title text, status text, joined_at bigint, metadata text, created_at bigint, updated_at bigint
            """,
            memberships.Select(JsonRows.Of));

    private async Task InsertAsync(DbConnection connection, Id<Realm> realm, string table, string columns, IEnumerable<object> rows)
    {
        object[] all = [.. rows];
        if (all.Length == 0)
            return;
        string names = string.Join(", ", JsonRows.NamesOf(columns));
        await connection.ExecuteAsync(
            $"INSERT INTO {table} (realm_id, {names}) SELECT @realm, {names} FROM {database.RowsOf("@rows", columns)}",
            new { realm, rows = JsonRows.Write(all) });
    }

    private sealed record OwnerRow
    {
        public Id<User> Owner { get; init; }

        public string? Value { get; init; }
    }

    private sealed record PairRow
    {
        public Id<Membership> Id { get; init; }

        public Id<User> UserId { get; init; }

        public Id<Organization> OrganizationId { get; init; }
    }

#pragma warning disable CA1064 // Thrown and caught here alone: it undoes the batch by leaving it.
    private sealed class RefusedException(IReadOnlyList<ImportProblem> problems) : Exception
    {
        public IReadOnlyList<ImportProblem> Problems => problems;
    }
#pragma warning restore CA1064
}
