using Atrium.Core.SignIns;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Http;
using Atrium.Server.SignIns;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Pages;

/// <summary>What the form of the consent page does: the sign-in goes on, or the client hears that the person said no.</summary>
public sealed class HostedConsent(SignInDesk desk, AuthorizationResponse responses)
{
    private static readonly OAuthError Denied = new("ATR1370", "access_denied", "The person did not let the application have what it asked for.");

    /// <param name="goOn">What follows where the person allows it.</param>
    public async Task<IResult> TakeAsync(
        HostedPage page,
        SignInProgress progress,
        SignInStep.Consent step,
        IReadOnlyDictionary<string, StringValues> form,
        Func<SignInProgress, SignInStep, Task<IResult>> goOn,
        CancellationToken cancellationToken)
    {
        // A page that was made for something else than what is asked for by now: the person must see that first.
        if (form.ValueOf(ConsentPages.AskedField) != ConsentPages.DigestOf(step))
            return Again(page);
        switch (form.ValueOf("decision"))
        {
            case "allow":
                (SignInProgress allowed, SignInStep next) = await desk.AllowAsync(progress, step, cancellationToken);
                return await goOn(allowed, next);
            case "deny":
                return await desk.DenyAsync(progress, step, cancellationToken)
                    ? responses.Error(page.Realm, page.Client, page.SignIn.Request.RedirectUri!, page.SignIn.Request.State, Denied)
                    : Again(page);
            default:
                return Again(page);
        }
    }

    private static SeeOther Again(HostedPage page) => new(HostedPages.AddressOf(page.Realm, page.Handle));
}
