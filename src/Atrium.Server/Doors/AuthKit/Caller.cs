using Atrium.Server.Http;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>Keeps everybody out who has no API key of this door's.</summary>
public static class Callers
{
    /// <summary>What WorkOS says of keys that can't be used.</summary>
    public static readonly IdempotencyRefusals IdempotencyRefusals = new(
        MaxKeyLength: 255,
        AuthKitError.Plain("invalid_idempotency_key", $"Send one {Idempotency.Header} of 1 to 255 characters."),
        AuthKitError.Plain("idempotency_key_in_use", "Another request with this idempotency key is being worked on.", StatusCodes.Status409Conflict),
        static key => AuthKitError.MessageOnly(
            $"Another idempotency key ({key}) with different request parameters was found. Please use a different idempotency key.",
            StatusCodes.Status400BadRequest));

    /// <summary>Lets nobody in without an API key of the scope that the route names; a route that names none lets nobody in.</summary>
    public static RouteGroupBuilder RequireApiKey(this RouteGroupBuilder group)
    {
        group.AddEndpointFilter(static async (call, next) =>
        {
            HttpContext context = call.HttpContext;
            string scope = context.RequiredScope();
            if (ApiCaller.BearerOf(context.Request) is not { } bearer || await context.FindApiKeyAsync(bearer, context.RequestAborted) is not { } key)
                return AuthKitError.Unauthorized;
            if (!key.Allows(scope))
                return AuthKitError.MissingScope(scope);
            context.Features.Set(new Caller(key, bearer));

            // What a back end is told is about people; nobody on the way keeps it.
            context.Response.Headers.CacheControl = "no-store";
            if (!HttpMethods.IsPost(context.Request.Method))
                return await next(call);

            // Every POST of the door can be repeated safely under an Idempotency-Key.
            return await RequestBody.BufferAsync(context.Request, context.RequestAborted) is { } body
                ? await Idempotency.RunAsync(call, next, context.Caller(), body, IdempotencyRefusals)
                : AuthKitError.TooLarge;
        });
        return group;
    }
}
