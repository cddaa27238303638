using System.Globalization;
using System.Text;

namespace Atrium.Core.Tokens;

/// <summary>
/// The address of a request as the <c>htu</c> of a proof names it (RFC 9449 section 4.2): without query and fragment, and the same in every
/// spelling that RFC 3986 sections 6.2.2 and 6.2.3 call equivalent.
/// </summary>
public static class HttpTarget
{
    public const int MaxLength = 2048;

    /// <summary>Whether both name one target. What is no address of the web names none.</summary>
    public static bool AreSame(string left, string right) => Normalize(left) is { } target && target == Normalize(right);

    /// <summary>Scheme and host in lower case, the port that the scheme means, no dot segments.</summary>
    private static string? Normalize(string text) =>
        text.Length <= MaxLength
        && (text.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
        && text.All(IsUriCharacter)
        && Uri.TryCreate(text, UriKind.Absolute, out Uri? uri)
        && uri.UserInfo.Length == 0
            ? $"{uri.Scheme}://{uri.Host}:{uri.Port}/{NormalizeEscapes(uri.GetComponents(UriComponents.Path, UriFormat.UriEscaped))}"
            : null;

    /// <summary>RFC 3986 section 6.2.2.2: what needs no escape has none; the digits of the others are upper case (6.2.2.1).</summary>
    private static string NormalizeEscapes(string path)
    {
        StringBuilder normal = new(path.Length);
        for (int i = 0; i < path.Length; i++)
        {
            if (path[i] != '%' || !byte.TryParse(path.AsSpan(i + 1, Math.Min(2, path.Length - i - 1)), NumberStyles.AllowHexSpecifier, null, out byte escaped))
            {
                normal.Append(path[i]);
                continue;
            }

            if (char.IsAsciiLetterOrDigit((char)escaped) || (char)escaped is '-' or '.' or '_' or '~')
                normal.Append((char)escaped);
            else
                normal.Append('%').Append(escaped.ToString("X2"));
            i += 2;
        }

        return normal.ToString();
    }

    /// <summary>RFC 3986 section 2: everything that may stand in an address. A parser that is lenient would read others in its own way.</summary>
    private static bool IsUriCharacter(char c) => c is > ' ' and <= '~' and not ('"' or '<' or '>' or '\\' or '^' or '`' or '{' or '|' or '}');
}
