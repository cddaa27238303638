using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Atrium.Server.Cli.Remote;

/// <summary>A column of a list: what stands over it, and what it says of an item.</summary>
internal sealed record Column(string Header, Func<JsonElement, string> TextOf)
{
    /// <summary>Is never cut: half an id names nothing.</summary>
    public bool IsWhole { get; init; }

    /// <summary>Its words say how well something is, and get a colour where there are colours.</summary>
    public bool IsState { get; init; }

    /// <summary>The field of that name.</summary>
    public static Column Of(string header, string field) => new(header, item => FieldText.At(item, field));

    public static Column Id(string header = "ID", string field = "id") => Of(header, field) with { IsWhole = true };

    public static Column State(string header = "STATUS", string field = "status") => Of(header, field) with { IsState = true };

    public static Column Time(string header, string field) => Of(header, field) with { IsWhole = true };
}

/// <summary>
/// Lists for people: aligned columns, cut to the terminal. Pages are written as they come; the first says how wide the columns are.
/// </summary>
internal sealed class Table(Shell shell, IReadOnlyList<Column> columns)
{
    private const int Gap = 2;
    private const int Narrowest = 6;
    private int[]? widths;

    public void Write(IReadOnlyList<JsonElement> items)
    {
        string[][] rows = [.. items.Select(item => columns.Select(column => Printable.Text(column.TextOf(item))).ToArray())];
        if (widths is null)
        {
            widths = Widths(rows);
            WriteRow([.. columns.Select(static column => column.Header)], isHeader: true);
        }

        foreach (string[] row in rows)
            WriteRow(row, isHeader: false);
    }

    /// <summary>As wide as what is in them; where that is too much, the widest that may be cut gives way first.</summary>
    private int[] Widths(string[][] rows)
    {
        int[] wanted = [.. columns.Select((column, i) => rows.Select(row => LengthOf(row[i])).Append(LengthOf(column.Header)).Max())];
        if (shell.Width is not { } room)
            return wanted;
        int excess = wanted.Sum() + (Gap * (columns.Count - 1)) - room;
        for (; excess > 0; excess--)
        {
            int[] yielding = [.. Enumerable.Range(0, columns.Count).Where(i => !columns[i].IsWhole && wanted[i] > Narrowest)];
            if (yielding.Length == 0)
                break;
            wanted[yielding.MaxBy(i => wanted[i])]--;
        }

        return wanted;
    }

    private void WriteRow(string[] cells, bool isHeader)
    {
        StringBuilder line = new();
        for (int i = 0; i < cells.Length; i++)
        {
            string shown = Cut(cells[i], widths![i]);
            string padding = i == cells.Length - 1 ? "" : new string(' ', widths[i] - LengthOf(shown) + Gap);
            string? colour = isHeader ? Colour.Heading : columns[i].IsState ? Colour.OfState(cells[i]) : null;
            line.Append(shell.Paint(shown, colour)).Append(padding);
        }

        shell.Output.WriteLine(line.ToString().TrimEnd());
    }

    private string Cut(string text, int width)
    {
        if (LengthOf(text) <= width)
            return text;
        return shell.Width is null ? text : $"{new StringInfo(text).SubstringByTextElements(0, width - 1)}…";
    }

    private static int LengthOf(string text) => new StringInfo(text).LengthInTextElements;
}
