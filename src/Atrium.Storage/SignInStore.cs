using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>A sign-in as it is stored, and the browser that it is bound to, if it began in one.</summary>
public sealed record StoredSignIn(SignIn SignIn, SecretHash? Browser);

/// <summary>Everything that a completed sign-in leaves behind, written in one transaction.</summary>
public sealed record SignInCompletion
{
    public required SignIn SignIn { get; init; }

    /// <summary>Whether the sign-in has a row: one that completes at once never gets one.</summary>
    public required bool IsStored { get; init; }

    public required Session Session { get; init; }

    /// <summary>Whether the session is made here; a standing one is built on otherwise.</summary>
    public required bool IsNewSession { get; init; }

    public SecretHash? Cookie { get; init; }

    /// <summary>The session that this one replaces in the same browser.</summary>
    public Id<Session>? ReplacedSession { get; init; }

    public required Grant Grant { get; init; }

    public required AuthorizationCode Code { get; init; }

    public SpentProof? Proof { get; init; }
}

/// <summary>Sign-ins under way. What changes one names the version it was decided on; a change over another version is refused.</summary>
public sealed class SignInStore(Database database)
{
    private const string Columns =
        """
        realm_id, id, handle_hash, browser_hash, client_id, door, request, user_id, session_id, proofs, choice, organization_id,
        failed_tries, version, created_at, expires_at
        """;

    /// <summary>Makes a sign-in's row; false when the person or the client is gone.</summary>
    public Task<bool> CreateAsync(SignIn signIn, SecretHash handle, SecretHash? browser, CancellationToken cancellationToken) =>
        database.TryWriteAsync(
            async connection => await connection.ExecuteAsync(
                $"""
                INSERT INTO sign_ins ({Columns})
                VALUES (@RealmId, @Id, @handle, @browser, @ClientId, @Door, @Request, @UserId, @SessionId, @Proofs, @Choice, @OrganizationId,
                    @FailedTries, @Version, @CreatedAt, @ExpiresAt)
                """,
                Row(signIn, handle, browser)) == 1,
            cancellationToken);

    public Task<StoredSignIn?> FindAsync(Id<Realm> realm, SecretHash handle, CancellationToken cancellationToken) =>
        database.QueryAsync(
            async connection => (await connection.QuerySingleOrDefaultAsync<SignInRow>(
                $"SELECT {Columns} FROM sign_ins WHERE realm_id = @realm AND handle_hash = @handle", new { realm, handle }))?.ToStored(),
            cancellationToken);

    /// <summary>
    /// Stores a sign-in as it has become, over the version it was read at, spending what the new proof was made with.
    /// A <paramref name="newHandle"/> takes the place of the old one. False, with nothing spent, when somebody else was faster.
    /// </summary>
    public Task<bool> ChangeAsync(SignIn signIn, SecretHash? newHandle, SpentProof? proof, CancellationToken cancellationToken) =>
        database.TryWriteAsync(
            async connection =>
                (proof is null || await FactorStore.SpendAsync(connection, signIn.RealmId, proof, signIn.Proofs[^1].At))
                && await connection.ExecuteAsync(
                    """
                    UPDATE sign_ins SET handle_hash = coalesce(@handle, handle_hash), user_id = @UserId, session_id = @SessionId, proofs = @Proofs,
                        choice = @Choice, organization_id = @OrganizationId, failed_tries = @FailedTries, version = version + 1
                    WHERE realm_id = @RealmId AND id = @Id AND version = @Version
                    """,
                    Row(signIn, newHandle, browser: null)) == 1,
            cancellationToken);

    /// <summary>
    /// Counts a try of a second factor, whatever version the sign-in has come to: how many there have been now; null when the sign-in is
    /// gone or has had them all. What the sign-in becomes when the code is right forgets the try again.
    /// </summary>
    public Task<int?> CountTryAsync(SignIn signIn, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.ExecuteScalarAsync<int?>(
                """
                UPDATE sign_ins SET failed_tries = failed_tries + 1
                WHERE realm_id = @RealmId AND id = @Id AND failed_tries < @MaxFactorTries
                RETURNING failed_tries
                """,
                new { signIn.RealmId, signIn.Id, SignIn.MaxFactorTries }),
            cancellationToken);

    /// <summary>Ends a sign-in that cannot go on.</summary>
    public Task DeleteAsync(SignIn signIn, CancellationToken cancellationToken) =>
        database.WriteAsync(
            connection => connection.ExecuteAsync(
                "DELETE FROM sign_ins WHERE realm_id = @RealmId AND id = @Id", new { signIn.RealmId, signIn.Id }),
            cancellationToken);

    /// <summary>
    /// Turns a sign-in into a session and a grant. The sign-in is spent by the same transaction that writes what it ends in, so it ends in
    /// one grant or none, however often it is submitted. False, with nothing spent, when somebody else was faster or the person is gone.
    /// </summary>
    public Task<bool> CompleteAsync(SignInCompletion completion, CancellationToken cancellationToken) =>
        database.TryWriteAsync(
            async connection =>
            {
                SignIn signIn = completion.SignIn;
                DateTimeOffset now = completion.Grant.CreatedAt;
                if (completion.Proof is { } proof && !await FactorStore.SpendAsync(connection, signIn.RealmId, proof, now))
                    return false;
                if (completion.IsStored
                    && await connection.ExecuteAsync(
                        "DELETE FROM sign_ins WHERE realm_id = @RealmId AND id = @Id AND version = @Version",
                        new { signIn.RealmId, signIn.Id, signIn.Version }) == 0)
                {
                    return false;
                }

                if (completion.ReplacedSession is { } replaced)
                {
                    await connection.ExecuteAsync(
                        "UPDATE sessions SET cookie_hash = NULL, updated_at = @now WHERE realm_id = @RealmId AND id = @replaced",
                        new { signIn.RealmId, replaced, now });
                }

                if (completion.IsNewSession)
                {
                    await SessionStore.InsertAsync(connection, completion.Session, completion.Cookie);
                    await connection.ExecuteAsync(
                        "UPDATE users SET last_sign_in_at = @now WHERE realm_id = @RealmId AND id = @UserId",
                        new { signIn.RealmId, completion.Grant.UserId, now });
                }

                await GrantStore.InsertAsync(connection, completion.Grant);
                await GrantStore.InsertAsync(connection, completion.Code);
                return true;
            },
            cancellationToken);

    /// <summary>
    /// Everything that deciding the next step may need, in one round trip. Memberships are read where the person must choose among them,
    /// and the chosen one where it is chosen; never more.
    /// </summary>
    public Task<SignInFacts> LoadFactsAsync(SignIn signIn, Client client, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.ReadAsync(
            async connection =>
            {
                Id<Organization>? chosen = signIn.Choice.Selected;
                bool choosesAmongAll = chosen is null
                    && signIn.Choice == OrganizationChoice.Unchosen
                    && client.ProfileFor(signIn.Door) == TokenProfile.SingleOrg;
                var parameters = new { realm = signIn.RealmId, user = signIn.UserId, chosen, client = client.Id };
                User? user = signIn.UserId is null
                    ? null
                    : await connection.QuerySingleOrDefaultAsync<User>(
                        $"SELECT {UserStore.Columns} FROM users WHERE realm_id = @realm AND id = @user", parameters);
                return new SignInFacts
                {
                    Now = now,
                    Client = client,
                    User = user,
                    Factors = user is null
                        ? []
                        : [
                            .. await connection.QueryAsync<Factor>(
                                $"SELECT {FactorStore.Columns} FROM factors WHERE realm_id = @realm AND user_id = @user ORDER BY id", parameters),
                        ],
                    Memberships = user is not null && (choosesAmongAll || chosen is not null)
                        ? await MembershipStore.OfUserAsync(connection, signIn.RealmId, user.Id, chosen)
                        : [],
                    ChosenOrganization = chosen is null
                        ? null
                        : await connection.QuerySingleOrDefaultAsync<Organization>(
                            $"SELECT {OrganizationStore.Columns} FROM organizations WHERE realm_id = @realm AND id = @chosen AND status <> 'Deleting'",
                            parameters),
                    ChosenIsShared = client.SharedWithAll || chosen is null || await connection.ExecuteScalarAsync<bool>(
                        """
                        SELECT EXISTS (SELECT 1 FROM client_organizations
                            WHERE realm_id = @realm AND client_id = @client AND organization_id = @chosen)
                        """,
                        parameters),
                };
            },
            cancellationToken);

    private static object Row(SignIn signIn, SecretHash? handle, SecretHash? browser) => new
    {
        signIn.RealmId,
        signIn.Id,
        handle,
        browser,
        signIn.ClientId,
        Door = signIn.Door.ToString(),
        signIn.Request,
        signIn.UserId,
        signIn.SessionId,
        signIn.Proofs,
        Choice = signIn.Choice.Word,
        OrganizationId = signIn.Choice.Selected,
        signIn.FailedTries,
        signIn.Version,
        signIn.CreatedAt,
        signIn.ExpiresAt,
    };

    private sealed record SignInRow
    {
        public Id<Realm> RealmId { get; init; }

        public Id<SignIn> Id { get; init; }

        public SecretHash? BrowserHash { get; init; }

        public Id<Client> ClientId { get; init; }

        public Door Door { get; init; }

        public required AuthorizationRequest Request { get; init; }

        public Id<User>? UserId { get; init; }

        public Id<Session>? SessionId { get; init; }

        public required IReadOnlyList<Proof> Proofs { get; init; }

        public required string Choice { get; init; }

        public Id<Organization>? OrganizationId { get; init; }

        public int FailedTries { get; init; }

        public int Version { get; init; }

        public DateTimeOffset CreatedAt { get; init; }

        public DateTimeOffset ExpiresAt { get; init; }

        public StoredSignIn ToStored() => new(
            new SignIn
            {
                RealmId = RealmId,
                Id = Id,
                ClientId = ClientId,
                Door = Door,
                Request = Request,
                UserId = UserId,
                SessionId = SessionId,
                Proofs = Proofs,
                Choice = OrganizationChoice.FromStored(Choice, OrganizationId),
                FailedTries = FailedTries,
                Version = Version,
                CreatedAt = CreatedAt,
                ExpiresAt = ExpiresAt,
            },
            BrowserHash);
    }
}
