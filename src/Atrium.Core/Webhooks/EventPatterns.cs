using Atrium.Core.Events;

namespace Atrium.Core.Webhooks;

/// <summary>
/// Which events an endpoint wants, by the names that its dialect has for them: a name, <c>organization.*</c> for all names that begin so, or
/// <c>*</c> for all.
/// </summary>
public static class EventPatterns
{
    public static bool Match(IEnumerable<string> patterns, string name) => patterns.Any(pattern => Matches(pattern, name));

    /// <summary>Whether some event can match it: a pattern that none can is a typing error.</summary>
    public static bool IsKnown(string pattern, WebhookDialect dialect) =>
        EventTypes.All.Any(type => NameOf(dialect, type) is { } name && Matches(pattern, name));

    /// <summary>What the dialect calls an event; null when it has no word for it, and so nothing is sent.</summary>
    public static string? NameOf(WebhookDialect dialect, string type) => dialect == WebhookDialect.Authkit ? AuthKitEvents.NameOf(type) : type;

    private static bool Matches(string pattern, string name) =>
        pattern == "*" || (pattern.EndsWith(".*", StringComparison.Ordinal) ? name.StartsWith(pattern[..^1], StringComparison.Ordinal) : pattern == name);
}
