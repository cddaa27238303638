using System.Text.Json;

namespace Atrium.Server.Tokens;

/// <summary>Claims that may be left out, but must be of their type where they are there (RFC 7519 section 4.1).</summary>
public static class JwtClaims
{
    /// <summary>The first second after the year 9999.</summary>
    private const double EndOfTime = 253_402_300_800;

    public static bool TryText(JsonElement claims, string name, out string? text)
    {
        text = Jwt.StringOf(claims, name);
        return text is not null || !claims.TryGetProperty(name, out _);
    }

    /// <summary>RFC 7519 section 2, NumericDate: seconds, and parts of them.</summary>
    public static bool TryTime(JsonElement claims, string name, out DateTimeOffset? time)
    {
        time = null;
        if (!claims.TryGetProperty(name, out JsonElement value))
            return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out double seconds) || seconds is not (>= 0 and < EndOfTime))
            return false;
        time = DateTimeOffset.UnixEpoch.AddSeconds(seconds);
        return true;
    }
}
