using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Http;
using Atrium.Server.SignIns;

namespace Atrium.Server.Doors.AppNative;

/// <summary>
/// Goes on with a flow: <c>POST /t/{realm}[/o/{org}]/oauth2/authn</c>. The flow's id decides which flow it is and is all that is shown;
/// clients that keep to one address may answer at the root for a flow that has moved to an organization (wire contract, section 0.7).
/// </summary>
public sealed class AuthnEndpoint(SignInDesk desk, OrganizationDiscovery discovery, AppNativeFlow flow)
{
    public async Task<IResult> HandleAsync(HttpContext context, string? pathOrganization, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        (AuthnRequest? request, AppNativeError? error) = await AuthnRequest.ReadAsync(context.Request, cancellationToken);
        if (request is null)
            return error!.ToAnswer(context, realm);
        if (Authenticator.Decode(request.AuthenticatorId) is not { } authenticatorId)
            return AppNativeError.AuthenticatorUndecodable.ToAnswer(context, realm);
        if (await desk.FindAsync(realm.Id, Door.AppNative, new Secret(request.FlowId), context.Origin(), cancellationToken) is not { } progress)
            return AppNativeError.FlowUnknown.ToAnswer(context, realm);
        if (pathOrganization is not null
            && (!Id<Organization>.TryParse(pathOrganization, out Id<Organization> onPath) || onPath != progress.SignIn.Choice.Selected))
        {
            return AppNativeError.OrganizationUnavailable.ToAnswer(context, realm);
        }

        SignInStep step = await desk.NextAsync(progress, cancellationToken);

        // The last tries are being looked at by others this moment: one of them may be right, and the last of them ends the flow.
        if (step is SignInStep.Refuse { Reason: SignInRefusal.TooManyTries })
            return AppNativeError.Conflict.ToAnswer(context, realm);
        IReadOnlyList<Authenticator> options = Authenticator.OptionsOf(step);
        if (options.Count == 0)
            return await flow.AdvanceAsync(context, realm, progress, request.FlowId, failureKey: null, cancellationToken);
        if (options.FirstOrDefault(option => option.Is(authenticatorId)) is not { } selected)
            return AppNativeError.AuthenticatorNotOffered.ToAnswer(context, realm);

        // Without parameters the option is only selected, and shown alone.
        if (request.Parameters.Count == 0)
            return flow.Prompt(context, realm, progress, request.FlowId, [selected]);
        return step switch
        {
            SignInStep.ProveFactor factor => await ProveTotpAsync(context, realm, progress, factor, request, cancellationToken),
            _ when ReferenceEquals(selected, Authenticator.Organization) =>
                await EnterOrganizationAsync(context, realm, progress, step, request, cancellationToken),
            _ => await ProvePasswordAsync(context, realm, progress, request, cancellationToken),
        };
    }

    private async Task<IResult> ProvePasswordAsync(
        HttpContext context, Realm realm, SignInProgress progress, AuthnRequest request, CancellationToken cancellationToken)
    {
        // What is not there cannot be right, and is no guess either.
        if (request.Parameters.GetValueOrDefault("username") is not { } username || string.IsNullOrWhiteSpace(username)
            || request.Parameters.GetValueOrDefault("password") is not { Length: > 0 } password)
        {
            return flow.Failed(context, realm, progress, request.FlowId, Authenticator.Basic);
        }

        return await desk.ProvePasswordAsync(progress, username, password, cancellationToken) switch
        {
            ProofResult.Proved proved => await flow.AdvanceAsync(context, realm, proved.Progress, request.FlowId, failureKey: null, cancellationToken),
            ProofResult.Limited limited => AppNativeError.Limited(context, limited.Wait),
            ProofResult.Busy => AppNativeError.Unavailable(context, Unavailable.Hashing),
            _ => flow.Failed(context, realm, progress, request.FlowId, Authenticator.Basic),
        };
    }

    private async Task<IResult> ProveTotpAsync(
        HttpContext context, Realm realm, SignInProgress progress, SignInStep.ProveFactor step, AuthnRequest request, CancellationToken cancellationToken)
    {
        if (request.Parameters.GetValueOrDefault("token") is not { } token || string.IsNullOrWhiteSpace(token))
            return flow.Failed(context, realm, progress, request.FlowId, Authenticator.Totp);

        switch (await desk.ProveTotpAsync(progress, step.User, step.Factors, token, challenge: null, cancellationToken))
        {
            case ProofResult.Proved proved:
                return await flow.AdvanceAsync(context, realm, proved.Progress, request.FlowId, failureKey: null, cancellationToken);
            case ProofResult.Limited limited:
                return AppNativeError.Limited(context, limited.Wait);
            case ProofResult.Wrong wrong:
                // The engine says whether that was the last try.
                if (AppNativeError.Of(await desk.NextAsync(wrong.Progress, cancellationToken)) is not { } over)
                    return flow.Failed(context, realm, wrong.Progress, request.FlowId, Authenticator.Totp);
                await desk.EndAsync(wrong.Progress, cancellationToken);
                return over.ToAnswer(context, realm);
            default:
                return AppNativeError.Conflict.ToAnswer(context, realm);
        }
    }

    /// <summary>The flow stays the same, and goes on in the organization at its first step.</summary>
    private async Task<IResult> EnterOrganizationAsync(
        HttpContext context, Realm realm, SignInProgress progress, SignInStep step, AuthnRequest request, CancellationToken cancellationToken)
    {
        NamedOrganization named = NamedOrganization.From(name => request.Parameters.GetValueOrDefault(name));
        if (!named.IsAttempt)
            return flow.Prompt(context, realm, progress, request.FlowId, [Authenticator.Organization]);

        DiscoveredOrganization discovered = await discovery.FindAsync(progress.Client, named, cancellationToken);
        if (discovered.Organization is not { } organization)
            return flow.DiscoveryFailed(context, realm, progress, request.FlowId, discovered.FailureKey!);

        // Who is known already may only go where they are a member.
        if (step is SignInStep.ChooseOrganization choose && choose.Organizations.All(entry => entry.Organization.Id != organization))
            return flow.DiscoveryFailed(context, realm, progress, request.FlowId, OrganizationDiscovery.Unusable);

        return await flow.AdvanceAsync(context, realm, progress.Choosing(organization), request.FlowId, failureKey: null, cancellationToken);
    }
}
