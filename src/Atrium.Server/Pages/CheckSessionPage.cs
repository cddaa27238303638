using System.Text;
using Atrium.Core.Realms;
using Atrium.Server.Doors;

namespace Atrium.Server.Pages;

/// <summary>
/// The page that applications load in a hidden frame to ask whether the session has changed (OpenID Connect Session Management 1.0 section 3.3). It is the
/// one page that anybody may frame, on purpose: nothing can be clicked in it, and it says yes or no to who already knows what to ask. And the one with a
/// script, which is a file of ours.
/// </summary>
public static class CheckSessionPage
{
    public const string Path = "/session";

    private const string Policy = "default-src 'none'; script-src 'self'; form-action 'none'; base-uri 'none'";

    public static void Map(RouteGroupBuilder realm) => realm.MapGet(Path, static (HttpContext context, BrowserCookies cookies) =>
    {
        Realm known = context.Realm();
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "public, max-age=300";
        return TypedResults.Text(
            $"""
            <!DOCTYPE html>
            <html lang="en" data-cookie="{cookies.StateName(known)}">
            <head><meta charset="utf-8"><title>Session</title><script src="{PageAssets.SessionScript}"></script></head>
            <body></body>
            </html>

            """,
            "text/html",
            Encoding.UTF8);
    });
}
