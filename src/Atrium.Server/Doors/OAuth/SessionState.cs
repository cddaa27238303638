using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Atrium.Core.Clients;

namespace Atrium.Server.Doors.OAuth;

/// <summary>
/// What tells an application later whether the browser's session is still the one that it was answered from (OpenID Connect Session Management 1.0
/// section 3): <c>Assets/session.js</c> makes the same of what the browser has then.
/// </summary>
public static class SessionState
{
    /// <summary>The <c>session_state</c> of an answer; null where it goes to no web page that could ask.</summary>
    /// <param name="browserState">What the cookie says that scripts of the check page read.</param>
    public static string? Of(Client client, string redirectUri, string browserState)
    {
        if (WebOrigin.Of(redirectUri) is not { } origin)
            return null;
        string salt = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        return $"{Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes($"{client.ClientId} {origin} {browserState} {salt}")))}.{salt}";
    }
}
