using System.Security.Cryptography;
using System.Text;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Realms;
using Atrium.Server.Http;
using Atrium.Server.Keys;
using Atrium.Storage;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors;

/// <summary>How a door refuses an idempotency key.</summary>
/// <param name="Invalid">It is no key.</param>
/// <param name="InUse">The first request with it is still being worked on.</param>
/// <param name="OtherRequest">It was another request's.</param>
public sealed record IdempotencyRefusals(int MaxKeyLength, IResult Invalid, IResult InUse, Func<string, IResult> OtherRequest)
{
    /// <summary>The <c>ETag</c> that an answer had, from its body; null where it had none.</summary>
    public Func<byte[], string?> EntityTagOf { get; init; } = static _ => null;
}

/// <summary>A request under an idempotency key, as the change that it asks for knows it.</summary>
public sealed class IdempotentRequest(SecretHash key, SecretHash owner, Func<byte[], byte[]> seal)
{
    /// <summary>Keeps what <paramref name="answer"/> makes of the change's result, if that is a success.</summary>
    public Receipt ReceiptFor<T>(Func<T, IResult> answer) => new(
        key,
        owner,
        result => result is T of && answer(of) is IKnownAnswer { StatusCode: >= 200 and < 300 } known ? new KeptAnswer(known.StatusCode, seal(known.Body())) : null);
}

/// <summary>
/// <c>Idempotency-Key</c>: a POST that is sent again answers what it answered before. The SDKs send one with every POST and repeat it when
/// they retry. Answers hold secrets, so they are encrypted under what the caller must present to get one: its credential and the key.
/// </summary>
public sealed class Idempotency(IdempotencyStore store, TimeProvider clock)
{
    public const string Header = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotent-Replayed";

    private const string Purpose = "idempotent-answer";

    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(24);

    /// <summary>Whoever works longer than this on one request has died.</summary>
    private static readonly TimeSpan WorkedOnFor = TimeSpan.FromSeconds(60);

    /// <summary>How long a second request waits for the first one's answer, and how often it looks.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>The same for a route behind an API key, from its filter.</summary>
    public static async ValueTask<object?> RunAsync(
        EndpointFilterInvocationContext call, EndpointFilterDelegate next, Caller caller, byte[] body, IdempotencyRefusals refusals) =>
        await call.HttpContext.RequestServices.GetRequiredService<Idempotency>().RunAsync(
            call.HttpContext,
            caller.Realm,
            caller.Credential,
            body,
            isRepeatable: false,
            refusals,
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
            call.HttpContext.RequestAborted);

    /// <summary>
    /// Answers a request, or once more what it answered before. What is done under a key is done to the end, whether or not the caller still
    /// listens: half of it, with the key given free, would be done twice by the next try.
    /// </summary>
    /// <param name="credential">What the caller is believed for; only who has it gets the answer again.</param>
    /// <param name="isRepeatable">
    /// Whether the work may be done again where nobody knows whether it was done: what it redeems is spent once. Other work keeps its key until
    /// it is given free by its age.
    /// </param>
    public async Task<IResult> RunAsync(
        HttpContext context,
        Id<Realm> realm,
        string credential,
        byte[] body,
        bool isRepeatable,
        IdempotencyRefusals refusals,
        Func<CancellationToken, Task<IResult>> work,
        CancellationToken cancellationToken)
    {
        StringValues header = context.Request.Headers[Header];
        if (header.Count == 0)
            return await work(cancellationToken);
        if (header is not [{ Length: > 0 } key] || key.Length > refusals.MaxKeyLength)
            return refusals.Invalid;

        byte[] root = SecretBox.Place(credential, key);
        SecretHash name = HashOf(root, "name");
        SecretHash fingerprint = HashOf(
            root, SecretBox.Place("request", context.Request.Method, context.Request.Path.Value ?? "", context.Request.QueryString.Value ?? ""), body);
        SecretHash owner = Secret.New().Hash();
        for (TimeSpan waited = TimeSpan.Zero; waited <= Patience; waited += Look)
        {
            DateTimeOffset now = clock.GetUtcNow();
            switch (await store.ReserveAsync(realm, name, fingerprint, owner, now, now - WorkedOnFor, now - KeptFor, cancellationToken))
            {
                case null:
                    return await WorkAsync(context, new Reservation(realm, name, owner, root), isRepeatable, refusals, work);
                case var other when other.Fingerprint != fingerprint:
                    return refusals.OtherRequest(key);
                case { Status: { } status, SealedBody: { } kept } when BoxOf(root).Open(kept, PlaceOf(realm, name)) is { } opened:
                    context.Response.Headers[ReplayedHeader] = "true";
                    context.Response.Headers.CacheControl = "no-store";
                    context.Response.Headers.ETag = refusals.EntityTagOf(opened);
                    return new AnswerAgain(status, opened);
            }

            await Task.Delay(Look, clock, cancellationToken);
        }

        return refusals.InUse;
    }

    /// <summary>Runs the request with its answer held back: what is kept is what was sent, and a refusal is not kept.</summary>
    private async Task<IResult> WorkAsync(
        HttpContext context, Reservation reserved, bool isRepeatable, IdempotencyRefusals refusals, Func<CancellationToken, Task<IResult>> work)
    {
        context.Features.Set(new IdempotentRequest(reserved.Name, reserved.Owner, reserved.Seal));
        bool mayHaveBeenDone = false;
        CancellationToken callerLeft = context.RequestAborted;
        context.RequestAborted = CancellationToken.None;
        try
        {
            IResult result = await work(CancellationToken.None);
            Stream sent = context.Response.Body;
            using MemoryStream held = new();
            context.Response.Body = held;
            try
            {
                await result.ExecuteAsync(context);
            }
            finally
            {
                context.Response.Body = sent;
            }

            mayHaveBeenDone = context.Response.StatusCode is >= 200 and < 300;
            if (mayHaveBeenDone)
            {
                KeptAnswer kept = new(context.Response.StatusCode, reserved.Seal(held.ToArray()));
                await IfAvailableAsync(store.KeepAsync(reserved.Realm, reserved.Name, reserved.Owner, kept, CancellationToken.None));
            }

            return new AnswerAgain(context.Response.StatusCode, held.ToArray());
        }
        catch (ReservationLostException)
        {
            // It took so long that a second request with the key has begun, and that one goes on.
            mayHaveBeenDone = true;
            return refusals.InUse;
        }
        catch (DatabaseUnavailableException e)
        {
            mayHaveBeenDone = e.MayHaveBeenDone && !isRepeatable;
            throw;
        }
        finally
        {
            context.RequestAborted = callerLeft;
            if (!mayHaveBeenDone)
                await IfAvailableAsync(store.ReleaseAsync(reserved.Realm, reserved.Name, reserved.Owner, CancellationToken.None));
        }
    }

    /// <summary>
    /// What was done, or refused, is answered even where the database is gone before that could be written down; the key is given free by its age.
    /// </summary>
    private static async Task IfAvailableAsync(Task bookkeeping)
    {
        try
        {
            await bookkeeping;
        }
        catch (DatabaseUnavailableException)
        {
            // The request itself is what counts.
        }
    }

    /// <summary>Keyed, because a body may hold a password, which could be guessed from a plain hash.</summary>
    private static SecretHash HashOf(byte[] root, string purpose) => new(HMACSHA256.HashData(root, Encoding.UTF8.GetBytes(purpose)));

    private static SecretHash HashOf(byte[] root, byte[] request, byte[] body) => new(HMACSHA256.HashData(root, (byte[])[.. request, .. body]));

    private static SecretBox BoxOf(byte[] root) => SecretBox.DerivedFrom(root, Purpose);

    private static byte[] PlaceOf(Id<Realm> realm, SecretHash name) => SecretBox.Place(realm.ToString(), Purpose, Convert.ToHexString(name.Bytes));

    private sealed record Reservation(Id<Realm> Realm, SecretHash Name, SecretHash Owner, byte[] Root)
    {
        public byte[] Seal(byte[] body) => BoxOf(Root).Seal(body, PlaceOf(Realm, Name));
    }

    private sealed class AnswerAgain(int status, byte[] body) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = status;
            if (body.Length == 0)
                return;
            httpContext.Response.ContentType = "application/json";
            httpContext.Response.ContentLength = body.Length;
            await httpContext.Response.Body.WriteAsync(body, httpContext.RequestAborted);
        }
    }
}
