using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Server.Keys;
using Atrium.Server.Tokens;

namespace Atrium.Server.Doors.OAuth;

/// <summary>Reads the <c>id_token_hint</c> of authorization requests.</summary>
public sealed class IdTokenHints(RealmKeys keys)
{
    internal static readonly OAuthError Bad = new("ATR1233", "invalid_request", "id_token_hint is not an ID token of this realm for this client.");

    /// <summary>Whom the hint speaks of; it may have expired, but it must be ours and this client's (OpenID Connect Core section 3.1.2.1).</summary>
    public async Task<string?> SubjectAsync(Realm realm, Client client, string hint, CancellationToken cancellationToken) =>
        Jwt.Read(hint, await keys.AllAsync(realm.Id, cancellationToken), type: null) is { } claims
        && Jwt.StringOf(claims, "aud") == client.ClientId
            ? Jwt.StringOf(claims, "sub")
            : null;
}
