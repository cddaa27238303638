using System.Text;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Tokens;
using Atrium.Server.Keys;
using Atrium.Storage;

namespace Atrium.Server.Tokens;

/// <summary>What a client is given.</summary>
public sealed record IssuedTokens
{
    public required string AccessToken { get; init; }

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

/// <summary>Where the doors bring a code or a refresh token: loads the facts, asks the rules, and does in one commit what they say.</summary>
public sealed class GrantDesk(GrantStore grants, TokenIssuer issuer, TimeProvider clock)
{
    /// <param name="restated">What the request says again of the grant; where they differ, nothing is spent.</param>
    public async Task<GrantResult> RedeemAsync(
        Client client, Secret code, string? redirectUri, string? verifier, RestatedTerms restated, CancellationToken cancellationToken)
    {
        if (await grants.FindCodeAsync(client.RealmId, code.Hash(), cancellationToken) is not var (stored, facts))
            return new GrantResult.Refused(GrantRefusal.Invalid);

        DateTimeOffset now = clock.GetUtcNow();
        switch (GrantRules.Redeem(stored, facts, client, redirectUri, verifier, restated, now))
        {
            case GrantDecision.Issue issue:
                Secret? refreshText = null;
                RefreshToken? refreshToken = null;
                if (client.MayUse("refresh_token"))
                {
                    DateTimeOffset expiresAt = RefreshExpiry(facts, now);
                    refreshText = await issuer.RefreshTokenAsync(facts, expiresAt, cancellationToken);
                    refreshToken = NewRefreshToken(facts, refreshText.Value, now, expiresAt);
                }

                // Whoever comes second in a race is a second use like any other.
                if (!await grants.RedeemAsync(stored, refreshToken, now, cancellationToken))
                    return await EndAsync(facts, GrantRefusal.CodeReused, now, cancellationToken);
                return await IssueAsync(facts, issue.Organizations, facts.Grant.Scopes, stored.Nonce, refreshText, cancellationToken);
            case GrantDecision.End end:
                return await EndAsync(facts, end.Reason, now, cancellationToken);
            case GrantDecision.Refuse refuse:
                return new GrantResult.Refused(refuse.Reason);
            default:
                throw new InvalidOperationException("A code is issued on, refused, or ends its grant.");
        }
    }

    /// <param name="scopes">Fewer scopes for this access token; null for all of the grant's.</param>
    /// <param name="switchTo">Another organization that the caller has found the person may go on in.</param>
    /// <param name="restated">What the request says again of the grant; where they differ, nothing is spent.</param>
    public async Task<GrantResult> RefreshAsync(
        Client client,
        Secret token,
        IReadOnlyList<string>? scopes,
        Id<Organization>? switchTo,
        RestatedTerms restated,
        CancellationToken cancellationToken)
    {
        // A second look is needed when another request spends the token between our look and our rotation; it then answers with the successor.
        for (int look = 0; look < 2; look++)
        {
            if (await grants.FindRefreshTokenAsync(client.RealmId, token.Hash(), switchTo, cancellationToken) is not var (stored, facts))
                return new GrantResult.Refused(GrantRefusal.Invalid);

            DateTimeOffset now = clock.GetUtcNow();
            switch (GrantRules.Refresh(stored, facts, client, scopes, restated, now))
            {
                case GrantDecision.Issue issue:
                    DateTimeOffset expiresAt = RefreshExpiry(facts, now);
                    Secret successor = await issuer.RefreshTokenAsync(facts, expiresAt, cancellationToken);
                    byte[] sealedSuccessor = BoxOf(token).Seal(Encoding.UTF8.GetBytes(successor.Reveal()), PlaceOf(facts));
                    if (!await grants.RotateAsync(
                        stored, sealedSuccessor, NewRefreshToken(facts, successor, now, expiresAt), facts.Grant.Choice, cancellationToken))
                    {
                        continue;
                    }

                    return await IssueAsync(facts, issue.Organizations, scopes ?? facts.Grant.Scopes, nonce: null, successor, cancellationToken);
                case GrantDecision.Replay replay when stored.SealedSuccessor is { } kept && BoxOf(token).Open(kept, PlaceOf(facts)) is { } opened:
                    // A switch that comes second in a race still moves the grant, or the successor would lead back to the old organization.
                    if (switchTo is not null)
                        await grants.MoveAsync(facts.Grant, cancellationToken);
                    return await IssueAsync(
                        facts, replay.Organizations, scopes ?? facts.Grant.Scopes, nonce: null, new Secret(Encoding.UTF8.GetString(opened)), cancellationToken);
                case GrantDecision.End { Reason: GrantRefusal.NotMember } when switchTo is not null:
                    // The other organization was lost meanwhile; the grant in this one stands.
                    return new GrantResult.Refused(GrantRefusal.NotMember);
                case GrantDecision.End end:
                    return await EndAsync(facts, end.Reason, now, cancellationToken);
                case GrantDecision.Refuse refuse:
                    return new GrantResult.Refused(refuse.Reason);
                default:
                    return new GrantResult.Refused(GrantRefusal.Invalid);
            }
        }

        return new GrantResult.Refused(GrantRefusal.Ended);
    }

    private async Task<GrantResult> IssueAsync(
        GrantFacts facts,
        OrganizationClaims organizations,
        IReadOnlyList<string> scopes,
        string? nonce,
        Secret? refreshToken,
        CancellationToken cancellationToken) =>
        new GrantResult.Issued(new IssuedTokens
        {
            AccessToken = await issuer.AccessTokenAsync(facts, organizations, scopes, cancellationToken),
            ExpiresIn = TokenIssuer.AccessTokenAge(facts.Client, facts.Grant.Door),
            Scopes = scopes,
            RefreshToken = refreshToken,
            IdToken = scopes.Contains(TokenIssuer.OpenIdScope) ? await issuer.IdTokenAsync(facts, organizations, nonce, cancellationToken) : null,
            Facts = facts,
        });

    private async Task<GrantResult> EndAsync(GrantFacts facts, GrantRefusal reason, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await grants.EndAsync(facts.Grant.RealmId, facts.Grant.Id, now, cancellationToken);
        return new GrantResult.Refused(reason);
    }

    /// <summary>Refresh tokens slide with use, and never reach beyond their session.</summary>
    private static DateTimeOffset RefreshExpiry(GrantFacts facts, DateTimeOffset now)
    {
        DateTimeOffset sliding = now.AddSeconds(facts.Client.Settings.Openid.DefaultRefreshTokenAge);
        return sliding < facts.Session.ExpiresAt ? sliding : facts.Session.ExpiresAt;
    }

    private static RefreshToken NewRefreshToken(GrantFacts facts, Secret text, DateTimeOffset now, DateTimeOffset expiresAt) => new()
    {
        RealmId = facts.Grant.RealmId,
        TokenHash = text.Hash(),
        GrantId = facts.Grant.Id,
        CreatedAt = now,
        ExpiresAt = expiresAt,
    };

    private static SecretBox BoxOf(Secret token) => SecretBox.DerivedFrom(Encoding.UTF8.GetBytes(token.Reveal()), "refresh-token-successor");

    private static byte[] PlaceOf(GrantFacts facts) =>
        SecretBox.Place(facts.Grant.RealmId.ToString(), "refresh-token-successor", facts.Grant.Id.ToString());
}
