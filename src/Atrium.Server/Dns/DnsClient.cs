using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;
using Atrium.Server.Hosting;

namespace Atrium.Server.Dns;

/// <summary>
/// Asks the machine's own resolvers, or those that the operator names, one after the other. A question goes out under a random id from a random
/// port, and only what comes back to it from there counts (RFC 5452 section 9); what is too long for a datagram is asked again over TCP.
/// </summary>
public sealed class DnsClient(AtriumOptions options) : IDomainRecords
{
    public const int Port = 53;

    /// <summary>How long one server may take for one question.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>A datagram may get lost: how often each server is asked.</summary>
    private const int Rounds = 2;

    private const int MaxServers = 3;

    /// <summary>The servers that a text names: addresses, each with a port or without, separated by commas; null where one is none.</summary>
    public static IReadOnlyList<IPEndPoint>? ParseServers(string text)
    {
        List<IPEndPoint> servers = [];
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!IPEndPoint.TryParse(part, out IPEndPoint? server))
                return null;
            servers.Add(server.Port == 0 ? new IPEndPoint(server.Address, Port) : server);
        }

        return servers.Count == 0 ? null : servers;
    }

    public async Task<IReadOnlyList<string>?> TextsAsync(string name, CancellationToken cancellationToken)
    {
        IReadOnlyList<IPEndPoint> servers = Servers();
        for (int round = 0; round < Rounds; round++)
        {
            foreach (IPEndPoint server in servers)
            {
                if (await AskAsync(server, name, cancellationToken) is DnsReading.Texts texts)
                    return texts.Values;
            }
        }

        return null;
    }

    private static async Task<DnsReading> AskAsync(IPEndPoint server, string name, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            DnsReading reading = await AskOverUdpAsync(server, name, patience.Token);
            return reading is DnsReading.Truncated ? await AskOverTcpAsync(server, name, patience.Token) : reading;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new DnsReading.Failed();
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return new DnsReading.Failed();
        }
    }

    private static async Task<DnsReading> AskOverUdpAsync(IPEndPoint server, string name, CancellationToken cancellationToken)
    {
        ushort id = NewId();
        if (DnsMessage.Ask(id, name) is not { } question)
            return new DnsReading.Texts([]);

        // Connected: the system gives a random port and drops what comes from anybody else.
        using Socket socket = new(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(server, cancellationToken);
        await socket.SendAsync(question, cancellationToken);
        byte[] buffer = new byte[DnsMessage.MaxDatagram];
        while (true)
        {
            int length = await socket.ReceiveAsync(buffer, cancellationToken);
            DnsReading reading = DnsMessage.Read(buffer.AsSpan(0, length), id, name);
            if (reading is not DnsReading.NotOurs)
                return reading;
        }
    }

    private static async Task<DnsReading> AskOverTcpAsync(IPEndPoint server, string name, CancellationToken cancellationToken)
    {
        ushort id = NewId();
        byte[] question = DnsMessage.Ask(id, name)!;
        using TcpClient connection = new(server.AddressFamily);
        await connection.ConnectAsync(server, cancellationToken);
        NetworkStream stream = connection.GetStream();

        // RFC 1035 section 4.2.2: each message has its length in front.
        byte[] framed = new byte[question.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)question.Length);
        question.CopyTo(framed, 2);
        await stream.WriteAsync(framed, cancellationToken);
        byte[] prefix = new byte[2];
        await stream.ReadExactlyAsync(prefix, cancellationToken);
        byte[] answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
        await stream.ReadExactlyAsync(answer, cancellationToken);
        return DnsMessage.Read(answer, id, name) is DnsReading.Texts texts ? texts : new DnsReading.Failed();
    }

    private static ushort NewId() => BinaryPrimitives.ReadUInt16BigEndian(RandomNumberGenerator.GetBytes(2));

    /// <summary>As the system is set up at this moment; without any, the one that a machine may run for itself (resolv.conf(5)).</summary>
    private IReadOnlyList<IPEndPoint> Servers()
    {
        if (options.DnsServers is { } named)
            return ParseServers(named) ?? [];
        IPEndPoint[] own =
        [
            .. NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(static network => network.GetIPProperties().DnsAddresses)
                .Distinct()
                .Take(MaxServers)
                .Select(static address => new IPEndPoint(address, Port)),
        ];
        return own.Length > 0 ? own : [new IPEndPoint(IPAddress.Loopback, Port)];
    }
}
