namespace Atrium.Server.Doors.AuthKit.Authenticate;

/// <summary>What the grants refuse with; several grants must say the same thing in the same words.</summary>
internal static class AuthenticateErrors
{
    /// <summary>Unknown client and wrong secret alike.</summary>
    public static readonly AuthKitError InvalidClient = AuthKitError.OAuth("invalid_client", "Invalid client ID.");

    public static readonly AuthKitError UnauthorizedClient =
        AuthKitError.OAuth("unauthorized_client", "The client may not use this grant.");

    public static readonly AuthKitError InvalidPendingToken =
        AuthKitError.Plain("invalid_pending_authentication_token", "The pending_authentication_token has expired or is invalid.");

    /// <summary>One answer for unknown, foreign, suspended and inactive: what exists cannot be told from it.</summary>
    public static readonly AuthKitError NoSuchMembership =
        AuthKitError.OAuth("organization_membership_not_found", "The user has no active membership in this organization.");

    public static readonly AuthKitError InvalidRefreshToken = AuthKitError.OAuth("invalid_grant", "Invalid refresh token.");

    public static readonly AuthKitError RefreshTokenExchanged = AuthKitError.OAuth("invalid_grant", "Refresh token already exchanged.");

    public static readonly AuthKitError InvalidCode = AuthKitError.Plain("invalid_one_time_code", "The code is not valid.");

    public static readonly AuthKitError CodeExpired = AuthKitError.Plain("one_time_code_expired", "The code has expired.");

    public static readonly AuthKitError CodeUsed = AuthKitError.Plain("one_time_code_previously_used", "The code has been used before.");

    public static readonly AuthKitError TooManyTries =
        AuthKitError.Plain("one_time_code_too_many_attempts", "Too many wrong codes. Sign in again.");

    public static readonly AuthKitError InvitationInvalid =
        AuthKitError.OAuth("invitation_invalid", "The invitation is not valid.");

    public static AuthKitError InvalidRequest(string message) => AuthKitError.OAuth("invalid_request", message);

    /// <summary>A wrong password, an unknown person, one without a password and one who is disabled: all the same.</summary>
    public static AuthKitError InvalidCredentials(string email) =>
        AuthKitError.Plain("invalid_credentials", $"Invalid credentials for '{(email.Length > 254 ? email[..254] : email)}'.");

    public static AuthKitError SsoRequired(string email) =>
        AuthKitError.OAuth("sso_required", "User must authenticate using one of the matching connections.").With(body => body with
        {
            Email = email,
            ConnectionIds = [],
        });

    /// <summary>The organization does not take what the person showed, and there is nothing that it would take.</summary>
    public static AuthKitError MethodsRequired { get; } = AuthKitError
        .OAuth("organization_authentication_methods_required", "User must authenticate using one of the methods allowed by the organization.")
        .With(static body => body with { SsoConnectionIds = [], AuthMethods = new Dictionary<string, bool>(StringComparer.Ordinal) { ["password"] = false } });

    public static AuthKitError With(this AuthKitError error, Func<AuthKitErrorBody, AuthKitErrorBody> more) => error with { Body = more(error.Body) };
}
