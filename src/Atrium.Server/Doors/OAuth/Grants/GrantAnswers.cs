using Atrium.Core.Tokens;
using Atrium.Server.Tokens;

namespace Atrium.Server.Doors.OAuth.Grants;

/// <summary>Words what the grant rules refuse.</summary>
internal static class GrantAnswers
{
    public static TokenResult Answer(GrantResult result) => result switch
    {
        GrantResult.Issued issued => TokenBody.Of(issued.Tokens),
        GrantResult.Refused refused => ErrorOf(refused.Reason),
        _ => throw new InvalidOperationException("A grant is issued on or refused."),
    };

    private static OAuthError ErrorOf(GrantRefusal reason) => reason switch
    {
        GrantRefusal.Invalid => new("ATR1421", "invalid_grant", "The code or token is unknown, expired, or another client's."),
        GrantRefusal.CodeReused => new("ATR1422", "invalid_grant", "The code was redeemed before. What it gave has been ended."),
        GrantRefusal.RefreshReused => new("ATR1423", "invalid_grant", "The refresh token was used before. All of its family has been ended."),
        GrantRefusal.RedirectMismatch => new("ATR1424", "invalid_grant", "redirect_uri is not the one that the code was asked for with."),
        GrantRefusal.VerifierMismatch => new("ATR1425", "invalid_grant", "code_verifier does not fit the request that the code was asked for with."),
        GrantRefusal.KeyMismatch => new("ATR1153", "invalid_grant", "The code or token is bound to a key that the request does not prove to hold."),
        GrantRefusal.Ended => new("ATR1426", "invalid_grant", "The grant, its session, or its person's account has ended."),
        GrantRefusal.NotMember => new("ATR1427", "invalid_grant", "The person is not an active member of the organization that was selected."),
        GrantRefusal.ScopeExceeded => new("ATR1428", "invalid_scope", "scope asks for more than was granted."),
        GrantRefusal.OrganizationMismatch => new("ATR1429", "invalid_request", "org can't be added or changed here: ask for it at the authorization endpoint."),
        GrantRefusal.ResourceWithdrawn => ClientCredentialsGrant.NotItsResource,
        _ => new("ATR1430", "invalid_target", "resource is not the one that was granted."),
    };
}
