namespace Atrium.Storage;

/// <summary>What keeps a database that is configured well from doing its work just now.</summary>
public enum DatabaseTrouble
{
    /// <summary>There is no connection, or it broke: the server is down, starting, or handing over to a standby.</summary>
    Unreachable,

    /// <summary>More waits for it than it can do in good time.</summary>
    Overloaded,

    /// <summary>It did not answer in time.</summary>
    Slow,

    /// <summary>Another process holds the whole database.</summary>
    Locked,

    /// <summary>It takes no changes: a standby, or a database or a file system that somebody made read-only.</summary>
    ReadOnly,

    /// <summary>Its disk is full.</summary>
    Full,

    /// <summary>Its disk or its files fail.</summary>
    Failing,
}

/// <summary>
/// The database can't do its work just now, through no fault of what was asked of it; asked again later, it may. The message is for operators:
/// what is the matter, and what to do. It has no SQL and no password in it.
/// </summary>
/// <param name="detail">What the database itself says.</param>
public sealed class DatabaseUnavailableException(DatabaseTrouble trouble, string detail, Exception? inner = null)
    : Exception($"{WhatIs(trouble)} {detail.TrimEnd('.')}. {WhatToDo(trouble)}", inner)
{
    public DatabaseTrouble Trouble { get; } = trouble;

    /// <summary>Whether the change was on its way to be committed, so that nobody knows whether it was. Otherwise nothing of it was done.</summary>
    public bool MayHaveBeenDone { get; init; }

    private static string WhatIs(DatabaseTrouble trouble) => trouble switch
    {
        DatabaseTrouble.Unreachable => "The database can't be reached:",
        DatabaseTrouble.Overloaded => "The database has more to do than it can:",
        DatabaseTrouble.Slow => "The database does not answer in time:",
        DatabaseTrouble.Locked => "Another process holds the database:",
        DatabaseTrouble.ReadOnly => "The database is read-only:",
        DatabaseTrouble.Full => "The disk of the database is full:",
        _ => "The database can't read or write its files:",
    };

    private static string WhatToDo(DatabaseTrouble trouble) => trouble switch
    {
        DatabaseTrouble.Unreachable => "See that its server runs and the network leads there.",
        DatabaseTrouble.Overloaded => "Look for slow queries; raise Maximum Pool Size and the server's max_connections, or add processors.",
        DatabaseTrouble.Slow => "Look for locks, slow disks, and a synchronous standby that is away.",
        DatabaseTrouble.Locked => "End the process that holds it: a backup, a shell, another Atrium.",
        DatabaseTrouble.ReadOnly => "Promote the standby, or name the primary; on a file system, remount it writable and look into the kernel's log.",
        DatabaseTrouble.Full => "Make room.",
        _ => "Look into the kernel's log and at the disk; restore a backup if the files are damaged.",
    };
}
