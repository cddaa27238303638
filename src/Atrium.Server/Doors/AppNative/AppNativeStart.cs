using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.SignIns;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.AppNative;

/// <summary>
/// The beginning of an app-native flow: an authorization request with <c>response_mode=direct</c>. The checks stand in the order of the wire
/// contract, section 1: the client proves who it is here, and nowhere later in the flow.
/// </summary>
public sealed class AppNativeStart(ClientAuthentication clients, OrganizationDiscovery discovery, SignInDesk desk, AppNativeFlow flow)
{
    /// <summary>Answers in this door's envelope. The authorize endpoint, which both doors share, hands over what it parsed.</summary>
    /// <param name="pathOrganization">The <c>{org}</c> of the path as it was sent; this door answers for one that is no organization.</param>
    /// <param name="parameters">The form or the query; a repeated parameter is still visible as such.</param>
    public async Task<IResult> HandleAsync(
        HttpContext context,
        Realm realm,
        string? pathOrganization,
        IReadOnlyDictionary<string, StringValues> parameters,
        CancellationToken cancellationToken)
    {
        // RFC 6749 section 3.1: request parameters must not be included more than once.
        if (parameters.Any(static parameter => parameter.Value.Count > 1))
            return AppNativeError.Invalid("A parameter is repeated.").ToAnswer(context, realm);

        AuthenticatedClient authenticated = await clients.AuthenticateAsync(context, realm, parameters, cancellationToken);
        if (authenticated.Client is not { } client)
            return ErrorOf(authenticated.Failure).ToAnswer(context, realm);
        if (!client.Settings.AppNative.Enabled)
            return AppNativeError.NotEnabled.ToAnswer(context, realm);
        if (AppNativeRequest.Check(context, client, parameters, pathOrganization is not null, out AuthorizationRequest? request) is { } error)
            return error.ToAnswer(context, realm);

        DiscoveredOrganization discovered;
        if (pathOrganization is null)
        {
            NamedOrganization named = NamedOrganization.From(parameters.ValueOf);
            discovered = await discovery.FindAtStartAsync(client, named, cancellationToken);
        }
        else if (Id<Organization>.TryParse(pathOrganization, out Id<Organization> onPath))
        {
            discovered = new(onPath, null);
        }
        else
        {
            return AppNativeError.OrganizationUnavailable.ToAnswer(context, realm);
        }

        OrganizationChoice choice = discovered.Organization is { } organization
            ? new OrganizationChoice.Chosen(organization)
            : OrganizationChoice.Unchosen;
        SignInProgress progress = desk.Begin(client, Door.AppNative, request!, choice, context.Origin());
        return await flow.AdvanceAsync(context, realm, progress, flowId: null, discovered.FailureKey, cancellationToken);
    }

    private static AppNativeError ErrorOf(ClientFailure failure) => failure switch
    {
        ClientFailure.Missing => AppNativeError.Invalid("The client_id is missing."),
        ClientFailure.TwoMethods => AppNativeError.Invalid("The client authenticated in two ways at once; use one."),
        ClientFailure.Unknown => AppNativeError.ClientUnknown,
        ClientFailure.Disabled => AppNativeError.ClientDisabled,
        _ => AppNativeError.Unauthorized,
    };
}
