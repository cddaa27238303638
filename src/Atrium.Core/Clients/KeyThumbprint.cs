using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Atrium.Core.Clients;

/// <summary>The name of a public key that is made of the key itself (RFC 7638): SHA-256 of what it needs to be, base64url.</summary>
public static class KeyThumbprint
{
    private const int Length = 43;

    /// <param name="key">One without a fault, its numbers in their one spelling.</param>
    public static string Of(ClientKey key) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(key.Kty switch
    {
        "EC" => $$"""{"crv":"{{key.Crv}}","kty":"EC","x":"{{key.X}}","y":"{{key.Y}}"}""",
        "RSA" => $$"""{"e":"{{key.E}}","kty":"RSA","n":"{{key.N}}"}""",

        // RFC 8037 section 2.
        "OKP" => $$"""{"crv":"{{key.Crv}}","kty":"OKP","x":"{{key.X}}"}""",
        _ => throw new InvalidOperationException($"A key of the type {key.Kty} has a fault."),
    })));

    public static bool IsThumbprint(string text) => text.Length == Length && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
