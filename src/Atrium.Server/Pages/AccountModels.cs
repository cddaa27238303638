namespace Atrium.Server.Pages;

/// <summary>What the pages of somebody who can't sign in yet have in common.</summary>
/// <param name="Realm">The realm's display name.</param>
/// <param name="Client">The display name of the application that the person is on the way to.</param>
/// <param name="Error">Why the last try failed, in the person's words; null at the first sight of the page.</param>
/// <param name="SignIn">Where the sign-in goes on without any of this; null where there is no such way.</param>
public sealed record AccountFrame(string Realm, string Client, PageForm Form, string? Error, string? SignIn);

/// <summary>The page that asks for an address. It posts <c>email</c>.</summary>
/// <param name="Explanation">What it is asked for.</param>
/// <param name="Button">What sending it does.</param>
/// <param name="Email">What was typed before, or is known already.</param>
public sealed record MailboxModel(AccountFrame Frame, string Heading, string Explanation, string Button, string? Email = null);

/// <summary>The page that asks for a mailed code. It posts <c>code</c>, or <c>again</c> for another one.</summary>
/// <param name="Explanation">Where the code is to be found, before the address and behind it.</param>
/// <param name="IsNumber">Whether it is six digits, or letters and digits.</param>
/// <param name="IsOver">Whether no code is heard any more before another is asked for.</param>
/// <param name="OtherAddress">Where another address is named; null where there can be none.</param>
public sealed record MailedCodeModel(
    AccountFrame Frame, string Heading, (string Before, string Behind) Explanation, string Email, bool IsNumber, bool IsOver = false, int? TriesLeft = null,
    string? OtherAddress = null);

/// <summary>
/// The page where a password is chosen. It posts <c>password</c> and <c>repeated</c>; of a new account also <c>name</c>, and <c>organization</c> where it
/// makes one.
/// </summary>
/// <param name="IsAccount">A new account, or a new password for one that is there.</param>
/// <param name="Name">What was typed before as the person's name.</param>
/// <param name="Organization">What was typed before as the organization's.</param>
public sealed record NewPasswordModel(
    AccountFrame Frame, string Email, bool IsAccount, bool AsksOrganization = false, string? Name = null, string? Organization = null);
