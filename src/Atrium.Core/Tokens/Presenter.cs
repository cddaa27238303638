using Atrium.Core.Clients;

namespace Atrium.Core.Tokens;

/// <summary>Who shows a code or a refresh token: the client, and the thumbprint of the key that it proved to hold, if it proved any (RFC 9449).</summary>
public sealed record Presenter(Client Client, string? DpopJkt = null)
{
    /// <summary>
    /// The key that the refresh tokens given here are bound to (RFC 9449 section 5). A confidential client's are bound to the client already, which
    /// authenticates whenever it shows one; it may go on with another key.
    /// </summary>
    public string? HolderJkt => Client.IsConfidential ? null : DpopJkt;

    public static implicit operator Presenter(Client client) => new(client);

    public static Presenter FromClient(Client client) => client;
}
