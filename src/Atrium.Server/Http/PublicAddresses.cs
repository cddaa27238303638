using System.Net;
using System.Net.Sockets;
using IPNetwork = System.Net.IPNetwork;

namespace Atrium.Server.Http;

/// <summary>
/// Which addresses are the public internet's. Everything else may be this machine, its neighbours or the cloud's own services, which answer
/// whoever asks from here.
/// </summary>
public static class PublicAddresses
{
    /// <summary>Not globally reachable by the IANA IPv4 Special-Purpose Address Registry (RFC 6890), and multicast.</summary>
    private static readonly IPNetwork[] NotPublic4 =
    [
        IPNetwork.Parse("0.0.0.0/8"),
        IPNetwork.Parse("10.0.0.0/8"),
        IPNetwork.Parse("100.64.0.0/10"),
        IPNetwork.Parse("127.0.0.0/8"),
        IPNetwork.Parse("169.254.0.0/16"),
        IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.0.0.0/24"),
        IPNetwork.Parse("192.0.2.0/24"),
        IPNetwork.Parse("192.88.99.0/24"),
        IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("198.18.0.0/15"),
        IPNetwork.Parse("198.51.100.0/24"),
        IPNetwork.Parse("203.0.113.0/24"),
        IPNetwork.Parse("224.0.0.0/3"),
    ];

    /// <summary>Global unicast (RFC 4291 section 2.4): outside of it there are only special purposes.</summary>
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    /// <summary>Special purposes within it: protocol assignments with Teredo and ORCHID, 6to4 which hides an IPv4 address, and documentation.</summary>
    private static readonly IPNetwork[] NotPublic6 =
    [
        IPNetwork.Parse("2001::/23"),
        IPNetwork.Parse("2001:db8::/32"),
        IPNetwork.Parse("2002::/16"),
        IPNetwork.Parse("3fff::/20"),
    ];

    /// <summary>NAT64 (RFC 6052 section 2.1): the last 32 bits are the IPv4 address that is reached.</summary>
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    public static bool IsPublic(IPAddress address)
    {
        IPAddress reached = Reached(address);
        return reached.AddressFamily == AddressFamily.InterNetwork
            ? !NotPublic4.Any(network => network.Contains(reached))
            : GlobalUnicast.Contains(reached) && !NotPublic6.Any(network => network.Contains(reached));
    }

    /// <summary>The address that a packet ends at: one of IPv4 that is written in IPv6 is unwrapped.</summary>
    public static IPAddress Reached(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 && Nat64.Contains(address) ? new IPAddress(address.GetAddressBytes()[^4..]) : address;
    }
}
