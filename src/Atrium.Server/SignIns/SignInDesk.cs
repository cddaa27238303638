using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Server.Doors;
using Atrium.Server.Keys;
using Atrium.Server.Passwords;
using Atrium.Storage;

namespace Atrium.Server.SignIns;

/// <summary>
/// Where the doors bring a sign-in: it loads the facts, asks the engine, checks what the person shows, and stores what came of it.
/// It knows no wire format, and decides nothing that the engine could.
/// </summary>
public sealed class SignInDesk(
    SignInStore signIns,
    UserStore users,
    PasswordHasher passwords,
    GuessLimiter limiter,
    EventStore events,
    SecretBox box,
    RealmDirectory directory,
    TimeProvider clock)
{
    /// <summary>How long an attempt may take, from its first request.</summary>
    public static readonly TimeSpan SignInLifetime = TimeSpan.FromMinutes(30);

    public SignInProgress Begin(Client client, Door door, AuthorizationRequest request, OrganizationChoice choice, Origin origin, Session? standing = null)
    {
        DateTimeOffset now = clock.GetUtcNow();
        return new SignInProgress
        {
            Client = client,
            Origin = origin,
            SignIn = new SignIn
            {
                RealmId = client.RealmId,
                Id = Id<SignIn>.New(clock),
                ClientId = client.Id,
                Door = door,
                Request = request,
                Choice = choice,
                UserId = standing?.UserId,
                SessionId = standing?.Id,
                Proofs = standing?.Proofs ?? [],
                CreatedAt = now,
                ExpiresAt = now + SignInLifetime,
            },
            Standing = standing,
        };
    }

    /// <summary>A sign-in of this client under way; null for a handle that is unknown, spent, or another client's.</summary>
    public async Task<SignInProgress?> FindAsync(Client client, Door door, Secret handle, Origin origin, CancellationToken cancellationToken) =>
        await FindAsync(client.RealmId, door, handle, origin, cancellationToken) is { } progress && progress.Client.Id == client.Id ? progress : null;

    /// <summary>The same where the handle alone tells which client it is for: on the realm's own pages.</summary>
    public async Task<SignInProgress?> FindAsync(Id<Realm> realm, Door door, Secret handle, Origin origin, CancellationToken cancellationToken) =>
        await signIns.FindAsync(realm, handle.Hash(), clock.GetUtcNow(), cancellationToken) is { } stored && stored.SignIn.Door == door
            ? new SignInProgress
            {
                Client = stored.Facts.Client,
                Origin = origin,
                SignIn = stored.SignIn,
                IsStored = true,
                Browser = stored.Browser,
                Loaded = new LoadedFacts(stored.SignIn, stored.Facts),
            }
            : null;

    /// <summary>What must happen next, as of now.</summary>
    public async Task<SignInStep> NextAsync(SignInProgress progress, CancellationToken cancellationToken) =>
        SignInEngine.Next(progress.SignIn, await FactsAsync(progress, cancellationToken));

    /// <summary>
    /// The sign-in with this organization chosen, and what must happen next then; null when the person may not choose it, and the sign-in
    /// stays as it was.
    /// </summary>
    public async Task<(SignInProgress Progress, SignInStep Step)?> ChooseAsync(
        SignInProgress progress, Id<Organization> organization, CancellationToken cancellationToken)
    {
        SignInProgress choosing = progress.Choosing(organization);
        SignInFacts facts = progress.KnownFacts is { } known && SignInEngine.Next(progress.SignIn, known) is SignInStep.ChooseOrganization
            ? known.Choosing(organization)
            : await FactsAsync(choosing, cancellationToken);
        if (SignInEngine.MayChoose(organization, facts))
            return (choosing, SignInEngine.Next(choosing.SignIn, facts));
        await events.RecordAsync(
            progress.SignIn.RealmId,
            SignInEvents.Failed(choosing, SignInRefusal.OrganizationUnavailable),
            SignInEvents.OriginOf(progress, progress.SignIn.UserId),
            cancellationToken);
        return null;
    }

    /// <summary>The same for all of the organizations; null where that is not offered.</summary>
    public async Task<(SignInProgress Progress, SignInStep Step)?> ChooseAllAsync(
        SignInProgress progress, SignInStep.ChooseOrganization step, CancellationToken cancellationToken)
    {
        if (!step.OffersAll)
            return null;
        SignInProgress chosen = progress with { SignIn = progress.SignIn with { Choice = OrganizationChoice.AllMemberships } };
        return (chosen, await NextAsync(chosen, cancellationToken));
    }

    /// <summary>The sign-in with what was asked allowed by the person, and what must happen next then.</summary>
    public async Task<(SignInProgress Progress, SignInStep Step)> AllowAsync(
        SignInProgress progress, SignInStep.Consent step, CancellationToken cancellationToken)
    {
        SignInFacts facts = await FactsAsync(progress, cancellationToken);
        SignIn allowed = progress.SignIn with { Allowed = step.Asked };
        return (progress with { SignIn = allowed, Loaded = new LoadedFacts(allowed, facts) }, SignInEngine.Next(allowed, facts));
    }

    /// <summary>The person did not let the client have what it asked for: the sign-in is over. False when it was over already.</summary>
    public async Task<bool> DenyAsync(SignInProgress progress, SignInStep.Consent step, CancellationToken cancellationToken)
    {
        if (!await signIns.DeleteAsync(progress.SignIn, cancellationToken))
            return false;
        await events.RecordAsync(
            progress.SignIn.RealmId,
            SignInEvents.Failed(progress, step.User.Id, SignInFailure.ConsentDenied),
            SignInEvents.OriginOf(progress, step.User.Id),
            cancellationToken);
        return true;
    }

    public async ValueTask<SignInFacts> FactsAsync(SignInProgress progress, CancellationToken cancellationToken) =>
        progress.KnownFacts ?? await signIns.LoadFactsAsync(progress.SignIn, progress.Client, clock.GetUtcNow(), cancellationToken);

    /// <summary>
    /// Checks a password. An unknown person, one outside the chosen organization, and one without a password cost the same work and get the
    /// same answer as a wrong password.
    /// </summary>
    public async Task<ProofResult> ProvePasswordAsync(
        SignInProgress progress, string identifier, string password, CancellationToken cancellationToken)
    {
        SignIn signIn = progress.SignIn;
        GuessWatch watch = limiter.WatchOf(signIn.RealmId, identifier, progress.Origin.IpAddress);
        Id<Organization>? memberOf = signIn.Door == Door.OAuth ? null : signIn.Choice.Selected;
        (UserAndPassword? found, IReadOnlyDictionary<SecretHash, long> guesses) =
            await users.FindForSignInAsync(signIn.RealmId, identifier, memberOf, watch, cancellationToken);
        if (GuessLimiter.WaitAfter(watch, guesses) is { } wait)
            return new ProofResult.Limited(wait);

        PasswordCheck check = await passwords.VerifyAsync(password, found?.PasswordHash, cancellationToken);
        if (check == PasswordCheck.Busy)
            return new ProofResult.Busy();

        // Guesses sent at once are let in together, before any of them counts; once the limit is reached no more of them are told apart.
        SignIn proved = check == PasswordCheck.Match && found is not null
            ? signIn with { UserId = found.User.Id, Proofs = [NewProof(AuthenticationMethod.Password)], SessionId = null }
            : signIn;
        (SignInFacts facts, guesses) = await signIns.LoadFactsAsync(proved, progress.Client, clock.GetUtcNow(), watch, cancellationToken);
        if (GuessLimiter.WaitAfter(watch, guesses) is { } reached)
            return new ProofResult.Limited(reached);
        if (found is null || ReferenceEquals(proved, signIn))
        {
            await FailedAsync(progress, identifier, found?.User.Id, found is null ? SignInFailure.UnknownUser : SignInFailure.WrongPassword, cancellationToken);
            return new ProofResult.Wrong(progress);
        }

        SignInProgress known = progress with
        {
            SignIn = proved,
            Loaded = new LoadedFacts(proved, facts),
            Proof = new SpentProof { Password = new(found.User.Id, await RehashAsync(found.User, found.PasswordHash!, password, cancellationToken)) },
        };
        if (SignInEngine.Next(proved, facts) is SignInStep.Refuse refused)
            await events.RecordAsync(signIn.RealmId, SignInEvents.Failed(known, refused.Reason), SignInEvents.OriginOf(known, proved.UserId), cancellationToken);
        return new ProofResult.Proved(known);
    }

    /// <summary>
    /// Checks a code of one of these factors. A try is counted before the code is looked at, so that guesses sent at once get no more looks
    /// than guesses one by one; a right code does not count. What matched is spent together with what the sign-in becomes.
    /// </summary>
    public async Task<ProofResult> ProveTotpAsync(
        SignInProgress progress,
        User user,
        IReadOnlyList<Factor> candidates,
        string code,
        Id<FactorChallenge>? challenge,
        CancellationToken cancellationToken)
    {
        SignIn signIn = progress.SignIn;
        string account = TotpAccountOf(user.Id);
        if (await limiter.WaitAsync(signIn.RealmId, account, progress.Origin.IpAddress, cancellationToken) is { } wait)
            return new ProofResult.Limited(wait);
        if (await signIns.CountTryAsync(signIn, cancellationToken) is not { } tries)
            return new ProofResult.NoTriesLeft();

        foreach (Factor factor in candidates)
        {
            if (MatchTotp(factor, code) is { } step)
            {
                return new ProofResult.Proved(progress with
                {
                    SignIn = signIn with { Proofs = [.. signIn.Proofs, NewProof(AuthenticationMethod.Totp)] },
                    Proof = SpentProof.Of(factor, step, challenge, clock.GetUtcNow()),
                });
            }
        }

        await FailedAsync(progress, account, user.Id, SignInFailure.WrongTotp, cancellationToken);
        return new ProofResult.Wrong(progress with { SignIn = signIn with { FailedTries = tries } });
    }

    /// <summary>The name under which wrong codes of a person's factors and wrong recovery codes are counted, wherever they are typed.</summary>
    public static string TotpAccountOf(Id<User> user) => $"totp {user}";

    /// <summary>The time step that a code of this factor matches now; null for a wrong or a used one.</summary>
    public long? MatchTotp(Factor factor, string code) =>
        box.Open(factor.SealedSecret, SecretPlaceOf(factor)) is { } secret
            ? Totp.Match(secret, code, clock.GetUtcNow(), factor.LastUsedStep)
            : null;

    public Factor SealFactor(Factor factor, ReadOnlySpan<byte> secret) => factor with { SealedSecret = box.Seal(secret, SecretPlaceOf(factor)) };

    /// <summary>The mailbox was shown to be the person's.</summary>
    public SignInProgress WithVerifiedEmail(SignInProgress progress, EmailVerification verification) => progress with
    {
        SignIn = progress.SignIn with { Proofs = [.. progress.SignIn.Proofs, NewProof(AuthenticationMethod.EmailCode)] },
        Proof = new SpentProof(Verification: verification.Id),
    };

    /// <summary>
    /// Stores where a new sign-in stands, or one under way that gets a new handle. Doors make the handle, since the forms they give it differ.
    /// False when somebody else changed the sign-in meanwhile, or the person is gone or has another password.
    /// </summary>
    public Task<bool> SaveAsync(SignInProgress progress, Secret handle, CancellationToken cancellationToken) =>
        progress.IsStored
            ? signIns.ChangeAsync(progress.SignIn, handle.Hash(), progress.Proof, SignInEvents.OriginOf(progress, progress.SignIn.UserId), cancellationToken)
            : signIns.CreateAsync(progress.SignIn, handle.Hash(), progress.Browser, progress.Proof?.Password, cancellationToken);

    /// <summary>Stores where a sign-in under way stands now; it keeps its handle. False when somebody else changed it meanwhile.</summary>
    public Task<bool> SaveAsync(SignInProgress progress, CancellationToken cancellationToken) =>
        signIns.ChangeAsync(progress.SignIn, newHandle: null, progress.Proof, SignInEvents.OriginOf(progress, progress.SignIn.UserId), cancellationToken);

    public Task EndAsync(SignInProgress progress, CancellationToken cancellationToken) =>
        progress.IsStored ? signIns.DeleteAsync(progress.SignIn, cancellationToken) : Task.CompletedTask;

    /// <summary>
    /// Turns the sign-in into a session and a grant, and hands out the code that carries it: every door ends here.
    /// Null when it was completed by somebody else meanwhile, or what it rests on holds no more: the person, the password, the session.
    /// </summary>
    /// <param name="cookie">The browser's new cookie, should a session of its own be made.</param>
    public async Task<CompletedSignIn?> CompleteAsync(
        SignInProgress progress, SignInStep.Complete step, Secret? cookie, CancellationToken cancellationToken)
    {
        Secret code = Secret.New();
        SignInCompletion completion = await CompletionOfAsync(progress, step, code, cookie, cancellationToken);
        return await signIns.CompleteAsync(completion, cancellationToken)
            ? new CompletedSignIn(completion.Session, code, completion.IsNewSession)
            : null;
    }

    /// <summary>What the sign-in ends in, to be stored.</summary>
    /// <param name="code">What will carry the grant to the client.</param>
    /// <param name="cookie">The browser's new cookie, should a session of its own be made.</param>
    public async ValueTask<SignInCompletion> CompletionOfAsync(
        SignInProgress progress, SignInStep.Complete step, Secret code, Secret? cookie, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        SignIn signIn = progress.SignIn;

        // A browser's session is built on only when nothing new was proved; otherwise it gets a new id (OWASP ASVS 7.2.4). One that more was
        // proved upon lasts no longer than it would have: nobody has shown again who they are.
        Session? begun = progress.Standing is { } session && signIn.SessionId == session.Id ? session : null;
        Session? standing = begun is not null && begun.Proofs.SequenceEqual(signIn.Proofs) ? begun : null;
        Session used = standing ?? Session.Begin(
            signIn.RealmId,
            Id<Session>.New(clock),
            step.User.Id,
            signIn.Proofs,
            (await directory.RealmAsync(signIn.RealmId, cancellationToken))?.Settings.Sessions ?? new SessionSettings(),
            signIn.Request.IpAddress,
            signIn.Request.UserAgent,
            now);
        if (standing is null && begun is not null)
            used = used with { ExpiresAt = begun.ExpiresAt };
        Grant grant = new()
        {
            RealmId = signIn.RealmId,
            Id = Id<Grant>.New(clock),
            SessionId = used.Id,
            ClientId = progress.Client.Id,
            UserId = step.User.Id,
            Door = signIn.Door,
            Profile = progress.Client.ProfileFor(signIn.Door),
            Scopes = signIn.Request.Scopes,
            Choice = step.Choice,
            OnOrganizationPath = signIn.Request.OnOrganizationPath,
            Resource = signIn.Request.Resource,
            CreatedAt = now,
        };
        Consent? given = step.Given is not { } allowed ? null : new Consent
        {
            RealmId = signIn.RealmId,
            Id = allowed.Widens ?? Id<Consent>.New(clock),
            UserId = step.User.Id,
            ClientId = progress.Client.Id,
            Terms = allowed.Terms,
            GrantedAt = now,
        };
        IReadOnlyList<EventDraft> happened = SignInEvents.Completed(progress, step, used, standing is null);
        return new SignInCompletion
        {
            SignIn = signIn,
            IsStored = progress.IsStored,
            Session = used,
            IsNewSession = standing is null,
            Cookie = standing is null ? cookie?.Hash() : null,
            ReplacedSession = standing is null ? progress.Standing?.Id : null,
            Grant = grant,
            Code = new AuthorizationCode
            {
                RealmId = signIn.RealmId,
                CodeHash = code.Hash(),
                GrantId = grant.Id,
                RedirectUri = signIn.Request.RedirectUri,
                Nonce = signIn.Request.Nonce,
                CodeChallenge = signIn.Request.CodeChallenge,
                DpopJkt = signIn.Request.DpopJkt,
                CreatedAt = now,
                ExpiresAt = now + AuthorizationCode.Lifetime,
            },
            Proof = progress.Proof,
            Given = given,
            RestsOn = step.RestsOn,
            RemembersChoice = signIn.IsPicked,
            Events = given is null ? happened : [.. happened, ConsentStore.EventOf(EventTypes.UserConsentGranted, given, progress.Client)],
            Origin = SignInEvents.OriginOf(progress, step.User.Id),
        };
    }

    /// <summary>Counts a wrong guess, and tells the log of it.</summary>
    private Task FailedAsync(SignInProgress progress, string account, Id<User>? user, SignInFailure reason, CancellationToken cancellationToken) =>
        limiter.FailedAsync(
            progress.SignIn.RealmId, account, SignInEvents.OriginOf(progress, user), SignInEvents.Failed(progress, user, reason), cancellationToken);

    private Proof NewProof(AuthenticationMethod method) => new(method, clock.GetUtcNow());

    /// <summary>Brings the hash of a password that was right up to today's settings: the hash that the password stands by from now on.</summary>
    private async Task<string> RehashAsync(User user, string oldHash, string password, CancellationToken cancellationToken)
    {
        // A busy queue just leaves it for the next sign-in.
        if (!passwords.NeedsRehash(oldHash) || await passwords.HashAsync(password, cancellationToken) is not { } newHash)
            return oldHash;
        string? present = await users.RehashPasswordAsync(user.RealmId, user.Id, oldHash, newHash, cancellationToken);

        // Another sign-in may have been faster, or the password is another one by now.
        return present == newHash || await passwords.VerifyAsync(password, present, cancellationToken) == PasswordCheck.Match ? present! : oldHash;
    }

    private static byte[] SecretPlaceOf(Factor factor) => SecretPlaces.Of(factor.RealmId, factor.Id);
}
