using Atrium.Core.Clients;
using Atrium.Core.SignIns;
using Atrium.Server.Doors;
using Atrium.Server.Http;
using Atrium.Server.Tokens;

namespace Atrium.Server.Logout;

/// <summary>Says once to a client's server that a session has ended (Back-Channel Logout section 2.5). The token is made when it is sent: nothing of it is kept.</summary>
public sealed class BackChannel(OutboundHttp http, RealmDirectory directory, TokenIssuer issuer)
{
    /// <summary>How long a client has to answer.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public async Task<OutboundAnswer> TellAsync(Client client, LogoutNotice notice, string address, CancellationToken cancellationToken)
    {
        if (await directory.RealmAsync(notice.RealmId, cancellationToken) is not { } realm)
            return new OutboundAnswer(StatusCode: null, Body: null, RetryAfter: null, "The realm is gone.", TimeSpan.Zero);
        using FormUrlEncodedContent form = new([KeyValuePair.Create("logout_token", await issuer.LogoutTokenAsync(realm, client, notice, cancellationToken))]);
        using HttpRequestMessage request = new(HttpMethod.Post, address) { Content = form };
        return await http.SendAsync(request, Timeout, cancellationToken);
    }
}
