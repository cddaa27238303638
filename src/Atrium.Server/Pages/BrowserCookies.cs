using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Hosting;
using Atrium.Storage;

namespace Atrium.Server.Pages;

/// <summary>
/// The cookies of a realm: the standing session, and the browser that a sign-in began in. Both hold 256 random bits whose hash is stored; both are out
/// of reach for scripts and for the forms of other sites. A third one, which opens nothing, is there for a script to read: it comes and goes with the
/// session, and so tells when that has changed (OpenID Connect Session Management 1.0 section 3.1).
/// </summary>
public sealed class BrowserCookies(PublicUrl publicUrl, SessionStore sessions, TimeProvider clock)
{
    private const string SessionName = "atrium_session";
    private const string BrowserName = "atrium_browser";
    private const string BrowserStateName = "atrium_state";

    private const int MaxLength = 128;

    /// <summary>The live session that the browser brings, if any.</summary>
    public async Task<Session?> FindSessionAsync(HttpContext context, Realm realm, CancellationToken cancellationToken) =>
        Read(context, realm, SessionName) is { } cookie
        && await sessions.FindByCookieAsync(realm.Id, cookie.Hash(), cancellationToken) is { } session
        && session.IsLive(clock.GetUtcNow())
            ? session
            : null;

    public void SetSession(HttpContext context, Realm realm, Secret cookie, DateTimeOffset expiresAt)
    {
        TimeSpan lifetime = expiresAt - clock.GetUtcNow();
        context.Response.Cookies.Append(NameOf(SessionName, realm), cookie.Reveal(), Options(realm, lifetime));
        context.Response.Cookies.Append(StateName(realm), StateOf(cookie), StateOptions(realm, lifetime));
    }

    /// <summary>Takes away what the browser has brought. A request that other sites make comes without it, and takes nothing away.</summary>
    public void ForgetSession(HttpContext context, Realm realm)
    {
        if (Read(context, realm, SessionName) is null)
            return;
        context.Response.Cookies.Delete(NameOf(SessionName, realm), Options(realm, maxAge: null));
        context.Response.Cookies.Delete(StateName(realm), StateOptions(realm, maxAge: null));
    }

    /// <summary>The state of a browser that has brought the cookie of this session; where its state says something else, or nothing, it is set right.</summary>
    public string KeepState(HttpContext context, Realm realm, Session session)
    {
        string state = Read(context, realm, SessionName) is { } cookie ? StateOf(cookie) : "";
        if (context.Request.Cookies[StateName(realm)] != state)
            context.Response.Cookies.Append(StateName(realm), state, StateOptions(realm, session.ExpiresAt - clock.GetUtcNow()));
        return state;
    }

    /// <summary>The name of the cookie that the check page's script reads.</summary>
    public string StateName(Realm realm) => NameOf(BrowserStateName, realm);

    /// <summary>What tells one session from another and says nothing of it.</summary>
    public static string StateOf(Secret cookie) =>
        Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"browser state {cookie.Reveal()}")).AsSpan(0, 16));

    /// <summary>The browser's own mark, given to it now if it has none; several sign-ins may be open in it at once.</summary>
    public SecretHash MarkBrowser(HttpContext context, Realm realm)
    {
        if (Read(context, realm, BrowserName) is { } known)
            return known.Hash();
        Secret mark = Secret.New();
        context.Response.Cookies.Append(NameOf(BrowserName, realm), mark.Reveal(), Options(realm, maxAge: null));
        return mark.Hash();
    }

    /// <summary>Whether this is the browser that the sign-in began in. A sign-in put under somebody by another fails here (login CSRF).</summary>
    public bool IsBrowser(HttpContext context, Realm realm, SecretHash? expected) =>
        expected is { } hash && Read(context, realm, BrowserName) is { } mark && mark.Hash() == hash;

    /// <summary>
    /// What the forms of a signed-in person's pages carry back. Nobody can make it up who has not the session's cookie, and the cookie can't be told from it.
    /// </summary>
    public string? MarkOfForms(HttpContext context, Realm realm) => Read(context, realm, SessionName) is { } cookie
        ? Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(cookie.Reveal()), "forms of the account's pages"u8))
        : null;

    private Secret? Read(HttpContext context, Realm realm, string name) =>
        context.Request.Cookies.TryGetValue(NameOf(name, realm), out string? value) && value is { Length: > 0 and <= MaxLength } ? new Secret(value) : null;

    /// <summary>
    /// Over TLS the prefix makes browsers take the cookie from this very host alone (RFC 6265bis section 4.1.3.2), so that no neighbour below the
    /// same domain can plant one. Its path must then be the root, and the realm stands in the name.
    /// </summary>
    private string NameOf(string name, Realm realm) => publicUrl.IsHttps ? $"__Host-{name}.{realm.Handle}" : name;

    /// <summary>The check page is a frame within other sites, where only a cookie for everywhere is seen; that takes TLS.</summary>
    private CookieOptions StateOptions(Realm realm, TimeSpan? maxAge)
    {
        CookieOptions options = Options(realm, maxAge);
        options.HttpOnly = false;
        options.SameSite = publicUrl.IsHttps ? SameSiteMode.None : SameSiteMode.Lax;
        return options;
    }

    private CookieOptions Options(Realm realm, TimeSpan? maxAge) => new()
    {
        Path = publicUrl.IsHttps ? "/" : $"/t/{realm.Handle}",
        HttpOnly = true,
        SameSite = SameSiteMode.Lax,
        Secure = publicUrl.IsHttps,
        MaxAge = maxAge,
        IsEssential = true,
    };
}
