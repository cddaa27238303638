using System.Net.Sockets;
using Npgsql;

namespace Atrium.Storage.Postgres;

/// <summary>Which failures are PostgreSQL's state and not a statement's fault.</summary>
internal static class PostgresTroubles
{
    /// <summary>Null for a failure that is the statement's own.</summary>
    public static DatabaseTrouble? Of(Exception e) => e switch
    {
        PostgresException refused => Of(refused.SqlState),
        NpgsqlException { InnerException: TimeoutException } => DatabaseTrouble.Slow,
        NpgsqlException { InnerException: IOException or SocketException } => DatabaseTrouble.Unreachable,
        _ => null,
    };

    /// <summary>
    /// A statement whose prepared plan the schema has outgrown, because another node brought it up to date: on a fresh connection it is planned anew.
    /// </summary>
    public static bool IsStalePlan(PostgresException e) =>
        e.SqlState == PostgresErrorCodes.FeatureNotSupported && e.Routine == "RevalidateCachedQuery";

    /// <summary>Where the server goes on after the error, it has undone the transaction; where the connection ended with it, nobody knows.</summary>
    public static bool EndsConnection(Exception e) => e is not PostgresException { InvariantSeverity: "ERROR" };

    private static DatabaseTrouble? Of(string state) => state switch
    {
        PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.OutOfMemory or PostgresErrorCodes.InsufficientResources
            or PostgresErrorCodes.ConfigurationLimitExceeded or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected =>
            DatabaseTrouble.Overloaded,
        PostgresErrorCodes.DiskFull => DatabaseTrouble.Full,
        PostgresErrorCodes.ReadOnlySqlTransaction => DatabaseTrouble.ReadOnly,
        PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.LockNotAvailable => DatabaseTrouble.Slow,
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or PostgresErrorCodes.DatabaseDropped or PostgresErrorCodes.IdleSessionTimeout => DatabaseTrouble.Unreachable,
        PostgresErrorCodes.IoError or PostgresErrorCodes.UndefinedFile or PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted =>
            DatabaseTrouble.Failing,

        // Class 08 is the connection's.
        _ => state.StartsWith("08", StringComparison.Ordinal) ? DatabaseTrouble.Unreachable : null,
    };
}
