using System.Net.Mail;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Storage;

namespace Atrium.Server.Mail;

/// <summary>Puts letters into a folder, as files that any mail program opens; each is whole or not there.</summary>
public sealed class MailFolder(string folder, MailAddress from) : IMailTransport
{
    public const string Ending = ".eml";

    public bool Sends => true;

    public async Task SendAsync(Id<QueuedMail> id, Letter letter, CancellationToken cancellationToken)
    {
        using MailMessage message = letter.ToMessage(id, from);
        try
        {
            MakeFolder(folder);
            string writing = Path.GetFullPath(Path.Combine(folder, $".{id}.{Guid.NewGuid():N}"));
            MakeFolder(writing);
            try
            {
                using SmtpClient client = new()
                {
                    DeliveryMethod = SmtpDeliveryMethod.SpecifiedPickupDirectory,
                    PickupDirectoryLocation = writing,
                    DeliveryFormat = Letters.FormatOf(letter),
                };
                await client.SendMailAsync(message, cancellationToken);
                string file = Directory.GetFiles(writing).Single();
                using (FileStream written = new(file, FileMode.Open, FileAccess.Write))
                    written.Flush(flushToDisk: true);
                DurableFiles.Replace(file, Path.Combine(folder, $"{id}{Ending}"));
            }
            finally
            {
                Directory.Delete(writing, recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SmtpException)
        {
            throw new MailException($"{folder} can't be written: {e.Message}", isFinal: false, e);
        }
    }

    /// <summary>Letters hold links and codes: a folder that is made here is its owner's.</summary>
    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
