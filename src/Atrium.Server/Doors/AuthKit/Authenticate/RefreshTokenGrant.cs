using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Server.SignIns;
using Atrium.Server.Tokens;
using Atrium.Storage;

namespace Atrium.Server.Doors.AuthKit.Authenticate;

/// <summary>
/// <c>refresh_token</c>. Without <c>organization_id</c> the session stays in the organization of the last token; with one it moves there if
/// the person may enter it as they are signed in now. A refused switch costs nothing.
/// </summary>
public sealed class RefreshTokenGrant(GrantStore store, RefreshTokenLookup lookup, GrantDesk grants, SignInDesk desk, TimeProvider clock) : AuthKitGrant
{
    public override string GrantType => "refresh_token";

    public override IReadOnlyList<string> RequiredKeys { get; } = ["refresh_token"];

    public override bool MayOmitSecret(Client client, Fields fields) => !client.IsConfidential;

    public override bool IsOpenTo(Client client) => client.MayUse("refresh_token");

    public override async Task<IResult> AnswerAsync(AuthenticateCall call, CancellationToken cancellationToken)
    {
        Secret token = new(call.Fields.RequiredText("refresh_token"));
        string? wanted = call.Fields.Text("organization_id");
        if (call.Fields.Error is { } wrong)
            return wrong;
        if (string.IsNullOrEmpty(wanted))
            return await RefreshAsync(call, token, switchTo: null, cancellationToken);

        // A token that is over is over, whatever organization it names: the SDKs end the session on invalid_grant and on nothing else.
        if (await lookup.HashOfAsync(call.Client.RealmId, token, cancellationToken) is not { } hash
            || await store.FindRefreshTokenAsync(call.Client.RealmId, hash, switchTo: null, cancellationToken) is not var (stored, facts)
            || GrantRules.Refresh(stored, facts, call.Client, scopes: null, RestatedTerms.None, clock.GetUtcNow()) is GrantDecision.Refuse or GrantDecision.End
            || facts.Grant.Choice.Selected?.ToString() == wanted)
        {
            return await RefreshAsync(call, token, switchTo: null, cancellationToken);
        }

        // What the client got through another door is for the organization that was chosen there.
        if (facts.Grant.Door != Door.AuthKit)
            return AuthenticateErrors.InvalidRefreshToken;
        if (Id<Organization>.Parse(wanted) is not { } organization)
            return AuthenticateErrors.NoSuchMembership;
        return await RefuseSwitchAsync(call, facts.Session, organization, cancellationToken)
            ?? await RefreshAsync(call, token, organization, cancellationToken);
    }

    /// <summary>A switch is a sign-in to the other organization that builds on the session; the engine judges it like any other.</summary>
    private async Task<AuthKitError?> RefuseSwitchAsync(
        AuthenticateCall call, Session session, Id<Organization> organization, CancellationToken cancellationToken)
    {
        SignInProgress begun = desk.Begin(call.Client, Door.AuthKit, call.ToRequest(), OrganizationChoice.Unchosen, call.Origin, session);
        if (await desk.ChooseAsync(begun, organization, cancellationToken) is not var (_, next))
            return AuthenticateErrors.NoSuchMembership;
        return next switch
        {
            SignInStep.Complete => null,
            SignInStep.UseConnection connection => AuthenticateErrors.SsoRequired(connection.User.Email),

            // The one code by which SDKs know at a refresh that something is missing; they send the person through a new sign-in.
            SignInStep.EnrolFactor or SignInStep.ProveFactor =>
                AuthKitError.OAuth("mfa_enrollment", "The user must show a second factor to enter this organization."),
            SignInStep.Prove => AuthKitError.OAuth("mfa_enrollment", "The user must sign in again to enter this organization."),
            SignInStep.Refuse { Reason: SignInRefusal.MethodNotAllowed } => AuthenticateErrors.MethodsRequired,
            SignInStep.VerifyEmail =>
                AuthKitError.OAuth("email_verification_required", "Email ownership must be verified before authentication."),
            SignInStep.Refuse { Reason: SignInRefusal.OrganizationUnavailable } => AuthenticateErrors.NoSuchMembership,
            _ => AuthenticateErrors.InvalidRefreshToken,
        };
    }

    private async Task<IResult> RefreshAsync(
        AuthenticateCall call, Secret token, Id<Organization>? switchTo, CancellationToken cancellationToken) =>
        await grants.RefreshAsync(call.Client, token, scopes: null, switchTo, RestatedTerms.None, cancellationToken) switch
        {
            GrantResult.Issued issued => SignInAnswers.Tokens(issued.Tokens),
            GrantResult.Refused { Reason: GrantRefusal.RefreshReused } => AuthenticateErrors.RefreshTokenExchanged,
            GrantResult.Refused { Reason: GrantRefusal.NotMember } when switchTo is not null => AuthenticateErrors.NoSuchMembership,
            _ => AuthenticateErrors.InvalidRefreshToken,
        };
}
