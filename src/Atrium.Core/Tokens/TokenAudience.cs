using Atrium.Core.Clients;

namespace Atrium.Core.Tokens;

/// <summary>
/// Whom a client's access tokens are for: always one (RFC 9068 section 2.2). A resource is asked for when a grant begins, and stays; a token request
/// may say it again and change nothing (RFC 8707 section 2.2). Where none was asked for, the client's settings of the moment tell.
/// </summary>
public static class TokenAudience
{
    /// <param name="resource">What was asked for, which <see cref="MayAskFor"/> has allowed; null for nothing.</param>
    public static string Of(Client client, string? resource) => resource ?? client.Settings.Openid.DefaultResource ?? client.ClientId;

    /// <summary>
    /// Its default, and those that its settings list. Without a list the realm's own applications may name any resource, those of third parties none:
    /// a resource server that looks at nothing but the audience must not be opened to whoever was let in for something else.
    /// </summary>
    public static bool MayAskFor(Client client, string resource) =>
        resource == client.Settings.Openid.DefaultResource || (client.Settings.Openid.Resources?.Contains(resource) ?? client.Settings.FirstParty);
}
