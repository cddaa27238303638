using Atrium.Core;

namespace Atrium.Server.Hosting;

/// <summary>What an operator sets when a server starts: by option, or by environment variable as noted.</summary>
public sealed record AtriumOptions
{
    public const string DefaultUrl = "http://localhost:5099";

    /// <summary>Addresses to listen on, separated by semicolons (<c>--urls</c>, <c>ATRIUM_URLS</c>).</summary>
    public string Urls { get; init; } = DefaultUrl;

    public IEnumerable<string> Addresses => Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>
    /// What the world sees, without a trailing slash (<c>--public-url</c>, <c>ATRIUM_PUBLIC_URL</c>); the first address listened on when not set.
    /// Every issuer and link is made of it, never of the Host header.
    /// </summary>
    public string? PublicUrl { get; init; }

    /// <summary>
    /// Addresses and networks of the proxies in front, separated by commas (<c>--trusted-proxies</c>, <c>ATRIUM_TRUSTED_PROXIES</c>): only what
    /// they forward about a caller is believed.
    /// </summary>
    public string? TrustedProxies { get; init; }

    /// <summary>
    /// Addresses of the resolvers that are asked about organizations' domains, separated by commas (<c>--dns-servers</c>,
    /// <c>ATRIUM_DNS_SERVERS</c>); the machine's own when not set.
    /// </summary>
    public string? DnsServers { get; init; }

    /// <summary>
    /// Addresses and networks, separated by commas, that may be called although they are not public, and without TLS
    /// (<c>--outbound-allow</c>, <c>ATRIUM_OUTBOUND_ALLOW</c>). The demo allows this machine itself.
    /// </summary>
    public string? OutboundAllow { get; init; }

    /// <summary>The connection string (<c>--database</c>, <c>ConnectionStrings__Atrium</c>).</summary>
    public required string Database { get; init; }

    /// <summary>The file with the key that encrypts secrets at rest (<c>--key-file</c>, <c>ATRIUM_KEY_FILE</c>); beside a SQLite database when not set, while PostgreSQL has no default.</summary>
    public string? KeyFile { get; init; }

    /// <summary>
    /// The mail server that letters are handed to, such as <c>smtp://user@smtp.example.com:587</c> (<c>--smtp</c>, <c>ATRIUM_SMTP</c>). The
    /// connection turns to TLS by STARTTLS, unless <c>?tls=none</c> says otherwise.
    /// </summary>
    public string? Smtp { get; init; }

    /// <summary>The file with the mail server's password (<c>--smtp-password-file</c>, <c>ATRIUM_SMTP_PASSWORD_FILE</c>).</summary>
    public string? SmtpPasswordFile { get; init; }

    /// <summary>The mail server's password itself (<c>ATRIUM_SMTP_PASSWORD</c> alone: options show in the list of processes).</summary>
    public Secret? SmtpPassword { get; init; }

    /// <summary>The address that mail comes from (<c>--mail-from</c>, <c>ATRIUM_MAIL_FROM</c>).</summary>
    public string? MailFrom { get; init; }

    /// <summary>The folder that letters are put into instead of being sent (<c>--mail-folder</c>, <c>ATRIUM_MAIL_FOLDER</c>).</summary>
    public string? MailFolder { get; init; }

    /// <summary>Whether what has ended is deleted after a while. Nothing depends on it; tests of what such things still answer turn it off.</summary>
    public bool CleansUp { get; init; } = true;

    /// <summary>Whether this node gives what happened its place in the log as soon as it is committed, or leaves it to the others and to whoever reads the log.</summary>
    public bool SequencesEvents { get; init; } = true;

    /// <summary>Whether this node sends what is queued; tests of the queue send it themselves.</summary>
    public bool SendsMail { get; init; } = true;

    /// <summary>Whether signing keys take each other's place by themselves; tests turn time forward, and do it themselves.</summary>
    public bool RotatesKeys { get; init; } = true;

    /// <summary>Whether libsodium is used where it is; tests of a machine without it turn it off.</summary>
    public bool UsesLibsodium { get; init; } = true;

    /// <summary>Serves the demo realm and its page; on loopback addresses only.</summary>
    public bool Demo { get; init; }
}
