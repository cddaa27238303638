using System.Diagnostics;
using Atrium.Testing;
using Npgsql;

namespace Atrium.Tests.Harness;

/// <summary>PostgreSQL's own programs, as an operator runs them.</summary>
internal static class PostgresTools
{
    /// <summary>Starts one of PostgreSQL's own programs on a database; connection and password come by its environment.</summary>
    public static Process Tool(string name, string connectionString, params string[] arguments) =>
        Process.Start(WithEnvironment(
            new ProcessStartInfo(Path.Combine(PostgresCluster.FindBinaries(), name), arguments)
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
            },
            connectionString))!;

    /// <summary>Names the database in the way that all of PostgreSQL's programs understand, and puts them on the path.</summary>
    public static ProcessStartInfo WithEnvironment(ProcessStartInfo start, string connectionString)
    {
        NpgsqlConnectionStringBuilder settings = new(connectionString);
        start.Environment["PGHOST"] = settings.Host;
        start.Environment["PGPORT"] = $"{settings.Port}";
        start.Environment["PGUSER"] = settings.Username;
        start.Environment["PGPASSWORD"] = settings.Password;
        start.Environment["PGDATABASE"] = settings.Database;
        start.Environment["PATH"] = $"{PostgresCluster.FindBinaries()}:{Environment.GetEnvironmentVariable("PATH")}";
        return start;
    }
}
