using Atrium.Server.Http;
using Microsoft.AspNetCore.HttpOverrides;
using IPNetwork = System.Net.IPNetwork;

namespace Atrium.Server.Hosting;

/// <summary>
/// The proxies whose word counts for who is there (<c>X-Forwarded-For</c>) and whether TLS brought them (<c>X-Forwarded-Proto</c>). From
/// anybody else these headers are noise. A forwarded host counts from nobody: what the server is called is the public URL's to say.
/// </summary>
public static class TrustedProxies
{
    /// <summary>Addresses and networks of a list, such as <c>10.0.0.5, 10.1.0.0/16, fd00::/8</c>.</summary>
    /// <exception cref="FormatException">One of them is neither; the message says which.</exception>
    public static IReadOnlyList<IPNetwork> Parse(string list) =>
        [
            .. Networks.Parse(list).Select(static network => network.PrefixLength > 0
                ? network
                : throw new FormatException($"\"{network}\" would let everybody say that they are somebody else. Name the networks that your proxies are in.")),
        ];

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
}
