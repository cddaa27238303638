using Atrium.Core.Events;
using Atrium.Core.SignIns;
using Dapper;

namespace Atrium.Storage;

/// <summary>
/// What completes a sign-in, as statements that run in one round trip. The session and the grant are written first, if what they rest on
/// stands and is spent by nobody else; whatever follows is done where the grant is there.
/// </summary>
internal static class SignInCompletionSql
{
    private const string WithGrant = "EXISTS (SELECT 1 FROM grants WHERE realm_id = @realm AND id = @grant)";

    private const string EndSignIn = $"DELETE FROM sign_ins WHERE realm_id = @realm AND id = @signIn AND {WithGrant}";

    private const string ReplaceSession =
        $"""
        UPDATE sessions SET cookie_hash = NULL, replaced_by = CASE WHEN user_id = @user THEN @session END, updated_at = @now
        WHERE realm_id = @realm AND id = @replaced AND {WithGrant}
        """;

    private const string UseSession =
        $"UPDATE sessions SET last_used_at = @now WHERE realm_id = @realm AND id = @session AND last_used_at < @now AND {WithGrant}";

    private const string NoteSignIn = $"UPDATE users SET last_sign_in_at = @now WHERE realm_id = @realm AND id = @user AND {WithGrant}";

    private const string InsertCode =
        $"""
        INSERT INTO authorization_codes ({GrantStore.CodeColumns})
        SELECT @realm, @codeHash, @grant, @redirectUri, @nonce, @codeChallenge, @now, @codeExpiresAt, NULL, NULL, @codeDpopJkt WHERE {WithGrant}
        """;

    private const string SpendFactor =
        $"""
        UPDATE factors SET last_used_step = @step, confirmed = TRUE, updated_at = @now WHERE realm_id = @realm AND id = @factor AND {WithGrant}
        """;

    private const string SpendChallenge =
        $"UPDATE factor_challenges SET spent_at = @now WHERE realm_id = @realm AND id = @challenge AND {WithGrant}";

    private const string SpendRecoveryCode =
        $"DELETE FROM recovery_codes WHERE realm_id = @realm AND user_id = @user AND code_hash = @recoveryCode AND {WithGrant}";

    private const string SpendVerification =
        $"""
        UPDATE email_verifications SET spent_at = @now WHERE realm_id = @realm AND id = @verification AND {WithGrant};
        UPDATE users SET email_verified = TRUE, updated_at = @now
        WHERE realm_id = @realm AND (id, email) IN (SELECT user_id, email FROM email_verifications WHERE realm_id = @realm AND id = @verification) AND {WithGrant}
        """;

    /// <summary>An organization that is gone meanwhile takes the consent for it along.</summary>
    private static readonly string StoreConsent =
        $"""
        INSERT INTO consents ({ConsentStore.Columns})
        SELECT @realm, @consent, @user, @client, @consentScopes, @consentChoice, @consentOrganization, @consentResource, @now
        WHERE {WithGrant} AND {OrganizationOf("@consentOrganization")}
        ON CONFLICT (realm_id, id) DO UPDATE SET scopes = excluded.scopes, granted_at = excluded.granted_at
        """;

    private static readonly string RememberChoice =
        $"""
        INSERT INTO organization_choices (realm_id, user_id, client_id, choice, organization_id, chosen_at)
        SELECT @realm, @user, @client, @choice, @organization, @now WHERE {WithGrant} AND {OrganizationOf("@organization")}
        ON CONFLICT (realm_id, user_id, client_id) DO UPDATE
            SET choice = excluded.choice, organization_id = excluded.organization_id, chosen_at = excluded.chosen_at
        """;

    private static string OrganizationOf(string parameter) =>
        $"({parameter} IS NULL OR EXISTS (SELECT 1 FROM organizations WHERE realm_id = @realm AND id = {parameter}))";

    /// <summary>
    /// Has a completion written by <paramref name="run"/>, which says null where it was not. One that finds no room for its session is written once more
    /// with the sessions that make room.
    /// </summary>
    public static async Task<T?> RunAsync<T>(
        Database database, SignInCompletion completion, Func<DynamicParameters, string, Task<T?>> run, CancellationToken cancellationToken)
    {
        if (await RunAsync(database, completion, run) is { } written)
            return written;
        if (!completion.IsNewSession)
            return default;
        Session made = completion.Session;
        IReadOnlyList<Session> displaced = await database.QueryAsync(
            connection => SessionRoom.DisplacedAsync(connection, made.RealmId, made.UserId, completion.Grant.CreatedAt), cancellationToken);
        return displaced.Count == 0 ? default : await RunAsync(database, completion with { Displaced = displaced }, run);
    }

    private static async Task<T?> RunAsync<T>(Database database, SignInCompletion completion, Func<DynamicParameters, string, Task<T?>> run)
    {
        DynamicParameters parameters = ParametersOf(database, completion);
        if (await run(parameters, TextOf(database, completion, parameters)) is not { } written)
            return default;
        database.Changes.Tell(Change.OfFreshEvents(completion.SignIn.RealmId));
        if (completion.Displaced.Count > 0)
            database.Changes.Tell(Change.OfLogoutNotices(completion.SignIn.RealmId));
        return written;
    }

    private static string TextOf(Database database, SignInCompletion completion, DynamicParameters parameters)
    {
        IEnumerable<string> conditions = [.. Standing(database, completion), .. Unspent(database, completion)];
        if (completion.IsNewSession && completion.Displaced.Count == 0)
            conditions = conditions.Append(SessionRoom.Condition);
        return string.Join(
            ";\n",
            Statements(completion, string.Join(" AND ", conditions), parameters).Append(EventLog.InsertText(database, WithGrant)));
    }

    private static DynamicParameters ParametersOf(Database database, SignInCompletion completion) => new(new
    {
        events = EventLog.RowsOf([.. EndsOf(completion), .. completion.Events], completion.Origin, database.Time),
        realm = completion.SignIn.RealmId,
        signIn = completion.SignIn.Id,
        version = completion.SignIn.Version,
        user = completion.Grant.UserId,
        client = completion.Grant.ClientId,
        now = completion.Grant.CreatedAt,
        session = completion.Session.Id,
        cookie = completion.Cookie,
        replaced = completion.ReplacedSession,
        proofs = completion.Session.Proofs,
        authenticatedAt = completion.Session.AuthenticatedAt,
        ipAddress = completion.Session.IpAddress,
        userAgent = completion.Session.UserAgent,
        idleTimeout = completion.Session.IdleTimeout,
        sessionExpiresAt = completion.Session.ExpiresAt,
        grant = completion.Grant.Id,
        door = completion.Grant.Door.ToString(),
        profile = completion.Grant.Profile.ToString(),
        scopes = completion.Grant.Scopes,
        choice = completion.Grant.Choice.Word,
        organization = completion.Grant.Choice.Selected,
        onOrganizationPath = completion.Grant.OnOrganizationPath,
        resource = completion.Grant.Resource,
        codeHash = completion.Code.CodeHash,
        redirectUri = completion.Code.RedirectUri,
        nonce = completion.Code.Nonce,
        codeChallenge = completion.Code.CodeChallenge,
        codeExpiresAt = completion.Code.ExpiresAt,
        codeDpopJkt = completion.Code.DpopJkt,
        factor = completion.Proof?.Factor,
        step = completion.Proof?.Step,
        challenge = completion.Proof?.Challenge,
        verification = completion.Proof?.Verification,
        recoveryCode = completion.Proof?.RecoveryCode?.Hash,
        passwordHash = completion.Proof?.Password?.Hash,
        basis = completion.SignIn.SessionId,
        restsOn = completion.RestsOn,
        consent = completion.Given?.Id,
        consentScopes = completion.Given?.Terms.Scopes,
        consentChoice = completion.Given?.Terms.Choice.Word,
        consentOrganization = completion.Given?.Terms.Choice.Selected,
        consentResource = completion.Given?.Terms.Resource,
    });

    /// <summary>
    /// What the sign-in rests on and must be there still: the person, with the password that was just checked, and the session that it began with. The
    /// person comes first, as wherever a password is changed or somebody is disabled, which ends what was there by then.
    /// </summary>
    private static IEnumerable<string> Standing(Database database, SignInCompletion completion)
    {
        string samePassword = completion.Proof?.Password is null ? "" : " AND password_hash = @passwordHash";
        yield return
            $"EXISTS (SELECT 1 FROM users WHERE realm_id = @realm AND id = @user AND status = 'Active'{samePassword}{database.ForUpdateOf("users")})";
        yield return "EXISTS (SELECT 1 FROM clients WHERE realm_id = @realm AND id = @client)";
        if (completion.SignIn.SessionId is not null)
            yield return $"EXISTS (SELECT 1 FROM sessions WHERE realm_id = @realm AND id = @basis AND ended_at IS NULL{database.ForUpdateOf("sessions")})";
    }

    /// <summary>The one-time things that the sign-in rests on: held against everybody else from here to the commit.</summary>
    private static IEnumerable<string> Unspent(Database database, SignInCompletion completion)
    {
        if (completion.IsStored)
            yield return $"EXISTS (SELECT 1 FROM sign_ins WHERE realm_id = @realm AND id = @signIn AND version = @version{database.ForUpdateOf("sign_ins")})";
        if (completion.RestsOn is not null)
            yield return $"EXISTS (SELECT 1 FROM consents WHERE realm_id = @realm AND id = @restsOn{database.ForUpdateOf("consents")})";
        if (completion.Proof?.Challenge is not null)
        {
            yield return
                $"EXISTS (SELECT 1 FROM factor_challenges WHERE realm_id = @realm AND id = @challenge AND spent_at IS NULL{database.ForUpdateOf("factor_challenges")})";
        }

        if (completion.Proof?.Factor is not null)
        {
            yield return
                $"""
                EXISTS (SELECT 1 FROM factors
                    WHERE realm_id = @realm AND id = @factor AND (last_used_step IS NULL OR last_used_step < @step){database.ForUpdateOf("factors")})
                """;
        }

        if (completion.Proof?.RecoveryCode is not null)
        {
            yield return
                $"EXISTS (SELECT 1 FROM recovery_codes WHERE realm_id = @realm AND user_id = @user AND code_hash = @recoveryCode{database.ForUpdateOf("recovery_codes")})";
        }

        if (completion.Proof?.Verification is not null)
        {
            yield return
                $"""
                EXISTS (SELECT 1 FROM email_verifications v JOIN users u ON u.realm_id = v.realm_id AND u.id = v.user_id AND u.email = v.email
                    WHERE v.realm_id = @realm AND v.id = @verification AND v.user_id = @user AND v.spent_at IS NULL{database.ForUpdateOf("v")})
                """;
        }
    }

    private static IEnumerable<EventDraft> EndsOf(SignInCompletion completion) => completion.Displaced.Select(session => SessionStore.EndOf(session with
    {
        EndedAt = completion.Grant.CreatedAt, UpdatedAt = completion.Grant.CreatedAt, EndReason = SessionEnd.Displaced,
    }));

    private static IEnumerable<string> Statements(SignInCompletion completion, string unspent, DynamicParameters parameters)
    {
        if (completion.IsNewSession)
        {
            yield return
                $"""
                INSERT INTO sessions (realm_id, id, user_id, cookie_hash, proofs, authenticated_at, ip_address, user_agent, created_at, updated_at,
                    last_used_at, idle_timeout, expires_at, ended_at)
                SELECT @realm, @session, @user, @cookie, @proofs, @authenticatedAt, @ipAddress, @userAgent, @now, @now, @now, @idleTimeout, @sessionExpiresAt, NULL
                WHERE {unspent}
                """;

            // Whatever it asks was asked for the session; by now that is one of those that are counted.
            unspent = "TRUE";
        }

        yield return
            $"""
            INSERT INTO grants ({GrantFactsSql.GrantColumns})
            SELECT @realm, @grant, @session, @client, @user, @door, @profile, @scopes, @choice, @organization, @onOrganizationPath, @resource, @now, NULL
            WHERE {unspent} AND EXISTS (SELECT 1 FROM sessions WHERE realm_id = @realm AND id = @session)
            """;
        yield return InsertCode;
        yield return completion.IsNewSession ? NoteSignIn : UseSession;
        if (completion.Displaced.Count > 0)
        {
            string ids = parameters.AddIds("displaced", [.. completion.Displaced.Select(static session => session.Id)]);
            yield return
                $"""
                UPDATE sessions SET ended_at = @now, updated_at = @now, end_reason = '{SessionEnd.Displaced}'
                WHERE realm_id = @realm AND id IN {ids} AND ended_at IS NULL AND {WithGrant}
                """;
            yield return $"UPDATE grants SET ended_at = @now WHERE realm_id = @realm AND session_id IN {ids} AND ended_at IS NULL AND {WithGrant}";
            yield return LogoutNoticeStore.QueueText($"s.id IN {ids} AND {LogoutNoticeStore.EndedNow}");
        }

        if (completion.ReplacedSession is not null)
            yield return ReplaceSession;
        if (completion.Proof?.Factor is not null)
            yield return SpendFactor;
        if (completion.Proof?.Challenge is not null)
            yield return SpendChallenge;
        if (completion.Proof?.RecoveryCode is not null)
            yield return SpendRecoveryCode;
        if (completion.Proof?.Verification is not null)
            yield return SpendVerification;
        if (completion.Given is not null)
            yield return StoreConsent;
        if (completion.RemembersChoice)
            yield return RememberChoice;
        if (completion.IsStored)
            yield return EndSignIn;
    }
}
