namespace Atrium.Core.Realms;

/// <summary>What a realm's or organization's handle may look like: a DNS label, because both end up in URLs and may end up in host names.</summary>
public static class Handles
{
    public const int MaxLength = 63;

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
}
