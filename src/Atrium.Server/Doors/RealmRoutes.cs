using Atrium.Core.Realms;
using Atrium.Server.Doors.OAuth;

namespace Atrium.Server.Doors;

/// <summary>Everything below <c>/t/{realm}</c>: the realm is found before a handler runs, and an unknown one is not found.</summary>
public static class RealmRoutes
{
    private static readonly OAuthError NoSuchRealm = new("ATR1001", "not_found", "There is no such realm.", StatusCodes.Status404NotFound);

    public static RouteGroupBuilder MapRealm(this IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder group = routes.MapGroup("/t/{realm}");
        group.AddEndpointFilter(static async (call, next) =>
        {
            HttpContext context = call.HttpContext;
            RealmDirectory directory = context.RequestServices.GetRequiredService<RealmDirectory>();
            if (await directory.RealmAsync((string)context.Request.RouteValues["realm"]!, context.RequestAborted) is not { } realm)
                return context.GetEndpoint()?.Metadata.GetMetadata<UnknownRealm>()?.Answer(context) ?? NoSuchRealm.ToAnswer(context);
            context.Features.Set(new CurrentRealm(realm));
            return await next(call);
        });
        return group;
    }

    /// <summary>How a route answers below a realm that does not exist, where its door has an envelope of its own; null leaves it to the common one.</summary>
    public static TBuilder AnswersUnknownRealm<TBuilder>(this TBuilder route, Func<HttpContext, IResult?> answer)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new UnknownRealm(answer));

    /// <summary>The realm that the path names.</summary>
    public static Realm Realm(this HttpContext context) => context.KnownRealm()!;

    /// <summary>The same, where it may not have been found yet.</summary>
    public static Realm? KnownRealm(this HttpContext context) => context.Features.Get<CurrentRealm>()?.Realm;

    private sealed record CurrentRealm(Realm Realm);

    private sealed record UnknownRealm(Func<HttpContext, IResult?> Answer);
}
