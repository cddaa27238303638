using System.Text;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Atrium.Server.Doors.Management.OpenApi;

/// <summary>
/// The <c>operationId</c> of a route: what is done, and the words of its path: <c>listOrganizationMembers</c>, <c>createApiKey</c>,
/// <c>rotateClientSecret</c>. A route for which that makes no good name has one given with <c>WithName</c>.
/// </summary>
internal static class OperationIds
{
    public static string Of(RouteEndpoint route, string method, Answered answered)
    {
        if (route.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName is { } given)
            return given;
        IReadOnlyList<RoutePatternPathSegment> segments = [.. route.RoutePattern.PathSegments.SkipWhile(static segment => segment.Parts[0] is not RoutePatternLiteralPart { Content: "realms" })];

        // What is in a realm is named without it.
        string[] words = [.. segments.Skip(segments.Count > 2 ? 1 : 0).Select(static segment => segment.Parts[0]).OfType<RoutePatternLiteralPart>().Select(static part => part.Content)];
        bool isOne = segments[^1].Parts[0] is RoutePatternParameterPart;
        string things = isOne ? Name(words) : Name(words[..^1]) + Pascal(words[^1]);
        return (method, answered) switch
        {
            ("GET", { IsMany: true }) => $"list{things}",
            ("GET", _) => $"get{things}",
            ("PATCH", _) => $"update{things}",
            ("PUT", _) => $"put{things}",
            ("DELETE", _) => $"delete{things}",
            (_, { Status: StatusCodes.Status201Created }) when words[^1].EndsWith('s') => $"create{Name(words)}",
            _ => $"{words[^1].Split('-')[0]}{Name(words[..^1])}{string.Concat(words[^1].Split('-')[1..].Select(Pascal))}",
        };
    }

    private static string Name(IEnumerable<string> words) => string.Concat(words.Select(static word => Pascal(Singular(word))));

    private static string Singular(string word) =>
        word.EndsWith("ies", StringComparison.Ordinal) ? $"{word[..^3]}y"
        : word.EndsWith('s') ? word[..^1]
        : word;

    private static string Pascal(string word)
    {
        StringBuilder made = new();
        foreach (string part in word.Split('-', '_'))
            made.Append(char.ToUpperInvariant(part[0])).Append(part, 1, part.Length - 1);
        return made.ToString();
    }
}
