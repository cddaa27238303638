using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Tokens;

namespace Atrium.Storage;

/// <summary>
/// What spends a code or a refresh token, and gives the refresh token that follows, as statements that run in one round trip. The first asks
/// itself whether it may and leaves a mark that nobody else can leave; the others look for that mark.
/// </summary>
internal static class GrantSpendingSql
{
    /// <summary>What a grant <c>g</c> stands on, alive; the same as <see cref="GrantFacts.IsLive"/>.</summary>
    private const string LiveGrant =
        """
        SELECT 1 FROM grants g
            JOIN sessions s ON s.realm_id = g.realm_id AND s.id = g.session_id
            JOIN clients c ON c.realm_id = g.realm_id AND c.id = g.client_id
            JOIN users u ON u.realm_id = g.realm_id AND u.id = g.user_id
        WHERE g.realm_id = @realm AND g.client_id = @client AND g.ended_at IS NULL
            AND s.ended_at IS NULL AND s.expires_at > @now AND s.last_used_at + s.idle_timeout * 1000 > @now AND u.status = 'Active' AND c.status = 'Active'
        """;

    /// <summary>
    /// Unspent and in its time. A sum is no column: a PostgreSQL that has not counted its rows yet could otherwise take the cleaner's index,
    /// by the end, for the one that finds the row.
    /// </summary>
    private const string Good = "spent_at IS NULL AND expires_at + 0 > @now";

    private const string SpendCode =
        $"""
        UPDATE authorization_codes SET spent_at = @now, spent_by = @given
        WHERE realm_id = @realm AND code_hash = @codeHash AND {Good}
            AND redirect_uri IS NOT DISTINCT FROM @redirectUri AND code_challenge IS NOT DISTINCT FROM @codeChallenge
            AND (dpop_jkt IS NULL OR dpop_jkt = @dpopJkt)
            AND EXISTS ({LiveGrant} AND g.id = authorization_codes.grant_id)
        """;

    private const string SpentCode = "authorization_codes spent WHERE spent.realm_id = @realm AND spent.code_hash = @codeHash AND spent.spent_by = @given";

    private const string SpendToken =
        $"""
        UPDATE refresh_tokens SET spent_at = @now, sealed_successor = @sealedSuccessor
        WHERE realm_id = @realm AND token_hash = @tokenHash AND {Good}
            AND (dpop_jkt IS NULL OR dpop_jkt = @dpopJkt)
            AND EXISTS ({LiveGrant} AND g.id = refresh_tokens.grant_id)
        """;

    private const string SpentToken =
        "refresh_tokens spent WHERE spent.realm_id = @realm AND spent.token_hash = @tokenHash AND spent.sealed_successor = @sealedSuccessor";

    /// <summary>A refresh is a use of the session. Nodes' clocks differ; the later use counts.</summary>
    private const string UseSession =
        $"""
        UPDATE sessions SET last_used_at = @now
        WHERE realm_id = @realm AND last_used_at < @now
            AND id IN (SELECT g.session_id FROM grants g WHERE g.realm_id = @realm AND g.id IN (SELECT spent.grant_id FROM {SpentToken}))
        """;

    private const string MayEnter =
        """
        EXISTS (SELECT 1 FROM grants g
                JOIN memberships m ON m.realm_id = g.realm_id AND m.user_id = g.user_id AND m.organization_id = @switchTo AND m.status = 'Active'
                JOIN organizations o ON o.realm_id = m.realm_id AND o.id = m.organization_id AND o.status = 'Active'
            WHERE g.realm_id = @realm AND g.id = refresh_tokens.grant_id)
        """;

    private const string Enter =
        $"""
        UPDATE grants SET choice = 'chosen', organization_id = @switchTo
        WHERE realm_id = @realm AND id IN (SELECT spent.grant_id FROM {SpentToken})
        """;

    private static readonly string RedeemForRefreshToken = $"{SpendCode};\n{GiveToken(SpentCode)}";
    private static readonly string Rotate = $"{SpendToken};\n{UseSession};\n{GiveToken(SpentToken)}";
    private static readonly string RotateAndSwitch = $"{SpendToken} AND {MayEnter};\n{UseSession};\n{GiveToken(SpentToken)};\n{Enter}";

    public static string TextOf(CodeRedemption redemption) => redemption.GivesRefreshToken ? RedeemForRefreshToken : SpendCode;

    public static string TextOf(RefreshRotation rotation) => rotation.SwitchTo is null ? Rotate : RotateAndSwitch;

    public static object ParametersOf(CodeRedemption redemption) => new
    {
        realm = redemption.RealmId,
        codeHash = redemption.CodeHash,
        client = redemption.ClientId,
        redirectUri = redemption.RedirectUri,
        codeChallenge = redemption.CodeChallenge,
        dpopJkt = redemption.DpopJkt,
        holderJkt = redemption.HolderJkt,
        now = redemption.Now,
        given = redemption.Mark,
        givenExpiresAt = redemption.RefreshExpiresAt,
        switchTo = (Id<Organization>?)null,
        mostMemberships = redemption.MostMemberships,
    };

    public static object ParametersOf(RefreshRotation rotation) => new
    {
        realm = rotation.RealmId,
        tokenHash = rotation.TokenHash,
        client = rotation.ClientId,
        dpopJkt = rotation.DpopJkt,
        holderJkt = rotation.HolderJkt,
        now = rotation.Now,
        sealedSuccessor = rotation.SealedSuccessor,
        given = rotation.SuccessorHash,
        givenExpiresAt = rotation.ExpiresAt,
        switchTo = rotation.SwitchTo,
        mostMemberships = rotation.MostMemberships,
    };

    /// <summary>A refresh token for the grant of what was spent: it is the holder's of the key, if one was proved, and lives no longer than its session.</summary>
    private static string GiveToken(string spent) =>
        $"""
        INSERT INTO refresh_tokens ({GrantStore.TokenColumns})
        SELECT g.realm_id, @given, g.id, @now, CASE WHEN s.expires_at < @givenExpiresAt THEN s.expires_at ELSE @givenExpiresAt END, NULL, NULL, @holderJkt
        FROM grants g JOIN sessions s ON s.realm_id = g.realm_id AND s.id = g.session_id
        WHERE g.realm_id = @realm AND g.id IN (SELECT spent.grant_id FROM {spent})
        """;
}
