namespace Atrium.Server.Http;

/// <summary>What a request tells of who sent it, read in one way for every door.</summary>
public static class RequestFacts
{
    private const int MaxUserAgentLength = 512;

    /// <summary>The caller's address: where the connection comes from, or whom a trusted proxy speaks for. One that reaches us over both protocols has one spelling.</summary>
    public static string? RemoteAddress(this HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString() : null;

    /// <summary>The browser or program as it names itself, short enough to be stored with a session.</summary>
    public static string? UserAgent(this HttpRequest request) =>
        request.Headers.UserAgent.ToString() is { Length: > 0 } agent ? ShortUserAgent(agent) : null;

    /// <summary>The same for a name that a back end passes on.</summary>
    public static string ShortUserAgent(string agent) => agent[..Math.Min(agent.Length, MaxUserAgentLength)];

    /// <summary>Whether a person's browser asks, which can show a page; programs want their door's envelope.</summary>
    public static bool WantsPage(this HttpRequest request) => request.Headers.Accept.Any(static accept => accept?.Contains("text/html", StringComparison.OrdinalIgnoreCase) == true);

    /// <summary>
    /// The credentials of this scheme in the <c>Authorization</c> header (RFC 9110 section 11.6.2), which may be empty. Null when it has another
    /// scheme, is missing or stands there twice.
    /// </summary>
    public static string? CredentialsOf(this HttpRequest request, string scheme) =>
        request.Headers.Authorization is [{ } header]
        && header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)
        && header.Length > scheme.Length && header[scheme.Length] == ' '
            ? header[(scheme.Length + 1)..].Trim()
            : null;
}
