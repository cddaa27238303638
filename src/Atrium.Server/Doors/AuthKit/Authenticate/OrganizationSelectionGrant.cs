using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Server.SignIns;

namespace Atrium.Server.Doors.AuthKit.Authenticate;

/// <summary>
/// <c>urn:workos:oauth:grant-type:organization-selection</c>: the person says which organization it is for. The membership is looked up
/// now, not when the choice was offered; a refused choice leaves the pending token good.
/// </summary>
public sealed class OrganizationSelectionGrant(SignInDesk desk, SignInAnswers answers) : AuthKitGrant
{
    public override string GrantType => "urn:workos:oauth:grant-type:organization-selection";

    public override IReadOnlyList<string> RequiredKeys { get; } = ["pending_authentication_token", "organization_id"];

    public override async Task<IResult> AnswerAsync(AuthenticateCall call, CancellationToken cancellationToken)
    {
        Secret pendingToken = new(call.Fields.RequiredText("pending_authentication_token"));
        if (await desk.FindAsync(call.Client, Door.AuthKit, pendingToken, call.Origin, cancellationToken) is not { } progress)
            return AuthenticateErrors.InvalidPendingToken;

        // A choice stands in for nothing else: what is still to be shown is asked for again.
        SignInStep open = await desk.NextAsync(progress, cancellationToken);
        if (open is not (SignInStep.ChooseOrganization or SignInStep.Complete or SignInStep.UseConnection))
            return await answers.StillOpenAsync(open, pendingToken, cancellationToken);

        if (Id<Organization>.Parse(call.Fields.RequiredText("organization_id")) is not { } organization)
            return AuthenticateErrors.NoSuchMembership;
        if (await desk.ChooseAsync(progress, organization, cancellationToken) is not var (chosen, next))
            return AuthenticateErrors.NoSuchMembership;
        return next is SignInStep.UseConnection
            ? AuthKitError.MessageOnly("Must use SSO for selected organization", StatusCodes.Status400BadRequest)
            : await answers.StepAsync(chosen, next, AuthenticateErrors.InvalidPendingToken, cancellationToken);
    }
}
