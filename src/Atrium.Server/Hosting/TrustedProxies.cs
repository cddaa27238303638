using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.HttpOverrides;
using IPNetwork = System.Net.IPNetwork;

namespace Atrium.Server.Hosting;

/// <summary>
/// The proxies whose word counts for who is there (<c>X-Forwarded-For</c>) and whether TLS brought them (<c>X-Forwarded-Proto</c>). From
/// anybody else these headers are noise. A forwarded host counts from nobody: what the server is called is the public URL's to say.
/// </summary>
public static class TrustedProxies
{
    private static readonly char[] Separators = [',', ';', ' '];

    /// <summary>Addresses and networks of a list, such as <c>10.0.0.5, 10.1.0.0/16, fd00::/8</c>.</summary>
    /// <exception cref="FormatException">One of them is neither; the message says which.</exception>
    public static IReadOnlyList<IPNetwork> Parse(string list) =>
        [.. list.Split(Separators, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(ParseOne)];

    /// <summary>
    /// Goes before everything that asks for the caller's address. The addresses are read from the last, which the nearest proxy wrote, back
    /// to the first that no trusted proxy stands for: what a caller wrote before it is not believed.
    /// </summary>
    public static IApplicationBuilder UseTrustedProxies(this IApplicationBuilder app, AtriumOptions options)
    {
        if (options.TrustedProxies is not { } list)
            return app;
        ForwardedHeadersOptions forwarded = new() { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (IPNetwork network in Parse(list))
            forwarded.KnownIPNetworks.Add(network);
        return app.UseForwardedHeaders(forwarded);
    }

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

        if (!IPNetwork.TryParse(text, out IPNetwork network))
            throw new FormatException($"\"{text}\" is not a network: after the / comes the number of leading bits that its addresses share, as in 10.1.0.0/16.");
        return network.PrefixLength == 0
            ? throw new FormatException($"\"{text}\" would let everybody say that they are somebody else. Name the networks that your proxies are in.")
            : network;
    }
}
