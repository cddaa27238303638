using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Hosting;
using Atrium.Storage;

namespace Atrium.Server.Pages;

/// <summary>
/// The two cookies of a realm: the standing session, and the browser that a sign-in began in. Both hold 256 random bits whose hash is stored;
/// both are out of reach for scripts and for the forms of other sites.
/// </summary>
public sealed class BrowserCookies(PublicUrl publicUrl, SessionStore sessions, TimeProvider clock)
{
    public const string SessionName = "atrium_session";
    public const string BrowserName = "atrium_browser";

    private const int MaxLength = 128;

    /// <summary>The live session that the browser brings, if any.</summary>
    public async Task<Session?> FindSessionAsync(HttpContext context, Realm realm, CancellationToken cancellationToken) =>
        Read(context, SessionName) is { } cookie
        && await sessions.FindByCookieAsync(realm.Id, cookie.Hash(), cancellationToken) is { } session
        && session.IsLive(clock.GetUtcNow())
            ? session
            : null;

    public void SetSession(HttpContext context, Realm realm, Secret cookie, DateTimeOffset expiresAt) =>
        context.Response.Cookies.Append(SessionName, cookie.Reveal(), Options(realm, expiresAt - clock.GetUtcNow()));

    public void ForgetSession(HttpContext context, Realm realm) => context.Response.Cookies.Delete(SessionName, Options(realm, maxAge: null));

    /// <summary>The browser's own mark, given to it now if it has none; several sign-ins may be open in it at once.</summary>
    public SecretHash MarkBrowser(HttpContext context, Realm realm)
    {
        if (Read(context, BrowserName) is { } known)
            return known.Hash();
        Secret mark = Secret.New();
        context.Response.Cookies.Append(BrowserName, mark.Reveal(), Options(realm, maxAge: null));
        return mark.Hash();
    }

    /// <summary>Whether this is the browser that the sign-in began in. A sign-in put under somebody by another fails here (login CSRF).</summary>
    public static bool IsBrowser(HttpContext context, SecretHash? expected) =>
        expected is { } hash && Read(context, BrowserName) is { } mark && mark.Hash() == hash;

    private static Secret? Read(HttpContext context, string name) =>
        context.Request.Cookies.TryGetValue(name, out string? value) && value is { Length: > 0 and <= MaxLength } ? new Secret(value) : null;

    private CookieOptions Options(Realm realm, TimeSpan? maxAge) => new()
    {
        Path = $"/t/{realm.Handle}",
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = publicUrl.IsHttps,
        MaxAge = maxAge,
        IsEssential = true,
    };
}
