using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Keys;

namespace Atrium.Server.Tokens;

/// <summary>
/// Under which hash a refresh token is stored: that of its whole text, so that no letter of it can be another. Only the first of a family
/// that is a JWT cannot be: the one round trip that redeems the code tells what is to be written into it. It is stored under the hash of its
/// <c>jti</c>, and its signature vouches for the rest.
/// </summary>
public sealed class RefreshTokenLookup(RealmKeys keys)
{
    /// <summary>No other <c>jti</c> of ours begins with this.</summary>
    private const string Prefix = "rt_";

    /// <summary>What the first refresh token of a family is found by: 256 random bits.</summary>
    public static Secret NewTokenId() => Secret.New(Prefix);

    /// <summary>The hash to look for; null for a text that can't be a refresh token of this realm.</summary>
    public async ValueTask<SecretHash?> HashOfAsync(Id<Realm> realm, Secret token, CancellationToken cancellationToken)
    {
        if (Jwt.Peek(token.Reveal()) is not var (_, claims)
            || Jwt.StringOf(claims, "jti") is not { } tokenId
            || !tokenId.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return token.Hash();
        }

        return Jwt.Read(token.Reveal(), await keys.AllAsync(realm, cancellationToken), type: null) is null ? null : new Secret(tokenId).Hash();
    }
}
