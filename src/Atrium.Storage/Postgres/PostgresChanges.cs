using System.Data.Common;
using Dapper;
using Npgsql;

namespace Atrium.Storage.Postgres;

/// <summary>
/// How nodes tell each other what they change: <c>NOTIFY</c>, which the server delivers with the commit, and <c>LISTEN</c> on a connection of
/// its own. That needs a session of its own: a pooler that gives the server's connections away between two transactions keeps the notifications.
/// </summary>
internal static class PostgresChanges
{
    private const string Channel = "atrium";

    /// <summary>Seconds after which a listening connection that hears nothing asks whether the server is still there.</summary>
    private const int KeepAlive = 10;

    /// <summary>Lets the others know once this connection's transaction is committed.</summary>
    public static Task TellAsync(DbConnection connection, Change told) =>
        connection.ExecuteAsync("SELECT pg_notify(@Channel, @told)", new { Channel, told = told.ToString() });

    /// <summary>Hears the others until the connection is lost, which is an exception, or the token ends it.</summary>
    public static async Task ListenAsync(string connectionString, ChangeFeed changes, Action listening, CancellationToken cancellationToken)
    {
        await using NpgsqlConnection connection = new(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, KeepAlive = KeepAlive }.ConnectionString);
        connection.Notification += (_, notification) => changes.Tell(Change.Parse(notification.Payload));
        await connection.OpenAsync(cancellationToken);
        await connection.ExecuteAsync($"LISTEN {Channel}");
        changes.BeginHearing();
        listening();
        try
        {
            while (true)
                await connection.WaitAsync(cancellationToken);
        }
        finally
        {
            changes.EndHearing();
        }
    }
}
