using Atrium.Core.Events;
using Atrium.Server.Http;

namespace Atrium.Server.Doors;

/// <summary>Who asks for a change, and from where: what the events of the change will say.</summary>
public static class RequestOrigin
{
    /// <summary>Of a back end, its key; of everybody else, whoever the door names.</summary>
    public static Origin Origin(this HttpContext context) => context.KnownCaller() is { } caller
        ? context.OriginOf(ActorType.ApiKey, caller.Key.Id.ToString())
        : context.OriginOf(ActorType.System, null);

    public static Origin OriginOf(this HttpContext context, ActorType actor, string? id) => new(actor)
    {
        ActorId = id,
        IpAddress = context.RemoteAddress(),
        UserAgent = context.Request.UserAgent(),
        RequestId = context.TraceIdentifier,
    };

    /// <summary>
    /// The same for a request that may be asked a second time: the answer that the change's result makes is kept in the transaction of the change.
    /// </summary>
    /// <param name="answer">What is answered to this result of the store's method; pure.</param>
    public static Origin Origin<T>(this HttpContext context, Func<T, IResult> answer) =>
        context.Origin() with { Receipt = context.Features.Get<IdempotentRequest>()?.ReceiptFor(answer) };
}
