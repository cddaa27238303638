using System.Buffers.Text;
using System.Text.Json;

namespace Atrium.Tests.Harness;

/// <summary>Looks into tokens without checking them.</summary>
internal static class Jwts
{
    public static JsonElement ClaimsOf(string jwt) => PartOf(jwt, 1);

    public static JsonElement HeaderOf(string jwt) => PartOf(jwt, 0);

    private static JsonElement PartOf(string jwt, int index) => JsonElement.Parse(Base64Url.DecodeFromChars(jwt.Split('.')[index]));
}
