using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>
/// What every database must do, whatever its make. A make derives from this and says how one is opened; the tests are the same.
/// Each test has a database of its own with two realms, so that a neighbour is always there to be found by mistake.
/// </summary>
public abstract partial class StoreContract : IAsyncLifetime
{
    protected static readonly CancellationToken None = CancellationToken.None;

    /// <summary>An empty database that nobody else uses; the next call opens the same one again.</summary>
    protected abstract Task<Database> OpenDatabase();

    protected FakeClock Clock { get; } = new();

    protected Database Database { get; private set; } = null!;

    protected RealmStore Realms { get; private set; } = null!;

    protected SigningKeyStore SigningKeys { get; private set; } = null!;

    protected ApiKeyStore Keys { get; private set; } = null!;

    protected EventStore Events { get; private set; } = null!;

    protected ClientStore Clients { get; private set; } = null!;

    protected OrganizationStore Organizations { get; private set; } = null!;

    protected RoleStore Roles { get; private set; } = null!;

    protected OrganizationDomainStore Domains { get; private set; } = null!;

    protected UserStore Users { get; private set; } = null!;

    protected MembershipStore Memberships { get; private set; } = null!;

    protected FactorStore Factors { get; private set; } = null!;

    protected SessionStore Sessions { get; private set; } = null!;

    protected SignInStore SignIns { get; private set; } = null!;

    protected GrantStore Grants { get; private set; } = null!;

    protected GuessStore Guesses { get; private set; } = null!;

    protected IdempotencyStore Idempotency { get; private set; } = null!;

    protected Realm Realm { get; private set; } = null!;

    /// <summary>The neighbour, who must never be seen and never sees anything.</summary>
    protected Realm Other { get; private set; } = null!;

    protected DateTimeOffset Now => Clock.GetUtcNow();

    public async ValueTask InitializeAsync()
    {
        await Reopen();
        Realm = await MakeRealm("acme");
        Other = await MakeRealm("globex");
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task Reopen()
    {
        if (Database is not null)
            await Database.DisposeAsync();
        Database = await OpenDatabase();
        Realms = new RealmStore(Database);
        SigningKeys = new SigningKeyStore(Database);
        Database.Time = Clock;
        Keys = new(Database);
        Events = new(Database);
        Clients = new ClientStore(Database);
        Organizations = new OrganizationStore(Database);
        Roles = new RoleStore(Database);
        Domains = new OrganizationDomainStore(Database);
        Users = new UserStore(Database);
        Memberships = new MembershipStore(Database);
        Factors = new FactorStore(Database);
        Sessions = new SessionStore(Database);
        SignIns = new SignInStore(Database);
        Grants = new GrantStore(Database);
        Guesses = new GuessStore(Database);
        Idempotency = new IdempotencyStore(Database);
    }

    protected async Task<Realm> MakeRealm(string handle)
    {
        Realm realm = new() { Id = Id<Realm>.New(Clock), Handle = handle, Name = handle, CreatedAt = Now, UpdatedAt = Now };
        await Realms.CreateAsync(
            realm,
            [new SigningKey { RealmId = realm.Id, Kid = "k1", Algorithm = "ES256", SealedPrivateKey = [1, 2], Certificate = [3], CreatedAt = Now }],
            Origin.System,
            None);
        return realm;
    }

    protected Client NewClient(string clientId = "web", Realm? realm = null) => new()
    {
        RealmId = (realm ?? Realm).Id,
        Id = Id<Client>.New(Clock),
        ClientId = clientId,
        Name = "Web",
        Type = ClientType.Web,
        SecretHash = new Secret("secret").Hash(),
        RedirectUris = ["http://localhost:3000/callback", "https://app.test/cb?x=1"],
        PostLogoutRedirectUris = ["http://localhost:3000/"],
        GrantTypes = ["authorization_code", "refresh_token"],
        SignatureAlgorithm = "RS256",
        Status = ClientStatus.Disabled,
        SharedWithAll = false,
        Settings = new ClientSettings
        {
            Openid = new OpenIdSettings { DefaultAccessTokenAge = 77, RefreshGraceSeconds = 0 },
            Restrictions = new RestrictionSettings
            {
                Organizations = new OrganizationRestriction { Policy = OrganizationPolicy.None },
            },
            Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg },
            AppNative = new AppNativeSettings { Enabled = true, Steps = [["password"], ["totp", "email"]], TokenIssuer = TokenIssuerSetting.Organization },
            PkceRequired = false,
        },
        CreatedAt = Now,
        UpdatedAt = Now,
    };

    /// <summary>A client that is active and shared with all, which is what most tests want.</summary>
    protected async Task<Client> MakeClient(string clientId = "web", Realm? realm = null)
    {
        Client client = NewClient(clientId, realm) with { Status = ClientStatus.Active, SharedWithAll = true, Settings = new ClientSettings() };
        await Clients.CreateAsync(client, Origin.System, None);
        return client;
    }

    protected Organization NewOrganization(string handle, Realm? realm = null) => new()
    {
        RealmId = (realm ?? Realm).Id,
        Id = Id<Organization>.New(Clock),
        Handle = handle,
        Name = handle,
        Status = OrganizationStatus.Active,
        CreatedAt = Now,
        UpdatedAt = Now,
    };

    protected async Task<Organization> MakeOrganization(string handle, Realm? realm = null)
    {
        Organization organization = NewOrganization(handle, realm);
        await Organizations.CreateAsync(organization, [], Origin.System, None);
        return organization;
    }

    protected OrganizationDomain NewDomain(Organization organization, string domain, bool verified = true) => new()
    {
        RealmId = organization.RealmId,
        Id = Id<OrganizationDomain>.New(Clock),
        OrganizationId = organization.Id,
        Domain = domain,
        State = verified ? DomainState.Verified : DomainState.Pending,
        CreatedAt = Now,
        UpdatedAt = Now,
    };

    protected Role NewRole(string slug, string[] permissions, Organization? organization = null) => new()
    {
        RealmId = Realm.Id,
        OrganizationId = organization?.Id,
        Slug = slug,
        Name = slug,
        Permissions = permissions,
        CreatedAt = Now,
        UpdatedAt = Now,
    };

    protected User NewUser(string email, Realm? realm = null) => new()
    {
        RealmId = (realm ?? Realm).Id,
        Id = Id<User>.New(Clock),
        Email = email,
        EmailVerified = true,
        CreatedAt = Now,
        UpdatedAt = Now,
    };

    protected async Task<User> MakeUser(string email, Realm? realm = null)
    {
        User user = NewUser(email, realm);
        await Users.CreateAsync(user, "hash", Origin.System, None);
        return user;
    }

    protected Membership NewMembership(User user, Organization organization, MembershipStatus status = MembershipStatus.Active) => new()
    {
        RealmId = user.RealmId,
        Id = Id<Membership>.New(Clock),
        UserId = user.Id,
        OrganizationId = organization.Id,
        Scopes = ["member"],
        Status = status,
        JoinedAt = Now,
        CreatedAt = Now,
        UpdatedAt = Now,
    };

    protected async Task<Membership> MakeMembership(User user, Organization organization, MembershipStatus status = MembershipStatus.Active)
    {
        Membership membership = NewMembership(user, organization, status);
        await Memberships.CreateAsync(membership, Origin.System, None);
        return membership;
    }

    protected async Task<Factor> MakeFactor(User user)
    {
        Factor factor = new()
        {
            RealmId = user.RealmId,
            Id = Id<Factor>.New(Clock),
            UserId = user.Id,
            Issuer = "Acme",
            Account = user.Email,
            SealedSecret = [1, 2, 3],
            Confirmed = false,
            CreatedAt = Now,
            UpdatedAt = Now,
        };
        await Factors.CreateAsync(factor, Origin.System, None);
        return factor;
    }

    protected async Task<FactorChallenge> MakeChallenge(Factor factor)
    {
        FactorChallenge challenge = new()
        {
            RealmId = factor.RealmId,
            Id = Id<FactorChallenge>.New(Clock),
            FactorId = factor.Id,
            CreatedAt = Now,
            ExpiresAt = Now + FactorChallenge.Lifetime,
        };
        await Factors.CreateChallengeAsync(challenge, None);
        return challenge;
    }

    protected SignIn NewSignIn(Client client, User? user = null) => new()
    {
        RealmId = client.RealmId,
        Id = Id<SignIn>.New(Clock),
        ClientId = client.Id,
        Door = Door.AuthKit,
        Request = new AuthorizationRequest { Scopes = ["openid"], State = "state", CodeChallenge = "challenge", OnOrganizationPath = true },
        UserId = user?.Id,
        Proofs = user is null ? [] : [new Proof(AuthenticationMethod.Password, Now)],
        CreatedAt = Now,
        ExpiresAt = Now.AddMinutes(30),
    };

    protected async Task<(SignIn SignIn, Secret Handle)> MakeSignIn(Client client, User? user = null)
    {
        SignIn signIn = NewSignIn(client, user);
        Secret handle = Secret.New();
        await SignIns.CreateAsync(signIn, handle.Hash(), browser: null, password: null, None);
        return (signIn, handle);
    }

    protected SignInCompletion NewCompletion(
        SignIn signIn,
        User user,
        TokenProfile profile = TokenProfile.SingleOrg,
        OrganizationChoice? choice = null,
        bool isStored = true,
        Session? standing = null,
        Secret? cookie = null)
    {
        Session session = standing ?? new Session
        {
            RealmId = user.RealmId,
            Id = Id<Session>.New(Clock),
            UserId = user.Id,
            Proofs = [new Proof(AuthenticationMethod.Password, Now), new Proof(AuthenticationMethod.EmailCode, Now)],
            AuthenticatedAt = Now,
            IpAddress = "127.0.0.1",
            CreatedAt = Now,
            UpdatedAt = Now,
            LastUsedAt = Now,
            IdleTimeout = 30 * 24 * 3600,
            ExpiresAt = Now.AddDays(30),
        };
        Grant grant = new()
        {
            RealmId = user.RealmId,
            Id = Id<Grant>.New(Clock),
            SessionId = session.Id,
            ClientId = signIn.ClientId,
            UserId = user.Id,
            Door = signIn.Door,
            Profile = profile,
            Scopes = ["openid", "email"],
            Choice = choice ?? OrganizationChoice.NoOrganization,
            Resource = "https://api.test",
            CreatedAt = Now,
        };
        return new SignInCompletion
        {
            SignIn = signIn,
            IsStored = isStored,
            Session = session,
            IsNewSession = standing is null,
            Cookie = cookie?.Hash(),
            Grant = grant,
            Code = new AuthorizationCode
            {
                RealmId = user.RealmId,
                CodeHash = Secret.New().Hash(),
                GrantId = grant.Id,
                RedirectUri = "http://localhost:3000/callback",
                Nonce = "nonce",
                CodeChallenge = "challenge",
                CreatedAt = Now,
                ExpiresAt = Now + AuthorizationCode.Lifetime,
            },
        };
    }

    /// <summary>A grant of this person, with its session and code.</summary>
    protected async Task<SignInCompletion> MakeGrant(
        Client client,
        User user,
        TokenProfile profile = TokenProfile.SingleOrg,
        OrganizationChoice? choice = null,
        Session? standing = null,
        Secret? cookie = null)
    {
        SignInCompletion completion = NewCompletion(NewSignIn(client, user), user, profile, choice, isStored: false, standing, cookie);
        if (!await SignIns.CompleteAsync(completion, None))
            throw new InvalidOperationException("A sign-in that is not stored always completes.");
        return completion;
    }

    protected RefreshToken NewToken(Grant grant) => new()
    {
        RealmId = grant.RealmId,
        TokenHash = Secret.New().Hash(),
        GrantId = grant.Id,
        CreatedAt = Now,
        ExpiresAt = Now.AddDays(7),
    };

    /// <summary>A grant with its first refresh token.</summary>
    protected async Task<(SignInCompletion Completion, RefreshToken Token)> MakeFamily(
        Client client, User user, TokenProfile profile = TokenProfile.SingleOrg, OrganizationChoice? choice = null)
    {
        SignInCompletion completion = await MakeGrant(client, user, profile, choice);
        RefreshToken token = NewToken(completion.Grant);
        if (!await Redeem(completion, token))
            throw new InvalidOperationException("A fresh code is redeemed once.");
        return (completion, token);
    }

    /// <summary>Redeems the code as its client would, for this refresh token; whether it was this call that did.</summary>
    protected async Task<bool> Redeem(SignInCompletion completion, RefreshToken token) =>
        await Grants.RedeemAsync(NewRedemption(completion, token), None) is { IsSpentNow: true };

    protected CodeRedemption NewRedemption(SignInCompletion completion, RefreshToken token) => new()
    {
        RealmId = completion.Code.RealmId,
        CodeHash = completion.Code.CodeHash,
        ClientId = completion.Grant.ClientId,
        RedirectUri = completion.Code.RedirectUri,
        CodeChallenge = completion.Code.CodeChallenge,
        Now = Now,
        Mark = token.TokenHash,
        GivesRefreshToken = true,
        RefreshExpiresAt = token.ExpiresAt,
    };

    /// <summary>Spends the token as its client would for this successor; whether it was this call that did.</summary>
    protected async Task<bool> Rotate(RefreshToken token, Grant grant, byte[] sealedSuccessor, RefreshToken successor, Id<Organization>? switchTo = null) =>
        await Grants.RotateAsync(NewRotation(token, grant, sealedSuccessor, successor) with { SwitchTo = switchTo }, None) is { IsSpentNow: true };

    protected RefreshRotation NewRotation(RefreshToken token, Grant grant, byte[] sealedSuccessor, RefreshToken successor) => new()
    {
        RealmId = token.RealmId,
        TokenHash = token.TokenHash,
        ClientId = grant.ClientId,
        Now = Now,
        SuccessorHash = successor.TokenHash,
        SealedSuccessor = sealedSuccessor,
        ExpiresAt = successor.ExpiresAt,
    };

    protected async Task<bool> IsLive(Grant grant) => (await Grants.LoadAsync(grant.RealmId, grant.Id, None)) is { } facts && facts.IsLive(Now);

    /// <summary>Starts the same thing many times at once, from many threads.</summary>
    protected static Task<T[]> AtOnce<T>(Func<int, Task<T>> work, int times = 20) =>
        Task.WhenAll(Enumerable.Range(0, times).Select(i => Task.Run(() => work(i))));
}
