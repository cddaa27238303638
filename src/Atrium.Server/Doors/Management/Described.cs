
namespace Atrium.Server.Doors.Management;

/// <summary>What a route answers when all is well, for its description.</summary>
/// <param name="Resource">The type of <c>data</c>, or of its elements; null for no body.</param>
/// <param name="IsLines">Whether it is a stream with one of them a line.</param>
public sealed record Answered(Type? Resource, bool IsMany, int Status, bool IsLines = false);

public static class Described
{
    public static RouteHandlerBuilder AnswersOne<T>(this RouteHandlerBuilder route, int status = StatusCodes.Status200OK) =>
        route.WithMetadata(new Answered(typeof(T), IsMany: false, status));

    public static RouteHandlerBuilder AnswersMany<T>(this RouteHandlerBuilder route) =>
        route.WithMetadata(new Answered(typeof(T), IsMany: true, StatusCodes.Status200OK));

    public static RouteHandlerBuilder AnswersNothing(this RouteHandlerBuilder route) =>
        route.WithMetadata(new Answered(null, IsMany: false, StatusCodes.Status204NoContent));

    public static RouteHandlerBuilder AnswersLines<T>(this RouteHandlerBuilder route) =>
        route.WithMetadata(new Answered(typeof(T), IsMany: true, StatusCodes.Status200OK, IsLines: true));
}
