using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Hosting;
using Atrium.Server.SignIns;
using Atrium.Storage;

namespace Atrium.Server.Demo;

/// <summary>The realms of <c>atrium demo</c>: one to try everything in, and a neighbour that must never be seen from it.</summary>
public sealed class DemoRealm(IServiceProvider services)
{
    public const string Handle = "acme";
    public const string NeighbourHandle = "globex";
    public const string Password = "Demo-Passw0rd!";
    public const string TotpSecret = "JBSWY3DPEHPK3PXP";
    public const string ApiKey = "sk_demo_atrium";
    public const string NeighbourApiKey = "sk_demo_globex";
    public const string ServerSecret = "demo-server-secret";
    public const string MachineSecret = "demo-m2m-secret";
    public const string Callback = "http://localhost:3000/callback";
    public const string NativeCallback = "http://localhost:3000/cb";
    public const string AfterSignOut = "http://localhost:3000/";

    private readonly Backbone backbone = services.GetRequiredService<Backbone>();
    private readonly ClientStore clients = services.GetRequiredService<ClientStore>();
    private readonly ClientSharingStore sharing = services.GetRequiredService<ClientSharingStore>();
    private readonly OrganizationStore organizations = services.GetRequiredService<OrganizationStore>();
    private readonly ApiKeyStore keys = services.GetRequiredService<ApiKeyStore>();
    private readonly UserStore users = services.GetRequiredService<UserStore>();
    private readonly RoleStore roles = services.GetRequiredService<RoleStore>();
    private readonly MembershipStore memberships = services.GetRequiredService<MembershipStore>();
    private readonly FactorStore factors = services.GetRequiredService<FactorStore>();
    private readonly SignInDesk desk = services.GetRequiredService<SignInDesk>();
    private readonly TimeProvider clock = services.GetRequiredService<TimeProvider>();

    /// <summary>Makes what is not there yet; a demo that was stopped half way, or changed by its user, is left as it is otherwise.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        // The neighbour's key comes last of all: once it opens something, the whole demo is there.
        if (await keys.FindAsync(new Secret(NeighbourApiKey).Hash(), cancellationToken) is not null)
            return;

        string passwordHash = await backbone.Passwords.HashAsync(Password, cancellationToken)
            ?? throw new InvalidOperationException("Nothing else can be hashing while the demo is made.");
        await MakeAcmeAsync(passwordHash, cancellationToken);
        await MakeGlobexAsync(passwordHash, cancellationToken);
    }

    private async Task MakeAcmeAsync(string passwordHash, CancellationToken cancellationToken)
    {
        Realm realm = await RealmAsync(Handle, "Acme", new RealmSettings { SignUp = new SignUpSettings { Policy = SignUpPolicy.Open } }, cancellationToken);
        foreach (string role in new[] { "owner", "admin", "member" })
            await RoleAsync(realm, role, cancellationToken);

        Organization northwind = await OrganizationAsync(realm, "Northwind", "northwind.test", OrganizationStatus.Active, cancellationToken);
        Organization contoso = await OrganizationAsync(realm, "Contoso", "contoso.test", OrganizationStatus.Active, cancellationToken);
        Organization fabrikam = await OrganizationAsync(realm, "Fabrikam", domain: null, OrganizationStatus.Active, cancellationToken);
        Organization tailspin = await OrganizationAsync(realm, "Tailspin", domain: null, OrganizationStatus.Suspended, cancellationToken);

        User mia = await UserAsync(realm, "mia@example.test", "Mia", passwordHash, cancellationToken);
        User sam = await UserAsync(realm, "sam@example.test", "Sam", passwordHash, cancellationToken);
        User tom = await UserAsync(realm, "tom@example.test", "Tom", passwordHash, cancellationToken);
        await UserAsync(realm, "zoe@example.test", "Zoe", passwordHash, cancellationToken);

        await MemberAsync(mia, northwind, ["owner", "billing:write"], "Founder", MembershipStatus.Active, daysAgo: 90, cancellationToken);
        await MemberAsync(mia, contoso, ["member", "projects:read"], title: null, MembershipStatus.Active, daysAgo: 60, cancellationToken);
        await MemberAsync(mia, fabrikam, ["member"], title: null, MembershipStatus.Suspended, daysAgo: 30, cancellationToken);
        await MemberAsync(mia, tailspin, ["member"], title: null, MembershipStatus.Active, daysAgo: 20, cancellationToken);
        await MemberAsync(sam, northwind, ["member"], title: null, MembershipStatus.Active, daysAgo: 80, cancellationToken);
        await MemberAsync(tom, contoso, ["admin"], title: null, MembershipStatus.Active, daysAgo: 50, cancellationToken);
        await FactorAsync(tom, cancellationToken);

        Organization[] shared = [northwind, contoso, tailspin];
        await ClientAsync(Public(realm, "demo-web", "Demo web app", Callback), [], cancellationToken);
        await ClientAsync(
            Public(realm, "demo-server", "Demo server app", Callback) with { Type = ClientType.Web, SecretHash = new Secret(ServerSecret).Hash() },
            [],
            cancellationToken);
        await ClientAsync(
            Public(realm, "demo-m2m", "Demo service", Callback) with
            {
                Type = ClientType.M2M,
                RedirectUris = [],
                PostLogoutRedirectUris = [],
                GrantTypes = ["client_credentials"],
                SecretHash = new Secret(MachineSecret).Hash(),
            },
            [],
            cancellationToken);
        await ClientAsync(AuthKit(realm, "demo-authkit"), [], cancellationToken);
        await ClientAsync(Native(realm, "demo-native", new AppNativeSettings { Enabled = true, Steps = [["password"]] }), shared, cancellationToken);
        await ClientAsync(
            Native(
                realm,
                "demo-native-mfa",
                new AppNativeSettings { Enabled = true, EnhancedOrganizationAuthentication = false, Steps = [["password"], ["totp"]] }),
            shared,
            cancellationToken);
        await ClientAsync(Native(realm, "demo-native-off", new AppNativeSettings { Enabled = false }), shared, cancellationToken);
        await ApiKeyAsync(realm, ApiKey, cancellationToken);
    }

    private async Task MakeGlobexAsync(string passwordHash, CancellationToken cancellationToken)
    {
        Realm realm = await RealmAsync(NeighbourHandle, "Globex", new RealmSettings(), cancellationToken);
        await RoleAsync(realm, "member", cancellationToken);
        Organization initech = await OrganizationAsync(realm, "Initech", domain: null, OrganizationStatus.Active, cancellationToken);
        User kim = await UserAsync(realm, "kim@example.test", "Kim", passwordHash, cancellationToken);
        await MemberAsync(kim, initech, ["member"], title: null, MembershipStatus.Active, daysAgo: 40, cancellationToken);
        await ClientAsync(AuthKit(realm, "globex-authkit"), [], cancellationToken);
        await ApiKeyAsync(realm, NeighbourApiKey, cancellationToken);
    }

    private async Task<Realm> RealmAsync(string handle, string name, RealmSettings settings, CancellationToken cancellationToken)
    {
        if (await backbone.Realms.FindByHandleAsync(handle, cancellationToken) is { } existing)
            return existing;
        DateTimeOffset now = clock.GetUtcNow();
        Realm realm = new() { Id = Id<Realm>.New(clock), Handle = handle, Name = name, Settings = settings, CreatedAt = now, UpdatedAt = now };
        await backbone.Realms.CreateAsync(realm, backbone.Keys.MakeFor(realm), Origin.System, cancellationToken);
        return realm;
    }

    private async Task RoleAsync(Realm realm, string slug, CancellationToken cancellationToken)
    {
        if ((await roles.NamedAsync(realm.Id, [], [slug], cancellationToken)).Count == 0)
        {
            DateTimeOffset now = clock.GetUtcNow();
            Role role = new()
            {
                RealmId = realm.Id,
                Slug = slug,
                Name = char.ToUpperInvariant(slug[0]) + slug[1..],
                Permissions = [],
                CreatedAt = now,
                UpdatedAt = now,
            };
            await roles.CreateAsync(role, Origin.System, cancellationToken);
        }
    }

    private async Task<Organization> OrganizationAsync(
        Realm realm, string name, string? domain, OrganizationStatus status, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        Organization organization = new()
        {
            RealmId = realm.Id,
            Id = Id<Organization>.New(clock),
            Handle = Handles.FromName(name),
            Name = name,
            Status = status,
            CreatedAt = now,
            UpdatedAt = now,
        };
        OrganizationDomain[] domains = domain is null
            ? []
            :
            [
                new OrganizationDomain
                {
                    RealmId = realm.Id,
                    Id = Id<OrganizationDomain>.New(clock),
                    OrganizationId = organization.Id,
                    Domain = domain,
                    State = DomainState.Verified,
                    CreatedAt = now,
                    UpdatedAt = now,
                },
            ];
        await organizations.CreateAsync(organization, domains, Origin.System, cancellationToken);
        return await organizations.FindByHandleAsync(realm.Id, organization.Handle, cancellationToken) ?? organization;
    }

    private async Task<User> UserAsync(Realm realm, string email, string givenName, string passwordHash, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        User user = new()
        {
            RealmId = realm.Id,
            Id = Id<User>.New(clock),
            Email = email,
            EmailVerified = true,
            GivenName = givenName,
            CreatedAt = now,
            UpdatedAt = now,
        };
        await users.CreateAsync(user, passwordHash, Origin.System, cancellationToken);
        return await users.FindByEmailAsync(realm.Id, email, cancellationToken) ?? user;
    }

    private Task MemberAsync(
        User user, Organization organization, IReadOnlyList<string> scopes, string? title, MembershipStatus status, int daysAgo, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        Membership membership = new()
        {
            RealmId = user.RealmId,
            Id = Id<Membership>.New(clock),
            UserId = user.Id,
            OrganizationId = organization.Id,
            Scopes = scopes,
            Title = title,
            Status = status,
            JoinedAt = now.AddDays(-daysAgo),
            CreatedAt = now,
            UpdatedAt = now,
        };
        return memberships.CreateAsync(membership, Origin.System, cancellationToken);
    }

    private async Task FactorAsync(User user, CancellationToken cancellationToken)
    {
        if ((await factors.ListAsync(user.RealmId, user.Id, new PageRequest<Factor>(1), cancellationToken)).Items.Count > 0
            || !Base32.TryDecode(TotpSecret, out byte[]? secret))
        {
            return;
        }

        DateTimeOffset now = clock.GetUtcNow();
        Factor factor = new()
        {
            RealmId = user.RealmId,
            Id = Id<Factor>.New(clock),
            UserId = user.Id,
            Issuer = "Acme",
            Account = user.Email,
            SealedSecret = [],
            Confirmed = true,
            CreatedAt = now,
            UpdatedAt = now,
        };
        await factors.CreateAsync(desk.SealFactor(factor, secret), Origin.System, cancellationToken);
    }

    private Client Public(Realm realm, string clientId, string name, string callback) => new()
    {
        RealmId = realm.Id,
        Id = Id<Client>.New(clock),
        ClientId = clientId,
        Name = name,
        Type = ClientType.Spa,
        RedirectUris = [callback],
        PostLogoutRedirectUris = [AfterSignOut],
        GrantTypes = ["authorization_code", "refresh_token"],
        CreatedAt = clock.GetUtcNow(),
        UpdatedAt = clock.GetUtcNow(),
    };

    private Client AuthKit(Realm realm, string clientId) => Public(realm, clientId, "Demo AuthKit app", Callback) with
    {
        Settings = new ClientSettings { Authkit = new AuthKitSettings { Enabled = true } },
    };

    private Client Native(Realm realm, string clientId, AppNativeSettings appNative) => Public(realm, clientId, "Demo native app", NativeCallback) with
    {
        Type = ClientType.Native,
        SharedWithAll = false,
        Settings = new ClientSettings { AppNative = appNative, PkceRequired = false },
    };

    private async Task ClientAsync(Client client, IReadOnlyList<Organization> sharedWith, CancellationToken cancellationToken)
    {
        await clients.CreateAsync(client, Origin.System, cancellationToken);
        Client made = await clients.FindAsync(client.RealmId, client.ClientId, cancellationToken) ?? client;
        foreach (Organization organization in sharedWith)
            await sharing.ShareAsync(made.RealmId, made.Id, organization.Id, Origin.System, cancellationToken);
    }

    private async Task ApiKeyAsync(Realm realm, string secret, CancellationToken cancellationToken)
    {
        SecretHash hash = new Secret(secret).Hash();
        if (await keys.FindAsync(hash, cancellationToken) is null)
        {
            ApiKey key = new()
            {
                RealmId = realm.Id,
                Id = Id<ApiKey>.New(clock),
                Name = "Demo key",
                Scopes = [Core.Realms.ApiKey.Everything],
                CreatedAt = clock.GetUtcNow(),
                UpdatedAt = clock.GetUtcNow(),
            };
            await keys.CreateAsync(key, hash, Origin.System, cancellationToken);
        }
    }
}
