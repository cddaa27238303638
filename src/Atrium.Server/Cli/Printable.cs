using System.Globalization;
using System.Text;

namespace Atrium.Server.Cli;

/// <summary>Text of others on a terminal: names are chosen by whoever signs up, and must not steer it.</summary>
internal static class Printable
{
    /// <summary>The text on one line, with a sign for each character that would move the cursor, colour or turn the line.</summary>
    public static string Text(string text)
    {
        if (!text.Any(Steers))
            return text;
        StringBuilder safe = new(text.Length);
        foreach (char character in text)
            safe.Append(Steers(character) ? '\uFFFD' : character);
        return safe.ToString();
    }

    private static bool Steers(char character) => char.GetUnicodeCategory(character)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
