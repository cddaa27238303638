namespace Atrium.Core.SignIns;

/// <summary>Why somebody did not get in, as the log tells those who run the realm. The person is told less.</summary>
public enum SignInFailure
{
    /// <summary>Nobody of that name can sign in here.</summary>
    UnknownUser,
    WrongPassword,
    WrongTotp,
    WrongEmailCode,
    WrongRecoveryCode,
    Expired,
    ClientDisabled,
    UserDisabled,
    TooManyTries,
    OrganizationUnavailable,
    MethodNotAllowed,
    RequirementsUnmet,
}
