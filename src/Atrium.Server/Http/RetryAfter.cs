using System.Globalization;

namespace Atrium.Server.Http;

/// <summary>Tells a caller when to come again (RFC 9110 section 10.2.3), in whole seconds.</summary>
public static class RetryAfter
{
    public static void Set(HttpResponse response, TimeSpan wait) =>
        response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
