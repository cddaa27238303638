using System.Security.Cryptography;
using System.Text;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Http;
using Atrium.Server.Keys;
using Atrium.Storage;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>
/// <c>Idempotency-Key</c>: a POST that is sent again answers what it answered before. The SDKs send one with every POST and repeat it when
/// they retry. Answers hold secrets, so they are encrypted under what the caller must present to get one: its credential and the key.
/// </summary>
public sealed class Idempotency(IdempotencyStore store, TimeProvider clock)
{
    public const string Header = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotent-Replayed";

    private const int MaxKeyLength = 255;
    private const string Purpose = "idempotent-answer";

    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(24);

    /// <summary>Whoever works longer than this on one request has died.</summary>
    private static readonly TimeSpan WorkedOnFor = TimeSpan.FromSeconds(60);

    /// <summary>How long a second request waits for the first one's answer, and how often it looks.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private static readonly AuthKitError InUse =
        AuthKitError.Plain("idempotency_key_in_use", "Another request with this idempotency key is being worked on.", StatusCodes.Status409Conflict);

    /// <summary>Reads the whole body and puts it back for the handler; null when it is too large.</summary>
    public static async Task<byte[]?> BufferBodyAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (await RequestBody.ReadAsync(context.Request, cancellationToken) is not { } body)
            return null;
        context.Request.Body = new MemoryStream(body, writable: false);
        return body;
    }

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
        Func<CancellationToken, Task<IResult>> work,
        CancellationToken cancellationToken)
    {
        StringValues header = context.Request.Headers[Header];
        if (header.Count == 0)
            return await work(cancellationToken);
        if (header is not [{ Length: > 0 and <= MaxKeyLength } key])
            return AuthKitError.Plain("invalid_idempotency_key", $"Send one {Header} of 1 to {MaxKeyLength} characters.");

        byte[] root = SecretBox.Place(credential, key);
        SecretHash name = HashOf(root, "name");
        SecretHash fingerprint = HashOf(
            root, SecretBox.Place("request", context.Request.Method, context.Request.Path.Value ?? "", context.Request.QueryString.Value ?? ""), body);
        for (TimeSpan waited = TimeSpan.Zero; waited <= Patience; waited += Look)
        {
            DateTimeOffset now = clock.GetUtcNow();
            switch (await store.ReserveAsync(realm, name, fingerprint, now, now - WorkedOnFor, now - KeptFor, cancellationToken))
            {
                case null:
                    return await WorkAsync(context, realm, root, name, isRepeatable, work);
                case var other when other.Fingerprint != fingerprint:
                    return AuthKitError.MessageOnly(
                        $"Another idempotency key ({key}) with different request parameters was found. Please use a different idempotency key.",
                        StatusCodes.Status400BadRequest);
                case { Status: { } status, SealedBody: { } kept } when BoxOf(root).Open(kept, PlaceOf(realm, name)) is { } opened:
                    context.Response.Headers[ReplayedHeader] = "true";
                    context.Response.Headers.CacheControl = "no-store";
                    return new KeptAnswer(status, opened);
            }

            await Task.Delay(Look, clock, cancellationToken);
        }

        return InUse;
    }

    /// <summary>Runs the request with its answer held back: what is kept is what was sent, and a refusal is not kept.</summary>
    private async Task<IResult> WorkAsync(
        HttpContext context, Id<Realm> realm, byte[] root, SecretHash name, bool isRepeatable, Func<CancellationToken, Task<IResult>> work)
    {
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
                await IfAvailableAsync(store.KeepAsync(
                    realm, name, context.Response.StatusCode, BoxOf(root).Seal(held.ToArray(), PlaceOf(realm, name)), CancellationToken.None));
            }

            return new KeptAnswer(context.Response.StatusCode, held.ToArray());
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
                await IfAvailableAsync(store.ReleaseAsync(realm, name, CancellationToken.None));
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

    private sealed class KeptAnswer(int status, byte[] body) : IResult
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
