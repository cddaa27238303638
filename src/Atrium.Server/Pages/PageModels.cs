namespace Atrium.Server.Pages;

/// <summary>A value that a form carries back unchanged, such as the handle of the sign-in.</summary>
public sealed record HiddenField(string Name, string Value);

/// <summary>Where a form posts to, and what it carries beside the person's own input.</summary>
/// <param name="Action">The form's <c>action</c>: a path on this server.</param>
/// <param name="Hidden">Values that come back unchanged.</param>
public sealed record PageForm(string Action, IReadOnlyList<HiddenField> Hidden);

/// <summary>A link with its words.</summary>
public sealed record PageLink(string Text, string Href);

/// <summary>The e-mail and password page. It posts <c>email</c> and <c>password</c>.</summary>
/// <param name="Realm">The realm's display name.</param>
/// <param name="Client">The display name of the application that the person signs in to.</param>
/// <param name="Email">What was typed before, or the request's <c>login_hint</c>. There is no such place for a password.</param>
/// <param name="Error">Why the last try failed, in the person's words; null at the first sight of the page.</param>
/// <param name="SignUp">Where somebody new makes an account; null where nobody does.</param>
/// <param name="ForgotPassword">Where a forgotten password is replaced; null where none can be.</param>
public sealed record SignInModel(
    string Realm, string Client, PageForm Form, string? Email = null, string? Error = null, string? SignUp = null, string? ForgotPassword = null);

/// <summary>The page that asks whether to go on as whom the browser is signed in as. It posts <c>account</c>: <c>continue</c> or <c>other</c>.</summary>
/// <param name="Name">What the person is called; null where only the address is known.</param>
public sealed record AccountModel(string Realm, string Client, PageForm Form, string Email, string? Name);

/// <summary>The page that asks for a code of an authenticator app (RFC 6238). It posts <c>code</c>, in which a space may stand.</summary>
/// <param name="Email">Who is signing in.</param>
/// <param name="TriesLeft">How many tries are left, or null not to say.</param>
/// <param name="StartAgain">Where somebody else begins anew; null for no such link.</param>
/// <param name="UseRecoveryCode">Where a recovery code is asked for instead; null for no such page.</param>
/// <param name="TakesRecoveryCode">Whether one may be typed here.</param>
public sealed record CodeModel(
    string Realm, string Client, PageForm Form, string Email, string? Error = null, int? TriesLeft = null, string? StartAgain = null,
    string? UseRecoveryCode = null, bool TakesRecoveryCode = false);

/// <summary>One organization that can be chosen.</summary>
/// <param name="Id">What the form posts as <c>organization</c>.</param>
/// <param name="Detail">The person's title or roles there; null when there is nothing to say.</param>
/// <param name="IsAll">Whether it is all of them at once.</param>
/// <param name="IsLast">Whether it was chosen the last time.</param>
public sealed record OrganizationOption(string Id, string Name, string? Detail = null, bool IsAll = false, bool IsLast = false);

/// <summary>The search among more organizations than a page shows. It sends <c>find</c> to the page's own address.</summary>
/// <param name="Text">What was looked for; null when nothing was.</param>
/// <param name="Found">How many there are, and how many of them are shown.</param>
/// <param name="ShowAll">Where nothing is looked for; null when nothing is now.</param>
public sealed record OrganizationFinding(PageForm Form, string? Text, string Found, string? ShowAll = null)
{
    public const int MaxLength = 100;
}

/// <summary>The organization picker. It posts <c>organization</c>.</summary>
/// <param name="Organizations">The choices, in the order to show them.</param>
/// <param name="Error">Why the last choice was not taken; null otherwise.</param>
public sealed record OrganizationModel(
    string Realm, string Client, PageForm Form, string Email, IReadOnlyList<OrganizationOption> Organizations,
    string? Error = null, string? StartAgain = null)
{
    /// <summary>How many organizations there are to choose among, shown or not.</summary>
    public int Total { get; init; } = Organizations.Count;

    public OrganizationFinding? Find { get; init; }

    /// <summary>Whether all of them can be chosen at once.</summary>
    public bool OffersAll { get; init; }
}

/// <summary>What the page of an invitation asks of the person.</summary>
public enum InvitationAsk
{
    /// <summary>To say yes: the right person is signed in. It posts nothing of the person's own.</summary>
    Join,

    /// <summary>The password of the account. It posts <c>password</c>.</summary>
    SignIn,

    /// <summary>A name and a password for a new account. It posts <c>name</c>, <c>password</c> and <c>repeated</c>.</summary>
    Register,
}

/// <summary>The page behind the link of an invitation: who invites to what, and what accepts it.</summary>
/// <param name="Email">Who is invited.</param>
/// <param name="Title">What the person will be there; null when nothing is said.</param>
/// <param name="Message">A few words of who invites.</param>
/// <param name="Name">What was typed before as the person's name.</param>
/// <param name="Error">Why the last try failed; null at the first sight of the page.</param>
public sealed record InvitationModel(
    string Realm, string Organization, string? Inviter, string? Title, string? Message, string Email, PageForm Form, InvitationAsk Ask,
    string? Name = null, string? Error = null);

/// <summary>Whether a message tells of a failure, of an end that was wanted, or asks.</summary>
public enum MessageTone
{
    Problem,
    Done,
    Question,
}

/// <summary>A form with a single button, such as the confirmation of a sign-out.</summary>
public sealed record MessageButton(string Text, PageForm Form);

/// <summary>An error or an end state.</summary>
/// <param name="Title">What happened, in a few words.</param>
/// <param name="Sentence">What happened, in one sentence.</param>
/// <param name="Next">What the person can do now; null when there is nothing to do.</param>
/// <param name="ErrorId">The stable id of the failure, such as <c>ATR1201</c>.</param>
/// <param name="RequestId">The <c>X-Request-ID</c> of this answer, by which the operator finds its log lines.</param>
/// <param name="Link">Where to go on.</param>
/// <param name="Button">What to confirm.</param>
public sealed record MessageModel(
    string Realm, string Title, string Sentence, string? Next = null, string? ErrorId = null, string? RequestId = null,
    PageLink? Link = null, MessageButton? Button = null, MessageTone Tone = MessageTone.Problem);

/// <summary>The end of a session in its browser.</summary>
/// <param name="Frames">What is loaded so that the applications in this browser hear of it.</param>
/// <param name="Link">Where to go on; null for nowhere.</param>
public sealed record SignedOutModel(string Realm, IReadOnlyList<string> Frames, PageLink? Link);
