using System.Buffers.Text;
using System.Security.Cryptography;
using Atrium.Core;
using Atrium.Core.Tokens;

namespace Atrium.Server.Tokens;

/// <summary>
/// The <c>jti</c> of a token: unique, and it names the grant, so that userinfo and introspection find what to read afresh in one look-up.
/// To everybody else it is opaque.
/// </summary>
public static class TokenId
{
    public static string New(Id<Grant> grant) => grant.ToString()[Grant.IdPrefix.Length..] + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(12));

    /// <summary>For tokens that no grant stands behind.</summary>
    public static string New() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(18));

    public static Id<Grant>? GrantOf(string? tokenId) =>
        tokenId is { Length: > Id<Grant>.Digits } ? Id<Grant>.Parse(Grant.IdPrefix + tokenId[..Id<Grant>.Digits]) : null;
}
