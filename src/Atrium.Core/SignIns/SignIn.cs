using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.Users;

namespace Atrium.Core.SignIns;

/// <summary>
/// One attempt to sign in, from the first request to the grant. It is half of an authentication and a type of its own:
/// nothing that wants a <see cref="Session"/> takes a SignIn.
/// </summary>
public sealed record SignIn : IIdentified
{
    public static string IdPrefix => "sin_";

    /// <summary>Tries of a second factor before the attempt is over.</summary>
    public const int MaxFactorTries = 5;

    public required Id<Realm> RealmId { get; init; }

    public required Id<SignIn> Id { get; init; }

    public required Id<Client> ClientId { get; init; }

    public required Door Door { get; init; }

    public required AuthorizationRequest Request { get; init; }

    /// <summary>Who it is, once the first proof or a session has told.</summary>
    public Id<User>? UserId { get; init; }

    public IReadOnlyList<Proof> Proofs { get; init; } = [];

    public OrganizationChoice Choice { get; init; } = OrganizationChoice.Unchosen;

    /// <summary>What the person has just let the client have. It is stored as a consent when the sign-in completes, never with the sign-in.</summary>
    public ConsentTerms? Allowed { get; init; }

    /// <summary>Wrong codes so far.</summary>
    public int FailedTries { get; init; }

    /// <summary>The standing session that the attempt builds on, if any.</summary>
    public Id<Session>? SessionId { get; init; }

    /// <summary>Whether the person has said that they go on as whom that session is of.</summary>
    public bool AccountConfirmed { get; init; }

    /// <summary>Recovery codes that were made with a new factor, encrypted: shown until the person says that they are kept, then forgotten.</summary>
    public byte[]? SealedCodes { get; init; }

    /// <summary>Counts the changes. A change is stored only over the version it was decided on, so two submits at once cannot both count.</summary>
    public int Version { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Whether the person picked on a page what it is for, where the client left that open.</summary>
    public bool IsPicked => Door == Door.OAuth && Request.Organization is null && Choice != OrganizationChoice.Unchosen;

    public bool HasProved(AuthenticationMethod method) => Proofs.Any(proof => proof.Method == method);

    public bool HasSecondFactor => Proofs.Any(static proof => SignInPolicy.IsSecondFactor(proof.Method));

    /// <summary>When the person last proved anything: <c>auth_time</c>.</summary>
    public DateTimeOffset? AuthenticatedAt => Proofs.Count == 0 ? null : Proofs.Max(static proof => proof.At);

    /// <summary>The same attempt by somebody who is not known yet, instead of whom the standing session is of.</summary>
    public SignIn ForSomebodyElse() => this with { UserId = null, SessionId = null, Proofs = [] };
}

/// <summary>What the person has shown, and when.</summary>
public sealed record Proof(AuthenticationMethod Method, DateTimeOffset At);

public enum AuthenticationMethod
{
    Password,
    Totp,

    /// <summary>A code that reached the person's mailbox.</summary>
    EmailCode,

    /// <summary>One of the codes that a person keeps for the day on which the authenticator app is gone.</summary>
    RecoveryCode,
}

/// <summary>The parameters of the authorization request that outlive it, as the client sent them.</summary>
public sealed record AuthorizationRequest
{
    public string? RedirectUri { get; init; }

    public IReadOnlyList<string> Scopes { get; init; } = [];

    public string? State { get; init; }

    public string? Nonce { get; init; }

    /// <summary>S256 only (RFC 7636).</summary>
    public string? CodeChallenge { get; init; }

    /// <summary>RFC 8707; the audience of the access token.</summary>
    public string? Resource { get; init; }

    /// <summary>RFC 9449 section 10; the thumbprint of the key that the code is for.</summary>
    public string? DpopJkt { get; init; }

    public string? LoginHint { get; init; }

    /// <summary>Those of the levels in <c>acr_values</c> that there are; see <see cref="AuthenticationLevels"/>.</summary>
    public IReadOnlyList<string> AcrValues { get; init; } = [];

    /// <summary>The client wants the person to say whether to go on as whom the browser is signed in as (<c>prompt=select_account</c>).</summary>
    public bool SelectAccount { get; init; }

    /// <summary>The organization that the client named, by <c>org</c> or the path; null where it left the choice open.</summary>
    public string? Organization { get; init; }

    /// <summary>Whether the client wants the person to be asked for consent, whatever was given before: <c>prompt=consent</c>.</summary>
    public bool AsksConsent { get; init; }

    /// <summary>Whether it began on an organization's own path of the app-native door.</summary>
    public bool OnOrganizationPath { get; init; }

    public string? UserAgent { get; init; }

    public string? IpAddress { get; init; }
}
