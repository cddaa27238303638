using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Server.Passwords;
using Atrium.Storage;
using Shouldly;

namespace Atrium.Tests.Harness;

/// <summary>Finds and makes people, organizations, memberships, clients and keys in the demo realm, and changes them.</summary>
internal sealed class World(DemoServer server)
{
    private readonly MembershipStore memberships = server.Get<MembershipStore>();

    public async Task<Realm> RealmAsync(string handle = DemoRealm.Handle) =>
        (await server.Get<RealmStore>().FindByHandleAsync(handle, default)).ShouldNotBeNull();

    public async Task<Organization> OrganizationAsync(string handle, string realm = DemoRealm.Handle) =>
        (await server.Get<OrganizationStore>().FindByHandleAsync((await RealmAsync(realm)).Id, handle, default)).ShouldNotBeNull();

    public async Task<User> UserAsync(string email, string realm = DemoRealm.Handle) =>
        (await server.Get<UserStore>().FindByEmailAsync((await RealmAsync(realm)).Id, email, default)).ShouldNotBeNull();

    public async Task<Organization> NewOrganizationAsync(string handle, OrganizationSettings? settings = null)
    {
        DateTimeOffset now = server.Clock.GetUtcNow();
        Organization made = new()
        {
            RealmId = (await RealmAsync()).Id, Id = Id<Organization>.New(server.Clock), Handle = handle, Name = handle, Status = OrganizationStatus.Active,
            Settings = settings ?? new(), CreatedAt = now, UpdatedAt = now,
        };
        (await server.Get<OrganizationStore>().CreateAsync(made, [], Origin.System, default)).Outcome.ShouldBe(OrganizationWrite.Done);
        return made;
    }

    /// <summary>A new person with the demo's password.</summary>
    public Task<User> PersonAsync(string email, params Organization[] activeIn) => PersonAsync(email, emailVerified: true, activeIn);

    public async Task<User> PersonAsync(string email, bool emailVerified, params Organization[] activeIn)
    {
        DateTimeOffset now = server.Clock.GetUtcNow();
        User user = new()
        {
            RealmId = (await RealmAsync()).Id, Id = Id<User>.New(server.Clock), Email = email, EmailVerified = emailVerified, CreatedAt = now, UpdatedAt = now,
        };
        string? hash = await server.Get<PasswordHasher>().HashAsync(DemoRealm.Password, default);
        (await server.Get<UserStore>().CreateAsync(user, hash, Origin.System, default)).ShouldBe(UserWrite.Done);
        foreach (Organization organization in activeIn)
            await JoinAsync(user, organization, "member");
        return user;
    }

    public Task<Membership> JoinAsync(User user, Organization organization, params string[] scopes) =>
        JoinAsync(user.Id, organization.Id, MembershipStatus.Active, scopes);

    public async Task<Membership> JoinAsync(Id<User> user, Id<Organization> organization, MembershipStatus status, params string[] scopes)
    {
        DateTimeOffset now = server.Clock.GetUtcNow();
        Membership membership = new()
        {
            RealmId = (await RealmAsync()).Id, Id = Id<Membership>.New(server.Clock), UserId = user, OrganizationId = organization, Scopes = scopes,
            Status = status, JoinedAt = now, CreatedAt = now, UpdatedAt = now,
        };
        (await memberships.CreateAsync(membership, Origin.System, default)).ShouldBe(MembershipWrite.Done);
        return membership;
    }

    /// <summary>An API key that may do only what these scopes name.</summary>
    public async Task<string> NewKeyAsync(DateTimeOffset? expiresAt, params string[] scopes)
    {
        Secret secret = Secret.New("sk_");
        ApiKey key = new()
        {
            RealmId = (await RealmAsync()).Id, Id = Id<ApiKey>.New(server.Clock), Name = "Test", Scopes = scopes, ExpiresAt = expiresAt,
            CreatedAt = server.Clock.GetUtcNow(), UpdatedAt = server.Clock.GetUtcNow(),
        };
        await server.Get<ApiKeyStore>().CreateAsync(key, secret.Hash(), Origin.System, default);
        return secret.Reveal();
    }

    public async Task ChangeAsync(User user, Organization organization, Func<Membership, Membership> change)
    {
        Membership membership = await FindAsync(user, organization);
        await memberships.UpdateAsync(change(membership), default);
    }

    public async Task LeaveAsync(User user, Organization organization) =>
        await memberships.DeleteAsync(user.RealmId, (await FindAsync(user, organization)).Id, static _ => true, server.Clock.GetUtcNow(), Origin.System, default);

    /// <summary>A public client like demo-web.</summary>
    public async Task<Client> ClientAsync(string clientId, ClientSettings settings, Func<Client, Client>? change = null)
    {
        DateTimeOffset now = server.Clock.GetUtcNow();
        Client client = new()
        {
            RealmId = (await RealmAsync()).Id, Id = Id<Client>.New(server.Clock), ClientId = clientId, Name = clientId, Type = ClientType.Spa,
            RedirectUris = [DemoRealm.Callback], PostLogoutRedirectUris = [DemoRealm.AfterSignOut],
            GrantTypes = ["authorization_code", "refresh_token"], Settings = settings, CreatedAt = now, UpdatedAt = now,
        };
        client = change is null ? client : change(client);
        await server.Get<ClientStore>().CreateAsync(client, Origin.System, default);
        return client;
    }

    public Task<Client> RestrictedClientAsync(string clientId, OrganizationPolicy policy, params Organization[] allowed) => ClientAsync(
        clientId,
        new ClientSettings
        {
            Restrictions = new RestrictionSettings
            {
                Organizations = new OrganizationRestriction { Policy = policy, AllowedOrgIds = [.. allowed.Select(static one => one.Id.ToString())] },
            },
        });

    private async Task<Membership> FindAsync(User user, Organization organization) =>
        (await memberships.FindAsync(user.RealmId, user.Id, organization.Id, default))!;
}
