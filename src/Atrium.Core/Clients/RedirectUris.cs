namespace Atrium.Core.Clients;

/// <summary>What may be registered as a redirect URI.</summary>
public static class RedirectUris
{
    /// <summary>Schemes that a browser runs or shows in our place instead of leaving for an application.</summary>
    private static readonly string[] Refused = ["javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem"];

    /// <summary>Why this can't be registered, or null when it can.</summary>
    public static string? Problem(string uri)
    {
        if (!Uri.TryCreate(uri, UriKind.Absolute, out Uri? parsed) || uri.StartsWith('/'))
            return $"\"{uri}\" is not an absolute URI.";
        if (Refused.Contains(parsed.Scheme, StringComparer.OrdinalIgnoreCase))
            return $"\"{uri}\" leads to no application: {parsed.Scheme} is not a scheme to redirect to.";

        // RFC 6749 section 3.1.2
        return uri.Contains('#', StringComparison.Ordinal) ? $"\"{uri}\" has a fragment; a redirect URI has none." : null;
    }
}
