namespace Atrium.Core.Organizations;

/// <summary>Names of domains, as organizations claim them.</summary>
public static class DomainName
{
    /// <summary>The form in which domains are kept and compared; null for what is none (RFC 1035 section 2.3.1, RFC 1123 section 2.1).</summary>
    public static string? Normalize(string text)
    {
        string domain = text.Trim().ToLowerInvariant();
        if (domain.EndsWith('.'))
            domain = domain[..^1];
        return domain.Length is > 0 and <= 253 && domain.Split('.') is { Length: > 1 } labels && labels.All(IsLabel) ? domain : null;
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= 63
        && label[0] != '-' && label[^1] != '-'
        && label.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
