using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Http;
using Atrium.Server.SignIns;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Pages;

/// <summary>
/// The hosted sign-in: shows the page of the step that is next, takes what its form brings, and leads to the next page or back to the client.
/// Every form is answered by a redirect or by the same page with what was wrong. It decides nothing: the engine does.
/// </summary>
public sealed class HostedSignIn(
    SignInDesk desk,
    SecondFactorDesk factors,
    FactorPages factorPages,
    HostedVisits visits,
    HostedEmailVerification emails,
    HostedConsent consents,
    BrowserCookies cookies,
    AuthorizationResponse responses)
{
    private const string WrongPassword = "That e-mail and password don’t match.";
    private const string WrongCode = "That code is not right, or was used before. Enter the one that the app shows now.";
    private const string WrongRecoveryCode = "That recovery code is not right, or was used before. Enter another one.";
    private const string WrongChoice = "That organization can’t be chosen any more. Choose another.";
    private const string Limited = "Too many tries. Wait a minute, then try again.";
    private const string Busy = "Many people are signing in just now. Try again in a moment.";

    public static void Map(RouteGroupBuilder realm)
    {
        realm.MapGet("/sign-in", static (HttpContext context, HostedSignIn hosted, CancellationToken cancellationToken) =>
            hosted.ShowAsync(context, cancellationToken)).AnswersUnavailable(HostedPages.Unavailable);
        realm.MapPost("/sign-in", static (HttpContext context, HostedSignIn hosted, CancellationToken cancellationToken) =>
            hosted.TakeAsync(context, cancellationToken)).AnswersUnavailable(HostedPages.Unavailable);
    }

    /// <summary>From the authorization request: back to the client at once, or to the first page.</summary>
    /// <param name="signsUp">Whether that is the one where an account is made.</param>
    public async Task<IResult> StartAsync(
        HttpContext context, Realm realm, SignInProgress progress, SignInStep step, bool signsUp, CancellationToken cancellationToken)
    {
        if (step is SignInStep.Complete complete)
            return await FinishAsync(context, realm, progress, complete, handle: "", cancellationToken);
        Secret handle = Secret.New();
        return await desk.SaveAsync(progress with { Browser = cookies.MarkBrowser(context, realm) }, handle, cancellationToken)
            ? new SeeOther(signsUp ? HostedAccounts.SignUpAddress(realm, handle.Reveal()) : HostedPages.AddressOf(realm, handle.Reveal()))
            : HostedVisits.Nowhere(context, realm);
    }

    private async Task<IResult> ShowAsync(HttpContext context, CancellationToken cancellationToken)
    {
        (HostedVisit? visit, IResult? refusal) = await visits.OpenAsync(context, cancellationToken);
        if (visit is null)
            return refusal!;
        (HostedPage page, SignInProgress progress, _) = visit;
        SignInStep step = await desk.NextAsync(progress, cancellationToken);
        return step switch
        {
            SignInStep.Complete complete => await FinishAsync(context, page.Realm, progress, complete, page.Handle, cancellationToken),
            SignInStep.VerifyEmail verify => await emails.ShowAsync(page, progress, verify, cancellationToken),
            _ => await PageAsync(
                page with { ByRecoveryCode = FactorPages.AsksForRecoveryCode(context), Find = OAuthParameters.OfQuery(context.Request).ValueOf("find") },
                step, error: null, StatusCodes.Status200OK, cancellationToken),
        };
    }

    private async Task<IResult> TakeAsync(HttpContext context, CancellationToken cancellationToken)
    {
        (HostedVisit? visit, IResult? refusal) = await visits.TakeAsync(context, cancellationToken);
        if (visit is null)
            return refusal!;
        (HostedPage page, SignInProgress progress, IReadOnlyDictionary<string, StringValues> form) = visit;
        return await desk.NextAsync(progress, cancellationToken) switch
        {
            SignInStep.Prove prove when form.ContainsKey("password") => await TakePasswordAsync(page, progress, prove, form, cancellationToken),
            SignInStep.VerifyEmail verify when form.ContainsKey("code") || form.ContainsKey("again") =>
                await TakeMailedCodeAsync(page, progress, verify, form, cancellationToken),
            SignInStep.ConfirmAccount when form.ContainsKey("account") => await TakeAccountAsync(page, progress, form, cancellationToken),
            SignInStep.EnrolFactor enrol when form.ContainsKey("code") =>
                await TakeCodeAsync(page, enrol, await factors.ConfirmAsync(progress, enrol.User, form.ValueOf("code") ?? "", cancellationToken), cancellationToken),
            SignInStep.KeepRecoveryCodes keep when form.ContainsKey("kept") => await TakeKeptAsync(page, progress, keep, form, cancellationToken),
            SignInStep.ProveFactor factor when form.ContainsKey("recovery_code") => await TakeCodeAsync(
                page with { ByRecoveryCode = true },
                factor,
                await factors.ProveRecoveryCodeAsync(progress, factor.User, form.ValueOf("recovery_code") ?? "", cancellationToken),
                cancellationToken),
            SignInStep.ProveFactor factor when form.ContainsKey("code") => await TakeCodeAsync(
                page,
                factor,
                await desk.ProveTotpAsync(progress, factor.User, factor.Factors, form.ValueOf("code") ?? "", challenge: null, cancellationToken),
                cancellationToken),
            SignInStep.ChooseOrganization choose when form.ContainsKey("organization") =>
                await TakeChoiceAsync(page, progress, choose, form, cancellationToken),

            SignInStep.Consent consent when form.ContainsKey("decision") =>
                await consents.TakeAsync(page, progress, consent, form, (allowed, next) => GoOnAsync(page, allowed, next, cancellationToken), cancellationToken),

            // The form of a page that is no longer the one to fill in: show the one that is.
            _ => new SeeOther(HostedPages.AddressOf(page.Realm, page.Handle)),
        };
    }

    private async Task<IResult> TakePasswordAsync(
        HostedPage page, SignInProgress progress, SignInStep.Prove step, IReadOnlyDictionary<string, StringValues> form, CancellationToken cancellationToken)
    {
        string email = form.ValueOf("email") ?? "";
        string password = form.ValueOf("password") ?? "";

        // No account has such an address or such a password, so nothing is learned from the answer's time.
        if (email.Length is 0 or > EmailAddress.MaxLength || password.Length == 0 || !PasswordPolicy.CanExist(password))
            return HostedPages.Of(page, step, email.Length <= EmailAddress.MaxLength ? email : null, WrongPassword, StatusCodes.Status400BadRequest);
        ProofResult result = await desk.ProvePasswordAsync(progress, email, password, cancellationToken);
        return result is ProofResult.Proved proved
            ? await GoOnAsync(page, proved.Progress, await desk.NextAsync(proved.Progress, cancellationToken), cancellationToken)
            : await NotProvedAsync(page, step, result, WrongPassword, email, cancellationToken);
    }

    private async Task<IResult> TakeMailedCodeAsync(
        HostedPage page, SignInProgress progress, SignInStep.VerifyEmail step, IReadOnlyDictionary<string, StringValues> form, CancellationToken cancellationToken)
    {
        (SignInProgress? verified, IResult? answer) = await emails.TakeAsync(page, progress, step, form, cancellationToken);
        return verified is null ? answer! : await GoOnAsync(page, verified, await desk.NextAsync(verified, cancellationToken), cancellationToken);
    }

    /// <summary>Whether to go on as whom the browser is signed in as; the page knows two answers, and anything else is none.</summary>
    private async Task<IResult> TakeAccountAsync(
        HostedPage page, SignInProgress progress, IReadOnlyDictionary<string, StringValues> form, CancellationToken cancellationToken)
    {
        SignIn? answered = form.ValueOf("account") switch
        {
            "continue" => progress.SignIn with { AccountConfirmed = true },
            "other" => progress.SignIn.ForSomebodyElse(),
            _ => null,
        };
        if (answered is null)
            return new SeeOther(HostedPages.AddressOf(page.Realm, page.Handle));
        SignInProgress next = progress with { SignIn = answered };
        return await GoOnAsync(page, next, await desk.NextAsync(next, cancellationToken), cancellationToken);
    }

    private async Task<IResult> TakeKeptAsync(
        HostedPage page,
        SignInProgress progress,
        SignInStep.KeepRecoveryCodes step,
        IReadOnlyDictionary<string, StringValues> form,
        CancellationToken cancellationToken)
    {
        SignInProgress kept = await factorPages.KeepAsync(progress, step, form.ContainsKey("sign_out_others"), cancellationToken);
        return await GoOnAsync(page, kept, await desk.NextAsync(kept, cancellationToken), cancellationToken);
    }

    /// <summary>What came of a code, whichever kind it is of. That of a new factor is stored already.</summary>
    private async Task<IResult> TakeCodeAsync(HostedPage page, SignInStep step, ProofResult result, CancellationToken cancellationToken)
    {
        string wrongCode = page.ByRecoveryCode ? WrongRecoveryCode : WrongCode;
        switch (result)
        {
            case ProofResult.Proved proved when step is not SignInStep.EnrolFactor:
                return await GoOnAsync(page, proved.Progress, await desk.NextAsync(proved.Progress, cancellationToken), cancellationToken);
            case ProofResult.Proved or ProofResult.NoTriesLeft:
                return new SeeOther(HostedPages.AddressOf(page.Realm, page.Handle));
            case ProofResult.Wrong wrong:
                SignInStep next = await desk.NextAsync(wrong.Progress, cancellationToken);
                if (next is SignInStep.Refuse)
                    await desk.EndAsync(wrong.Progress, cancellationToken);
                return await PageAsync(page with { SignIn = wrong.Progress.SignIn }, next, wrongCode, StatusCodes.Status400BadRequest, cancellationToken);
            default:
                return await NotProvedAsync(page, step, result, wrongCode, email: null, cancellationToken);
        }
    }

    private async Task<IResult> TakeChoiceAsync(
        HostedPage page,
        SignInProgress progress,
        SignInStep.ChooseOrganization step,
        IReadOnlyDictionary<string, StringValues> form,
        CancellationToken cancellationToken)
    {
        (SignInProgress, SignInStep)? choice = form.ValueOf("organization") is OrganizationPages.All
            ? await desk.ChooseAllAsync(progress, step, cancellationToken)
            : Id<Organization>.Parse(form.ValueOf("organization")) is { } organization
                ? await desk.ChooseAsync(progress, organization, cancellationToken)
                : null;
        return choice is var (chosen, next)
            ? await GoOnAsync(page, chosen, next, cancellationToken)
            : HostedPages.Of(page, step, error: WrongChoice, status: StatusCodes.Status400BadRequest);
    }

    /// <summary>Something was shown or chosen: back to the client when that was all, else to the next page.</summary>
    private async Task<IResult> GoOnAsync(HostedPage page, SignInProgress progress, SignInStep next, CancellationToken cancellationToken)
    {
        if (next is SignInStep.Complete complete)
            return await FinishAsync(page.Context, page.Realm, progress, complete, page.Handle, cancellationToken);

        // Whether or not another submit was faster: the page of the step that is next tells where the sign-in stands.
        await desk.SaveAsync(progress, cancellationToken);
        return new SeeOther(HostedPages.AddressOf(page.Realm, page.Handle));
    }

    private async Task<IResult> FinishAsync(
        HttpContext context, Realm realm, SignInProgress progress, SignInStep.Complete step, string handle, CancellationToken cancellationToken)
    {
        Secret cookie = Secret.New();
        if (await desk.CompleteAsync(progress, step, cookie, cancellationToken) is not { } completed)
            return new SeeOther(HostedPages.AddressOf(realm, handle));
        if (completed.IsNewSession)
            cookies.SetSession(context, realm, cookie, completed.Session.ExpiresAt);
        string state = completed.IsNewSession ? BrowserCookies.StateOf(cookie) : cookies.KeepState(context, realm, completed.Session);
        return responses.Code(realm, progress.Client, progress.SignIn.Request, completed.Code, state);
    }

    private async Task<IResult> NotProvedAsync(
        HostedPage page, SignInStep step, ProofResult result, string wrong, string? email, CancellationToken cancellationToken)
    {
        page = await factorPages.WithContentAsync(page, step, cancellationToken);
        switch (result)
        {
            case ProofResult.Limited limited:
                RetryAfter.Set(page.Context.Response, limited.Wait);
                return HostedPages.Of(page, step, email, Limited, StatusCodes.Status429TooManyRequests);
            case ProofResult.Busy:
                Unavailable.Hashing.Announce(page.Context);
                return HostedPages.Of(page, step, email, Busy, StatusCodes.Status503ServiceUnavailable);
            default:
                return HostedPages.Of(page, step, email, wrong, StatusCodes.Status400BadRequest);
        }
    }

    /// <summary>The page of this step, with what it shows.</summary>
    private async Task<IResult> PageAsync(
        HostedPage page, SignInStep step, string? error, int status, CancellationToken cancellationToken) =>
        HostedPages.Of(await factorPages.WithContentAsync(page, step, cancellationToken), step, email: null, error, status);
}
