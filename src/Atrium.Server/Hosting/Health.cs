using System.Text.Json;
using Atrium.Server.Http;
using Atrium.Storage;

namespace Atrium.Server.Hosting;

/// <summary>Whether the process runs, and whether it can serve.</summary>
public static class Health
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", static () => Answer(new() { ["status"] = "live" }));
        routes.MapGet("/health/ready", static async (HttpContext context, DatabaseWatch watch, CancellationToken cancellationToken) =>
        {
            if (await watch.FindTroubleAsync(cancellationToken) is not { } trouble)
                return Answer(new() { ["status"] = "ready" });
            Unavailable why = Unavailable.Of(trouble);
            why.Announce(context);
            return Answer(
                new() { ["status"] = "unavailable", ["reason"] = ReasonOf(trouble), ["id"] = why.Id },
                StatusCodes.Status503ServiceUnavailable);
        });
    }

    private static string ReasonOf(DatabaseTrouble trouble) => $"database_{JsonNamingPolicy.SnakeCaseLower.ConvertName($"{trouble}")}";

    private static JsonAnswer<Dictionary<string, string>> Answer(Dictionary<string, string> body, int statusCode = StatusCodes.Status200OK) =>
        new(body, PlainJson.Default.DictionaryStringString, statusCode);
}
