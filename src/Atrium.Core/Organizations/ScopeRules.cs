namespace Atrium.Core.Organizations;

/// <summary>What scopes of members, and permissions of roles, may look like.</summary>
public static class ScopeRules
{
    public const int MaxScopes = 100;
    public const int MaxLength = 100;
    public const int MaxPermissions = 1000;

    public static bool IsScope(string text) => text.Length is > 0 and <= MaxLength && TextRules.IsPlain(text);

    /// <summary>A scope that can stand in a path: what a role is named by.</summary>
    public static bool IsSlug(string text) =>
        text.Length is > 0 and <= MaxLength && text is not ("." or "..") && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '*');
}
