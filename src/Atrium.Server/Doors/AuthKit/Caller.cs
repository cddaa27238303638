using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Http;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>The back end that calls, known by its API key; everything it may see or touch is of that key's realm.</summary>
public sealed record Caller(ApiKey Key)
{
    public Id<Realm> Realm => Key.RealmId;
}

/// <summary>Finds out who calls, and keeps everybody else out.</summary>
public static class Callers
{
    /// <summary>Lets nobody in without an API key of the scope that the route names; a route that names none lets nobody in.</summary>
    public static RouteGroupBuilder RequireApiKey(this RouteGroupBuilder group)
    {
        group.AddEndpointFilter(static async (call, next) =>
        {
            HttpContext context = call.HttpContext;
            string scope = context.GetEndpoint()?.Metadata.GetMetadata<RequiredScope>()?.Scope
                ?? throw new InvalidOperationException($"The route {context.Request.Path} names no scope.");
            if (await context.FindApiKeyAsync(BearerOf(context.Request), context.RequestAborted) is not { } key)
                return AuthKitError.Unauthorized;
            if (!key.Allows(scope))
                return AuthKitError.MissingScope(scope);
            context.Features.Set(new Caller(key));

            // What a back end is told is about people; nobody on the way keeps it.
            context.Response.Headers.CacheControl = "no-store";
            return HttpMethods.IsPost(context.Request.Method) ? await PostAsync(context, key, call, next) : await next(call);
        });
        return group;
    }

    /// <summary>The scope of <see cref="ApiScopes"/> that a key must have for this route.</summary>
    public static RouteHandlerBuilder Needs(this RouteHandlerBuilder route, string scope) => route.WithMetadata(new RequiredScope(scope));

    /// <summary>Who calls; only behind <see cref="RequireApiKey"/>.</summary>
    public static Caller Caller(this HttpContext context) =>
        context.Features.Get<Caller>() ?? throw new InvalidOperationException("This route has no caller.");

    /// <summary>The key of that text, if it is one and has not expired.</summary>
    public static async Task<ApiKey?> FindApiKeyAsync(this HttpContext context, string? text, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        RealmDirectory directory = context.RequestServices.GetRequiredService<RealmDirectory>();
        DateTimeOffset now = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
        ApiKey? key = await directory.ApiKeyAsync(new Secret(text), cancellationToken);
        return key is not null && (key.ExpiresAt is not { } expiresAt || now < expiresAt) ? key : null;
    }

    /// <summary>The credentials of the header; null when there are none. An SDK of a public client sends the scheme with nothing behind it.</summary>
    public static string? BearerOf(HttpRequest request) =>
        request.CredentialsOf("Bearer") is { Length: > 0 } token ? token : null;

    /// <summary>Every POST of the door can be repeated safely under an <c>Idempotency-Key</c>.</summary>
    private static async Task<object?> PostAsync(
        HttpContext context, ApiKey key, EndpointFilterInvocationContext call, EndpointFilterDelegate next)
    {
        if (await Idempotency.BufferBodyAsync(context, context.RequestAborted) is not { } body)
            return AuthKitError.TooLarge;
        return await context.RequestServices.GetRequiredService<Idempotency>().RunAsync(
            context,
            key.RealmId,
            BearerOf(context.Request)!,
            body,
            isRepeatable: false,
            async workToken =>
            {
                // The handler's arguments were made before this filter: it works under the token that it is given here.
                for (int i = 0; i < call.Arguments.Count; i++)
                {
                    if (call.Arguments[i] is CancellationToken)
                        call.Arguments[i] = workToken;
                }

                return (IResult)(await next(call))!;
            },
            context.RequestAborted);
    }

    private sealed record RequiredScope(string Scope);
}
