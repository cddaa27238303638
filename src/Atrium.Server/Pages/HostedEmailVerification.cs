using Atrium.Core.SignIns;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Http;
using Atrium.Server.SignIns;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Pages;

/// <summary>The page of the engine's step that asks whether the mailbox is the person's. It mails a code when it is first shown.</summary>
public sealed class HostedEmailVerification(SignInDesk desk, EmailCodes codes)
{
    private const string WrongCode = "That code is not right. Enter the one of the newest letter.";
    private const string Expired = "The code has expired. Have another one sent.";
    private const string TooManyTries = "Too many wrong codes. Have another one sent.";
    private const string TooManyLetters = "Many codes were sent lately. Wait half an hour before you have another one sent.";
    private const string Limited = "Too many tries. Wait a minute, then try again.";

    public async Task<IResult> ShowAsync(HostedPage page, SignInProgress progress, SignInStep.VerifyEmail step, CancellationToken cancellationToken) =>
        await codes.SendAsync(step.User, again: false, progress.Origin.IpAddress, cancellationToken) is { } wait
            ? Wait(page, step, wait, TooManyLetters, isOver: true)
            : Page(page, step);

    /// <summary>The sign-in as it goes on; null, with what to answer, where it doesn't.</summary>
    public async Task<(SignInProgress? Verified, IResult? Answer)> TakeAsync(
        HostedPage page, SignInProgress progress, SignInStep.VerifyEmail step, IReadOnlyDictionary<string, StringValues> form, CancellationToken cancellationToken)
    {
        if (form.ContainsKey("again"))
        {
            return (null, await codes.SendAsync(step.User, again: true, progress.Origin.IpAddress, cancellationToken) is { } wait
                ? Wait(page, step, wait, TooManyLetters)
                : new SeeOther(HostedPages.AddressOf(page.Realm, page.Handle)));
        }

        return await codes.CheckAsync(progress, step.User, form.ValueOf("code") ?? "", cancellationToken) switch
        {
            EmailCodeCheck.Right right => (desk.WithVerifiedEmail(progress, right.Verification), null),
            EmailCodeCheck.Limited limited => (null, Wait(page, step, limited.Wait, Limited)),
            EmailCodeCheck.Expired => (null, Page(page, step, Expired, StatusCodes.Status400BadRequest, isOver: true)),
            EmailCodeCheck.TooManyTries => (null, Page(page, step, TooManyTries, StatusCodes.Status400BadRequest, isOver: true)),
            EmailCodeCheck.Used => (null, new SeeOther(HostedPages.AddressOf(page.Realm, page.Handle))),
            _ => (null, Page(page, step, WrongCode, StatusCodes.Status400BadRequest)),
        };
    }

    private static PageResult Wait(HostedPage page, SignInStep.VerifyEmail step, TimeSpan wait, string error, bool isOver = false)
    {
        RetryAfter.Set(page.Context.Response, wait);
        return Page(page, step, error, StatusCodes.Status429TooManyRequests, isOver);
    }

    private static PageResult Page(
        HostedPage page, SignInStep.VerifyEmail step, string? error = null, int status = StatusCodes.Status200OK, bool isOver = false) => PageResult.MailedCode(
        new MailedCodeModel(
            new AccountFrame(
                page.Realm.Name,
                page.Client.Name,
                new PageForm(HostedPages.AddressOf(page.Realm, page.Handle), [new("handle", page.Handle)]),
                error,
                SignIn: null),
            "Verify your e-mail",
            ("There is a letter for", $". Enter the code that is in it to go on to {page.Client.Name}."),
            step.User.Email,
            IsNumber: true,
            isOver),
        page.SignIn.Request.RedirectUri,
        status);
}
