namespace Atrium.Server.Pages;

/// <summary>The security headers of every hosted page.</summary>
public static class PageHeaders
{
    /// <summary>Sets the headers on an answer that has not started.</summary>
    /// <param name="redirectUri">
    /// The registered redirect URI in which the page's form may end, or null where the form stays on this server.
    /// </param>
    /// <param name="frameSource">Whose pages the page shows within itself; null for none.</param>
    public static void Apply(HttpResponse response, string? redirectUri = null, string? frameSource = null)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy(redirectUri) + (frameSource is null ? "" : $"; frame-src {frameSource}");
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
    }

    /// <summary>
    /// The policy: nothing is loaded but our own stylesheet and images, no script runs, nobody frames the page.
    /// Browsers hold the whole chain of redirects that answers a form to <c>form-action</c> (CSP Level 3 section 6.4.1): the redirect URI, and
    /// wherever the application sends the person on from there. So a page whose form may leave this server allows https, and the redirect
    /// URI's own origin or scheme where that is another; nothing of what the person types goes anywhere but here.
    /// </summary>
    public static string ContentSecurityPolicy(string? redirectUri = null)
    {
        var target = FormActionSource(redirectUri) switch
        {
            null => "",
            var source when source.StartsWith("https:", StringComparison.Ordinal) => " https:",
            var source => $" https: {source}",
        };
        return $"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'{target}; frame-ancestors 'none'; base-uri 'none'";
    }

    // Built from the parsed parts only, so that no character of the URI can end the directive and begin another.
    private static string? FormActionSource(string? redirectUri) =>
        !Uri.TryCreate(redirectUri, UriKind.Absolute, out var uri) || uri.IsFile ? null
        // A native app's private-use scheme (RFC 8252 section 7.1) has no host, and a host-source has no place for an IPv6 address.
        : uri.Scheme is not ("http" or "https") || uri.HostNameType is UriHostNameType.IPv6 ? $"{uri.Scheme}:"
        : uri.HostNameType is not (UriHostNameType.Dns or UriHostNameType.IPv4) ? null
        : uri.IsDefaultPort ? $"{uri.Scheme}://{uri.IdnHost}"
        : $"{uri.Scheme}://{uri.IdnHost}:{uri.Port}";
}
