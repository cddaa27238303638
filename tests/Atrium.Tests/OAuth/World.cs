using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Server.Passwords;
using Atrium.Storage;
using Atrium.Tests.Harness;

namespace Atrium.Tests.OAuth;

/// <summary>Makes people, memberships and clients in the demo realm, and changes them.</summary>
internal sealed class World(DemoServer server)
{
    private readonly MembershipStore memberships = server.Get<MembershipStore>();

    public async Task<Realm> RealmAsync() => (await server.Get<RealmStore>().FindByHandleAsync(DemoRealm.Handle, default))!;

    public async Task<Organization> OrganizationAsync(string handle) =>
        (await server.Get<OrganizationStore>().FindByHandleAsync((await RealmAsync()).Id, handle, default))!;

    public async Task<Organization> NewOrganizationAsync(string handle, OrganizationSettings? settings = null)
    {
        DateTimeOffset now = server.Clock.GetUtcNow();
        Organization made = new()
        {
            RealmId = (await RealmAsync()).Id, Id = Id<Organization>.New(server.Clock), Handle = handle, Name = handle, Status = OrganizationStatus.Active,
            Settings = settings ?? new(), CreatedAt = now, UpdatedAt = now,
        };
        await server.Get<OrganizationStore>().CreateAsync(made, [], default);
        return made;
    }

    /// <summary>A new person with the demo's password.</summary>
    public async Task<User> PersonAsync(string email, params Organization[] activeIn)
    {
        DateTimeOffset now = server.Clock.GetUtcNow();
        User user = new()
        {
            RealmId = (await RealmAsync()).Id, Id = Id<User>.New(server.Clock), Email = email, EmailVerified = true, CreatedAt = now, UpdatedAt = now,
        };
        string? hash = await server.Get<PasswordHasher>().HashAsync(DemoRealm.Password, default);
        await server.Get<UserStore>().CreateAsync(user, hash, default);
        foreach (Organization organization in activeIn)
            await JoinAsync(user, organization, "member");
        return user;
    }

    public async Task JoinAsync(User user, Organization organization, params string[] scopes)
    {
        DateTimeOffset now = server.Clock.GetUtcNow();
        await memberships.CreateAsync(
            new Membership
            {
                RealmId = user.RealmId, Id = Id<Membership>.New(server.Clock), UserId = user.Id, OrganizationId = organization.Id, Scopes = scopes,
                Status = MembershipStatus.Active, JoinedAt = now, CreatedAt = now, UpdatedAt = now,
            },
            default);
    }

    public async Task ChangeAsync(User user, Organization organization, Func<Membership, Membership> change)
    {
        Membership membership = await FindAsync(user, organization);
        await memberships.UpdateAsync(change(membership), default);
    }

    public async Task LeaveAsync(User user, Organization organization) =>
        await memberships.DeleteAsync(await FindAsync(user, organization), server.Clock.GetUtcNow(), default);

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
        await server.Get<ClientStore>().CreateAsync(client, default);
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
