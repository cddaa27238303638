using System.Collections.Concurrent;
using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Storage;

namespace Atrium.Bench;

/// <summary>People with many memberships who are signed in, put straight into the store: signing them in would measure password hashing.</summary>
internal sealed class Seed(Database database, Client client, TimeProvider clock)
{
    private readonly UserStore users = new(database);
    private readonly OrganizationStore organizations = new(database);
    private readonly MembershipStore memberships = new(database);
    private readonly SignInStore signIns = new(database);
    private readonly GrantStore grants = new(database);

    /// <summary>A refresh token of a new multi-org grant for each connection, each of a person of their own.</summary>
    public async Task<IReadOnlyList<string>> RefreshTokensAsync(int people, int organizationsEach, params IReadOnlyList<string> scopes)
    {
        CancellationToken none = CancellationToken.None;
        DateTimeOffset now = clock.GetUtcNow();
        List<Organization> shared = [];
        for (int i = 0; i < organizationsEach; i++)
        {
            Id<Organization> id = Id<Organization>.New(clock);
            Organization organization = new()
            {
                RealmId = client.RealmId,
                Id = id,
                Handle = $"bench-{id.ToString()[4..]}",
                Name = $"Organization {i}",
                Status = OrganizationStatus.Active,
                CreatedAt = now,
                UpdatedAt = now,
            };
            await organizations.CreateAsync(organization, [], Origin.System, none);
            shared.Add(organization);
        }

        List<string> tokens = [];
        for (int i = 0; i < people; i++)
        {
            User user = new()
            {
                RealmId = client.RealmId,
                Id = Id<User>.New(clock),
                Email = $"{Guid.NewGuid()}@bench.test",
                EmailVerified = true,
                CreatedAt = now,
                UpdatedAt = now,
            };
            await users.CreateAsync(user, passwordHash: null, Origin.System, none);
            foreach (Organization organization in shared)
                await memberships.CreateAsync(MembershipOf(user, organization, now), Origin.System, none);
            tokens.Add(await SignedInAsync(user.Id, scopes));
        }

        return tokens;
    }

    /// <summary>The same for people who are there already, as many at once as find a connection without waiting.</summary>
    public async Task<IReadOnlyList<string>> RefreshTokensAsync(IEnumerable<Guid> people)
    {
        ConcurrentBag<string> tokens = [];
        await Parallel.ForEachAsync(
            people,
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (id, _) => tokens.Add(await SignedInAsync(new Id<User>(id), [])));
        return [.. tokens];
    }

    private Membership MembershipOf(User user, Organization organization, DateTimeOffset now) => new()
    {
        RealmId = user.RealmId,
        Id = Id<Membership>.New(clock),
        UserId = user.Id,
        OrganizationId = organization.Id,
        Scopes = ["member", "projects:read"],
        Title = "Member",
        Status = MembershipStatus.Active,
        JoinedAt = now,
        CreatedAt = now,
        UpdatedAt = now,
    };

    private async Task<string> SignedInAsync(Id<User> user, IReadOnlyList<string> scopes)
    {
        DateTimeOffset now = clock.GetUtcNow();
        Id<Realm> realm = client.RealmId;
        Proof[] proofs = [new Proof(AuthenticationMethod.Password, now)];
        Session session = Session.Begin(realm, Id<Session>.New(clock), user, proofs, new SessionSettings(), ipAddress: null, userAgent: null, now);
        Grant grant = new()
        {
            RealmId = realm,
            Id = Id<Grant>.New(clock),
            SessionId = session.Id,
            ClientId = client.Id,
            UserId = user,
            Door = Door.OAuth,
            Profile = TokenProfile.MultiOrg,
            Scopes = scopes,
            Choice = OrganizationChoice.AllMemberships,
            CreatedAt = now,
        };
        AuthorizationCode code = new()
        {
            RealmId = realm,
            CodeHash = Secret.New().Hash(),
            GrantId = grant.Id,
            CreatedAt = now,
            ExpiresAt = now + AuthorizationCode.Lifetime,
        };
        SignIn signIn = new()
        {
            RealmId = realm,
            Id = Id<SignIn>.New(clock),
            ClientId = client.Id,
            Door = Door.OAuth,
            Request = new AuthorizationRequest(),
            Proofs = proofs,
            CreatedAt = now,
            ExpiresAt = now,
        };
        Secret refresh = Secret.New();
        await signIns.CompleteAsync(
            new SignInCompletion { SignIn = signIn, IsStored = false, Session = session, IsNewSession = true, Grant = grant, Code = code }, CancellationToken.None);
        CodeRedemption redemption = new()
        {
            RealmId = realm,
            CodeHash = code.CodeHash,
            ClientId = client.Id,
            Now = now,
            Mark = refresh.Hash(),
            GivesRefreshToken = true,
            RefreshExpiresAt = now.AddDays(7),
        };
        await grants.RedeemAsync(redemption, CancellationToken.None);
        return refresh.Reveal();
    }
}
