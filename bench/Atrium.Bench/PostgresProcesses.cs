using System.Globalization;
using Atrium.Testing;
using Npgsql;

namespace Atrium.Bench;

/// <summary>The processes of a PostgreSQL, and what processor time they have used.</summary>
/// <param name="server">The one that has started all others.</param>
internal sealed class PostgresProcesses(int server)
{
    /// <summary>Where <c>/proc/PID/stat</c> has it, counted from behind the name in parentheses.</summary>
    private const int Parent = 1, FirstTime = 11, LastTime = 14;

    private const double TicksPerSecond = 100;

    public static async Task<PostgresProcesses> OfAsync(PostgresCluster cluster)
    {
        await using NpgsqlConnection connection = new($"{cluster.ConnectionString("postgres")};Pooling=false");
        await connection.OpenAsync();
        return new PostgresProcesses((int)Stat(connection.ProcessID)[Parent]);
    }

    /// <summary>Of those that run, and of those that have ended.</summary>
    public TimeSpan Cpu
    {
        get
        {
            IEnumerable<int> children = File.ReadAllText($"/proc/{server}/task/{server}/children")
                .Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static id => int.Parse(id, CultureInfo.InvariantCulture));
            return TimeSpan.FromSeconds(children.Append(server).Sum(static process => Stat(process)[FirstTime..(LastTime + 1)].Sum()) / TicksPerSecond);
        }
    }

    /// <summary>Nothing but zeros for a process that has ended meanwhile.</summary>
    private static long[] Stat(int process)
    {
        try
        {
            string text = File.ReadAllText($"/proc/{process}/stat");
            return [.. text[(text.LastIndexOf(')') + 2)..].Split(' ').Select(static word => long.TryParse(word, out long number) ? number : 0)];
        }
        catch (IOException)
        {
            return new long[LastTime + 1];
        }
    }
}
