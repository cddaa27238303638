using Atrium.Core.Organizations;
using Atrium.Core.SignIns;

namespace Atrium.Core.Tokens;

/// <summary>Why a code or a refresh token gives nothing. Every door words these in its own envelope.</summary>
public enum GrantRefusal
{
    /// <summary>Unknown, of another client, or expired.</summary>
    Invalid,

    /// <summary>A code that was redeemed before. What it gave has ended (RFC 6749 section 4.1.2).</summary>
    CodeReused,

    /// <summary>A refresh token spent longer ago than the grace. Its family has ended (RFC 9700 section 4.14.2).</summary>
    RefreshReused,

    RedirectMismatch,
    VerifierMismatch,

    /// <summary>It is bound to a key that the request does not prove to hold (RFC 9449 sections 5 and 10).</summary>
    KeyMismatch,

    /// <summary>The grant, its session, its person or its client is no more.</summary>
    Ended,

    /// <summary>The organization selected is not, or no longer, the person's, or asks for more than the session has shown.</summary>
    NotMember,

    /// <summary>A scope that the grant does not have (RFC 6749 section 6).</summary>
    ScopeExceeded,

    /// <summary>The token request names another organization than the grant has chosen; it cannot add, remove or change one.</summary>
    OrganizationMismatch,

    /// <summary>The token request names another resource than the one that was granted (RFC 8707 section 2.2).</summary>
    ResourceMismatch,

    /// <summary>The client may not ask for the resource that was granted any more.</summary>
    ResourceWithdrawn,
}

/// <summary>What a token request says once more of what its grant already settled. It may agree with the grant; it can't change it.</summary>
public sealed record RestatedTerms(Id<Organization>? Organization, string? Resource)
{
    public static readonly RestatedTerms None = new(null, null);

    /// <summary>What the grant has differently; null when it agrees with all of it.</summary>
    public GrantRefusal? ConflictWith(GrantFacts facts) => this switch
    {
        { Organization: { } organization } when facts.Grant.Choice.Selected != organization => GrantRefusal.OrganizationMismatch,
        { Resource: { } resource } when resource != TokenAudience.Of(facts.Client, facts.Grant.Resource) => GrantRefusal.ResourceMismatch,
        _ => null,
    };
}

/// <summary>What a presented code or token leads to.</summary>
public abstract record GrantDecision
{
    private GrantDecision()
    {
    }

    public sealed record Issue(OrganizationClaims Organizations) : GrantDecision;

    /// <summary>Spent within the grace: the same successor once more, if it is bound to the key that this presenter has; otherwise two hold the token, and its family ends.</summary>
    public sealed record Replay(OrganizationClaims Organizations) : GrantDecision;

    public sealed record Refuse(GrantRefusal Reason) : GrantDecision;

    /// <summary>Refused, and the grant ends with its whole family.</summary>
    public sealed record End(GrantRefusal Reason) : GrantDecision;
}

/// <summary>Decides what a presented code or refresh token gives. Pure: the facts come in, the decision goes out.</summary>
public static class GrantRules
{
    public static GrantDecision Redeem(
        AuthorizationCode code,
        GrantFacts facts,
        Presenter presenter,
        string? redirectUri,
        string? verifier,
        RestatedTerms restated,
        DateTimeOffset now)
    {
        if (facts.Grant.ClientId != presenter.Client.Id)
            return new GrantDecision.Refuse(GrantRefusal.Invalid);
        if (code.SpentAt is not null)
            return new GrantDecision.End(GrantRefusal.CodeReused);
        if (now >= code.ExpiresAt)
            return new GrantDecision.Refuse(GrantRefusal.Invalid);
        if (code.RedirectUri != redirectUri)
            return new GrantDecision.Refuse(GrantRefusal.RedirectMismatch);

        // RFC 9700 section 2.1.1: a verifier without a challenge is a downgrade, and refused like a wrong one.
        if (code.CodeChallenge is null ? verifier is not null : !Pkce.Matches(code.CodeChallenge, verifier))
            return new GrantDecision.Refuse(GrantRefusal.VerifierMismatch);
        if (code.DpopJkt is { } codesKey && codesKey != presenter.DpopJkt)
            return new GrantDecision.Refuse(GrantRefusal.KeyMismatch);
        if (!facts.IsLive(now))
            return new GrantDecision.Refuse(GrantRefusal.Ended);
        if (restated.ConflictWith(facts) is { } conflict)
            return new GrantDecision.Refuse(conflict);
        if (facts.Grant.Resource is { } resource && !TokenAudience.MayAskFor(facts.Client, resource))
            return new GrantDecision.Refuse(GrantRefusal.ResourceWithdrawn);

        OrganizationClaims organizations = facts.OrganizationsAt(now);
        return SpeaksOfChosen(facts, organizations)
            ? new GrantDecision.Issue(organizations)
            : new GrantDecision.Refuse(GrantRefusal.NotMember);
    }

    public static GrantDecision Refresh(
        RefreshToken token,
        GrantFacts facts,
        Presenter presenter,
        IReadOnlyList<string>? scopes,
        RestatedTerms restated,
        DateTimeOffset now)
    {
        if (facts.Grant.ClientId != presenter.Client.Id || now >= token.ExpiresAt)
            return new GrantDecision.Refuse(GrantRefusal.Invalid);

        // Before anything that ends the family: who does not hold the key can do nothing with the token, and can't harm who does. It is the token's own key, not its
        // family's: a thief who refreshes first must not, by binding the successor, keep the owner's copy from being found reused.
        if (token.DpopJkt is { } holder && holder != presenter.DpopJkt)
            return new GrantDecision.Refuse(GrantRefusal.KeyMismatch);
        if (!facts.IsLive(now))
            return new GrantDecision.Refuse(GrantRefusal.Ended);

        TimeSpan grace = TimeSpan.FromSeconds(facts.Client.Settings.Openid.RefreshGraceSeconds);
        if (token.SpentAt is { } spentAt && (grace == TimeSpan.Zero || now - spentAt > grace))
            return new GrantDecision.End(GrantRefusal.RefreshReused);
        if (scopes is not null && scopes.Except(facts.Grant.Scopes, StringComparer.Ordinal).Any())
            return new GrantDecision.Refuse(GrantRefusal.ScopeExceeded);
        if (restated.ConflictWith(facts) is { } conflict)
            return new GrantDecision.Refuse(conflict);
        if (facts.Grant.Resource is { } resource && !TokenAudience.MayAskFor(facts.Client, resource))
            return new GrantDecision.Refuse(GrantRefusal.ResourceWithdrawn);

        OrganizationClaims organizations = facts.OrganizationsAt(now);
        return organizations switch
        {
            OrganizationClaims.Ended => new GrantDecision.End(GrantRefusal.NotMember),
            _ when token.SpentAt is not null => new GrantDecision.Replay(organizations),
            _ => new GrantDecision.Issue(organizations),
        };
    }

    /// <summary>A selection is checked when the first token is issued; later it may become empty, but it begins with the organization in it.</summary>
    public static bool SpeaksOfChosen(GrantFacts facts, OrganizationClaims organizations) =>
        facts.Grant.Choice is not OrganizationChoice.Chosen
        || organizations is OrganizationClaims.Many { Memberships.Count: > 0 } or OrganizationClaims.One or OrganizationClaims.Named;
}
