using System.Net.Mail;
using System.Net.Mime;
using System.Text;
using Atrium.Core;
using Atrium.Core.Mail;

namespace Atrium.Server.Mail;

/// <summary>Letters in the form in which mail travels.</summary>
internal static class Letters
{
    /// <summary>The letter as a message with both of its texts; the caller disposes it.</summary>
    /// <exception cref="MailException">The address can't be written into a message.</exception>
    public static MailMessage ToMessage(this Letter letter, Id<QueuedMail> id, MailAddress from)
    {
        if (!MailAddress.TryCreate(letter.To, out MailAddress? to))
            throw new MailException("The address can't be written to.", isFinal: true);
        MailMessage message = new(from.DisplayName.Length > 0 ? from : new MailAddress(from.Address, letter.SenderName, Encoding.UTF8), to)
        {
            Subject = letter.Subject,
            SubjectEncoding = Encoding.UTF8,
            Body = letter.Text,
            BodyEncoding = Encoding.UTF8,
            BodyTransferEncoding = TransferEncoding.QuotedPrintable,
        };
        AlternateView html = AlternateView.CreateAlternateViewFromString(letter.Html, Encoding.UTF8, MediaTypeNames.Text.Html);
        html.TransferEncoding = TransferEncoding.QuotedPrintable;
        message.AlternateViews.Add(html);

        // The same whenever it is tried again, so that mailboxes can tell one that came twice (RFC 5322 section 3.6.4); and nobody is to answer by
        // a machine (RFC 3834 section 5).
        message.Headers.Add("Message-ID", $"<{id}@{from.Host}>");
        message.Headers.Add("Auto-Submitted", "auto-generated");
        return message;
    }

    /// <summary>Addresses beyond ASCII need a server that takes them (RFC 6531); all others are written so that every server does.</summary>
    public static SmtpDeliveryFormat FormatOf(Letter letter) =>
        Ascii.IsValid(letter.To) ? SmtpDeliveryFormat.SevenBit : SmtpDeliveryFormat.International;
}
