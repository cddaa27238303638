using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Atrium.Tests.Mail;

/// <summary>A mail server as far as a sender sees one (RFC 5321, with STARTTLS and AUTH LOGIN), on a loopback port; it keeps what it takes.</summary>
internal sealed class SmtpServerDouble : IAsyncDisposable
{
    private readonly TcpListener listener;
    private readonly CancellationTokenSource ending = new();
    private readonly Task serving;
    private readonly X509Certificate2? certificate;

    /// <param name="port">A port to come back on; any free one by default.</param>
    /// <param name="tls">Whether it offers STARTTLS, with a certificate that nobody trusts.</param>
    public SmtpServerDouble(int port = 0, bool tls = false)
    {
        certificate = tls ? NewCertificate() : null;
        listener = new TcpListener(IPAddress.Loopback, port);
        listener.Start();
        serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>Everything that senders said, one line each, but for letters.</summary>
    public List<string> Said { get; } = [];

    public List<string> Letters { get; } = [];

    /// <summary>What it answers to a recipient.</summary>
    public Func<string, string> ToRecipient { get; set; } = static _ => "250 OK";

    /// <summary>What it answers to a whole letter.</summary>
    public string ToLetter { get; set; } = "250 Queued";

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Stop();
        await serving;
        certificate?.Dispose();
        ending.Dispose();
    }

    private async Task ServeAsync()
    {
        List<Task> conversations = [];
        try
        {
            while (true)
                conversations.Add(ConverseAsync(await listener.AcceptTcpClientAsync(ending.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(conversations);
        }
    }

    private async Task ConverseAsync(TcpClient client)
    {
        using TcpClient connection = client;
        Stream stream = connection.GetStream();
        try
        {
            await SayAsync("220 double ESMTP");
            while (await LineAsync() is { } line)
            {
                lock (Said)
                    Said.Add(line);
                switch (line.Split(' ', ':')[0].ToUpperInvariant())
                {
                    case "EHLO":
                        await SayAsync(certificate is null || stream is SslStream ? "250-double\r\n250-AUTH LOGIN\r\n250 8BITMIME" : "250-double\r\n250 STARTTLS");
                        break;
                    case "STARTTLS":
                        await SayAsync("220 Go ahead");
                        SslStream secured = new(stream);
                        await secured.AuthenticateAsServerAsync(certificate!);
                        stream = secured;
                        break;
                    case "AUTH":
                        for (int i = line.Split(' ').Length; i < 4; i++)
                        {
                            await SayAsync("334 VXNlcm5hbWU6");
                            string given = (await LineAsync())!;
                            lock (Said)
                                Said.Add(Encoding.UTF8.GetString(Convert.FromBase64String(given)));
                        }

                        await SayAsync("235 Welcome");
                        break;
                    case "RCPT":
                        await SayAsync(ToRecipient(line));
                        break;
                    case "DATA":
                        await SayAsync("354 Go on");
                        StringBuilder letter = new();
                        while (await LineAsync() is { } text and not ".")
                            letter.Append(text.StartsWith("..", StringComparison.Ordinal) ? text[1..] : text).Append("\r\n");
                        if (ToLetter[0] == '2')
                        {
                            lock (Letters)
                                Letters.Add(letter.ToString());
                        }

                        await SayAsync(ToLetter);
                        break;
                    case "QUIT":
                        await SayAsync("221 Bye");
                        return;
                    default:
                        await SayAsync("250 OK");
                        break;
                }
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            // The sender left, or will not speak with this certificate.
        }

        async Task SayAsync(string line) => await stream.WriteAsync(Encoding.ASCII.GetBytes($"{line}\r\n"), ending.Token);

        async Task<string?> LineAsync()
        {
            // Byte by byte: what comes after STARTTLS is not text any more.
            List<byte> line = [];
            byte[] one = new byte[1];
            while (await stream.ReadAsync(one, ending.Token) == 1)
            {
                if (one[0] == '\n')
                    return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
                line.Add(one[0]);
            }

            return null;
        }
    }

    private static X509Certificate2 NewCertificate()
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(90));
    }
}
