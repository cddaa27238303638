namespace Atrium.Storage.Postgres;

/// <summary>How a piece of work begins and ends on its connection.</summary>
/// <param name="Begin">The statement that begins it; null where one statement is all of it.</param>
/// <param name="Writes">Whether it may change something.</param>
/// <param name="CommitsAtOnce">Whether its first statement commits, so that it is in doubt as soon as it is sent.</param>
internal sealed record Transaction(string? Begin, bool Writes = false, bool CommitsAtOnce = false)
{
    public static readonly Transaction None = new(Begin: null);
    public static readonly Transaction Read = new("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");

    /// <summary>READ WRITE is not said: a database that its administrator made read-only stays so.</summary>
    public static readonly Transaction Write = new("BEGIN ISOLATION LEVEL READ COMMITTED", Writes: true);

    /// <summary>All of the change is one text or one statement, which commits by itself.</summary>
    public static readonly Transaction InOneText = new(Begin: null, Writes: true, CommitsAtOnce: true);
}
