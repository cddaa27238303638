using Atrium.Core;
using Atrium.Core.Mail;

namespace Atrium.Server.Mail;

/// <summary>Where letters go.</summary>
public interface IMailTransport
{
    /// <summary>Whether they go anywhere at all; where they don't, a product mails its codes itself.</summary>
    bool Sends { get; }

    /// <summary>Hands a letter over. Under the same id it may be handed over twice.</summary>
    /// <exception cref="MailException">It was not taken.</exception>
    Task SendAsync(Id<QueuedMail> id, Letter letter, CancellationToken cancellationToken);
}

/// <summary>A letter was not taken; the message says why.</summary>
public sealed class MailException(string message, bool isFinal, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether it would not be taken later either.</summary>
    public bool IsFinal { get; } = isFinal;
}

/// <summary>No mail server is named: letters wait for one, as long as they are worth anything.</summary>
public sealed class NoMail : IMailTransport
{
    public bool Sends => false;

    public Task SendAsync(Id<QueuedMail> id, Letter letter, CancellationToken cancellationToken) =>
        throw new MailException("No mail server is named: start with --smtp or --mail-folder.", isFinal: false);
}
