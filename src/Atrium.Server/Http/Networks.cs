using System.Net;
using System.Net.Sockets;
using IPNetwork = System.Net.IPNetwork;

namespace Atrium.Server.Http;

/// <summary>Addresses and networks as operators write them.</summary>
public static class Networks
{
    private static readonly char[] Separators = [',', ';', ' '];

    /// <summary>Those of a list, such as <c>10.0.0.5, 10.1.0.0/16, fd00::/8</c>.</summary>
    /// <exception cref="FormatException">One of them is neither; the message says which.</exception>
    public static IReadOnlyList<IPNetwork> Parse(string list) =>
        [.. list.Split(Separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(ParseOne)];

    private static IPNetwork ParseOne(string text)
    {
        string[] parts = text.Split('/', 2);
        if (!IPAddress.TryParse(parts[0], out IPAddress? address)
            || (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != parts[0]))
        {
            throw new FormatException($"\"{text}\" is neither an address nor a network. Use one such as 10.0.0.5, 10.1.0.0/16 or fd00::/8.");
        }

        if (parts.Length == 1)
        {
            IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
            return new IPNetwork(plain, plain.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        }

        return IPNetwork.TryParse(text, out IPNetwork network)
            ? network
            : throw new FormatException($"\"{text}\" is not a network: after the / comes the number of leading bits that its addresses share, as in 10.1.0.0/16.");
    }
}
