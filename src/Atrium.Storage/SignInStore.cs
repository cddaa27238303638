using System.Data.Common;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Dapper;

namespace Atrium.Storage;

/// <summary>A sign-in as it is stored, the browser that it is bound to, if it began in one, and what deciding its next step may need.</summary>
public sealed record StoredSignIn(SignIn SignIn, SecretHash? Browser, SignInFacts Facts);

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

    /// <summary>Sessions that make room for this one, the newest first; see <see cref="SessionRoom"/>.</summary>
    internal IReadOnlyList<Session> Displaced { get; init; } = [];

    /// <summary>The session that this one replaces in the same browser.</summary>
    public Id<Session>? ReplacedSession { get; init; }

    public required Grant Grant { get; init; }

    public required AuthorizationCode Code { get; init; }

    public SpentProof? Proof { get; init; }

    /// <summary>What the person let the client have on the way, to be stored with the grant.</summary>
    public Consent? Given { get; init; }

    /// <summary>The consent that the client gets its grant by, given before: it must still stand.</summary>
    public Id<Consent>? RestsOn { get; init; }

    /// <summary>Whether what was picked is shown first the next time.</summary>
    public bool RemembersChoice { get; init; }

    /// <summary>What the log says of it.</summary>
    public IReadOnlyList<EventDraft> Events { get; init; } = [];

    public Origin Origin { get; init; } = Origin.System;
}

/// <summary>Sign-ins under way. What changes one names the version it was decided on; a change over another version is refused.</summary>
public sealed class SignInStore(Database database)
{
    private const string Columns =
        """
        realm_id, id, handle_hash, browser_hash, client_id, door, request, user_id, session_id, proofs, choice, organization_id,
        failed_tries, version, created_at, expires_at, account_confirmed, sealed_codes
        """;

    private static readonly string FindText =
        $"""
        SELECT {SqlTypes.Of("i", Columns)},
            c.realm_id AS client_split, {SqlTypes.Of("c", ClientStore.Columns)},
            u.realm_id AS user_split, {SqlTypes.Of("u", UserStore.Columns)}
        FROM sign_ins i
            JOIN clients c ON c.realm_id = i.realm_id AND c.id = i.client_id
            LEFT JOIN users u ON u.realm_id = i.realm_id AND u.id = i.user_id
        WHERE i.realm_id = @realm AND i.handle_hash = @handle;
        {new SignInFactsSql("sign_ins i", "i.handle_hash = @handle").Text}
        """;

    private static readonly string LoadText =
        $"""
        SELECT {UserStore.Columns} FROM users WHERE realm_id = @realm AND id = @user;
        {new SignInFactsSql(
            "(SELECT @realm AS realm_id, @user AS user_id, @organization AS organization_id, @client AS client_id, @choice AS choice) i",
            "i.choice IS NOT NULL").Text}
        """;

    /// <summary>Makes a sign-in's row; false when the person or the client is gone, or the password that was checked is the person's no more.</summary>
    public Task<bool> CreateAsync(SignIn signIn, SecretHash handle, SecretHash? browser, VerifiedPassword? password, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            async connection => await connection.ExecuteAsync(
                $"""
                INSERT INTO sign_ins ({Columns})
                SELECT @RealmId, @Id, @handle, @browser, @ClientId, @Door, @Request, @UserId, @SessionId, @Proofs, @Choice, @OrganizationId,
                    @FailedTries, @Version, @CreatedAt, @ExpiresAt, @AccountConfirmed, @SealedCodes
                WHERE EXISTS (SELECT 1 FROM clients WHERE realm_id = @RealmId AND id = @ClientId)
                    AND (@UserId IS NULL OR EXISTS (SELECT 1 FROM users WHERE realm_id = @RealmId AND id = @UserId))
                    AND {HoldsPassword(password)}
                """,
                Row(signIn, handle, browser, password)) == 1,
            cancellationToken);

    /// <summary>A sign-in by its handle, with its client and everything that deciding the next step may need.</summary>
    public Task<StoredSignIn?> FindAsync(Id<Realm> realm, SecretHash handle, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.ReadTogetherAsync(
            FindText,
            new { realm, handle },
            async results =>
            {
                (SignInRow Row, Client Client, User User) one = results.Read<SignInRow, Client, User, (SignInRow, Client, User)>(
                    static (row, client, user) => (row, client, user), "client_split,user_split").SingleOrDefault();
                if (one.Row is not { } row)
                    return null;

                // Where nobody is known yet, the columns of a person are all there, and empty.
                User? user = row.UserId is null ? null : one.User;
                SignIn signIn = row.ToSignIn();
                return new StoredSignIn(signIn, row.BrowserHash, await ReadFactsAsync(results, signIn, one.Client, user, now));
            },
            cancellationToken);

    /// <summary>
    /// Stores a sign-in as it has become, over the version it was read at, spending what the new proof was made with.
    /// A <paramref name="newHandle"/> takes the place of the old one. False, with nothing spent, when somebody else was faster,
    /// or the password that was checked is the person's no more.
    /// </summary>
    public Task<bool> ChangeAsync(SignIn signIn, SecretHash? newHandle, SpentProof? proof, Origin origin, CancellationToken cancellationToken) =>
        proof is null or { SpendsNothing: true }
            ? database.WriteOneAsync(connection => ChangeAsync(connection, signIn, newHandle, proof?.Password, HoldsPassword(proof?.Password)), cancellationToken)
            : database.TryRecordAsync(
                signIn.RealmId,
                origin,
                async (connection, log) =>
                    await FactorStore.SpendAsync(database, connection, log, signIn.RealmId, proof, signIn.Proofs[^1].At)
                    && await ChangeAsync(connection, signIn, newHandle),
                cancellationToken);

    /// <summary>The same as part of a larger change.</summary>
    internal static Task<bool> ChangeAsync(DbConnection connection, SignIn signIn, SecretHash? newHandle) =>
        ChangeAsync(connection, signIn, newHandle, password: null, "TRUE");

    private static async Task<bool> ChangeAsync(DbConnection connection, SignIn signIn, SecretHash? newHandle, VerifiedPassword? password, string condition) =>
        await connection.ExecuteAsync(
            $"""
            UPDATE sign_ins SET handle_hash = coalesce(@handle, handle_hash), user_id = @UserId, session_id = @SessionId, proofs = @Proofs,
                choice = @Choice, organization_id = @OrganizationId, failed_tries = @FailedTries, account_confirmed = @AccountConfirmed,
                sealed_codes = @SealedCodes, version = version + 1
            WHERE realm_id = @RealmId AND id = @Id AND version = @Version AND {condition}
            """,
            Row(signIn, newHandle, browser: null, password)) == 1;

    /// <summary>Whether the password that was just checked is the person's still, who is held from here to the commit.</summary>
    private string HoldsPassword(VerifiedPassword? password) => password is null
        ? "TRUE"
        : $"EXISTS (SELECT 1 FROM users WHERE realm_id = @RealmId AND id = @UserId AND password_hash = @passwordHash{database.ForUpdateOf("users")})";

    /// <summary>
    /// Counts a try of a second factor, whatever version the sign-in has come to: how many there have been now; null when the sign-in is
    /// gone or has had them all. What the sign-in becomes when the code is right forgets the try again.
    /// </summary>
    public Task<int?> CountTryAsync(SignIn signIn, CancellationToken cancellationToken) => CountTryAsync(signIn, "", cancellationToken);

    /// <summary>The same where the sign-in has not changed since it was read: null when it has, and nothing is counted against what it has become.</summary>
    public Task<int?> CountTryAsItIsAsync(SignIn signIn, CancellationToken cancellationToken) =>
        CountTryAsync(signIn, " AND version = @Version", cancellationToken);

    private Task<int?> CountTryAsync(SignIn signIn, string condition, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            connection => connection.ExecuteScalarAsync<int?>(
                $"""
                UPDATE sign_ins SET failed_tries = failed_tries + 1
                WHERE realm_id = @RealmId AND id = @Id AND failed_tries < @MaxFactorTries{condition}
                RETURNING failed_tries
                """,
                new { signIn.RealmId, signIn.Id, SignIn.MaxFactorTries, signIn.Version }),
            cancellationToken);

    /// <summary>Ends a sign-in that cannot go on; false when it is over already.</summary>
    public Task<bool> DeleteAsync(SignIn signIn, CancellationToken cancellationToken) =>
        database.WriteOneAsync(
            async connection => await connection.ExecuteAsync(
                "DELETE FROM sign_ins WHERE realm_id = @RealmId AND id = @Id", new { signIn.RealmId, signIn.Id }) == 1,
            cancellationToken);

    /// <summary>
    /// Turns a sign-in into a session and a grant. The sign-in is spent by the same transaction that writes what it ends in, so it ends in
    /// one grant or none, however often it is submitted. False, with nothing spent, when somebody else was faster or the person is gone.
    /// </summary>
    public async Task<bool> CompleteAsync(SignInCompletion completion, CancellationToken cancellationToken)
    {
        bool? completed = await SignInCompletionSql.RunAsync<bool?>(
            database,
            completion,
            async (parameters, text) => await database.WriteThenReadAsync(
                text,
                "SELECT 1 FROM grants WHERE realm_id = @realm AND id = @grant",
                parameters,
                static async results => (await results.ReadAsync<int>()).Any() ? true : (bool?)null,
                cancellationToken),
            cancellationToken);
        return completed ?? false;
    }

    /// <summary>
    /// Everything that deciding the next step may need, in one round trip. Memberships are read where the person must choose among them,
    /// and the chosen one where it is chosen; never more.
    /// </summary>
    public Task<SignInFacts> LoadFactsAsync(SignIn signIn, Client client, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.ReadTogetherAsync(
            LoadText, ParametersOf(signIn, client), results => ReadAsync(results, signIn, client, now), cancellationToken);

    /// <summary>The same, and how often somebody guessed wrong.</summary>
    public Task<(SignInFacts Facts, IReadOnlyDictionary<SecretHash, long> Guesses)> LoadFactsAsync(
        SignIn signIn, Client client, DateTimeOffset now, GuessWatch watch, CancellationToken cancellationToken)
    {
        DynamicParameters parameters = new(ParametersOf(signIn, client));
        return database.ReadTogetherAsync(
            $"{watch.CountSql(parameters)};\n{LoadText}",
            parameters,
            async results =>
            {
                IReadOnlyDictionary<SecretHash, long> guesses = await GuessWatch.ReadAsync(results);
                return (await ReadAsync(results, signIn, client, now), guesses);
            },
            cancellationToken);
    }

    /// <summary>Everything that a rehearsal of a sign-in may depend on: all that the person belongs to, and the organization in question.</summary>
    public Task<RehearsalFacts> LoadForRehearsalAsync(
        SignIn signIn, Client client, User user, Organization? wanted, DateTimeOffset now, CancellationToken cancellationToken) =>
        database.ReadTogetherAsync(
            LoadText,
            new { realm = signIn.RealmId, user = user.Id, organization = wanted?.Id, client = client.Id, choice = OrganizationChoice.Unchosen.Word },
            async results =>
            {
                SignInFacts facts = await ReadFactsAsync(
                    results, signIn, client, await results.ReadSingleOrDefaultAsync<User>(), now, ofAll: true);
                return new RehearsalFacts
                {
                    // The one in question is among all of them, and once more beside them.
                    Open = facts with { Memberships = [.. facts.Memberships.DistinctBy(static entry => entry.Organization.Id)], ChosenOrganization = null },
                    Wanted = facts.ChosenOrganization,
                    WantedIsShared = facts.ChosenIsShared,
                };
            },
            cancellationToken);

    private static object ParametersOf(SignIn signIn, Client client) => new
    {
        realm = signIn.RealmId,
        user = signIn.UserId,
        organization = signIn.Choice.Selected,
        client = client.Id,
        choice = SignInEngine.MayAskWhich(signIn, client) ? signIn.Choice.Word : "",
    };

    private static async Task<SignInFacts> ReadAsync(SqlMapper.GridReader results, SignIn signIn, Client client, DateTimeOffset now) =>
        await ReadFactsAsync(results, signIn, client, await results.ReadSingleOrDefaultAsync<User>(), now);

    private static async Task<SignInFacts> ReadFactsAsync(
        SqlMapper.GridReader results, SignIn signIn, Client client, User? user, DateTimeOffset now, bool ofAll = false)
    {
        Factor[] factors = [.. await results.ReadAsync<Factor>()];
        MembershipInOrganization[] memberships =
        [
            .. results.Read<Membership, Organization, MembershipInOrganization>(
                static (membership, organization) => new MembershipInOrganization(membership, organization), SignInFactsSql.MembershipSplit),
        ];
        return new SignInFacts
        {
            Now = now,
            Client = client,
            User = user,
            Factors = factors,
            Memberships = ofAll || signIn.Choice.Selected is not null || SignInEngine.MayAskWhich(signIn, client) ? memberships : [],
            ChosenOrganization = await results.ReadSingleOrDefaultAsync<Organization>(),
            ChosenIsShared = (await results.ReadAsync<Id<Organization>>()).Any() || client.SharedWithAll || (!ofAll && signIn.Choice.Selected is null),
            Consents = [.. (await results.ReadAsync<ConsentRow>()).Select(static row => row.ToConsent())],
            LastChoice = (await results.ReadSingleOrDefaultAsync<ChoiceRow>())?.ToChoice() ?? OrganizationChoice.Unchosen,
            Realm = await results.ReadSingleAsync<RealmSettings>(),
        };
    }

    private static object Row(SignIn signIn, SecretHash? handle, SecretHash? browser, VerifiedPassword? password) => new
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
        signIn.AccountConfirmed,
        signIn.SealedCodes,
        passwordHash = password?.Hash,
    };

    private sealed record ChoiceRow
    {
        public required string Choice { get; init; }

        public Id<Organization>? OrganizationId { get; init; }

        public OrganizationChoice ToChoice() => OrganizationChoice.FromStored(Choice, OrganizationId);
    }

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

        public bool AccountConfirmed { get; init; }

        public byte[]? SealedCodes { get; init; }

        public SignIn ToSignIn() => new()
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
            AccountConfirmed = AccountConfirmed,
            SealedCodes = SealedCodes,
        };
    }
}
