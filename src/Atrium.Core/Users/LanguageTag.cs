namespace Atrium.Core.Users;

/// <summary>Languages that people read, as BCP 47 names them.</summary>
public static class LanguageTag
{
    public const int MaxLength = 35;

    /// <summary>By its form: a language, and subtags of at most eight letters or digits (RFC 5646 section 2.1).</summary>
    public static bool IsValid(string tag) =>
        tag.Length <= MaxLength
        && tag.Split('-') is [{ Length: >= 2 and <= 8 } language, .. var subtags]
        && language.All(char.IsAsciiLetter)
        && subtags.All(static subtag => subtag.Length is >= 1 and <= 8 && subtag.All(char.IsAsciiLetterOrDigit));
}
