using System.Text;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Tokens;

/// <summary>What a client is given.</summary>
public sealed record IssuedTokens
{
    public required string AccessToken { get; init; }

    /// <summary>The key that the access token is bound to; null for a bearer token.</summary>
    public string? DpopJkt { get; init; }

    /// <summary>Seconds.</summary>
    public required int ExpiresIn { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public Secret? RefreshToken { get; init; }

    public string? IdToken { get; init; }

    public required GrantFacts Facts { get; init; }
}

/// <summary>Tokens, or why not.</summary>
public abstract record GrantResult
{
    private GrantResult()
    {
    }

    public sealed record Issued(IssuedTokens Tokens) : GrantResult;

    public sealed record Refused(GrantRefusal Reason) : GrantResult;
}

/// <summary>
/// Where the doors bring a code or a refresh token. What nearly every one of them is, good and shown for the first time, is spent and answered in
/// one round trip to the store; the rules look at the facts that come back with it.
/// </summary>
public sealed class GrantDesk(GrantStore grants, TokenIssuer issuer, RefreshTokenLookup lookup, BudgetNotices budgets, TimeProvider clock)
{
    /// <param name="restated">What the request says again of the grant; where they differ, nothing is spent.</param>
    /// <exception cref="MissingLibraryException">This node can't sign the tokens. Nothing is spent: another node may.</exception>
    public async Task<GrantResult> RedeemAsync(
        Presenter presenter, Secret code, string? redirectUri, string? verifier, RestatedTerms restated, CancellationToken cancellationToken)
    {
        Client client = presenter.Client;
        DateTimeOffset now = clock.GetUtcNow();
        SecretHash codeHash = code.Hash();

        // Looked at before it is spent: what may differ from the grant, and what this node may be unable to answer.
        if (restated != RestatedTerms.None || !await issuer.CanSignAsync(client, Door.OAuth, cancellationToken))
        {
            if (await grants.FindCodeAsync(client.RealmId, codeHash, cancellationToken) is not var (seen, standing))
                return new GrantResult.Refused(GrantRefusal.Invalid);
            GrantDecision foreseen = GrantRules.Redeem(seen, standing, presenter, redirectUri, verifier, restated, now);
            if (foreseen is not GrantDecision.Issue)
                return await RefuseAsync(foreseen, standing, now, cancellationToken);
            await issuer.RequireSignerAsync(standing, cancellationToken);
        }

        Secret refreshSecret = Secret.New();
        CodeRedemption redemption = RedemptionOf(presenter, codeHash, redirectUri, verifier, refreshSecret, now);
        return await grants.RedeemAsync(redemption, cancellationToken) is { } spending
            ? await AnswerAsync(
                presenter,
                spending,
                GrantRules.Redeem(spending.Shown, spending.Facts, presenter, redirectUri, verifier, restated, now),
                refreshSecret,
                now,
                cancellationToken)
            : new GrantResult.Refused(GrantRefusal.Invalid);
    }

    /// <summary>
    /// Completes a sign-in and answers with its tokens at once, for a door that hands out no code; null when it was completed by somebody else
    /// meanwhile.
    /// </summary>
    public async Task<GrantResult?> CompleteAsync(Client client, SignInCompletion completion, CancellationToken cancellationToken)
    {
        AuthorizationCode code = completion.Code;
        DateTimeOffset now = completion.Grant.CreatedAt;
        Secret refreshSecret = Secret.New();
        CodeRedemption redemption = RedemptionOf(client, code.CodeHash, code.RedirectUri, verifier: null, refreshSecret, now);
        return await grants.CompleteAndRedeemAsync(completion, redemption, cancellationToken) is { } spending
            ? await AnswerAsync(
                client,
                spending,
                GrantRules.Redeem(spending.Shown, spending.Facts, client, code.RedirectUri, verifier: null, RestatedTerms.None, now),
                refreshSecret,
                now,
                cancellationToken)
            : null;
    }

    /// <param name="scopes">Fewer scopes for this access token; null for all of the grant's.</param>
    /// <param name="switchTo">Another organization that the caller has found the person may go on in.</param>
    /// <param name="restated">What the request says again of the grant; where they differ, nothing is spent.</param>
    /// <exception cref="MissingLibraryException">This node can't sign the tokens. Nothing is spent: another node may.</exception>
    public async Task<GrantResult> RefreshAsync(
        Presenter presenter,
        Secret token,
        IReadOnlyList<string>? scopes,
        Id<Organization>? switchTo,
        RestatedTerms restated,
        CancellationToken cancellationToken)
    {
        Client client = presenter.Client;
        if (await lookup.HashOfAsync(client.RealmId, token, cancellationToken) is not { } tokenHash)
            return new GrantResult.Refused(GrantRefusal.Invalid);

        // A request that asks for less than all is looked at before anything is spent, as is every one where this node may be unable to answer it.
        DateTimeOffset now = clock.GetUtcNow();
        if (scopes is not null || restated != RestatedTerms.None || !await issuer.CanSignAsync(client, Door.OAuth, cancellationToken))
        {
            if (await grants.FindRefreshTokenAsync(client.RealmId, tokenHash, switchTo, cancellationToken) is not var (seen, standing))
                return new GrantResult.Refused(GrantRefusal.Invalid);
            GrantDecision foreseen = GrantRules.Refresh(seen, standing, presenter, scopes, restated, now);
            if (foreseen is not (GrantDecision.Issue or GrantDecision.Replay))
                return await RefuseAsync(foreseen, standing, now, cancellationToken);
            await issuer.RequireSignerAsync(standing, cancellationToken);
        }

        Secret successor = await issuer.SuccessorAsync(client.RealmId, token, RefreshExpiry(client, now), cancellationToken);
        byte[] place = PlaceOf(presenter, tokenHash);
        Spending<RefreshToken>? spending = await grants.RotateAsync(
            new RefreshRotation
            {
                RealmId = client.RealmId,
                TokenHash = tokenHash,
                ClientId = client.Id,
                DpopJkt = presenter.DpopJkt,
                HolderJkt = presenter.HolderJkt,
                Now = now,
                SuccessorHash = successor.Hash(),
                SealedSuccessor = BoxOf(token).Seal(Encoding.UTF8.GetBytes(successor.Reveal()), place),
                ExpiresAt = RefreshExpiry(client, now),
                SwitchTo = switchTo,
                MostMemberships = MostMembershipsOf(client),
            },
            cancellationToken);
        if (spending is not { Shown: { } shown, Facts: { } facts })
            return new GrantResult.Refused(GrantRefusal.Invalid);

        GrantDecision decision = GrantRules.Refresh(shown, facts, presenter, scopes, restated, now);

        // As for a code: what was spent for nothing stays spent, and what hangs on it ends.
        if (spending.IsSpentNow && decision is GrantDecision.Refuse withdrawn)
            decision = new GrantDecision.End(withdrawn.Reason);
        switch (decision)
        {
            case GrantDecision.Issue issue when spending.IsSpentNow:
                return await IssueAsync(facts, presenter, issue.Organizations, scopes ?? facts.Grant.Scopes, nonce: null, successor, cancellationToken);
            case GrantDecision.Replay replay when shown.SealedSuccessor is { } kept && BoxOf(token).Open(kept, place) is { } opened:
                // A switch that comes second in a race still moves the grant, or the successor would lead back to the old organization.
                if (switchTo is not null)
                    await grants.MoveAsync(facts.Grant, cancellationToken);
                return await IssueAsync(
                    facts,
                    presenter,
                    replay.Organizations,
                    scopes ?? facts.Grant.Scopes,
                    nonce: null,
                    new Secret(Encoding.UTF8.GetString(opened)),
                    cancellationToken);
            case GrantDecision.Replay:
                // The token was bound to no key, and who spent it had another one than who shows it now. One of the two is a thief.
                return await RefuseAsync(new GrantDecision.End(GrantRefusal.RefreshReused), facts, now, cancellationToken);
            case GrantDecision.End { Reason: GrantRefusal.NotMember } when switchTo is not null && !spending.IsSpentNow:
                // The other organization is not, or no longer, open to the person; the grant in this one stands.
                return new GrantResult.Refused(GrantRefusal.NotMember);
            case GrantDecision.End or GrantDecision.Refuse:
                return await RefuseAsync(decision, facts, now, cancellationToken);
            default:
                return new GrantResult.Refused(GrantRefusal.Ended);
        }
    }

    private async Task<GrantResult> AnswerAsync(
        Presenter presenter,
        Spending<AuthorizationCode> spending,
        GrantDecision decision,
        Secret refreshSecret,
        DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        GrantFacts facts = spending.Facts;

        // A code is spent before the rules say what it gives. Where that is nothing, it stays spent and what hangs on it ends.
        if (spending.IsSpentNow && decision is GrantDecision.Refuse refuse)
            decision = new GrantDecision.End(refuse.Reason);
        if (decision is not GrantDecision.Issue issue)
            return await RefuseAsync(decision, facts, now, cancellationToken);
        if (!spending.IsSpentNow)
            return new GrantResult.Refused(GrantRefusal.Ended);

        Secret? refreshToken = presenter.Client.MayUse("refresh_token")
            ? await issuer.RefreshTokenAsync(facts, refreshSecret, RefreshExpiry(presenter.Client, now), cancellationToken)
            : null;
        return await IssueAsync(facts, presenter, issue.Organizations, facts.Grant.Scopes, spending.Shown.Nonce, refreshToken, cancellationToken);
    }

    private async Task<GrantResult> IssueAsync(
        GrantFacts facts,
        Presenter presenter,
        OrganizationClaims organizations,
        IReadOnlyList<string> scopes,
        string? nonce,
        Secret? refreshToken,
        CancellationToken cancellationToken)
    {
        OrganizationProjection projection = issuer.Project(facts, organizations);
        if (facts.HasMoreMemberships && organizations is OrganizationClaims.Many && !projection.IsElsewhere)
        {
            // Of those that were read, so few may be spoken of that all may fit after all.
            if (await grants.LoadAsync(facts.Realm.Id, facts.Grant.Id, cancellationToken) is not { } whole)
                return new GrantResult.Refused(GrantRefusal.Ended);
            facts = whole;
            projection = issuer.Project(whole, whole.OrganizationsAt(clock.GetUtcNow()));
        }

        if (projection.IsElsewhere)
            await budgets.NoteAsync(facts, cancellationToken);
        return new GrantResult.Issued(new IssuedTokens
        {
            AccessToken = await issuer.AccessTokenAsync(facts, projection, scopes, presenter.DpopJkt, cancellationToken),
            DpopJkt = presenter.DpopJkt,
            ExpiresIn = TokenIssuer.AccessTokenAge(facts.Client, facts.Grant.Door),
            Scopes = scopes,
            RefreshToken = refreshToken,
            IdToken = scopes.Contains(TokenIssuer.OpenIdScope) ? await issuer.IdTokenAsync(facts, projection, nonce, cancellationToken) : null,
            Facts = facts,
        });
    }

    private async Task<GrantResult> RefuseAsync(GrantDecision decision, GrantFacts facts, DateTimeOffset now, CancellationToken cancellationToken)
    {
        switch (decision)
        {
            case GrantDecision.Refuse refuse:
                return new GrantResult.Refused(refuse.Reason);
            case GrantDecision.End end:
                await grants.EndAsync(facts.Grant.RealmId, facts.Grant.Id, now, cancellationToken);
                return new GrantResult.Refused(end.Reason);
            default:
                throw new InvalidOperationException("What is issued on is not refused.");
        }
    }

    private static CodeRedemption RedemptionOf(
        Presenter presenter, SecretHash codeHash, string? redirectUri, string? verifier, Secret refreshSecret, DateTimeOffset now) => new()
    {
        RealmId = presenter.Client.RealmId,
        CodeHash = codeHash,
        ClientId = presenter.Client.Id,
        RedirectUri = redirectUri,
        CodeChallenge = verifier is null ? null : Pkce.ChallengeOf(verifier),
        DpopJkt = presenter.DpopJkt,
        HolderJkt = presenter.HolderJkt,
        Now = now,
        Mark = refreshSecret.Hash(),
        GivesRefreshToken = presenter.Client.MayUse("refresh_token"),
        RefreshExpiresAt = RefreshExpiry(presenter.Client, now),
        MostMemberships = MostMembershipsOf(presenter.Client),
    };

    /// <summary>A token that leaves the organizations out costs no more than one that carries as many as fit.</summary>
    private static int MostMembershipsOf(Client client) => OrganizationArray.EnoughToExceed(client.Settings.Tokens.OrganizationBudgetBytes);

    /// <summary>Refresh tokens slide with use; the store cuts them off where their session ends.</summary>
    private static DateTimeOffset RefreshExpiry(Client client, DateTimeOffset now) => now.AddSeconds(client.Settings.Openid.DefaultRefreshTokenAge);

    private static SecretBox BoxOf(Secret token) => SecretBox.DerivedFrom(Encoding.UTF8.GetBytes(token.Reveal()), "refresh-token-successor");

    /// <summary>Of the key that the successor is bound to, too: with another one it doesn't open.</summary>
    private static byte[] PlaceOf(Presenter presenter, SecretHash token) => SecretBox.Place(
        presenter.Client.RealmId.ToString(), "refresh-token-successor", Convert.ToHexString(token.Bytes), presenter.HolderJkt ?? "");
}
