using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Atrium.Tests.Harness;

/// <summary>A resolver on a loopback port that knows the TXT records that a test gives it, and can be made to misbehave.</summary>
internal sealed class FakeDns : IAsyncDisposable
{
    private readonly Socket udp;
    private readonly TcpListener tcp;
    private readonly CancellationTokenSource ending = new();
    private readonly Task[] work;

    public FakeDns()
    {
        (udp, tcp) = Listen();
        work = [ServeUdpAsync(), ServeTcpAsync()];
    }

    public string Address => udp.LocalEndPoint!.ToString()!;

    public ConcurrentDictionary<string, string[]> Texts { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Changes what a datagram is answered with: some answers, one after the other.</summary>
    public Func<byte[], byte[][]> OverUdp { get; set; } = static answer => [answer.Length > 512 ? Truncated(answer) : answer];

    public int QuestionsOverUdp { get; private set; }

    public int QuestionsOverTcp { get; private set; }

    /// <summary>The answer without its records, and with the bit that says so (RFC 1035 section 4.1.1).</summary>
    public static byte[] Truncated(byte[] answer)
    {
        byte[] cut = [.. answer.AsSpan(0, QuestionEnd(answer))];
        cut[2] |= 0x02;
        cut[6] = cut[7] = 0;
        return cut;
    }

    /// <summary>One port for both: one that is free for datagrams may be somebody's for connections, and then it is another one's turn.</summary>
    private static (Socket Udp, TcpListener Tcp) Listen()
    {
        while (true)
        {
            Socket datagrams = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            datagrams.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            TcpListener connections = new(IPAddress.Loopback, ((IPEndPoint)datagrams.LocalEndPoint!).Port);
            try
            {
                connections.Start();
                return (datagrams, connections);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                datagrams.Dispose();
                connections.Dispose();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await Task.WhenAll(work);
        udp.Dispose();
        tcp.Dispose();
        ending.Dispose();
    }

    private static int QuestionEnd(ReadOnlySpan<byte> message)
    {
        int at = 12;
        while (message[at] != 0)
            at += message[at] + 1;
        return at + 5;
    }

    private async Task ServeUdpAsync()
    {
        byte[] buffer = new byte[512];
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), ending.Token);
                QuestionsOverUdp++;
                foreach (byte[] answer in OverUdp(Answer(buffer.AsSpan(0, received.ReceivedBytes))))
                    await udp.SendToAsync(answer, received.RemoteEndPoint, ending.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
        }
    }

    private async Task ServeTcpAsync()
    {
        try
        {
            while (true)
            {
                using TcpClient client = await tcp.AcceptTcpClientAsync(ending.Token);
                QuestionsOverTcp++;
                NetworkStream stream = client.GetStream();
                byte[] prefix = new byte[2];
                await stream.ReadExactlyAsync(prefix, ending.Token);
                byte[] question = new byte[BinaryPrimitives.ReadUInt16BigEndian(prefix)];
                await stream.ReadExactlyAsync(question, ending.Token);
                byte[] answer = Answer(question);
                BinaryPrimitives.WriteUInt16BigEndian(prefix, (ushort)answer.Length);
                await stream.WriteAsync((byte[])[.. prefix, .. answer], ending.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or IOException)
        {
        }
    }

    private byte[] Answer(ReadOnlySpan<byte> question)
    {
        int end = QuestionEnd(question);
        List<string> labels = [];
        for (int at = 12; question[at] != 0; at += question[at] + 1)
            labels.Add(Encoding.ASCII.GetString(question.Slice(at + 1, question[at])));
        bool known = Texts.TryGetValue(string.Join('.', labels), out string[]? texts);
        List<byte> answer = [.. question[..end]];
        answer[2] = 0x81;
        answer[3] = (byte)(0x80 | (known ? 0 : 3));
        answer[7] = (byte)(texts?.Length ?? 0);
        foreach (string text in texts ?? [])
        {
            byte[] data = [.. Encoding.ASCII.GetBytes(text).Chunk(255).SelectMany(static part => (byte[])[(byte)part.Length, .. part])];
            answer.AddRange([0xC0, 12, 0, 16, 0, 1, 0, 0, 0, 60, (byte)(data.Length >> 8), (byte)data.Length]);
            answer.AddRange(data);
        }

        return [.. answer];
    }
}
