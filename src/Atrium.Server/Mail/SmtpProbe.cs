using System.Net.Sockets;
using System.Text;

namespace Atrium.Server.Mail;

/// <summary>Asks a mail server what it can do, without sending anything.</summary>
public static class SmtpProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Null when the server greets and offers what the settings need; otherwise what is wrong.</summary>
    public static async Task<string?> ProblemAsync(SmtpServer server, CancellationToken cancellationToken)
    {
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(Patience);
        try
        {
            using TcpClient client = new();
            await client.ConnectAsync(server.Host, server.Port, late.Token);
            using StreamReader reader = new(client.GetStream(), Encoding.ASCII);
            if (await AnswerAsync(reader, late.Token) is not ['2', '2', '0', ..] and var greeting)
                return $"it says: {greeting}";
            await client.GetStream().WriteAsync("EHLO doctor.invalid\r\n"u8.ToArray(), late.Token);
            string answer = await AnswerAsync(reader, late.Token);
            await client.GetStream().WriteAsync("QUIT\r\n"u8.ToArray(), late.Token);
            return !answer.StartsWith("250", StringComparison.Ordinal) ? $"it says: {answer}"
                : server.Tls && !answer.Contains("STARTTLS", StringComparison.OrdinalIgnoreCase) ? "it does not offer STARTTLS"
                : null;
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"it did not answer within {Patience.TotalSeconds:0} seconds";
        }
    }

    /// <summary>All lines of an answer; each but the last has a hyphen behind its code (RFC 5321 section 4.2).</summary>
    private static async Task<string> AnswerAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        StringBuilder answer = new();
        string? line;
        do
        {
            line = await reader.ReadLineAsync(cancellationToken);
            answer.Append(answer.Length == 0 ? "" : " ").Append(line);
        }
        while (line is { Length: > 3 } && line[3] == '-');
        return answer.ToString();
    }
}
