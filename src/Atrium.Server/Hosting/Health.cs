using Atrium.Server.Http;
using Atrium.Storage;

namespace Atrium.Server.Hosting;

/// <summary>Whether the process runs, and whether it can serve.</summary>
public static class Health
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", static () => Answer("live", StatusCodes.Status200OK));
        routes.MapGet("/health/ready", static async (RealmStore realms, CancellationToken cancellationToken) =>
        {
            try
            {
                await realms.AnyAsync(cancellationToken);
                return Answer("ready", StatusCodes.Status200OK);
            }
            catch (System.Data.Common.DbException)
            {
                return Answer("database unreachable", StatusCodes.Status503ServiceUnavailable);
            }
        });
    }

    private static JsonAnswer<Dictionary<string, string>> Answer(string status, int statusCode) =>
        new(new() { ["status"] = status }, PlainJson.Default.DictionaryStringString, statusCode);
}
