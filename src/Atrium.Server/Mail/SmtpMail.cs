using System.Net;
using System.Net.Mail;
using Atrium.Core;
using Atrium.Core.Mail;

namespace Atrium.Server.Mail;

/// <summary>Hands letters to a mail server.</summary>
public sealed class SmtpMail(SmtpServer server, MailAddress from) : IMailTransport
{
    public bool Sends => true;

    public async Task SendAsync(Id<QueuedMail> id, Letter letter, CancellationToken cancellationToken)
    {
        using MailMessage message = letter.ToMessage(id, from);
        using SmtpClient client = new(server.Host, server.Port)
        {
            EnableSsl = server.Tls,
            DeliveryFormat = Letters.FormatOf(letter),
            Credentials = server.User is null ? null : new NetworkCredential(server.User, server.Password?.Reveal()),
        };
        using CancellationTokenSource late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(server.Timeout);
        try
        {
            await client.SendMailAsync(message, late.Token).WaitAsync(late.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MailException($"{server.Host} did not take it within {server.Timeout.TotalSeconds:0} seconds.", isFinal: false);
        }
        catch (SmtpFailedRecipientException e)
        {
            // RFC 5321 section 4.2.1: 4yz may go well later, 5yz won't.
            throw new MailException(Reason(e), isFinal: (int)e.StatusCode >= 500, e);
        }
        catch (SmtpException e)
        {
            throw new MailException(Reason(e), isFinal: false, e);
        }
    }

    /// <summary>What the server said, or why it could not be spoken to, on one line.</summary>
    private static string Reason(Exception e) =>
        string.Join(' ', new[] { e.Message, e.InnerException?.Message, e.InnerException?.InnerException?.Message }.OfType<string>().Distinct()).ReplaceLineEndings(" ");
}
