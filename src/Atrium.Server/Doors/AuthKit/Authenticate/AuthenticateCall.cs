using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.SignIns;

namespace Atrium.Server.Doors.AuthKit.Authenticate;

/// <summary>A call of <c>POST /user_management/authenticate</c> that the shared phases have let through.</summary>
public sealed record AuthenticateCall
{
    public required Client Client { get; init; }

    public required Fields Fields { get; init; }

    /// <summary>The person's address: what the back end says, or where a public client calls from. Null when the back end doesn't say.</summary>
    public string? IpAddress { get; init; }

    public string? UserAgent { get; init; }

    /// <summary>Of the person, as far as the back end says.</summary>
    public required Origin Origin { get; init; }

    public AuthorizationRequest ToRequest() => new() { IpAddress = IpAddress, UserAgent = UserAgent };
}

/// <summary>
/// One grant of the authenticate endpoint. It is asked only after the endpoint has found the client and believed it, so that no grant
/// can forget to.
/// </summary>
public abstract class AuthKitGrant
{
    /// <summary>The <c>grant_type</c>.</summary>
    public abstract string GrantType { get; }

    /// <summary>The keys without which the grant can't be asked.</summary>
    public abstract IReadOnlyList<string> RequiredKeys { get; }

    /// <summary>Whether this call may come without an API key.</summary>
    public virtual bool MayOmitSecret(Client client, Fields fields) => false;

    /// <summary>Whether the client may use the grant at all.</summary>
    public virtual bool IsOpenTo(Client client) => true;

    public abstract Task<IResult> AnswerAsync(AuthenticateCall call, CancellationToken cancellationToken);
}
