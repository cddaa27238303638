using System.Text;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Hosting;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.OAuth;

/// <summary>Leads the browser back to the client (RFC 6749 section 4.1.2), always with the issuer beside the answer (RFC 9207).</summary>
public sealed class AuthorizationResponse(PublicUrl publicUrl)
{
    /// <param name="browserState">What tells the browser's session from another.</param>
    public IResult Code(Realm realm, Client client, AuthorizationRequest request, Secret code, string browserState)
    {
        List<KeyValuePair<string, string>> answer = [new("code", code.Reveal())];
        if (SessionState.Of(client, request.RedirectUri!, browserState) is { } sessionState)
            answer.Add(new("session_state", sessionState));
        return new SeeOther(UrlOf(realm, client, request.RedirectUri!, request.State, answer));
    }

    public IResult Error(Realm realm, Client client, string redirectUri, string? state, OAuthError error) =>
        new SeeOther(ErrorUrl(realm, client, redirectUri, state, error));

    /// <summary>Where a page leads a person back to, who can't go on.</summary>
    public string ErrorUrl(Realm realm, Client client, string redirectUri, string? state, OAuthError error) =>
        UrlOf(realm, client, redirectUri, state, [new("error", error.Code), new("error_description", error.Description)]);

    private string UrlOf(Realm realm, Client client, string redirectUri, string? state, IEnumerable<KeyValuePair<string, string>> answer)
    {
        StringBuilder url = new(redirectUri);
        char separator = redirectUri.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        IEnumerable<KeyValuePair<string, string>> all = state is null ? answer : answer.Append(new("state", state));
        foreach ((string name, string value) in all.Append(new("iss", publicUrl.Issuer(Door.OAuth, realm.Handle, client, organization: null))))
        {
            url.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }

        return url.ToString();
    }
}
