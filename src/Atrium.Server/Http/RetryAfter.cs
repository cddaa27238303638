using System.Globalization;

namespace Atrium.Server.Http;

/// <summary>Tells a caller when to come again (RFC 9110 section 10.2.3), in whole seconds.</summary>
public static class RetryAfter
{
    /// <summary>For a server that has more to do than it can just now.</summary>
    public static readonly TimeSpan WhenBusy = TimeSpan.FromSeconds(1);

    public static void Set(HttpResponse response, TimeSpan wait) =>
        response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
