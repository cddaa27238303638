using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Pages;

/// <summary>The pages of second factors: one is set up, its recovery codes are kept, and used.</summary>
public sealed class FactorPages(SecondFactorDesk desk, SessionStore sessions, TimeProvider clock)
{
    /// <summary>The parameter by which the page of the second factor asks for a recovery code instead.</summary>
    private const string Instead = "instead";
    private const string RecoveryWord = "recovery_code";

    /// <summary>Whether the address asks for that page.</summary>
    public static bool AsksForRecoveryCode(HttpContext context) => context.Request.Query[Instead] == RecoveryWord;

    public static string RecoveryAddressOf(HostedPage page) => $"{HostedPages.AddressOf(page.Realm, page.Handle)}&{Instead}={RecoveryWord}";

    internal static PageResult Enrol(
        HostedPage page, PageForm form, User user, EnrolledFactor enrolment, string? startAgain, string? error, int status) => PageResult.Enrol(
        new EnrolModel(
            page.Realm.Name, page.Client.Name, form, user.Email, enrolment.QrCode, enrolment.Secret, enrolment.Uri, error, TriesLeft(page), startAgain),
        page.SignIn.Request.RedirectUri,
        status);

    internal static PageResult RecoveryCodes(HostedPage page, PageForm form, User user) =>
        PageResult.RecoveryCodes(new RecoveryCodesModel(page.Realm.Name, form, user.Email, page.RecoveryCodes), page.SignIn.Request.RedirectUri);

    /// <summary>The form is sent to the address that shows the page, as every form is.</summary>
    internal static PageResult RecoveryCode(HostedPage page, PageForm form, User user, string? error, int status) => PageResult.RecoveryCode(
        new RecoveryCodeModel(
            page.Realm.Name,
            page.Client.Name,
            form with { Action = RecoveryAddressOf(page) },
            user.Email,
            error,
            TriesLeft(page),
            HostedPages.AddressOf(page.Realm, page.Handle)),
        page.SignIn.Request.RedirectUri,
        status);

    /// <summary>The page with what its step shows beside the sign-in itself.</summary>
    public async Task<HostedPage> WithContentAsync(HostedPage page, SignInStep step, CancellationToken cancellationToken) => step switch
    {
        SignInStep.EnrolFactor enrol => page with { Enrolment = await desk.PreparedAsync(page.SignIn, enrol.User, cancellationToken) },
        SignInStep.KeepRecoveryCodes => page with { RecoveryCodes = desk.CodesToKeep(page.SignIn) },
        _ => page,
    };

    /// <summary>
    /// The codes are kept and forgotten here. Who has changed a factor may end all other sessions (OWASP ASVS 7.4.3); the browser's own, which the
    /// sign-in may rest on, stays.
    /// </summary>
    public async Task<SignInProgress> KeepAsync(SignInProgress progress, SignInStep.KeepRecoveryCodes step, bool signOutOthers, CancellationToken cancellationToken)
    {
        if (signOutOthers)
        {
            Id<Session>? own = progress.Standing is { } standing && standing.UserId == step.User.Id ? standing.Id : null;
            Origin origin = SignInEvents.OriginOf(progress, step.User.Id);
            await sessions.EndOthersAsync(step.User.RealmId, step.User.Id, own, SessionEnd.SignedOut, clock.GetUtcNow(), origin, cancellationToken);
        }

        return progress with { SignIn = progress.SignIn with { SealedCodes = null } };
    }

    private static int TriesLeft(HostedPage page) => SignIn.MaxFactorTries - page.SignIn.FailedTries;
}
