namespace Atrium.Server.Http;

/// <summary>
/// 303, so that what was posted here is never posted again elsewhere (RFC 9700 section 4.12), and never kept: codes are in these addresses.
/// </summary>
public sealed class SeeOther(string location) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        response.StatusCode = StatusCodes.Status303SeeOther;
        response.Headers.Location = HeaderSafe(location);
        response.Headers.CacheControl = "no-store";
        response.Headers["Referrer-Policy"] = "no-referrer";
        return Task.CompletedTask;
    }

    /// <summary>A registered URI goes out as it was registered, but for characters that no header can carry (RFC 3987 section 3.1).</summary>
    public static string HeaderSafe(string address) =>
        address.All(static c => c is > ' ' and <= '~') ? address : new Uri(address).AbsoluteUri;
}
