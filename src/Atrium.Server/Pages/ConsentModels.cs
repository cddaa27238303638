namespace Atrium.Server.Pages;

/// <summary>One thing that an application gets.</summary>
/// <param name="Text">What it is, in the person's words.</param>
/// <param name="Words">The scopes or the address as they are, where there are no other words for them; spaces between.</param>
/// <param name="IsNew">Whether the application did not have it before.</param>
public sealed record ConsentItem(string Text, string? Words = null, bool IsNew = false);

/// <summary>The page that asks whether an application may have what it asks for. It posts <c>decision</c>: <c>allow</c> or <c>deny</c>.</summary>
/// <param name="Destination">Where the answer goes: the host of the redirect URI, in words.</param>
/// <param name="Email">Whose it is.</param>
/// <param name="IsOurs">Whether the realm's own owner runs the application.</param>
/// <param name="IsWider">Whether the application has been given something before, and asks for more.</param>
/// <param name="Applications">Where it can be taken away again.</param>
/// <param name="StartAgain">Where somebody else begins anew; null for no such link.</param>
public sealed record ConsentModel(
    string Realm, string Client, string Destination, PageForm Form, string Email, IReadOnlyList<ConsentItem> Items, bool IsOurs, bool IsWider,
    string Applications, string? StartAgain = null);

/// <summary>An application that a person has let have something.</summary>
/// <param name="Since">When the person last said so, in words.</param>
/// <param name="Form">What takes it away.</param>
public sealed record AllowedApplication(string Name, string Destination, IReadOnlyList<ConsentItem> Items, string Since, PageForm Form);

/// <summary>The page of a signed-in person that lists the applications they have let have something.</summary>
/// <param name="Notice">What was just done; null at the first sight of the page.</param>
public sealed record ApplicationsModel(string Realm, string Email, IReadOnlyList<AllowedApplication> Applications, string? Notice = null);
