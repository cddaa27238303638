using Atrium.Core;
using Atrium.Storage;
using Microsoft.AspNetCore.Http.Features;

namespace Atrium.Server.Doors.Management.Bodies;

/// <summary>The query parameters that a route takes, and no others.</summary>
public sealed record QueryParameters(IReadOnlyList<Parameter> Parameters);

/// <summary>Reads a query before its route's handler runs: a handler only ever sees values that are as the route declares them.</summary>
public static class QueryReading
{
    /// <summary>How many of a list, at most.</summary>
    public static readonly Parameter<int?> Limit = Parameter.Plain(Field.Whole("limit", 1, 100).Describe("How many at most; 50 unless said."));

    internal const string CursorDescription = "Where to go on: `next_cursor` of the page before.";

    private const int DefaultLimit = 50;

    /// <summary>Declares the query parameters of a route.</summary>
    public static RouteHandlerBuilder Takes(this RouteHandlerBuilder route, params Parameter[] parameters) =>
        route.WithMetadata(new QueryParameters(parameters)).AddEndpointFilter(async (call, next) =>
        {
            List<Problem> problems = [];
            Dictionary<Parameter, object?> values = new(ReferenceEqualityComparer.Instance);
            foreach (Parameter parameter in parameters)
                values[parameter] = parameter.ReadAny(call.HttpContext.Request.Query, problems);
            if (problems.Count > 0)
                return ManagementError.InvalidQuery(problems);
            call.HttpContext.Features.Set(new ReadQuery(values));
            return await next(call);
        });

    /// <summary>The same for a list, which has its limit and cursor beside them.</summary>
    public static RouteHandlerBuilder TakesPage<T>(this RouteHandlerBuilder route, params Parameter[] parameters)
        where T : IIdentified => route.Takes([Limit, Cursor<T>.Parameter, .. parameters]);

    /// <summary>The value of a parameter that the route takes; nothing where it is missing.</summary>
    public static T? Query<T>(this HttpContext context, Parameter<T> parameter) =>
        context.Features.GetRequiredFeature<ReadQuery>().Values[parameter] is T value ? value : default;

    /// <summary>The page that is asked for, newest first.</summary>
    public static PageRequest<T> Page<T>(this HttpContext context)
        where T : IIdentified => new(context.PageLimit(), context.Query(Cursor<T>.Parameter));

    /// <summary>How many are asked for.</summary>
    public static int PageLimit(this HttpContext context) => context.Query(Limit) ?? DefaultLimit;

    /// <summary>Where a list of things goes on: the id of the last of the page before.</summary>
    private static class Cursor<T>
        where T : IIdentified
    {
        public static readonly Parameter<Id<T>?> Parameter = Bodies.Parameter.Text(Field.IdOf<T>("cursor").Describe(CursorDescription));
    }

    private sealed record ReadQuery(IReadOnlyDictionary<Parameter, object?> Values);
}
