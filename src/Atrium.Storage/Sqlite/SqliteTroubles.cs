using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Atrium.Storage.Sqlite;

/// <summary>Which failures are SQLite's state and not a statement's fault.</summary>
internal static class SqliteTroubles
{
    /// <summary>Null for a failure that is the statement's own.</summary>
    public static DatabaseTrouble? Of(SqliteException e) => e.SqliteErrorCode switch
    {
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => DatabaseTrouble.Locked,
        raw.SQLITE_READONLY => DatabaseTrouble.ReadOnly,
        raw.SQLITE_FULL => DatabaseTrouble.Full,
        raw.SQLITE_NOMEM => DatabaseTrouble.Overloaded,
        raw.SQLITE_IOERR or raw.SQLITE_CORRUPT or raw.SQLITE_CANTOPEN or raw.SQLITE_NOTADB => DatabaseTrouble.Failing,
        _ => null,
    };

    /// <summary>A read that tries to change something is a mistake of ours; what keeps a reader from the log has a code of its own.</summary>
    public static DatabaseTrouble? OfReading(SqliteException e) => e.SqliteExtendedErrorCode == raw.SQLITE_READONLY ? null : Of(e);

    /// <summary>What to do about a file that can't be opened at all.</summary>
    public static string AdviceFor(SqliteException e) => e.SqliteErrorCode switch
    {
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => "Another process holds it: end that, or wait until it has finished.",
        raw.SQLITE_NOTADB or raw.SQLITE_CORRUPT => "It was left as it is: name another file, or restore a backup.",
        raw.SQLITE_READONLY => "Make the file and its folder writable for the user that runs Atrium.",
        raw.SQLITE_FULL => "Make room on its disk.",
        _ => "Check that its folder exists and can be written.",
    };
}
