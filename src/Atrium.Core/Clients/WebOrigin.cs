namespace Atrium.Core.Clients;

/// <summary>The origin of an address as browsers write it (RFC 6454 section 6.2).</summary>
public static class WebOrigin
{
    /// <summary>Null of what has none: an address of an application's own scheme, or no address.</summary>
    public static string? Of(string address) =>
        !Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.Host.Length == 0 ? null
        : uri.IsDefaultPort ? $"{uri.Scheme}://{HostOf(uri)}"
        : $"{uri.Scheme}://{HostOf(uri)}:{uri.Port}";

    /// <summary>In ASCII; an IPv6 address in its brackets.</summary>
    private static string HostOf(Uri uri) => uri.HostNameType == UriHostNameType.IPv6 ? uri.Host : uri.IdnHost;
}
