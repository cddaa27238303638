namespace Atrium.Core.Users;

/// <summary>What people can be called, and what they look like.</summary>
public static class UserRules
{
    public const int MaxUsernameLength = 128;
    public const int MaxPictureLength = 2048;
    public const int MaxPhoneNumberLength = 64;

    public static bool IsUsername(string text) =>
        text.Length is > 0 and <= MaxUsernameLength && TextRules.IsPlain(text) && !text.Any(char.IsWhiteSpace);

    /// <summary>The address of a picture; nobody here looks at it.</summary>
    public static bool IsPicture(string text) => text.Length is > 0 and <= MaxPictureLength && TextRules.IsPlain(text);

    /// <summary>A telephone number with whatever people write between its digits, and perhaps an extension (OpenID Connect Core section 5.1).</summary>
    public static bool IsPhoneNumber(string text) =>
        text.Length is > 0 and <= MaxPhoneNumberLength && TextRules.IsPlain(text) && text.Any(char.IsAsciiDigit);

    /// <summary>Whether two spellings are one mailbox: then it stays as verified as it was.</summary>
    public static bool IsSameMailbox(string left, string right) => EmailAddress.Normalize(left) == EmailAddress.Normalize(right);
}
