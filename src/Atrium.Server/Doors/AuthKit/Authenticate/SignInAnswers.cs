using Atrium.Core;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Server.Http;
using Atrium.Server.SignIns;
using Atrium.Server.Tokens;
using Atrium.Storage;

namespace Atrium.Server.Doors.AuthKit.Authenticate;

/// <summary>Renders where a sign-in stands: tokens at once, or what the person must do next with a new pending token.</summary>
public sealed class SignInAnswers(SignInDesk desk, GrantDesk grants, EmailCodes emailCodes)
{
    /// <param name="whenRefused">What the grant says where the person or the attempt is no longer good.</param>
    public async Task<IResult> StepAsync(
        SignInProgress progress, SignInStep step, AuthKitError whenRefused, CancellationToken cancellationToken)
    {
        if (step is SignInStep.Complete complete)
            return await CompleteAsync(progress, complete, whenRefused, cancellationToken);
        if (Refusal(step, whenRefused) is { } refusal)
            return refusal;
        Secret handle = Secret.New();
        return await desk.SaveAsync(progress, handle, cancellationToken)
            ? await PendingAsync(step, handle, cancellationToken)
            : AuthenticateErrors.InvalidPendingToken;
    }

    /// <summary>The client asked for another step than the one that stands open: the open one again, and nothing changes.</summary>
    public async Task<IResult> StillOpenAsync(SignInStep step, Secret pendingToken, CancellationToken cancellationToken) =>
        Refusal(step, AuthenticateErrors.InvalidPendingToken) ?? await PendingAsync(step, pendingToken, cancellationToken);

    public static IResult Tokens(IssuedTokens tokens) => new JsonAnswer<AuthenticateJson>(
        new AuthenticateJson
        {
            User = UserJson.From(tokens.Facts.User),
            OrganizationId = tokens.Facts.Grant.Choice.Selected?.ToString(),
            AccessToken = tokens.AccessToken,
            RefreshToken = tokens.RefreshToken?.Reveal(),
            AuthenticationMethod = tokens.Facts.Session.Proofs is [{ Method: AuthenticationMethod.EmailCode }, ..] ? "MagicAuth" : "Password",
        },
        AuthKitJson.Default.AuthenticateJson);

    private async Task<IResult> CompleteAsync(
        SignInProgress progress, SignInStep.Complete step, AuthKitError whenRefused, CancellationToken cancellationToken)
    {
        SignInCompletion completion = await desk.CompletionOfAsync(progress, step, Secret.New(), cookie: null, cancellationToken);
        return await grants.CompleteAsync(progress.Client, completion, cancellationToken) switch
        {
            GrantResult.Issued issued => Tokens(issued.Tokens),
            GrantResult.Refused { Reason: GrantRefusal.NotMember } => AuthenticateErrors.NoSuchMembership,
            _ => whenRefused,
        };
    }

    private static AuthKitError? Refusal(SignInStep step, AuthKitError whenRefused) => step switch
    {
        SignInStep.UseConnection connection => AuthenticateErrors.SsoRequired(connection.User.Email),
        SignInStep.Refuse { Reason: SignInRefusal.TooManyTries } => AuthenticateErrors.TooManyTries,
        SignInStep.Refuse { Reason: SignInRefusal.OrganizationUnavailable } => AuthenticateErrors.NoSuchMembership,
        SignInStep.Refuse { Reason: SignInRefusal.MethodNotAllowed } => AuthenticateErrors.MethodsRequired,
        SignInStep.Refuse { Reason: SignInRefusal.ClientDisabled } => AuthenticateErrors.InvalidClient,
        SignInStep.Refuse { Reason: SignInRefusal.NotFirstParty } => AuthenticateErrors.UnauthorizedClient,
        SignInStep.Refuse or SignInStep.Prove or SignInStep.Complete => whenRefused,
        _ => null,
    };

    private async Task<AuthKitError> PendingAsync(SignInStep step, Secret handle, CancellationToken cancellationToken)
    {
        AuthKitErrorBody token = new() { PendingAuthenticationToken = handle.Reveal() };
        switch (step)
        {
            case SignInStep.ChooseOrganization choose:
                return Forbidden(token with
                {
                    Code = "organization_selection_required",
                    Message = "The user must choose an organization to finish their authentication.",
                    User = UserJson.From(choose.User),
                    Organizations =
                        [.. choose.Organizations.Select(static entry => new NamedOrganization(entry.Organization.Id.ToString(), entry.Organization.Name))],
                });
            case SignInStep.VerifyEmail verify:
                EmailVerification verification = await emailCodes.ForAsync(verify.User, cancellationToken);
                return Forbidden(token with
                {
                    Code = "email_verification_required",
                    Message = "Email ownership must be verified before authentication.",
                    Email = verify.User.Email,
                    EmailVerificationId = verification.Id.ToString(),
                });
            case SignInStep.EnrolFactor enrol:
                return Forbidden(token with
                {
                    Code = "mfa_enrollment",
                    Message = "The user must enroll in MFA to finish authenticating.",
                    User = UserJson.From(enrol.User),
                });
            case SignInStep.ProveFactor prove:
                return Forbidden(token with
                {
                    Code = "mfa_challenge",
                    Message = "The user must complete an MFA challenge to finish authenticating.",
                    User = UserJson.From(prove.User),
                    AuthenticationFactors = [.. prove.Factors.Select(static factor => new TypedFactor(factor.Id.ToString(), "totp"))],
                });
            default:
                throw new InvalidOperationException($"{step.GetType().Name} asks nothing of the person.");
        }
    }

    private static AuthKitError Forbidden(AuthKitErrorBody body) => new(StatusCodes.Status403Forbidden, body);
}

/// <summary>Signed in (<c>UserlandAuthenticateResponse</c>).</summary>
public sealed record AuthenticateJson
{
    public required UserJson User { get; init; }

    /// <summary>Left out where no organization is selected.</summary>
    public required string? OrganizationId { get; init; }

    public required string AccessToken { get; init; }

    public required string? RefreshToken { get; init; }

    /// <summary>The first factor, also after a second one and after a refresh.</summary>
    public required string AuthenticationMethod { get; init; }
}
