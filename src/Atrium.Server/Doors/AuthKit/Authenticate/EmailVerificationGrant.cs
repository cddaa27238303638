using Atrium.Core;
using Atrium.Core.SignIns;
using Atrium.Server.SignIns;

namespace Atrium.Server.Doors.AuthKit.Authenticate;

/// <summary>
/// <c>urn:workos:oauth:grant-type:email-verification:code</c>: the code that was sent to the person's mailbox. Right, it also makes the
/// address verified.
/// </summary>
public sealed class EmailVerificationGrant(SignInDesk desk, EmailCodes codes, SignInAnswers answers) : AuthKitGrant
{
    public override string GrantType => "urn:workos:oauth:grant-type:email-verification:code";

    public override IReadOnlyList<string> RequiredKeys { get; } = ["code", "pending_authentication_token"];

    public override async Task<IResult> AnswerAsync(AuthenticateCall call, CancellationToken cancellationToken)
    {
        Secret pendingToken = new(call.Fields.RequiredText("pending_authentication_token"));
        string code = call.Fields.RequiredText("code");
        if (await desk.FindAsync(call.Client, Door.AuthKit, pendingToken, call.Origin, cancellationToken) is not { } progress)
            return AuthenticateErrors.InvalidPendingToken;
        SignInStep open = await desk.NextAsync(progress, cancellationToken);
        if (open is not SignInStep.VerifyEmail verify)
            return await answers.StillOpenAsync(open, pendingToken, cancellationToken);

        switch (await codes.CheckAsync(progress, verify.User, code, cancellationToken))
        {
            case EmailCodeCheck.Right right:
                SignInProgress proved = desk.WithVerifiedEmail(progress, right.Verification);
                return await answers.StepAsync(
                    proved, await desk.NextAsync(proved, cancellationToken), AuthenticateErrors.InvalidPendingToken, cancellationToken);
            case EmailCodeCheck.Limited limited:
                return AuthKitError.TooManyRequests(limited.Wait);
            case EmailCodeCheck.Expired:
                return AuthenticateErrors.CodeExpired;
            case EmailCodeCheck.Used:
                return AuthenticateErrors.CodeUsed;
            case EmailCodeCheck.TooManyTries:
                return AuthenticateErrors.TooManyTries;
            default:
                return AuthenticateErrors.InvalidCode;
        }
    }
}
