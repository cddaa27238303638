using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.SignIns;
using Atrium.Storage;

namespace Atrium.Server.SignIns;

/// <summary>A sign-in on its way through one request: what it has become, and what must be spent when that is stored.</summary>
public sealed record SignInProgress
{
    public required SignIn SignIn { get; init; }

    public required Client Client { get; init; }

    /// <summary>From where this request comes; a sign-in may go on from elsewhere than it began.</summary>
    public required Origin Origin { get; init; }

    public bool IsStored { get; init; }

    /// <summary>The browser that a hosted sign-in is bound to.</summary>
    public SecretHash? Browser { get; init; }

    /// <summary>The session that the browser brought, if it may be built on.</summary>
    public Session? Standing { get; init; }

    public SpentProof? Proof { get; init; }

    /// <summary>Facts that are loaded already; they say nothing of what the sign-in has become since.</summary>
    public LoadedFacts? Loaded { get; init; }

    /// <summary>The facts of the sign-in as it is, if they are loaded.</summary>
    public SignInFacts? KnownFacts => ReferenceEquals(Loaded?.SignIn, SignIn) ? Loaded!.Facts : null;

    /// <summary>The same for this organization; whether the person may go there is the engine's to say.</summary>
    public SignInProgress Choosing(Id<Organization> organization) =>
        this with { SignIn = SignIn with { Choice = new OrganizationChoice.Chosen(organization) } };
}

/// <summary>Facts, and the very sign-in that they were loaded for.</summary>
public sealed record LoadedFacts(SignIn SignIn, SignInFacts Facts);

/// <summary>A session, and the code that carries its new grant to the client.</summary>
public sealed record CompletedSignIn(Session Session, Secret Code, bool IsNewSession);

/// <summary>How the check of something the person showed ended.</summary>
public abstract record ProofResult
{
    private ProofResult()
    {
    }

    public sealed record Proved(SignInProgress Progress) : ProofResult;

    /// <summary>It was not right; a try of a second factor is counted in <paramref name="Progress"/>.</summary>
    public sealed record Wrong(SignInProgress Progress) : ProofResult;

    /// <summary>The sign-in is over, or has had all its tries of a second factor; nothing was looked at.</summary>
    public sealed record NoTriesLeft : ProofResult;

    /// <summary>Too many wrong guesses lately.</summary>
    public sealed record Limited(TimeSpan Wait) : ProofResult;

    /// <summary>More sign-ins wait than the machine can hash in good time.</summary>
    public sealed record Busy : ProofResult;
}
