using System.Collections.Frozen;

namespace Atrium.Core.Users;

/// <summary>Why a password may not be chosen.</summary>
/// <param name="Code">Stable, for programs: <c>password_too_short</c>, <c>password_too_long</c> or <c>password_too_common</c>.</param>
/// <param name="Message">An English sentence for the person.</param>
public sealed record PasswordProblem(string Code, string Message);

/// <summary>
/// Which passwords may be chosen: long enough, and not among the first that anybody would try.
/// There are no composition rules (OWASP ASVS 6.2.5) and nothing is ever truncated (6.2.8).
/// </summary>
public static class PasswordPolicy
{
    public const int MinimumLength = 8;

    /// <summary>Far above what a person types, and a bound on the work that one attempt can ask for.</summary>
    public const int MaximumLength = 1024;

    /// <summary>
    /// Composition turns at most four code points into one (UAX #15), each at most two UTF-16 units: above this,
    /// a text is too long in whatever way it was typed.
    /// </summary>
    public const int MaximumUnits = 8 * MaximumLength;

    private static readonly PasswordProblem TooShort = new("password_too_short",
        $"The password must have at least {MinimumLength} characters.");

    private static readonly PasswordProblem TooLong = new("password_too_long",
        $"The password must have at most {MaximumLength} characters.");

    private static readonly PasswordProblem TooCommon = new("password_too_common",
        "This password is one of the most used ones and would be guessed first. Choose another one.");

    // OWASP ASVS 6.2.4 asks for the top 3000 that the policy would otherwise let pass; these are 11,611.
    private static readonly Lazy<FrozenSet<string>> Commonest =
        new(() => DataFile.Lines("common-passwords.txt").ToFrozenSet(StringComparer.OrdinalIgnoreCase));

    /// <summary>
    /// What is wrong with a password that is about to be set, or null. Each code point of the normalised password
    /// counts as one character (NIST SP 800-63B section 3.1.1.2), so that the answer does not depend on the keyboard.
    /// </summary>
    public static PasswordProblem? Check(string password)
    {
        if (!CanExist(password))
            return TooLong;
        var normalized = NormalizationFormC.Of(password);
        return normalized.EnumerateRunes().Count() switch
        {
            < MinimumLength => TooShort,
            > MaximumLength => TooLong,
            _ => Commonest.Value.Contains(normalized) ? TooCommon : null,
        };
    }

    /// <summary>
    /// False for a text so long that no password can equal it: refused before any work is done in proportion to its length.
    /// </summary>
    public static bool CanExist(string password) => password.Length <= MaximumUnits;
}
