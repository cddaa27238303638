namespace Atrium.Core.Realms;

/// <summary>What a realm's or organization's handle may look like: a DNS label, because both end up in URLs and may end up in host names.</summary>
public static class Handles
{
    public const int MaxLength = 63;

    /// <summary>The last digits of an id are random: twelve of them are 62 bits.</summary>
    private const int UniqueDigits = 12;

    private const int LastNumber = 9;

    public static bool IsValid(string? handle) =>
        handle is { Length: >= 1 and <= MaxLength }
        && handle[0] != '-' && handle[^1] != '-'
        && handle.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    /// <summary>A handle made from a display name; empty when nothing in the name can be used.</summary>
    public static string FromName(string name)
    {
        string folded = string.Concat(name.ToLowerInvariant().Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
        string joined = string.Join('-', folded.Split('-', StringSplitOptions.RemoveEmptyEntries));
        return joined.Length > MaxLength ? joined[..MaxLength].TrimEnd('-') : joined;
    }

    /// <summary>
    /// Handles that a new thing of this name may get, best first: the name itself, a few with a number behind it, and one with digits of the
    /// thing's id, which is as good as surely free.
    /// </summary>
    public static IReadOnlyList<string> Candidates<T>(string name, Id<T> id)
        where T : IIdentified
    {
        string unique = id.ToString()[^UniqueDigits..];
        string made = FromName(name);
        if (made.Length == 0)
            return [T.IdPrefix.Replace('_', '-') + unique];
        string stem = made.Length > MaxLength - UniqueDigits - 1 ? made[..(MaxLength - UniqueDigits - 1)].TrimEnd('-') : made;
        return [made, .. Enumerable.Range(2, LastNumber - 1).Select(number => $"{stem}-{number}"), $"{stem}-{unique}"];
    }
}
