using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Hosting;

namespace Atrium.Server.Pages;

/// <summary>Renders the pages of a sign-up and of a forgotten password. What they say is the same whether or not the address has an account.</summary>
internal static class AccountPages
{
    private static readonly OAuthError NotOffered = new("ATR1332", "access_denied", "People come here by invitation.");
    private static readonly OAuthError NoMail = new("ATR1333", "access_denied", "This server sends no mail, so it can’t show that a mailbox is yours.");
    private static readonly OAuthError Taken = new("ATR1334", "access_denied", "There is an account under this address meanwhile.", StatusCodes.Status409Conflict);
    private static readonly OAuthError NoAccount = new("ATR1335", "access_denied", "The account can’t be used any more, or has another address.", StatusCodes.Status409Conflict);

    public static IResult Address(HostedPage page, MailedCodePurpose purpose, string? email = null, string? error = null, int status = StatusCodes.Status200OK) =>
        PageResult.Mailbox(
            purpose == MailedCodePurpose.SignUp
                ? new MailboxModel(
                    FrameOf(page, purpose, error),
                    "Create an account",
                    $"To sign in to {page.Client.Name}. First show that your mailbox is yours: you get a code there.",
                    "Send me a code",
                    email ?? page.SignIn.Request.LoginHint)
                : new MailboxModel(
                    FrameOf(page, purpose, error),
                    "Forgot your password?",
                    "Name the address of your account. You get a code there, to choose a new one.",
                    "Send me a code",
                    email ?? page.SignIn.Request.LoginHint),
            page.SignIn.Request.RedirectUri,
            status);

    /// <param name="isExpired">Where no code is heard any more: whether because of its age.</param>
    public static IResult Code(HostedPage page, MailedCode code, bool? isExpired = null, string? error = null, int status = StatusCodes.Status200OK) =>
        PageResult.MailedCode(
            new MailedCodeModel(
                FrameOf(page, code.Purpose, error ?? isExpired switch
                {
                    null => null,
                    true => "The code has expired. Have another one sent.",
                    false => "Too many wrong codes. Have another one sent.",
                }),
                "Look into your mail",
                code.Purpose == MailedCodePurpose.SignUp ? ("There is a letter for", ". Enter the code that is in it.") : ("If", " has an account, there is a letter for it. Enter the code that is in it."),
                code.Email,
                IsNumber: false,
                IsOver: isExpired is not null,
                code.TriesLeft,
                AddressOf(page.Realm, page.Handle, code.Purpose) + "&other=yes"),
            page.SignIn.Request.RedirectUri,
            status);

    public static IResult NewPassword(
        HostedPage page, MailedCode shown, string? name = null, string? organization = null, string? error = null, int status = StatusCodes.Status200OK) =>
        PageResult.NewPassword(
            new NewPasswordModel(
                FrameOf(page, shown.Purpose, error),
                shown.Email,
                shown.Purpose == MailedCodePurpose.SignUp,
                shown.Purpose == MailedCodePurpose.SignUp && page.Realm.Settings.SignUp.CreatesOrganization,
                name,
                organization),
            page.SignIn.Request.RedirectUri,
            status);

    /// <summary>The way is not open here. The sign-in stands where it stood.</summary>
    public static IResult Closed(HostedPage page, MailedCodePurpose purpose) => purpose == MailedCodePurpose.SignUp
        ? Stopped(page, NotOffered, "There is no way to an account here", "If you have an account, sign in. Else ask for an invitation.")
        : Stopped(page, NoMail, "A forgotten password can’t be replaced here", "Ask an administrator for a new one.");

    /// <summary>Somebody else was faster.</summary>
    public static IResult AccountThere(HostedPage page) =>
        Stopped(page, Taken, "You have an account", "Nothing was changed. Sign in with its password, or choose a new one there.");

    public static IResult AccountGone(HostedPage page) => Stopped(page, NoAccount, "The password was not changed", "Ask an administrator.");

    /// <summary>The address that shows how far it is.</summary>
    public static string AddressOf(Realm realm, string handle, MailedCodePurpose purpose) =>
        $"/t/{realm.Handle}{PathOf(purpose)}" + QueryString.Create("handle", handle).ToUriComponent();

    public static string PathOf(MailedCodePurpose purpose) => purpose == MailedCodePurpose.SignUp ? "/sign-up" : "/forgot-password";

    private static AccountFrame FrameOf(HostedPage page, MailedCodePurpose purpose, string? error) => new(
        page.Realm.Name,
        page.Client.Name,
        new PageForm(AddressOf(page.Realm, page.Handle, purpose), [new("handle", page.Handle)]),
        error,
        HostedPages.AddressOf(page.Realm, page.Handle));

    private static PageResult Stopped(HostedPage page, OAuthError error, string title, string next)
    {
        page.Context.NoteRefusal(error.Id);
        return PageResult.Message(
            new MessageModel(
                page.Realm.Name,
                title,
                error.Sentence,
                next,
                error.Id,
                page.Context.TraceIdentifier,
                new PageLink("Sign in", HostedPages.AddressOf(page.Realm, page.Handle))),
            error.Status);
    }
}
