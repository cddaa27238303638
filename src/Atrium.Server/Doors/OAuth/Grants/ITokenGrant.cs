namespace Atrium.Server.Doors.OAuth.Grants;

/// <summary>
/// One grant type of the token endpoint. What all of them share (the form, the client's authentication, what the client may use) is the
/// endpoint's, so that a grant can't leave it out.
/// </summary>
public interface ITokenGrant
{
    /// <summary>The <c>grant_type</c> of the wire.</summary>
    string Type { get; }

    /// <summary>Whether a client that has no secret may use it.</summary>
    bool IsForPublicClients { get; }

    Task<TokenResult> AuthorizeAsync(TokenRequest request, CancellationToken cancellationToken);
}
