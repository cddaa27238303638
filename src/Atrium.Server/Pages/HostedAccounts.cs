using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Http;
using Atrium.Server.Mail;
using Atrium.Server.Passwords;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Pages;

/// <summary>
/// The pages of somebody who can't sign in yet: to make an account, and to replace a forgotten password. Both begin from a sign-in and lead back into
/// it: an address, a code that is mailed there, then what it was for. Nobody is signed in by them; the engine decides what the sign-in still asks.
/// </summary>
public sealed class HostedAccounts(
    HostedVisits visits,
    SignInDesk desk,
    MailedCodes codes,
    AccountDesk accounts,
    PasswordHasher passwords,
    IMailTransport mail,
    TimeProvider clock)
{
    private const string NoAddress = "Enter an e-mail address, such as sam@example.com.";
    private const string WrongCode = "That code is not right. Enter the one of the newest letter.";
    private const string NotSamePassword = "The two passwords are not the same.";
    private const string WrongName = "A name is at most 256 characters long, on one line.";
    private const string NoOrganization = "Enter the name of your organization: at most 256 characters, on one line.";
    private const string JustSent = "A code was sent just now. It can take a minute to arrive; then you can have another one sent.";
    private const string TooManyLetters = "Many codes were sent lately. Wait half an hour before you have another one sent.";
    private const string Limited = "Too many tries. Wait a minute, then try again.";
    private const string Busy = "Many people are signing in just now. Try again in a moment.";

    public static void Map(RouteGroupBuilder realm)
    {
        foreach (MailedCodePurpose purpose in Enum.GetValues<MailedCodePurpose>())
        {
            string path = AccountPages.PathOf(purpose);
            realm.MapGet(path, (HttpContext context, HostedAccounts hosted, CancellationToken cancellationToken) =>
                hosted.ShowAsync(context, purpose, cancellationToken)).AnswersUnavailable(HostedPages.Unavailable);
            realm.MapPost(path, (HttpContext context, HostedAccounts hosted, CancellationToken cancellationToken) =>
                hosted.TakeAsync(context, purpose, cancellationToken)).AnswersUnavailable(HostedPages.Unavailable);
        }
    }

    /// <summary>Where an account is made.</summary>
    public static string SignUpAddress(Realm realm, string handle) => AccountPages.AddressOf(realm, handle, MailedCodePurpose.SignUp);

    private async Task<IResult> ShowAsync(HttpContext context, MailedCodePurpose purpose, CancellationToken cancellationToken)
    {
        (HostedVisit? visit, IResult? refusal) = await visits.OpenAsync(context, cancellationToken);
        if (visit is null)
            return refusal!;
        if (await EntranceAsync(visit, purpose, cancellationToken) is { } elsewhere)
            return elsewhere;
        if (visit.Form.ContainsKey("other"))
            return AccountPages.Address(visit.Page, purpose);
        return await StepAsync(visit, purpose, cancellationToken) switch
        {
            MailboxStep.AskCode asked => AccountPages.Code(visit.Page, asked.Code),
            MailboxStep.Over over => AccountPages.Code(visit.Page, over.Code, over.IsExpired),
            MailboxStep.Shown shown => AccountPages.NewPassword(visit.Page, shown.Code),
            _ => AccountPages.Address(visit.Page, purpose),
        };
    }

    private async Task<IResult> TakeAsync(HttpContext context, MailedCodePurpose purpose, CancellationToken cancellationToken)
    {
        (HostedVisit? visit, IResult? refusal) = await visits.TakeAsync(context, cancellationToken);
        if (visit is null)
            return refusal!;
        if (await EntranceAsync(visit, purpose, cancellationToken) is { } elsewhere)
            return elsewhere;
        if (visit.Form.ContainsKey("email"))
            return await TakeAddressAsync(visit, purpose, cancellationToken);
        return await StepAsync(visit, purpose, cancellationToken) switch
        {
            MailboxStep.AskCode asked when visit.Form.ContainsKey("again") => await SendAgainAsync(visit, asked.Code, isExpired: null, cancellationToken),
            MailboxStep.Over over when visit.Form.ContainsKey("again") => await SendAgainAsync(visit, over.Code, over.IsExpired, cancellationToken),
            MailboxStep.AskCode asked when visit.Form.ContainsKey("code") => await TakeCodeAsync(visit, asked.Code, cancellationToken),
            MailboxStep.Shown shown when visit.Form.ContainsKey("password") => await TakePasswordAsync(visit, shown.Code, cancellationToken),

            // The form of a page that is no longer the one to fill in: show the one that is.
            _ => Here(visit, purpose),
        };
    }

    /// <summary>Where the visit can't begin: the sign-in has got to know who it is, or the way is not open.</summary>
    private async Task<IResult?> EntranceAsync(HostedVisit visit, MailedCodePurpose purpose, CancellationToken cancellationToken)
    {
        HostedPage page = visit.Page;
        if (await desk.NextAsync(visit.Progress, cancellationToken) is not SignInStep.Prove)
            return new SeeOther(HostedPages.AddressOf(page.Realm, page.Handle));
        bool isOpen = purpose == MailedCodePurpose.SignUp ? SignUpRules.IsOffered(page.Realm.Settings, page.SignIn.Choice, mail.Sends) : mail.Sends;
        return isOpen ? null : AccountPages.Closed(page, purpose);
    }

    private async Task<IResult> TakeAddressAsync(HostedVisit visit, MailedCodePurpose purpose, CancellationToken cancellationToken)
    {
        string email = (visit.Form.ValueOf("email") ?? "").Trim();
        if (!EmailAddress.IsValid(email))
            return AccountPages.Address(visit.Page, purpose, email.Length <= EmailAddress.MaxLength ? email : null, NoAddress, StatusCodes.Status400BadRequest);
        if (purpose == MailedCodePurpose.SignUp && !SignUpRules.Admits(visit.Page.Realm.Settings.SignUp, email))
        {
            return AccountPages.Address(
                visit.Page, purpose, email, $"Addresses of {EmailAddress.DomainOf(email)} can’t make an account here. Use another one, or ask for an invitation.", StatusCodes.Status400BadRequest);
        }

        switch (await codes.SendAsync(visit.Progress, new Secret(visit.Page.Handle), purpose, email, cancellationToken))
        {
            case CodeMailing.Limited limited:
                RetryAfter.Set(visit.Page.Context.Response, limited.Wait);
                return AccountPages.Address(visit.Page, purpose, email, TooManyLetters, StatusCodes.Status429TooManyRequests);
            default:
                // A form that was sent twice wrote one letter, and leads to the page of its code.
                return Here(visit, purpose);
        }
    }

    private async Task<IResult> SendAgainAsync(HostedVisit visit, MailedCode last, bool? isExpired, CancellationToken cancellationToken)
    {
        switch (await codes.SendAsync(visit.Progress, new Secret(visit.Page.Handle), last.Purpose, last.Email, cancellationToken))
        {
            case CodeMailing.Limited limited:
                RetryAfter.Set(visit.Page.Context.Response, limited.Wait);
                return AccountPages.Code(visit.Page, last, isExpired, TooManyLetters, StatusCodes.Status429TooManyRequests);
            case CodeMailing.JustSent:
                RetryAfter.Set(visit.Page.Context.Response, MailedCode.Pause);
                return AccountPages.Code(visit.Page, last, isExpired, JustSent, StatusCodes.Status429TooManyRequests);
            default:
                return Here(visit, last.Purpose);
        }
    }

    private async Task<IResult> TakeCodeAsync(HostedVisit visit, MailedCode sent, CancellationToken cancellationToken)
    {
        switch (await codes.EnterAsync(visit.Progress, new Secret(visit.Page.Handle), sent, visit.Form.ValueOf("code") ?? "", cancellationToken))
        {
            case CodeEntry.Limited limited:
                RetryAfter.Set(visit.Page.Context.Response, limited.Wait);
                return AccountPages.Code(visit.Page, sent, error: Limited, status: StatusCodes.Status429TooManyRequests);
            case CodeEntry.Wrong { Code.TriesLeft: > 0 } wrong:
                return AccountPages.Code(visit.Page, wrong.Code, error: WrongCode, status: StatusCodes.Status400BadRequest);
            case CodeEntry.Wrong wrong:
                return AccountPages.Code(visit.Page, wrong.Code, isExpired: false, status: StatusCodes.Status400BadRequest);
            default:
                return Here(visit, sent.Purpose);
        }
    }

    private async Task<IResult> TakePasswordAsync(HostedVisit visit, MailedCode shown, CancellationToken cancellationToken)
    {
        bool isAccount = shown.Purpose == MailedCodePurpose.SignUp;
        bool makesOrganization = isAccount && visit.Page.Realm.Settings.SignUp.CreatesOrganization;
        string name = isAccount ? (visit.Form.ValueOf("name") ?? "").Trim() : "";
        string organization = makesOrganization ? (visit.Form.ValueOf("organization") ?? "").Trim() : "";
        string password = visit.Form.ValueOf("password") ?? "";
        string? problem = !TextRules.IsName(name) ? WrongName
            : makesOrganization && (organization.Length == 0 || !TextRules.IsName(organization)) ? NoOrganization
            : PasswordPolicy.Check(password) is { } weak ? weak.Message
            : password != (visit.Form.ValueOf("repeated") ?? "") ? NotSamePassword
            : null;
        if (problem is not null)
            return AccountPages.NewPassword(visit.Page, shown, Kept(name), Kept(organization), problem, StatusCodes.Status400BadRequest);

        // The realm may have become another's to enter since the code was sent.
        if (isAccount && !SignUpRules.Admits(visit.Page.Realm.Settings.SignUp, shown.Email))
            return AccountPages.Closed(visit.Page, shown.Purpose);
        if (await passwords.HashAsync(password, cancellationToken) is not { } hash)
        {
            Unavailable.Hashing.Announce(visit.Page.Context);
            return AccountPages.NewPassword(visit.Page, shown, name, organization, Busy, StatusCodes.Status503ServiceUnavailable);
        }

        AccountWrite outcome = isAccount
            ? await accounts.SignUpAsync(visit.Progress, shown, name.Length == 0 ? null : name, makesOrganization ? organization : null, hash, cancellationToken)
            : await accounts.ResetPasswordAsync(visit.Progress, shown, hash, cancellationToken);
        return outcome switch
        {
            AccountWrite.EmailTaken => AccountPages.AccountThere(visit.Page),
            AccountWrite.NoAccount => AccountPages.AccountGone(visit.Page),

            // Done here, or by another submit: the sign-in goes on.
            _ => new SeeOther(HostedPages.AddressOf(visit.Page.Realm, visit.Page.Handle)),
        };

        static string? Kept(string typed) => typed.Length <= TextRules.MaxNameLength ? typed : null;
    }

    private async Task<MailboxStep> StepAsync(HostedVisit visit, MailedCodePurpose purpose, CancellationToken cancellationToken) =>
        MailboxStep.Next(await codes.FindAsync(visit.Progress, cancellationToken), purpose, clock.GetUtcNow());

    private static SeeOther Here(HostedVisit visit, MailedCodePurpose purpose) => new(AccountPages.AddressOf(visit.Page.Realm, visit.Page.Handle, purpose));
}
