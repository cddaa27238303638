namespace Atrium.Core.SignIns;

/// <summary>How much somebody has shown: the authentication context class (OpenID Connect Core section 2, <c>acr</c>), the lesser first.</summary>
public enum AuthenticationLevel
{
    SingleFactor,

    /// <summary>Who they are, and a second factor beside it.</summary>
    MultiFactor,
}

/// <summary>The names of the levels on the wire, and which of them proofs come to. One function for the sign-in and for every token.</summary>
public static class AuthenticationLevels
{
    public const string SingleFactor = "urn:atrium:acr:1fa";
    public const string MultiFactor = "urn:atrium:acr:mfa";

    /// <summary>All of them, the lesser first.</summary>
    public static IReadOnlyList<string> Names { get; } = [SingleFactor, MultiFactor];

    public static AuthenticationLevel Of(IReadOnlyList<Proof> proofs) =>
        proofs.Any(static proof => SignInPolicy.IsIdentity(proof.Method)) && proofs.Any(static proof => SignInPolicy.IsSecondFactor(proof.Method))
            ? AuthenticationLevel.MultiFactor
            : AuthenticationLevel.SingleFactor;

    public static string NameOf(AuthenticationLevel level) => Names[(int)level];

    /// <summary>
    /// What a request asks for: the least of the levels that it names, since any one of them will do (RFC 9470 section 3). Null where it names none;
    /// names of others are no concern of ours (OpenID Connect Core section 3.1.2.1: the values are voluntary).
    /// </summary>
    public static AuthenticationLevel? AskedBy(AuthorizationRequest request) =>
        request.AcrValues.Contains(SingleFactor) ? AuthenticationLevel.SingleFactor
        : request.AcrValues.Contains(MultiFactor) ? AuthenticationLevel.MultiFactor
        : null;
}
