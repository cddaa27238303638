using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Hosting;
using Atrium.Storage;
using Microsoft.AspNetCore.WebUtilities;

namespace Atrium.Server.Doors.OAuth;

/// <summary>What the browser that signs out loads, so that the applications in it hear of the end (OpenID Connect Front-Channel Logout 1.0 section 3).</summary>
public sealed class FrontChannel(SessionStore sessions, PublicUrl publicUrl)
{
    /// <summary>More applications than anybody has open; a page with hundreds of frames would never be done.</summary>
    private const int MostFrames = 20;

    /// <summary>The addresses of the clients that have something of these sessions, and of no others.</summary>
    public async Task<IReadOnlyList<string>> AddressesAsync(Realm realm, IEnumerable<Id<Session>> ended, CancellationToken cancellationToken)
    {
        List<string> addresses = [];
        foreach (Id<Session> session in ended)
        {
            foreach (Client client in await sessions.FrontChannelClientsAsync(realm.Id, session, MostFrames - addresses.Count, cancellationToken))
                addresses.Add(AddressOf(realm, client, session));
        }

        return [.. addresses.Distinct(StringComparer.Ordinal)];
    }

    private string AddressOf(Realm realm, Client client, Id<Session> session) => client.Settings.Logout switch
    {
        { FrontchannelSessionRequired: true } logout => QueryHelpers.AddQueryString(
            logout.FrontchannelUri!,
            [
                KeyValuePair.Create<string, string?>("iss", publicUrl.Issuer(Door.OAuth, realm.Handle, client, organization: null)),
                KeyValuePair.Create<string, string?>("sid", session.ToString()),
            ]),
        var logout => logout.FrontchannelUri!,
    };
}
