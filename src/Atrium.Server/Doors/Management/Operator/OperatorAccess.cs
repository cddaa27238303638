using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Storage;
using Microsoft.AspNetCore.Http.Features;

namespace Atrium.Server.Doors.Management.Operator;

/// <summary>Lets nobody at realms themselves but who has an operator key. A realm's own keys open nothing here, and an operator's nothing in a realm.</summary>
public static class OperatorAccess
{
    private static readonly ManagementError Unauthorized = ManagementError.Unauthorized with
    {
        Description = "Send an operator key as \"Authorization: Bearer ok_...\". This one is missing or unknown.",
    };

    public static RouteGroupBuilder RequireOperatorKey(this RouteGroupBuilder group)
    {
        group.AddEndpointFilter(static async (call, next) =>
        {
            HttpContext context = call.HttpContext;
            if (ApiCaller.BearerOf(context.Request) is not { } presented
                || await context.RequestServices.GetRequiredService<OperatorKeyStore>().FindAsync(new Secret(presented).Hash(), context.RequestAborted) is not { } key)
            {
                return Unauthorized;
            }

            if (ManagementAccess.UnknownParameter(context) is { } unknown)
                return ManagementError.Invalid($"There is no query parameter \"{unknown}\" here.");
            context.Features.Set(key);
            context.Response.Headers.CacheControl = "no-store";
            return await next(call);
        });
        return group;
    }

    /// <summary>Who asks for a change; only behind <see cref="RequireOperatorKey"/>.</summary>
    public static Origin OperatorOrigin(this HttpContext context) =>
        context.OriginOf(ActorType.Operator, context.Features.GetRequiredFeature<OperatorKey>().Id.ToString());
}
