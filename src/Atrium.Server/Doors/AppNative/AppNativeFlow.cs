using System.Security.Cryptography;
using System.Text;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Server.Hosting;
using Atrium.Server.Http;
using Atrium.Server.SignIns;

namespace Atrium.Server.Doors.AppNative;

/// <summary>Brings a flow to its next step, and says it in this door's words.</summary>
public sealed class AppNativeFlow(SignInDesk desk, PublicUrl publicUrl)
{
    /// <summary>The message key of a retryable failure that is nobody's business to know more of.</summary>
    private const string LoginFailed = "login.fail.message";

    /// <summary>Goes on with what the request made of the sign-in.</summary>
    /// <param name="flowId">The flow's id; null for a flow that begins.</param>
    /// <param name="failureKey">Why the organization named at the start was not found; the person may name another, if the step offers that.</param>
    public async Task<IResult> AdvanceAsync(
        HttpContext context, Realm realm, SignInProgress progress, string? flowId, string? failureKey, CancellationToken cancellationToken)
    {
        SignInStep step = await desk.NextAsync(progress, cancellationToken);
        if (step is SignInStep.Complete complete)
        {
            return await desk.CompleteAsync(progress, complete, cookie: null, cancellationToken) is { } completed
                ? Completed(context, progress, completed)
                : AppNativeError.Conflict.ToAnswer(context, realm);
        }

        IReadOnlyList<Authenticator> options = Authenticator.OptionsOf(step);
        AppNativeError? error = AppNativeError.Of(step);
        if (failureKey is not null && !options.Contains(Authenticator.Organization))
            error = AppNativeError.OrganizationUnavailable;
        if (error is not null)
        {
            await desk.EndAsync(progress, cancellationToken);
            return error.ToAnswer(context, realm);
        }

        bool saved;
        if (flowId is null)
        {
            // 122 random bits, in the form that the contract gives the id (section 1.3).
            flowId = Guid.NewGuid().ToString();
            saved = await desk.SaveAsync(progress, new Secret(flowId), cancellationToken);
        }
        else
        {
            saved = await desk.SaveAsync(progress, cancellationToken);
        }

        if (!saved)
            return AppNativeError.Conflict.ToAnswer(context, realm);

        return failureKey is null
            ? Prompt(context, realm, progress, flowId, options)
            : DiscoveryFailed(context, realm, progress, flowId, failureKey);
    }

    /// <summary>What is to be done next.</summary>
    public IResult Prompt(HttpContext context, Realm realm, SignInProgress progress, string flowId, IReadOnlyList<Authenticator> options) =>
        Prompt(context, realm, progress, flowId, "INCOMPLETE", options, message: null);

    /// <summary>It was wrong, whatever of it was: the same once more.</summary>
    public IResult Failed(HttpContext context, Realm realm, SignInProgress progress, string flowId, Authenticator option) =>
        Prompt(context, realm, progress, flowId, "FAIL_INCOMPLETE", [option], MessageOf("ABA-60003", LoginFailed));

    /// <summary>The organization was not found. The original leaves the message id out, and so gives the key of its text as <c>message.null</c>.</summary>
    public IResult DiscoveryFailed(HttpContext context, Realm realm, SignInProgress progress, string flowId, string key) =>
        Prompt(context, realm, progress, flowId, "FAIL_INCOMPLETE", [Authenticator.Organization], MessageOf(key, key));

    private static MessageBody MessageOf(string id, string message) => new("ERROR", id, message, $"message.{id}");

    private JsonAnswer<FlowBody> Prompt(
        HttpContext context,
        Realm realm,
        SignInProgress progress,
        string flowId,
        string status,
        IReadOnlyList<Authenticator> options,
        MessageBody? message)
    {
        bool alone = options.Count == 1;
        string basePath = progress.SignIn.Choice.Selected is { } organization
            ? publicUrl.Organization(realm.Handle, organization)
            : publicUrl.Realm(realm.Handle);
        return Answer(context, new FlowBody
        {
            FlowId = flowId,
            FlowStatus = status,
            FlowType = "AUTHENTICATION",
            NextStep = new NextStepBody(
                alone ? "AUTHENTICATOR_PROMPT" : "MULTI_OPTIONS_PROMPT",
                [.. options.Select(option => option.ToBody(progress.Client, alone))],
                message is null ? null : [message]),
            Links = [new LinkBody("authentication", $"{basePath}/oauth2/authn", "POST")],
        });
    }

    private static JsonAnswer<FlowBody> Completed(HttpContext context, SignInProgress progress, CompletedSignIn completed)
    {
        AuthorizationRequest request = progress.SignIn.Request;
        return Answer(context, new FlowBody
        {
            FlowStatus = "SUCCESS_COMPLETED",
            AuthData = new AuthDataBody(
                completed.Code.Reveal(),
                request.State,
                SessionState(progress.Client.ClientId, request.RedirectUri!, completed.Session)),
        });
    }

    /// <summary>
    /// OpenID Connect Session Management section 3: <c>hash(client_id origin opbs salt).salt</c>. Android's client fails on one that is missing.
    /// The browser state is made of the session, so that it ends with it.
    /// </summary>
    private static string SessionState(string clientId, string redirectUri, Session session)
    {
        string browserState = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"opbs {session.Id}")));
        string salt = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{clientId} {OriginOf(redirectUri)} {browserState} {salt}"));
        return $"{Convert.ToHexStringLower(hash)}.{salt}";
    }

    /// <summary>RFC 6454 section 6.2: only web addresses have an origin that reads as more than <c>null</c>.</summary>
    private static string OriginOf(string redirectUri) =>
        Uri.TryCreate(redirectUri, UriKind.Absolute, out Uri? uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            ? uri.GetLeftPart(UriPartial.Authority)
            : "null";

    private static JsonAnswer<FlowBody> Answer(HttpContext context, FlowBody body)
    {
        context.Response.Headers.CacheControl = "no-store";
        return new(body, AppNativeJson.Relaxed.FlowBody);
    }
}
