using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.WebUtilities;

namespace Atrium.Server.Demo;

/// <summary>A letter as the mail folder has it, read back: as much of RFC 5322 and MIME as Atrium itself writes.</summary>
public sealed partial record EmlFile(string From, string To, string Subject, DateTimeOffset? Date, string Text, string Html)
{
    public static async Task<EmlFile> ReadAsync(byte[] file, CancellationToken cancellationToken)
    {
        int end = file.AsSpan().IndexOf("\r\n\r\n"u8);
        string head = Encoding.UTF8.GetString(file, 0, end < 0 ? file.Length : end);
        Dictionary<string, string> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach (string line in Folded().Replace(head, " ").Split("\r\n"))
        {
            if (line.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon)
                headers.TryAdd(line[..colon], line[(colon + 1)..].Trim());
        }

        string text = "", html = "";
        if (end >= 0 && Boundary().Match(headers.GetValueOrDefault("Content-Type", "")) is { Success: true } boundary)
        {
            using MemoryStream body = new(file, end + 4, file.Length - end - 4);
            MultipartReader parts = new(boundary.Groups["text"].Value, body);
            while (await parts.ReadNextSectionAsync(cancellationToken) is { } part)
            {
                string content = await new StreamReader(part.Body, Encoding.ASCII).ReadToEndAsync(cancellationToken);
                if (part.Headers?["Content-Transfer-Encoding"].ToString() == "quoted-printable")
                    content = Encoding.UTF8.GetString(Unquoted(content.Replace("=\r\n", "", StringComparison.Ordinal), '='));
                if (part.ContentType?.StartsWith("text/html", StringComparison.Ordinal) == true)
                    html = content;
                else
                    text = content;
            }
        }

        return new EmlFile(
            Decoded(headers.GetValueOrDefault("From", "")),
            Decoded(headers.GetValueOrDefault("To", "")),
            Decoded(headers.GetValueOrDefault("Subject", "")),
            DateTimeOffset.TryParse(headers.GetValueOrDefault("Date"), CultureInfo.InvariantCulture, out DateTimeOffset date) ? date : null,
            text,
            html);
    }

    /// <summary>Encoded words (RFC 2047) as what they stand for; white space between two of them is none.</summary>
    private static string Decoded(string header) => EncodedWord().Replace(
        BetweenWords().Replace(header, "?==?"),
        static word => Encoding.UTF8.GetString(word.Groups["encoding"].Value is "B" or "b"
            ? Convert.FromBase64String(word.Groups["text"].Value)
            : Unquoted(word.Groups["text"].Value.Replace('_', ' '), '=')));

    private static byte[] Unquoted(string text, char escape)
    {
        using MemoryStream bytes = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == escape && i + 2 < text.Length && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.HexNumber, null, out byte value))
            {
                bytes.WriteByte(value);
                i += 2;
            }
            else
            {
                bytes.WriteByte((byte)text[i]);
            }
        }

        return bytes.ToArray();
    }

    [GeneratedRegex(@"\r\n[ \t]+")]
    private static partial Regex Folded();

    [GeneratedRegex("boundary=\"?(?<text>[^\";]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Boundary();

    [GeneratedRegex(@"\?=\s+=\?")]
    private static partial Regex BetweenWords();

    [GeneratedRegex(@"=\?utf-8\?(?<encoding>[BQbq])\?(?<text>[^?]*)\?=", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex EncodedWord();
}
