using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Server.Http;
using Atrium.Server.SignIns;

namespace Atrium.Server.Doors.AuthKit.Authenticate;

/// <summary>
/// <c>password</c>. With <c>organization_id</c>, which the original doesn't have, the person is signed in to that organization at once
/// instead of being asked.
/// </summary>
public sealed class PasswordGrant(SignInDesk desk, SignInAnswers answers) : AuthKitGrant
{
    public override string GrantType => "password";

    public override IReadOnlyList<string> RequiredKeys { get; } = ["email", "password"];

    public override async Task<IResult> AnswerAsync(AuthenticateCall call, CancellationToken cancellationToken)
    {
        string email = call.Fields.RequiredText("email");
        string password = call.Fields.RequiredText("password");
        string? organization = call.Fields.Text("organization_id");
        if (call.Fields.Error is { } wrong)
            return wrong;
        if (call.Fields.Has("invitation_token"))
            return AuthenticateErrors.InvitationInvalid;

        SignInProgress progress = desk.Begin(call.Client, Door.AuthKit, call.ToRequest(), OrganizationChoice.Unchosen, call.Origin);
        AuthKitError invalid = AuthenticateErrors.InvalidCredentials(email);
        switch (await desk.ProvePasswordAsync(progress, email, password, cancellationToken))
        {
            case ProofResult.Proved proved:
                return await GoOnAsync(proved.Progress, organization, invalid, cancellationToken);
            case ProofResult.Limited limited:
                return AuthKitError.TooManyRequests(limited.Wait);
            case ProofResult.Busy:
                return AuthKitError.Unavailable(Unavailable.Hashing);
            default:
                return invalid;
        }
    }

    /// <summary>The organization is looked at only behind the right password, so that it tells strangers nothing.</summary>
    private async Task<IResult> GoOnAsync(SignInProgress progress, string? organization, AuthKitError invalid, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(organization))
            return await answers.StepAsync(progress, await desk.NextAsync(progress, cancellationToken), invalid, cancellationToken);
        if (await desk.NextAsync(progress, cancellationToken) is SignInStep.Refuse or SignInStep.Prove)
            return invalid;
        return Id<Organization>.Parse(organization) is { } wanted && await desk.ChooseAsync(progress, wanted, cancellationToken) is var (chosen, next)
            ? await answers.StepAsync(chosen, next, invalid, cancellationToken)
            : AuthenticateErrors.NoSuchMembership;
    }
}
