using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using FsCheck;
using FsCheck.Fluent;

namespace Atrium.Tests.Engine;

/// <summary>A person, what they belong to, a client, and a sign-in of the one at the other: all in any state.</summary>
public sealed record World
{
    public required Realm Realm { get; init; }

    public required Client Client { get; init; }

    public required User User { get; init; }

    /// <summary>Every membership of the person, in any order and status.</summary>
    public required IReadOnlyList<MembershipInOrganization> Memberships { get; init; }

    public required IReadOnlyList<Role> Roles { get; init; }

    public required IReadOnlyList<Factor> Factors { get; init; }

    public required SignIn SignIn { get; init; }

    public required DateTimeOffset Now { get; init; }

    public required bool UserIsKnown { get; init; }

    public required bool ChosenIsShared { get; init; }

    public OrganizationRestriction Restriction => Client.Settings.Restrictions.Organizations;

    public TokenProfile Profile => Client.ProfileFor(SignIn.Door);

    public ShownProofs Shown => new(SignIn.Proofs, Now);

    public bool IsOpen(MembershipInOrganization entry) => Worlds.FactsOf(entry).IsOpenTo(Shown);

    public SignInFacts Facts => new()
    {
        Now = Now,
        Client = Client,
        User = UserIsKnown ? User : null,
        Factors = UserIsKnown ? Factors : [],
        Memberships = UserIsKnown ? Memberships : [],
        ChosenOrganization = Memberships
            .Select(static entry => entry.Organization)
            .FirstOrDefault(organization => organization.Id == SignIn.Choice.Selected && organization.Status != OrganizationStatus.Deleting),
        ChosenIsShared = ChosenIsShared,
    };

    private IReadOnlyList<MembershipFacts> MembershipFacts => [.. Memberships.Select(Worlds.FactsOf)];

    public OrganizationClaims Resolve(TokenProfile profile, OrganizationChoice choice, bool onPath = false) =>
        OrganizationClaims.Resolve(profile, choice, onPath, Restriction, Shown, MembershipFacts, Roles, Realm);

    public GrantFacts GrantFacts(TokenProfile profile, OrganizationChoice choice, bool onPath = false) => new()
    {
        Realm = Realm,
        Client = Client,
        User = User,
        Memberships = MembershipFacts,
        Roles = Roles,
        Session = new Session
        {
            RealmId = Realm.Id,
            Id = Worlds.IdOf<Session>(1),
            UserId = User.Id,
            Proofs = SignIn.Proofs,
            AuthenticatedAt = Worlds.Start,
            CreatedAt = Worlds.Start,
            UpdatedAt = Worlds.Start,
            LastUsedAt = Worlds.Start,
            IdleTimeout = 12 * 3600,
            ExpiresAt = Worlds.Start.AddDays(30),
        },
        Grant = new Grant
        {
            RealmId = Realm.Id,
            Id = Worlds.IdOf<Grant>(1),
            SessionId = Worlds.IdOf<Session>(1),
            ClientId = Client.Id,
            UserId = User.Id,
            Door = SignIn.Door,
            Profile = profile,
            Scopes = ["openid", "profile", "email"],
            Choice = choice,
            OnOrganizationPath = onPath,
            CreatedAt = Worlds.Start,
        },
    };

    public override string ToString() =>
        $"""
        profile {Profile} door {SignIn.Door} choice {SignIn.Choice} client {Client.Status} policy {Restriction.Policy} [{string.Join(' ', Restriction.AllowedOrgIds)}]
        user {User.Status} verified {User.EmailVerified} known {UserIsKnown} proofs [{string.Join(' ', SignIn.Proofs.Select(static p => p.Method))}] acr [{string.Join(' ', SignIn.Request.AcrValues)}]
        factors [{string.Join(' ', Factors.Select(static f => f.Confirmed))}] tries {SignIn.FailedTries} now {Now:O} shared {ChosenIsShared}
        memberships
        {string.Join('\n', Memberships.Select(static m => $"  {m.Organization.Id} {m.Organization.Status} {m.Membership.Status} joined {m.Membership.JoinedAt:O} mfa {m.Organization.Settings.MfaRequired} sso {m.Organization.Settings.SsoOnly} age {m.Organization.Settings.SessionMaxAge} methods {string.Join('+', m.Organization.Settings.AllowedMethods ?? [])} [{string.Join(' ', m.Membership.Scopes)}]"))}
        """;
}

/// <summary>Generators of worlds, small enough that every combination turns up.</summary>
internal static class Worlds
{
    public static readonly DateTimeOffset Start = new(2026, 11, 21, 10, 0, 0, TimeSpan.Zero);

    private static readonly string[] ScopeNames = ["owner", "admin", "member", "billing:write", "projects:read", "réviseur"];

    public static Id<T> IdOf<T>(int number)
        where T : IIdentified => new(new Guid(number, 7, 7, [8, 0, 0, 0, 0, 0, 0, 1]));

    public static Arbitrary<World> Any { get; } = AnyWorld().ToArbitrary();

    /// <summary>Runs a property over many worlds; a failing one prints the world.</summary>
    public static void ForAll(Func<World, bool> holds) => Prop.ForAll(Any, holds).Check(Config.QuickThrowOnFailure.WithMaxTest(2000).WithQuietOnSuccess(true));

    public static void ForAll<T>(Gen<T> gen, Func<T, bool> holds) =>
        Prop.ForAll(gen.ToArbitrary(), holds).Check(Config.QuickThrowOnFailure.WithMaxTest(1000).WithQuietOnSuccess(true));

    /// <summary>As much of a membership as a token may speak of.</summary>
    public static MembershipFacts FactsOf(MembershipInOrganization entry) => new()
    {
        OrganizationId = entry.Organization.Id,
        OrganizationName = entry.Organization.Name,
        OrganizationHandle = entry.Organization.Handle,
        OrganizationStatus = entry.Organization.Status,
        OrganizationSettings = entry.Organization.Settings,
        Scopes = entry.Membership.Scopes,
        Title = entry.Membership.Title,
        Status = entry.Membership.Status,
        JoinedAt = entry.Membership.JoinedAt,
    };

    public static GrantFacts WithBudget(this GrantFacts facts, int bytes) => facts with
    {
        Client = facts.Client with
        {
            Settings = facts.Client.Settings with { Tokens = facts.Client.Settings.Tokens with { OrganizationBudgetBytes = bytes } },
        },
    };

    public static Gen<T> Of<T>(params T[] values) => Gen.Elements(values);

    /// <summary>A world and the same one with its memberships in another order.</summary>
    public static Gen<(World World, World Shuffled)> Shuffled() =>
        from world in Any.Generator
        from memberships in Gen.Shuffle(world.Memberships.ToArray())
        select (world, world with { Memberships = [.. memberships] });

    public static Gen<IReadOnlyList<string>> Scopes() =>
        from scopes in Gen.Elements(ScopeNames).ListOf()
        select (IReadOnlyList<string>)[.. scopes.Take(6)];

    public static Gen<IReadOnlyList<Role>> AnyRoles() =>
        from slugs in Gen.SubListOf(ScopeNames)
        from permissions in Gen.SubListOf("billing:write", "projects:read", "projects:write").ListOf(ScopeNames.Length)
        from owned in Gen.SubListOf(ScopeNames)
        from others in Gen.SubListOf("billing:read", "projects:read").ListOf(ScopeNames.Length)
        select (IReadOnlyList<Role>)
        [
            .. slugs.Select((slug, i) => RoleOf(slug, [.. permissions[i]])),
            .. owned.Select((slug, i) => RoleOf(slug, [.. others[i]], i % 3 + 1)),
        ];

    public static Role RoleOf(string slug, IReadOnlyList<string> permissions, int? organization = null) => new()
    {
        RealmId = IdOf<Realm>(1),
        OrganizationId = organization is { } number ? IdOf<Organization>(number) : null,
        Slug = slug,
        Name = slug,
        Permissions = permissions,
        CreatedAt = Start,
        UpdatedAt = Start,
    };

    /// <summary>A choice that the world knows, or of a stranger's organization.</summary>
    public static Gen<OrganizationChoice> AnyChoice() => Gen.OneOf(
        Of(OrganizationChoice.Unchosen, OrganizationChoice.AllMemberships, OrganizationChoice.NoOrganization),
        Gen.Choose(1, 7).Select(static number => (OrganizationChoice)new OrganizationChoice.Chosen(IdOf<Organization>(number))));

    public static Gen<TokenProfile> AnyProfile() => Of(TokenProfile.MultiOrg, TokenProfile.SingleOrg, TokenProfile.Organization);

    public static Organization Organization(int number, OrganizationStatus status, OrganizationSettings? settings = null) => new()
    {
        RealmId = IdOf<Realm>(1),
        Id = IdOf<Organization>(number),
        Handle = $"organization-{number}",
        Name = $"Organization {number}",
        Status = status,
        Settings = settings ?? new OrganizationSettings(),
        CreatedAt = Start,
        UpdatedAt = Start,
    };

    public static MembershipInOrganization Membership(
        Organization organization, MembershipStatus status, IReadOnlyList<string> scopes, int joinedDay, string? title = null) => new(
        new Membership
        {
            RealmId = IdOf<Realm>(1),
            Id = new Id<Membership>(organization.Id.Value),
            UserId = IdOf<User>(1),
            OrganizationId = organization.Id,
            Scopes = scopes,
            Title = title,
            Status = status,
            JoinedAt = Start.AddDays(-joinedDay),
            CreatedAt = Start,
            UpdatedAt = Start,
        },
        organization);

    /// <summary>Half of the time each: what is usual, and what is not.</summary>
    private static Gen<T> Mostly<T>(T usual, params T[] others) => Gen.Frequency((3, Gen.Constant(usual)), (2, Gen.Elements(others)));

    private static Gen<MembershipInOrganization> AnyMembership(int number) =>
        from organizationStatus in Mostly(OrganizationStatus.Active, OrganizationStatus.Suspended, OrganizationStatus.Deleting)
        from status in Mostly(MembershipStatus.Active, MembershipStatus.Suspended, MembershipStatus.Pending)
        from mfaRequired in Mostly(false, true)
        from ssoOnly in Gen.Frequency((9, Gen.Constant(false)), (1, Gen.Constant(true)))
        from methods in Mostly<IReadOnlyList<AuthenticationMethod>?>(
            null, [AuthenticationMethod.Password], [AuthenticationMethod.Password, AuthenticationMethod.Totp], [AuthenticationMethod.Totp], [AuthenticationMethod.EmailCode])
        from age in Mostly<int?>(null, 300, 900)
        let settings = new OrganizationSettings { MfaRequired = mfaRequired, SsoOnly = ssoOnly, AllowedMethods = methods, SessionMaxAge = age }
        from scopes in Scopes()
        from day in Gen.Choose(0, 3)
        from title in Of("Founder", null, "\"<&'\u2028")
        select Membership(Organization(number, organizationStatus, settings), status, scopes, day, title);

    private static Gen<MembershipInOrganization[]> AnyMemberships() =>
        from numbers in Gen.SubListOf(1, 2, 3, 4, 5)
        from order in Gen.Shuffle(numbers.ToArray())
        from memberships in Gen.CollectToArray(order.Select(AnyMembership))
        select memberships;

    private static Gen<Client> AnyClient() =>
        from status in Gen.Frequency((9, Gen.Constant(ClientStatus.Active)), (1, Gen.Constant(ClientStatus.Disabled)))
        from policy in Mostly(OrganizationPolicy.All, OrganizationPolicy.Allowlist, OrganizationPolicy.None)
        from allowed in Gen.SubListOf(1, 2, 3, 4, 5, 6)
        from profile in Of<TokenProfile?>(null, TokenProfile.MultiOrg, TokenProfile.SingleOrg, TokenProfile.Organization)
        from appNative in Of(true, false)
        from totp in Mostly(false, true)
        from grace in Of(0, 30, 60)
        select new Client
        {
            RealmId = IdOf<Realm>(1),
            Id = IdOf<Client>(1),
            ClientId = "client",
            Name = "Client",
            Type = ClientType.Spa,
            GrantTypes = ["authorization_code", "refresh_token"],
            Status = status,
            Settings = new ClientSettings
            {
                Openid = new OpenIdSettings { RefreshGraceSeconds = grace },
                Restrictions = new RestrictionSettings
                {
                    Organizations = new OrganizationRestriction
                    {
                        Policy = policy,
                        AllowedOrgIds = [.. allowed.Select(static number => IdOf<Organization>(number).ToString())],
                    },
                },
                Tokens = new TokenSettings { Profile = profile },
                AppNative = new AppNativeSettings
                {
                    Enabled = appNative,
                    Steps = totp ? [["password"], ["totp"]] : [["password"]],
                },
            },
            CreatedAt = Start,
            UpdatedAt = Start,
        };

    private static Gen<World> AnyWorld() =>
        from client in AnyClient()
        from memberships in AnyMemberships()
        from roles in AnyRoles()
        from userStatus in Gen.Frequency((6, Gen.Constant(UserStatus.Active)), (1, Gen.Constant(UserStatus.Disabled)))
        from verified in Mostly(true, false)
        from factors in Gen.Frequency((3, Gen.Constant<IReadOnlyList<bool>>([])), (2, Of(true, false).ListOf().Select(static l => (IReadOnlyList<bool>)[.. l.Take(3)])))
        from proofs in Gen.SubListOf(AuthenticationMethod.Password, AuthenticationMethod.Totp, AuthenticationMethod.EmailCode, AuthenticationMethod.RecoveryCode)
        from door in Of(Door.OAuth, Door.AuthKit, Door.AppNative)
        from choice in AnyChoice()
        from tries in Gen.Frequency((8, Gen.Choose(0, 4)), (1, Gen.Choose(5, 9)))
        from minutes in Gen.Frequency((8, Gen.Choose(0, 29)), (1, Gen.Choose(30, 90)))
        from known in Gen.Frequency((6, Gen.Constant(true)), (1, Gen.Constant(false)))
        from shared in Mostly(true, false)
        from acr in Mostly<IReadOnlyList<string>>([], [AuthenticationLevels.MultiFactor], [AuthenticationLevels.SingleFactor], AuthenticationLevels.Names)
        select new World
        {
            Realm = new Realm { Id = IdOf<Realm>(1), Handle = "acme", Name = "Acme", CreatedAt = Start, UpdatedAt = Start },
            Client = client,
            User = new User
            {
                RealmId = IdOf<Realm>(1),
                Id = IdOf<User>(1),
                Email = "mia@example.test",
                EmailVerified = verified,
                Status = userStatus,
                CreatedAt = Start,
                UpdatedAt = Start,
            },
            Memberships = memberships,
            Roles = roles,
            Factors = [.. factors.Select(static (confirmed, i) => AnyFactor(i, confirmed))],
            SignIn = new SignIn
            {
                RealmId = IdOf<Realm>(1),
                Id = IdOf<SignIn>(1),
                ClientId = client.Id,
                Door = door,
                Request = new AuthorizationRequest { AcrValues = acr },
                UserId = known ? IdOf<User>(1) : null,
                Proofs = [.. proofs.Select(static method => new Proof(method, Start))],
                Choice = choice,
                FailedTries = tries,
                CreatedAt = Start,
                ExpiresAt = Start.AddMinutes(30),
            },
            Now = Start.AddMinutes(minutes),
            UserIsKnown = known,
            ChosenIsShared = shared,
        };

    private static Factor AnyFactor(int number, bool confirmed) => new()
    {
        RealmId = IdOf<Realm>(1),
        Id = IdOf<Factor>(number),
        UserId = IdOf<User>(1),
        Issuer = "Acme",
        Account = "mia",
        SealedSecret = [1],
        Confirmed = confirmed,
        CreatedAt = Start,
        UpdatedAt = Start,
    };
}
