using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Atrium.Core.Mail;

/// <summary>A mail as it goes out.</summary>
/// <param name="SenderName">Who it seems to come from, in words; the address is the server's.</param>
public sealed record Letter(string To, string SenderName, string Subject, string Text, string Html)
{
    /// <summary>Longer ones are cut: RFC 5322 section 2.1.1 bounds a line, and no mailbox shows more.</summary>
    private const int MaxSubjectLength = 200;

    /// <summary>Letters of every script stay what they are; what HTML gives a meaning to does not.</summary>
    private static readonly HtmlEncoder Html5 = HtmlEncoder.Create(UnicodeRanges.All);

    /// <summary>Writes a letter with templates that were checked when they were stored.</summary>
    /// <param name="values">What the placeholders stand for, <c>realm.name</c> among them.</param>
    public static Letter Write(string to, MailTemplate template, MailTemplate layout, IReadOnlyDictionary<string, string> values)
    {
        string Plain(string inner, string outer) => Around(outer, Render(inner, values, static (_, value) => value), static (_, value) => value);

        // What the template made of its values is HTML already; everything else is text until it is escaped.
        string html = Around(
            layout.Html,
            Render(template.Html, values, static (_, value) => Escape(value)),
            static (name, value) => name == MailKindRules.Content ? value : Escape(value));
        return new Letter(
            to,
            OneLine(values.GetValueOrDefault("realm.name", "")),
            OneLine(Plain(template.Subject, layout.Subject)),
            Plain(template.Text, layout.Text),
            html);

        string Around(string outer, string content, Func<string, string, string> escape) =>
            Render(outer, new Dictionary<string, string>(values, StringComparer.Ordinal) { [MailKindRules.Content] = content }, escape);
    }

    /// <summary>What stands in a header ends no header, whoever chose the name that is in it.</summary>
    private static string OneLine(string text)
    {
        StringBuilder line = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (line.Length >= MaxSubjectLength)
                break;
            line.Append(Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.LineSeparator
                or System.Globalization.UnicodeCategory.ParagraphSeparator ? " " : rune.ToString());
        }

        return line.ToString().Trim();
    }

    private static string Escape(string value) => Html5.Encode(value);

    private static string Render(string text, IReadOnlyDictionary<string, string> values, Func<string, string, string> escape) =>
        TemplateText.TryParse(text, out TemplateText? parsed, out string? problem)
            ? parsed.Render(values, escape)
            : throw new InvalidOperationException($"A template was stored that can't be read: {problem}");
}
