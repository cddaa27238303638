using System.Text;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Hosting;

namespace Atrium.Server.Doors.OAuth;

/// <summary>Leads the browser back to the client (RFC 6749 section 4.1.2), always with the issuer beside the answer (RFC 9207).</summary>
public sealed class AuthorizationResponse(PublicUrl publicUrl)
{
    public IResult Code(Realm realm, Client client, AuthorizationRequest request, Secret code) =>
        new SeeOther(UrlOf(realm, client, request.RedirectUri!, request.State, [new("code", code.Reveal())]));

    public IResult Error(Realm realm, Client client, string redirectUri, string? state, OAuthError error) =>
        new SeeOther(ErrorUrl(realm, client, redirectUri, state, error));

    /// <summary>Where a page leads a person back to, who can't go on.</summary>
    public string ErrorUrl(Realm realm, Client client, string redirectUri, string? state, OAuthError error) =>
        UrlOf(realm, client, redirectUri, state, [new("error", error.Code), new("error_description", error.Description)]);

    private string UrlOf(Realm realm, Client client, string redirectUri, string? state, IEnumerable<KeyValuePair<string, string>> answer)
    {
        StringBuilder url = new(HeaderSafe(redirectUri));
        char separator = redirectUri.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        IEnumerable<KeyValuePair<string, string>> all = state is null ? answer : answer.Append(new("state", state));
        foreach ((string name, string value) in all.Append(new("iss", publicUrl.Issuer(Door.OAuth, realm.Handle, client, organization: null))))
        {
            url.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }

        return url.ToString();
    }

    /// <summary>A registered URI goes out as it was registered, but for characters that no header can carry (RFC 3987 section 3.1).</summary>
    private static string HeaderSafe(string redirectUri) =>
        redirectUri.All(static c => c is > ' ' and <= '~') ? redirectUri : new Uri(redirectUri).AbsoluteUri;
}

/// <summary>
/// 303, so that what was posted here is never posted again elsewhere (RFC 9700 section 4.12), and never kept: codes are in these addresses.
/// </summary>
public sealed class SeeOther(string location) : IResult
{
    public Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        response.StatusCode = StatusCodes.Status303SeeOther;
        response.Headers.Location = location;
        response.Headers.CacheControl = "no-store";
        response.Headers["Referrer-Policy"] = "no-referrer";
        return Task.CompletedTask;
    }
}
