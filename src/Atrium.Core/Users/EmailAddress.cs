using System.Diagnostics.CodeAnalysis;
using System.Net.Mail;

namespace Atrium.Core.Users;

/// <summary>What Atrium accepts as an address, and how addresses are compared.</summary>
public static class EmailAddress
{
    /// <summary>RFC 5321 section 4.5.3.1.3 allows a path of 256 octets, its brackets included.</summary>
    public const int MaxLength = 254;

    public static bool IsValid([NotNullWhen(true)] string? address) =>
        address is { Length: >= 3 and <= MaxLength }
        && !address.Any(static c => char.IsControl(c) || char.IsWhiteSpace(c))
        && MailAddress.TryCreate(address, out MailAddress? parsed)
        && parsed.Address == address
        && parsed.Host.Length > 0;

    /// <summary>The form that makes two spellings of one address equal; also used for usernames and for what a person types to sign in.</summary>
    public static string Normalize(string address) => NormalizationFormC.Of(address.Trim()).ToLowerInvariant();

    /// <summary>The part after the last <c>@</c>, lower case, or null when there is none.</summary>
    public static string? DomainOf(string address)
    {
        int at = address.LastIndexOf('@');
        return at >= 0 && at < address.Length - 1 ? Normalize(address[(at + 1)..]) : null;
    }
}
