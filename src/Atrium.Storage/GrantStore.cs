using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>Grants, and the one-time things that they are carried by: authorization codes and refresh tokens.</summary>
public sealed class GrantStore(Database database)
{
    internal const string CodeColumns = "realm_id, code_hash, grant_id, redirect_uri, nonce, code_challenge, created_at, expires_at, spent_at, spent_by, dpop_jkt";
    internal const string TokenColumns = "realm_id, token_hash, grant_id, created_at, expires_at, spent_at, sealed_successor, dpop_jkt";

    private readonly GrantFactsSql ofGrant = new("", "grants g", "g.id = @grant", database.ElementsOf("m.scopes"));

    private readonly GrantFactsSql ofCode = new(
        $"{SqlTypes.Of("a", CodeColumns)}, ",
        "authorization_codes a JOIN grants g ON g.realm_id = a.realm_id AND g.id = a.grant_id",
        "a.realm_id = @realm AND a.code_hash = @codeHash",
        database.ElementsOf("m.scopes"));

    private readonly GrantFactsSql ofToken = new(
        $"{SqlTypes.Of("t", TokenColumns)}, ",
        "refresh_tokens t JOIN grants g ON g.realm_id = t.realm_id AND g.id = t.grant_id",
        "t.realm_id = @realm AND t.token_hash = @tokenHash",
        database.ElementsOf("m.scopes"));

    /// <summary>A grant and all that issuing from it depends on, as it is now.</summary>
    public Task<GrantFacts?> LoadAsync(Id<Realm> realm, Id<Grant> grant, CancellationToken cancellationToken) =>
        database.ReadTogetherAsync(
            ofGrant.Text,
            new { realm, grant, switchTo = (Id<Organization>?)null, mostMemberships = int.MaxValue },
            static async results =>
            {
                GrantFacts? one = results.Read<GrantRow, Session, Client, User, Realm, GrantFacts>(
                    static (grant, session, client, user, realm) => FactsOf(grant, session, client, user, realm), GrantFactsSql.SplitsOfGrant).SingleOrDefault();
                return one is null ? null : await WithMembershipsAsync(results, one, int.MaxValue);
            },
            cancellationToken);

    /// <summary>A code, spent or not, with the facts of its grant.</summary>
    public Task<(AuthorizationCode Code, GrantFacts Facts)?> FindCodeAsync(Id<Realm> realm, SecretHash codeHash, CancellationToken cancellationToken) =>
        database.ReadTogetherAsync(
            ofCode.Text,
            new { realm, codeHash, switchTo = (Id<Organization>?)null, mostMemberships = int.MaxValue },
            static results => ReadAsync<AuthorizationCode>(results, switchTo: null, int.MaxValue),
            cancellationToken);

    /// <summary>A refresh token, spent or not, with the facts of its grant: as they are, or as they would be for another organization.</summary>
    public Task<(RefreshToken Token, GrantFacts Facts)?> FindRefreshTokenAsync(
        Id<Realm> realm, SecretHash tokenHash, Id<Organization>? switchTo, CancellationToken cancellationToken) =>
        database.ReadTogetherAsync(
            ofToken.Text,
            new { realm, tokenHash, switchTo, mostMemberships = int.MaxValue },
            results => ReadAsync<RefreshToken>(results, switchTo, int.MaxValue),
            cancellationToken);

    /// <summary>Spends a code for a refresh token, if the client gets one, and loads the facts to issue from; null for a code that there is not.</summary>
    public Task<Spending<AuthorizationCode>?> RedeemAsync(CodeRedemption redemption, CancellationToken cancellationToken) =>
        database.WriteThenReadAsync(
            GrantSpendingSql.TextOf(redemption),
            ofCode.Text,
            GrantSpendingSql.ParametersOf(redemption),
            results => ReadAsync(results, redemption),
            cancellationToken);

    /// <summary>
    /// Completes a sign-in and redeems its code at once, for a door that answers with the tokens themselves. Null, with nothing spent, when
    /// somebody else was faster or the person is gone.
    /// </summary>
    public Task<Spending<AuthorizationCode>?> CompleteAndRedeemAsync(
        SignInCompletion completion, CodeRedemption redemption, CancellationToken cancellationToken) =>
        SignInCompletionSql.RunAsync(
            database,
            completion,
            (parameters, text) =>
            {
                parameters.AddDynamicParams(GrantSpendingSql.ParametersOf(redemption));
                return database.WriteThenReadAsync(
                    $"{text};\n{GrantSpendingSql.TextOf(redemption)}", ofCode.Text, parameters, results => ReadAsync(results, redemption), cancellationToken);
            },
            cancellationToken);

    /// <summary>
    /// Spends a refresh token for its successor, moves the grant to another organization where the client asked for it, and loads the facts
    /// to issue from; null for a token that there is not.
    /// </summary>
    public Task<Spending<RefreshToken>?> RotateAsync(RefreshRotation rotation, CancellationToken cancellationToken) =>
        database.WriteThenReadAsync(
            GrantSpendingSql.TextOf(rotation),
            ofToken.Text,
            GrantSpendingSql.ParametersOf(rotation),
            async results =>
            {
                if (await ReadAsync<RefreshToken>(results, rotation.SwitchTo, rotation.MostMemberships) is not var (token, facts))
                    return null;
                bool isSpentNow = token.SealedSuccessor.AsSpan().SequenceEqual(rotation.SealedSuccessor);
                return new Spending<RefreshToken>(isSpentNow, isSpentNow ? token with { SpentAt = null, SealedSuccessor = null } : token, facts);
            },
            cancellationToken);

    /// <summary>Moves a grant to the organization that it has come to speak of.</summary>
    public Task MoveAsync(Grant grant, CancellationToken cancellationToken) =>
        database.WriteOneAsync(connection => MoveAsync(connection, grant.RealmId, grant.Id, grant.Choice), cancellationToken);

    /// <summary>Ends a grant and with it the whole family of its refresh tokens.</summary>
    public Task EndAsync(Id<Realm> realm, Id<Grant> grant, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            connection => connection.ExecuteAsync(
                "UPDATE grants SET ended_at = @now WHERE realm_id = @realm AND id = @grant AND ended_at IS NULL", new { realm, grant, now }),
            cancellationToken);

    /// <summary>
    /// A membership ended: grants that speak of that organization alone end, and sessions that an API sign-in made for nothing else.
    /// Grants of multi-org tokens live on; the next refresh just no longer speaks of it.
    /// </summary>
    internal static Task EndForMembershipAsync(
        DbConnection connection, Id<Realm> realm, Id<Organization> organization, Id<User> user, DateTimeOffset now) =>
        EndForAsync(connection, "organization_id = @organization AND user_id = @user", new { realm, organization, user, now });

    /// <summary>The same for everybody in an organization.</summary>
    internal static Task EndForOrganizationAsync(DbConnection connection, Id<Realm> realm, Id<Organization> organization, DateTimeOffset now) =>
        EndForAsync(connection, "organization_id = @organization", new { realm, organization, now });

    /// <summary>The same for those who have been its members longest.</summary>
    internal static Task EndForMembersAsync(DbConnection connection, Id<Realm> realm, Id<Organization> organization, int most, DateTimeOffset now) =>
        EndForAsync(
            connection,
            "organization_id = @organization AND user_id IN (SELECT user_id FROM memberships WHERE realm_id = @realm AND organization_id = @organization ORDER BY id LIMIT @most)",
            new { realm, organization, most, now });

    private static Task<int> MoveAsync(DbConnection connection, Id<Realm> realm, Id<Grant> grant, OrganizationChoice choice) =>
        connection.ExecuteAsync(
            """
            UPDATE grants SET choice = @Word, organization_id = @Selected
            WHERE realm_id = @realm AND id = @grant AND ended_at IS NULL AND (choice <> @Word OR organization_id IS DISTINCT FROM @Selected)
            """,
            new { realm, grant, choice.Word, choice.Selected });

    private static async Task EndForAsync(DbConnection connection, string condition, object parameters)
    {
        int ended = await connection.ExecuteAsync(
            $"UPDATE grants SET ended_at = @now WHERE realm_id = @realm AND {condition} AND profile <> 'MultiOrg' AND ended_at IS NULL", parameters);
        if (ended == 0)
            return;
        await connection.ExecuteAsync(
            $"""
            UPDATE sessions SET ended_at = @now, updated_at = @now
            WHERE realm_id = @realm AND ended_at IS NULL AND cookie_hash IS NULL
                AND id IN (SELECT session_id FROM grants WHERE realm_id = @realm AND {condition} AND profile <> 'MultiOrg' AND ended_at = @now)
                AND NOT EXISTS (SELECT 1 FROM grants live
                    WHERE live.realm_id = @realm AND live.session_id = sessions.id AND live.ended_at IS NULL)
            """,
            parameters);
        await connection.ExecuteAsync(
            LogoutNoticeStore.QueueText(
                $"{LogoutNoticeStore.EndedNow} AND s.id IN (SELECT session_id FROM grants WHERE realm_id = @realm AND {condition} AND profile <> 'MultiOrg' AND ended_at = @now)"),
            parameters);
    }

    private static async Task<Spending<AuthorizationCode>?> ReadAsync(SqlMapper.GridReader results, CodeRedemption redemption)
    {
        if (await ReadAsync<AuthorizationCode>(results, switchTo: null, redemption.MostMemberships) is not var (code, facts))
            return null;
        bool isSpentNow = code.SpentBy == redemption.Mark;
        return new Spending<AuthorizationCode>(isSpentNow, isSpentNow ? code with { SpentAt = null, SpentBy = null } : code, facts);
    }

    private static async Task<(T Shown, GrantFacts Facts)?> ReadAsync<T>(SqlMapper.GridReader results, Id<Organization>? switchTo, int mostMemberships)
        where T : class
    {
        (T Shown, GrantFacts Facts) one = results.Read<T, GrantRow, Session, Client, User, Realm, (T, GrantFacts)>(
            static (shown, grant, session, client, user, realm) => (shown, FactsOf(grant, session, client, user, realm)),
            GrantFactsSql.Splits).SingleOrDefault();
        if (one.Facts is not { } facts)
            return null;
        if (switchTo is { } organization)
            facts = facts with { Grant = facts.Grant with { Choice = new OrganizationChoice.Chosen(organization) } };
        return (one.Shown, await WithMembershipsAsync(results, facts, mostMemberships));
    }

    private static GrantFacts FactsOf(GrantRow grant, Session session, Client client, User user, Realm realm) =>
        new() { Grant = grant.ToGrant(), Session = session, Client = client, User = user, Realm = realm, Memberships = [] };

    private static async Task<GrantFacts> WithMembershipsAsync(SqlMapper.GridReader results, GrantFacts facts, int most)
    {
        MembershipFacts[] memberships = [.. await results.ReadAsync<MembershipFacts>()];
        return facts with
        {
            Memberships = memberships,
            HasMoreMemberships = facts.Grant.Choice.Selected is null && memberships.Length >= most,
            Roles = [.. await results.ReadAsync<Role>()],
        };
    }

    private sealed record GrantRow
    {
        public Id<Realm> RealmId { get; init; }

        public Id<Grant> Id { get; init; }

        public Id<Session> SessionId { get; init; }

        public Id<Client> ClientId { get; init; }

        public Id<User> UserId { get; init; }

        public Door Door { get; init; }

        public TokenProfile Profile { get; init; }

        public required IReadOnlyList<string> Scopes { get; init; }

        public required string Choice { get; init; }

        public Id<Organization>? OrganizationId { get; init; }

        public bool OnOrganizationPath { get; init; }

        public string? Resource { get; init; }

        public DateTimeOffset CreatedAt { get; init; }

        public DateTimeOffset? EndedAt { get; init; }

        public Grant ToGrant() => new()
        {
            RealmId = RealmId,
            Id = Id,
            SessionId = SessionId,
            ClientId = ClientId,
            UserId = UserId,
            Door = Door,
            Profile = Profile,
            Scopes = Scopes,
            Choice = OrganizationChoice.FromStored(Choice, OrganizationId),
            OnOrganizationPath = OnOrganizationPath,
            Resource = Resource,
            CreatedAt = CreatedAt,
            EndedAt = EndedAt,
        };
    }
}
