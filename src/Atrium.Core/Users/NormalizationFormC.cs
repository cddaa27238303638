using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Atrium.Core.Users;

/// <summary>
/// Unicode Normalization Form C (UAX #15). One keyboard sends "é" as one code point, another as "e" and an accent:
/// what a person types must be the same text on both (RFC 8265 section 4.2.2, NIST SP 800-63B section 3.1.1.2).
/// </summary>
/// <remarks>
/// <see cref="string.Normalize()"/> cannot do it: in invariant globalization mode, where the server needs no ICU on the
/// machine, the framework returns every text as it came.
/// </remarks>
public static class NormalizationFormC
{
    // Below this nothing decomposes further and nothing combines with what stands before it.
    private const char FirstCombining = '\u0300';

    private static readonly Lazy<Tables> Data = new(Tables.Load);

    /// <summary>The text in Form C. A lone surrogate, which no encoding can carry, becomes U+FFFD.</summary>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange(FirstCombining, char.MaxValue))
            return text;

        var tables = Data.Value;
        var points = new List<int>(text.Length * 2);
        foreach (var rune in text.EnumerateRunes())
            Decompose(rune.Value, points, tables);
        PutMarksInOrder(points, tables);
        Compose(points, tables);

        var composed = new StringBuilder(text.Length);
        foreach (var point in points)
            composed.Append(new Rune(point).ToString());
        return composed.ToString();
    }

    private static void Decompose(int point, List<int> into, Tables tables)
    {
        if (Hangul.Decompose(point) is { } jamo)
            into.AddRange(jamo);
        else if (tables.Decompositions.TryGetValue(point, out var parts))
            foreach (var part in parts)
                Decompose(part, into, tables);
        else
            into.Add(point);
    }

    // The canonical ordering algorithm: between two starters, marks are sorted by class and otherwise keep their order.
    private static void PutMarksInOrder(List<int> points, Tables tables)
    {
        for (var start = 0; start < points.Count; start++)
        {
            var end = start;
            while (end < points.Count && tables.ClassOf(points[end]) != 0)
                end++;
            if (end - start > 1)
            {
                int[] sorted = [.. points.GetRange(start, end - start).OrderBy(tables.ClassOf)];
                for (var i = 0; i < sorted.Length; i++)
                    points[start + i] = sorted[i];
            }
            start = end;
        }
    }

    // The canonical composition algorithm: a code point joins the last starter unless something between them blocks it,
    // that is, has class 0 or a class that is not lower.
    private static void Compose(List<int> points, Tables tables)
    {
        var starter = -1;
        var kept = 0;
        var classBefore = 0;
        foreach (var point in points.ToArray())
        {
            var ownClass = tables.ClassOf(point);
            var reaches = starter >= 0 && (starter == kept - 1 || classBefore < ownClass);
            if (reaches && tables.Composed(points[starter], point) is { } joined)
            {
                points[starter] = joined;
                continue;
            }
            if (ownClass == 0)
                starter = kept;
            classBefore = ownClass;
            points[kept++] = point;
        }
        points.RemoveRange(kept, points.Count - kept);
    }

    private sealed record Tables(
        FrozenDictionary<int, int> Classes,
        FrozenDictionary<int, int[]> Decompositions,
        FrozenDictionary<(int First, int Second), int> Compositions)
    {
        public static Tables Load()
        {
            var classes = new Dictionary<int, int>();
            var decompositions = new Dictionary<int, int[]>();
            var compositions = new Dictionary<(int, int), int>();
            foreach (var line in DataFile.Lines("normalization.txt"))
            {
                switch (line.Split(' '))
                {
                    case [var point, "=", var first, var second]:
                        decompositions[Hex(point)] = [Hex(first), Hex(second)];
                        compositions[(Hex(first), Hex(second))] = Hex(point);
                        break;
                    case [var point, ">", .. var parts]:
                        decompositions[Hex(point)] = [.. parts.Select(Hex)];
                        break;
                    case [var range, var combiningClass]:
                        var ends = range.Split("..");
                        for (var point = Hex(ends[0]); point <= Hex(ends[^1]); point++)
                            classes[point] = int.Parse(combiningClass, NumberStyles.None);
                        break;
                }
            }
            return new(classes.ToFrozenDictionary(), decompositions.ToFrozenDictionary(), compositions.ToFrozenDictionary());
        }

        public int ClassOf(int point) => Classes.GetValueOrDefault(point);

        public int? Composed(int first, int second) =>
            Hangul.Compose(first, second) ?? (Compositions.TryGetValue((first, second), out var composed) ? composed : null);

        private static int Hex(string digits) => int.Parse(digits, NumberStyles.AllowHexSpecifier);
    }

    /// <summary>Korean syllables compose by arithmetic (The Unicode Standard, section 3.12).</summary>
    private static class Hangul
    {
        private const int Syllables = 0xAC00, Leads = 0x1100, Vowels = 0x1161, Trails = 0x11A7;
        private const int LeadCount = 19, VowelCount = 21, TrailCount = 28;
        private const int SyllableCount = LeadCount * VowelCount * TrailCount;

        public static int[]? Decompose(int point)
        {
            var index = point - Syllables;
            if (index is < 0 or >= SyllableCount)
                return null;
            var lead = Leads + index / (VowelCount * TrailCount);
            var vowel = Vowels + index / TrailCount % VowelCount;
            var trail = Trails + index % TrailCount;
            return trail == Trails ? [lead, vowel] : [lead, vowel, trail];
        }

        public static int? Compose(int first, int second)
        {
            if (first - Leads is >= 0 and < LeadCount && second - Vowels is >= 0 and < VowelCount)
                return Syllables + ((first - Leads) * VowelCount + second - Vowels) * TrailCount;
            // The trail numbered 0 stands for "none" and is no code point of its own.
            if (first - Syllables is >= 0 and < SyllableCount && (first - Syllables) % TrailCount == 0
                && second - Trails is > 0 and < TrailCount)
                return first + second - Trails;
            return null;
        }
    }
}
