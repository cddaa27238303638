using System.Data.Common;
using Atrium.Core;
using Dapper;

namespace Atrium.Storage;

/// <summary>Which part of a list is asked for. Cursors are ids; ids grow with time, so a page neither skips nor repeats while things are added.</summary>
/// <param name="Limit">How many, at most.</param>
/// <param name="After">Start behind this one, in the order of the list.</param>
/// <param name="Before">End in front of this one, in the order of the list.</param>
/// <param name="Ascending">Oldest first; newest first otherwise.</param>
public sealed record PageRequest<T>(int Limit, Id<T>? After = null, Id<T>? Before = null, bool Ascending = false)
    where T : IIdentified;

/// <summary>A part of a list, and whether there is more on either side of it.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, bool HasBefore, bool HasAfter);

internal static class Paging
{
    /// <summary>
    /// Runs <c>SELECT ... FROM ... WHERE</c> with the page's part of the condition, order and limit added. One more row than asked for tells
    /// whether there is more; nothing is counted.
    /// </summary>
    public static Task<Page<T>> QueryPageAsync<T>(
        this DbConnection connection,
        string select,
        string idColumn,
        DynamicParameters parameters,
        PageRequest<T> page)
        where T : class, IIdentified =>
        QueryPageAsync(select, idColumn, parameters, page, sql => connection.QueryAsync<T>(sql, parameters));

    /// <summary>The same for rows that hold more than the thing that is listed; <paramref name="query"/> runs the finished text.</summary>
    public static async Task<Page<TRow>> QueryPageAsync<T, TRow>(
        string select,
        string idColumn,
        DynamicParameters parameters,
        PageRequest<T> page,
        Func<string, Task<IEnumerable<TRow>>> query)
        where T : class, IIdentified
    {
        // Reading "before" walks the list backwards from the cursor and turns the rows round again.
        bool backwards = page.Before is not null && page.After is null;
        bool rising = page.Ascending != backwards;
        string sql = select;
        if (page.After is { } after)
        {
            sql += $" AND {idColumn} {(page.Ascending ? '>' : '<')} @after";
            parameters.Add("after", after);
        }

        if (page.Before is { } before)
        {
            sql += $" AND {idColumn} {(page.Ascending ? '<' : '>')} @before";
            parameters.Add("before", before);
        }

        parameters.Add("limit", page.Limit + 1);
        List<TRow> rows = [.. await query($"{sql} ORDER BY {idColumn} {(rising ? "ASC" : "DESC")} LIMIT @limit")];
        bool more = rows.Count > page.Limit;
        if (more)
            rows.RemoveAt(rows.Count - 1);
        if (backwards)
            rows.Reverse();
        return backwards
            ? new Page<TRow>(rows, HasBefore: more, HasAfter: true)
            : new Page<TRow>(rows, HasBefore: page.After is not null, HasAfter: more);
    }
}
