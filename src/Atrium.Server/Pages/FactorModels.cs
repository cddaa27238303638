namespace Atrium.Server.Pages;

/// <summary>The page on which an authenticator app is set up. It posts <c>code</c>.</summary>
/// <param name="Email">Whose app it will be.</param>
/// <param name="QrCode">What the app's camera looks at: an image in a <c>data:</c> address.</param>
/// <param name="Secret">The same to be typed, base 32.</param>
/// <param name="Uri">The same as a link, for an app on the device that shows the page.</param>
/// <param name="TriesLeft">How many tries are left.</param>
/// <param name="StartAgain">Where somebody else begins anew; null for no such link.</param>
public sealed record EnrolModel(
    string Realm, string Client, PageForm Form, string Email, string QrCode, string Secret, string Uri, string? Error, int TriesLeft, string? StartAgain);

/// <summary>The page with new recovery codes. It posts <c>kept</c>, and <c>sign_out_others</c> where the person wants that.</summary>
public sealed record RecoveryCodesModel(string Realm, PageForm Form, string Email, IReadOnlyList<string> Codes);

/// <summary>The page that asks for a recovery code. It posts <c>recovery_code</c>.</summary>
/// <param name="UseApp">Where the app's code is asked for instead.</param>
public sealed record RecoveryCodeModel(
    string Realm, string Client, PageForm Form, string Email, string? Error, int TriesLeft, string UseApp);
