using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Doors;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Http;
using Atrium.Server.SignIns;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Pages;

/// <summary>
/// The hosted sign-in: shows the page of the step that is next, takes what its form brings, and leads to the next page or back to the client.
/// Every form is answered by a redirect or by the same page with what was wrong. It decides nothing: the engine does.
/// </summary>
public sealed class HostedSignIn(SignInDesk desk, BrowserCookies cookies, AuthorizationResponse responses, HostedConsent consents)
{
    private static readonly OAuthError Unknown = new("ATR1301", "invalid_request", "This page belongs to a sign-in that is over, or was never begun.");
    private static readonly OAuthError OtherBrowser = new("ATR1302", "invalid_request", "This sign-in was begun in another browser, or its cookies are gone.");
    private static readonly OAuthError OtherSite = new("ATR1303", "invalid_request", "The form was not sent from this server's own page.", StatusCodes.Status403Forbidden);
    private static readonly OAuthError SessionGone = new("ATR1304", "access_denied", "The session that this sign-in was built on has ended meanwhile.");

    private const string WrongPassword = "That e-mail and password don’t match.";
    private const string WrongCode = "That code is not right, or was used before. Enter the one that the app shows now.";
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
    public async Task<IResult> StartAsync(
        HttpContext context, Realm realm, SignInProgress progress, SignInStep step, CancellationToken cancellationToken)
    {
        if (step is SignInStep.Complete complete)
            return await FinishAsync(context, realm, progress, complete, handle: "", cancellationToken);
        Secret handle = Secret.New();
        return await desk.SaveAsync(progress with { Browser = cookies.MarkBrowser(context, realm) }, handle, cancellationToken)
            ? new SeeOther(HostedPages.AddressOf(realm, handle.Reveal()))
            : HostedPages.Over(context, realm, Unknown);
    }

    private async Task<IResult> ShowAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        IReadOnlyDictionary<string, StringValues> query = OAuthParameters.OfQuery(context.Request);
        if (await FindAsync(context, realm, query, cancellationToken) is not (var page, var progress) found)
            return HostedPages.Over(context, realm, Unknown);
        if (found.Error is { } error)
            return HostedPages.Over(context, realm, error);
        SignInStep step = await desk.NextAsync(progress, cancellationToken);
        return step is SignInStep.Complete complete
            ? await FinishAsync(context, realm, progress, complete, page.Handle, cancellationToken)
            : HostedPages.Of(page with { Find = query.ValueOf("find") }, step);
    }

    private async Task<IResult> TakeAsync(HttpContext context, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();

        // Where the browser says where the form comes from, it must be from here (Fetch Metadata); elsewhere the cookie alone tells.
        if (context.Request.Headers["Sec-Fetch-Site"] is [{ } site] && site is not ("same-origin" or "none"))
            return HostedPages.Over(context, realm, OtherSite);
        ReadForm read = await OAuthParameters.ReadUniqueFormAsync(context.Request, cancellationToken);
        if (read.Parameters is not { } form)
            return HostedPages.Over(context, realm, read.Error!);
        if (await FindAsync(context, realm, form, cancellationToken) is not (var page, var progress) found)
            return HostedPages.Over(context, realm, Unknown);
        if (found.Error is { } error)
            return HostedPages.Over(context, realm, error);

        return await desk.NextAsync(progress, cancellationToken) switch
        {
            SignInStep.Prove prove when form.ContainsKey("password") => await TakePasswordAsync(page, progress, prove, form, cancellationToken),
            SignInStep.ProveFactor factor when form.ContainsKey("code") => await TakeCodeAsync(page, progress, factor, form, cancellationToken),
            SignInStep.ChooseOrganization choose when form.ContainsKey("organization") =>
                await TakeChoiceAsync(page, progress, choose, form, cancellationToken),

            SignInStep.Consent consent when form.ContainsKey("decision") =>
                await consents.TakeAsync(page, progress, consent, form, (allowed, next) => GoOnAsync(page, allowed, next, cancellationToken), cancellationToken),

            // The form of a page that is no longer the one to fill in: show the one that is.
            _ => new SeeOther(HostedPages.AddressOf(realm, page.Handle)),
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
            : NotProved(page, step, result, WrongPassword, email);
    }

    private async Task<IResult> TakeCodeAsync(
        HostedPage page, SignInProgress progress, SignInStep.ProveFactor step, IReadOnlyDictionary<string, StringValues> form, CancellationToken cancellationToken)
    {
        string code = form.ValueOf("code") ?? "";
        ProofResult result = await desk.ProveTotpAsync(
            progress, step.User, step.Factors, code, challenge: null, cancellationToken);
        switch (result)
        {
            case ProofResult.Proved proved:
                return await GoOnAsync(page, proved.Progress, await desk.NextAsync(proved.Progress, cancellationToken), cancellationToken);
            case ProofResult.NoTriesLeft:
                return new SeeOther(HostedPages.AddressOf(page.Realm, page.Handle));
            case ProofResult.Wrong wrong:
                SignInStep next = await desk.NextAsync(wrong.Progress, cancellationToken);
                if (next is SignInStep.Refuse)
                    await desk.EndAsync(wrong.Progress, cancellationToken);
                return HostedPages.Of(page with { SignIn = wrong.Progress.SignIn }, next, error: WrongCode, status: StatusCodes.Status400BadRequest);
            default:
                return NotProved(page, step, result, WrongCode, email: null);
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
        return responses.Code(realm, progress.Client, progress.SignIn.Request, completed.Code);
    }

    private static IResult NotProved(HostedPage page, SignInStep step, ProofResult result, string wrong, string? email)
    {
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

    /// <summary>The sign-in that the request names, if it was begun in this browser.</summary>
    private async Task<Found?> FindAsync(
        HttpContext context, Realm realm, IReadOnlyDictionary<string, StringValues> parameters, CancellationToken cancellationToken)
    {
        if (parameters.ValueOf("handle") is not { } handle
            || await desk.FindAsync(realm.Id, Door.OAuth, new Secret(handle), context.Origin(), cancellationToken) is not { } progress)
        {
            return null;
        }

        HostedPage page = new(context, realm, progress.Client, progress.SignIn, handle);
        if (!cookies.IsBrowser(context, realm, progress.Browser))
            return new Found(page, progress, OtherBrowser);

        // A session that a new one replaces loses its cookie; one that the sign-in rests on must still stand.
        Session? standing = await cookies.FindSessionAsync(context, realm, cancellationToken);
        OAuthError? error = progress.SignIn.SessionId is { } needed && standing?.Id != needed ? SessionGone : null;
        return new Found(page, progress with { Standing = standing }, error);
    }

    private sealed record Found(HostedPage Page, SignInProgress Progress, OAuthError? Error)
    {
        public void Deconstruct(out HostedPage page, out SignInProgress progress) => (page, progress) = (Page, Progress);
    }
}
