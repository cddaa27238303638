using System.Buffers.Text;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Keys;

namespace Atrium.Server.Tokens;

/// <summary>
/// Under which hash a refresh token is stored: that of its whole text, so that no letter of it can be another. Only the first of a family
/// that is a JWT cannot be: the one round trip that redeems the code tells what is to be written into it. Its <c>jti</c> names the hash it is
/// stored under, and its signature vouches for the rest.
/// </summary>
public sealed class RefreshTokenLookup(RealmKeys keys)
{
    /// <summary>No other <c>jti</c> of ours has a dot in it.</summary>
    private const string Prefix = "rt.";

    /// <summary>The <c>jti</c> that names a hash. It is no secret: shown instead of the token, it has another hash.</summary>
    public static string TokenIdOf(SecretHash hash) => Prefix + Base64Url.EncodeToString(hash.Bytes);

    /// <summary>The hash to look for; null for a text that can't be a refresh token of this realm.</summary>
    public async ValueTask<SecretHash?> HashOfAsync(Id<Realm> realm, Secret token, CancellationToken cancellationToken)
    {
        if (Jwt.Peek(token.Reveal()) is not var (_, claims)
            || Jwt.StringOf(claims, "jti") is not { } tokenId
            || !tokenId.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return token.Hash();
        }

        return Jwt.Read(token.Reveal(), await keys.AllAsync(realm, cancellationToken), type: null) is null
            ? null
            : new SecretHash(Base64Url.DecodeFromChars(tokenId.AsSpan(Prefix.Length)));
    }
}
