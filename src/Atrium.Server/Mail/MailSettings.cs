using System.Net.Mail;
using Atrium.Core;
using Atrium.Server.Hosting;
using Microsoft.AspNetCore.WebUtilities;

namespace Atrium.Server.Mail;

/// <summary>A mail server to hand letters to.</summary>
/// <param name="Tls">Whether the connection must turn to TLS (RFC 3207) before anything is said on it.</param>
/// <param name="Timeout">How long one letter may take.</param>
public sealed record SmtpServer(string Host, int Port, string? User, Secret? Password, bool Tls, TimeSpan Timeout)
{
    public override string ToString() => $"{Host}:{Port}{(Tls ? "" : " without TLS")}";
}

/// <summary>How mail leaves: by a mail server, into a folder, or not at all.</summary>
/// <param name="From">The address that letters come from; where it has no name, they bear the realm's.</param>
public sealed record MailSettings(SmtpServer? Smtp, string? Folder, MailAddress From)
{
    private const string Example = "smtp://user@smtp.example.com:587";
    private const int SubmissionPort = 587;
    private static readonly MailAddress OfNobody = new("atrium@localhost");

    /// <exception cref="FormatException">The settings can't be used; the message says which and what to change.</exception>
    public static MailSettings Of(AtriumOptions options)
    {
        if (options is { Smtp: not null, MailFolder: not null })
            throw new FormatException("--smtp and --mail-folder: name one of them.");
        MailAddress? from = null;
        if (options.MailFrom is { } text && (!MailAddress.TryCreate(text, out from) || text.Any(char.IsControl)))
            throw new FormatException($"--mail-from: \"{text}\" is no address. Use one such as \"Acme <no-reply@example.com>\".");
        if (options.Smtp is not { } smtp)
            return new MailSettings(Smtp: null, options.MailFolder, from ?? OfNobody);
        return from is null
            ? throw new FormatException("--mail-from: with --smtp, name the address that mail comes from, such as \"Acme <no-reply@example.com>\".")
            : new MailSettings(ServerOf(smtp, options), Folder: null, from);
    }

    private static SmtpServer ServerOf(string url, AtriumOptions options)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) || parsed.Host.Length == 0 || parsed.AbsolutePath is not ("" or "/"))
            throw new FormatException($"--smtp: that is no address of a mail server. Use one such as {Example}.");
        if (parsed.Scheme == "smtps")
            throw new FormatException($"--smtp: TLS from the first byte (port 465) can't be spoken here. Use the port where the server takes STARTTLS, such as {Example}.");
        if (parsed.Scheme != "smtp")
            throw new FormatException($"--smtp: \"{parsed.Scheme}\" is not known. Use an address such as {Example}.");
        if (parsed.UserInfo.Contains(':', StringComparison.Ordinal))
            throw new FormatException("--smtp: a password in an address shows in the list of processes. Put it into ATRIUM_SMTP_PASSWORD, or name a file with --smtp-password-file.");

        bool tls = true;
        int seconds = 30;
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues value) in QueryHelpers.ParseQuery(parsed.Query))
        {
            switch (name)
            {
                case "tls" when value == "none":
                    tls = false;
                    break;
                case "timeout" when int.TryParse(value, out seconds) && seconds is >= 1 and <= 120:
                    break;
                default:
                    throw new FormatException($"--smtp: \"{name}={value}\" is not known. There are tls=none and timeout=1 to 120, in seconds.");
            }
        }

        string? user = parsed.UserInfo.Length == 0 ? null : Uri.UnescapeDataString(parsed.UserInfo);
        Secret? password = PasswordOf(options);
        if (user is null != password is null)
            throw new FormatException("--smtp: a user needs a password, and a password a user. The password is in ATRIUM_SMTP_PASSWORD, or in a file named with --smtp-password-file.");
        if (user is not null && !tls && !parsed.IsLoopback)
            throw new FormatException("--smtp: without TLS the password could be read on the way. Leave tls=none out, or name no user.");
        return new SmtpServer(parsed.IdnHost, parsed.Port > 0 ? parsed.Port : SubmissionPort, user, password, tls, TimeSpan.FromSeconds(seconds));
    }

    private static Secret? PasswordOf(AtriumOptions options)
    {
        if (options.SmtpPasswordFile is not { } file)
            return options.SmtpPassword;
        try
        {
            return new Secret(File.ReadAllText(file).TrimEnd('\r', '\n'));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"--smtp-password-file: {file} can't be read: {e.Message}", e);
        }
    }
}
