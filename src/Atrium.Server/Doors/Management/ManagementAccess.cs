using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.Management;

/// <summary>Lets nobody at a realm's things but who has a key of that realm, with the scope of the route.</summary>
public static class ManagementAccess
{
    private static readonly IdempotencyRefusals IdempotencyRefusals = new(
        MaxKeyLength: 256,
        ManagementError.Invalid($"Send one {Idempotency.Header} of 1 to 256 characters."),
        ManagementError.Conflict("Another request with this idempotency key is being worked on. Try again in a moment."),
        static _ => new ManagementError(
            StatusCodes.Status422UnprocessableEntity, "unprocessable", $"This {Idempotency.Header} was used for another request. Make up a new one for each request."))
    {
        EntityTagOf = static body => EntityTag.OfOne(body),
    };

    public static RouteGroupBuilder RequireRealmKey(this RouteGroupBuilder group)
    {
        group.AddEndpointFilter(static async (call, next) =>
        {
            HttpContext context = call.HttpContext;
            string scope = context.RequiredScope();
            if (await context.FindCallerAsync(context.RequestAborted) is not { } caller)
                return ManagementError.Unauthorized;

            // Whether another realm exists is nobody's business.
            if (await FindRealmAsync(context) is not { } realm || realm.Id != caller.Realm)
                return ManagementError.NotFound;
            if (!caller.Key.Allows(scope))
                return ManagementError.MissingScope(scope);
            if (UnknownParameter(context) is { } unknown)
                return ManagementError.Invalid($"There is no query parameter \"{unknown}\" here.");
            context.Features.Set(caller);

            // What a back end is told is about people; nobody on the way keeps it.
            context.Response.Headers.CacheControl = "no-store";
            if (!HttpMethods.IsPost(context.Request.Method))
                return await next(call);
            return await RequestBody.BufferAsync(context.Request, context.RequestAborted) is { } body
                ? await Idempotency.RunAsync(call, next, caller, body, IdempotencyRefusals)
                : ManagementError.TooLarge;
        });
        return group;
    }

    /// <summary>The realm of the path, by its handle or its id.</summary>
    private static async ValueTask<Realm?> FindRealmAsync(HttpContext context)
    {
        string named = (string)context.Request.RouteValues["realm"]!;
        RealmDirectory directory = context.RequestServices.GetRequiredService<RealmDirectory>();
        return Id<Realm>.Parse(named) is { } id
            ? await directory.RealmAsync(id, context.RequestAborted)
            : await directory.RealmAsync(named, context.RequestAborted);
    }

    /// <summary>A parameter of the query that the route does not take.</summary>
    internal static string? UnknownParameter(HttpContext context)
    {
        IReadOnlyList<Parameter> known = context.GetEndpoint()?.Metadata.GetMetadata<QueryParameters>()?.Parameters ?? [];
        return context.Request.Query.Keys.FirstOrDefault(name => known.All(parameter => parameter.Declared.Name != name));
    }
}
