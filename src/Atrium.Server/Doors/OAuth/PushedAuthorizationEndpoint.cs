using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Doors.OAuth.Dpop;
using Atrium.Server.Http;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth;

/// <summary>The answer to a pushed request (RFC 9126 section 2.2).</summary>
public sealed record PushedBody
{
    public required string RequestUri { get; init; }

    /// <summary>Seconds.</summary>
    public int ExpiresIn { get; } = (int)PushedRequest.Lifetime.TotalSeconds;
}

/// <summary>
/// Pushed authorization requests (RFC 9126): the client proves who it is as at the token endpoint, and its request is held against the same rules as
/// at the authorization endpoint; the browser then carries a reference alone.
/// </summary>
public sealed class PushedAuthorizationEndpoint(ClientAuthentication authentication, IdTokenHints hints, DpopCheck dpop, PushedRequests pushed)
{
    /// <summary>Characters of all parameters: whoever knows a public client's id can have them stored.</summary>
    private const int MaxLength = 32 * 1024;

    private static readonly OAuthError ReferenceInside = new("ATR1240", "invalid_request", "A pushed request can't refer to another one: leave out request_uri.");
    private static readonly OAuthError TooLarge = new("ATR1241", "invalid_request", "The parameters have more than 32768 characters together.", StatusCodes.Status413PayloadTooLarge);
    private static readonly OAuthError OtherKey = new("ATR1156", "invalid_request", "dpop_jkt is the thumbprint of another key than the proof's.");
    private static readonly OAuthError ClientGone = new("ATR1245", "invalid_client", "The client was deleted meanwhile.", StatusCodes.Status401Unauthorized);

    public async Task<IResult> HandleAsync(HttpContext context, string? org, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        ReadForm read = await OAuthParameters.ReadUniqueFormAsync(context.Request, cancellationToken);
        if (read.Parameters is not { } form)
            return read.Error!.ToAnswer(context);
        AuthenticatedClient authenticated = await authentication.AuthenticateAsync(context, realm, form, cancellationToken);
        if (authenticated.Client is not { } client)
            return authenticated.Error!.ToAnswer(context);

        SentRequest sent = new(form, org, WasPushed: true);
        if (await CheckAsync(realm, client, sent, cancellationToken) is { } error)
            return error.ToAnswer(context);

        // RFC 9449 section 10.1: a proof names the key that the code is for, like dpop_jkt.
        ProvedKey proved = await dpop.CheckAsync(context, client, token: null, isRequired: false, cancellationToken);
        if (proved.Error is { } unproved)
            return unproved.ToAnswer(context);
        if (proved.Jkt is { } jkt)
        {
            if (form.ValueOf("dpop_jkt") is { } named && named != jkt)
                return OtherKey.ToAnswer(context);
            sent = sent with { Parameters = new Dictionary<string, StringValues>(form, StringComparer.Ordinal) { ["dpop_jkt"] = jkt } };
        }

        if (await pushed.PushAsync(client, sent, cancellationToken) is not { } uri)
            return ClientGone.ToAnswer(context);
        context.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<PushedBody>(new PushedBody { RequestUri = uri.Reveal() }, OAuthJson.Default.PushedBody, StatusCodes.Status201Created);
    }

    private async Task<OAuthError?> CheckAsync(Realm realm, Client client, SentRequest sent, CancellationToken cancellationToken)
    {
        if (sent.Parameters.ContainsKey("request_uri"))
            return ReferenceInside;
        if (sent.Parameters.Sum(static pair => pair.Key.Length + pair.Value.ToString().Length) > MaxLength)
            return TooLarge;
        CheckedRequest? request = null;
        OAuthError? error = AuthorizeCheck.CheckRedirect(client, sent, out string redirectUri) ?? AuthorizeCheck.Check(client, redirectUri, sent, out request);
        return error is null && request!.IdTokenHint is { } hint && await hints.SubjectAsync(realm, client, hint, cancellationToken) is null
            ? IdTokenHints.Bad
            : error;
    }
}
