using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Storage;
using Atrium.Tests.Engine;
using Atrium.Tests.Harness;
using Dapper;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

public abstract partial class StoreContract
{
    private static readonly PageRequest<Membership> FirstMemberships = new(50);

    [Fact]
    public async Task A_realm_and_what_belongs_to_it_reads_back()
    {
        Same(await Realms.FindByHandleAsync("acme", None), Realm);
        Same(await Realms.FindAsync(Realm.Id, None), Realm);
        (await Realms.AnyAsync(None)).ShouldBeTrue();
        (await Realms.CreateAsync(Realm with { Id = Id<Realm>.New(Clock) }, [], Origin.System, None)).ShouldBeFalse("the handle is taken");
        SigningKey key = (await SigningKeys.AllAsync(Realm.Id, None)).ShouldHaveSingleItem();
        (key.RealmId, key.Kid, key.Algorithm, key.CreatedAt).ShouldBe((Realm.Id, "k1", "ES256", Now));
        key.SealedPrivateKey.ShouldBe([1, 2]);

        await Roles.CreateAsync(NewRole("owner", ["a", "b"]), Origin.System, None);
        await Roles.CreateAsync(NewRole("none", []), Origin.System, None);
        (await Roles.NamedAsync(Realm.Id, [], ["owner", "unknown"], None)).ShouldHaveSingleItem().Permissions.ShouldBe(["a", "b"]);
        (await Roles.NamedAsync(Realm.Id, [], [], None)).ShouldBeEmpty();
        (await Roles.NamedAsync(Other.Id, [], ["owner"], None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_api_key_is_found_by_its_secret_and_for_a_while_by_the_one_before()
    {
        Secret secret = Secret.New(ApiKey.SecretPrefix);
        ApiKey apiKey = NewApiKey();
        await Keys.CreateAsync(apiKey, secret.Hash(), Origin.System, None);
        Same(await Keys.FindAsync(secret.Hash(), None), apiKey);
        (await Keys.FindAsync(Secret.New().Hash(), None)).ShouldBeNull();
        (await Keys.FindAsync(Other.Id, apiKey.Id, None)).ShouldBeNull("it is another realm's");

        Secret next = Secret.New(ApiKey.SecretPrefix);
        (await Keys.RotateAsync(Realm.Id, apiKey.Id, static _ => true, next.Hash(), Now, Now + ApiKey.Overlap, Origin.System, None)).ShouldNotBeNull();
        (await Keys.FindAsync(next.Hash(), None))!.IsLive(Now.AddYears(1)).ShouldBeTrue();
        ApiKey old = (await Keys.FindAsync(secret.Hash(), None)).ShouldNotBeNull();
        (old.IsLive(Now), old.IsLive(Now + ApiKey.Overlap)).ShouldBe((true, false));
        (await Keys.RotateAsync(Realm.Id, apiKey.Id, static _ => true, Secret.New().Hash(), Now, Now + ApiKey.Overlap, Origin.System, None)).ShouldNotBeNull();
        (await Keys.FindAsync(secret.Hash(), None)).ShouldBeNull("only the secret before the newest still works");
    }

    private ApiKey NewApiKey() => new()
    {
        RealmId = Realm.Id, Id = Id<ApiKey>.New(Clock), Name = "Back end", Scopes = [ApiKey.Everything], CreatedAt = Now, UpdatedAt = Now,
    };

    [Fact]
    public async Task A_client_reads_back_with_every_setting()
    {
        Client client = NewClient();
        (await Clients.CreateAsync(client, Origin.System, None)).Outcome.ShouldBe(ClientWrite.Done);
        Same(await Clients.FindByClientIdAsync("web", None), client);
        Same(await Clients.FindAsync(Realm.Id, "web", None), client);
        Same(await Clients.FindAsync(Realm.Id, client.Id, None), client);
        (await Clients.FindAsync(Other.Id, "web", None)).ShouldBeNull();
        (await Clients.FindAsync(Other.Id, client.Id, None)).ShouldBeNull();
        (await Clients.CreateAsync(NewClient("web", Other), Origin.System, None)).Outcome.ShouldBe(ClientWrite.ClientIdTaken, "client ids are unique in the server");
        (await Clients.IsRegisteredOriginAsync("http://localhost:3000", None)).ShouldBeTrue();
        (await Clients.IsRegisteredOriginAsync("https://app.test", None)).ShouldBeTrue();
        (await Clients.IsRegisteredOriginAsync("https://app.test:444", None)).ShouldBeFalse();

        Client bare = NewClient("bare") with { SecretHash = null, SignatureAlgorithm = null, RedirectUris = [], Settings = new ClientSettings(), Status = ClientStatus.Active };
        await Clients.CreateAsync(bare, Origin.System, None);
        Same(await Clients.FindAsync(Realm.Id, "bare", None), bare);
    }

    [Fact]
    public async Task A_setting_that_an_older_version_did_not_write_has_its_default()
    {
        Client client = await MakeClient();
        Organization organization = await MakeOrganization("northwind");
        await Database.WriteAsync(
            async connection =>
            {
                await connection.ExecuteAsync("""UPDATE clients SET settings = '{"openid":{"default_id_token_age":60}}'""");
                return await connection.ExecuteAsync("UPDATE organizations SET settings = '{}'");
            },
            None);
        ClientSettings read = (await Clients.FindAsync(Realm.Id, client.Id, None))!.Settings;
        read.PkceRequired.ShouldBeTrue();
        read.Openid.DefaultIdTokenAge.ShouldBe(60);
        read.Openid.RefreshGraceSeconds.ShouldBe(30);
        read.Openid.DefaultRefreshTokenAge.ShouldBe(7 * 24 * 3600);
        read.Restrictions.Organizations.AllowedOrgIds.ShouldBeEmpty();
        read.AppNative.Steps.ShouldHaveSingleItem().ShouldBe(["password"]);
        read.AppNative.EnhancedOrganizationAuthentication.ShouldBeTrue();
        (await Organizations.FindAsync(Realm.Id, organization.Id, None))!.Settings.AllowProfilesOutside.ShouldBeTrue();
    }

    [Fact]
    public async Task An_organization_is_made_found_changed_and_deleted()
    {
        Organization organization = NewOrganization("northwind") with
        {
            Name = "Northwind",
            ExternalId = "ext-1",
            Metadata = new Dictionary<string, string> { ["plan"] = "gold" },
            Settings = new OrganizationSettings { MfaRequired = true, DefaultMemberScopes = ["member"] },
        };
        OrganizationDomain[] domains = [NewDomain(organization, "northwind.test"), NewDomain(organization, "n.test", verified: false), NewDomain(organization, "a.test")];
        (await Organizations.CreateAsync(organization, domains, Origin.System, None)).Outcome.ShouldBe(OrganizationWrite.Done);
        foreach (Organization? found in new[]
        {
            await Organizations.FindAsync(Realm.Id, organization.Id, None),
            await Organizations.FindByHandleAsync(Realm.Id, "northwind", None),
            await Organizations.FindByExternalIdAsync(Realm.Id, "ext-1", None),
            await Organizations.FindByNameAsync(Realm.Id, "Northwind", None),
            await Organizations.FindByDomainAsync(Realm.Id, "northwind.test", None),
        })
        {
            Same(found, organization);
        }

        (await Organizations.FindByDomainAsync(Realm.Id, "n.test", None)).ShouldBeNull("only a verified domain leads anywhere");
        (await Domains.OfAsync(Realm.Id, [organization.Id], None))[organization.Id].Select(static domain => domain.Domain)
            .ShouldBe(["northwind.test", "n.test", "a.test"], "in the order they were added");
        (await Domains.OfAsync(Realm.Id, [], None)).ShouldBeEmpty();

        Organization second = NewOrganization("contoso");
        (await Organizations.CreateAsync(second with { Handle = "northwind" }, [], Origin.System, None)).Outcome.ShouldBe(OrganizationWrite.HandleTaken);
        (await Organizations.CreateAsync(second with { ExternalId = "ext-1" }, [], Origin.System, None)).Outcome.ShouldBe(OrganizationWrite.ExternalIdTaken);
        (await Organizations.CreateAsync(second, [NewDomain(second, "northwind.test")], Origin.System, None)).Outcome.ShouldBe(OrganizationWrite.DomainTaken);
        (await Organizations.FindByHandleAsync(Realm.Id, "contoso", None)).ShouldBeNull("what failed left nothing behind");
        (await Organizations.CreateAsync(second, [], Origin.System, None)).Outcome.ShouldBe(OrganizationWrite.Done);
        (await Organizations.UpdateAsync(second with { Handle = "northwind" }, null, None)).ShouldBe(OrganizationWrite.HandleTaken);
        (await Organizations.UpdateAsync(second, [NewDomain(second, "northwind.test")], None)).ShouldBe(OrganizationWrite.DomainTaken);

        Organization renamed = organization with { Name = "North", ExternalId = null, UpdatedAt = Now.AddMinutes(1) };
        (await Organizations.UpdateAsync(renamed, null, None)).ShouldBe(OrganizationWrite.Done);
        Same(await Organizations.FindAsync(Realm.Id, organization.Id, None), renamed);
        (await Domains.OfAsync(Realm.Id, [organization.Id], None)).Count.ShouldBe(1, "no domains named, none changed");
        (await Organizations.UpdateAsync(renamed, [], None)).ShouldBe(OrganizationWrite.Done);
        (await Domains.OfAsync(Realm.Id, [organization.Id], None)).ShouldBeEmpty();
        (await Organizations.UpdateAsync(NewOrganization("gone"), null, None)).ShouldBe(OrganizationWrite.NotFound);

        (await Organizations.DeleteAsync(Realm.Id, organization.Id, Now, None)).ShouldBeTrue();
        (await Organizations.FindAsync(Realm.Id, organization.Id, None)).ShouldBeNull();
        (await Organizations.DeleteAsync(Realm.Id, organization.Id, Now, None)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_user_is_made_found_changed_and_deleted()
    {
        User user = NewUser("Mia@Example.test") with
        {
            Username = "Mia",
            Name = "Mia Müller",
            ExternalId = "u-1",
            Metadata = new Dictionary<string, string> { ["k"] = "v" },
            EmailVerified = false,
        };
        (await Users.CreateAsync(user, "hash", Origin.System, None)).ShouldBe(UserWrite.Done);
        Same(await Users.FindAsync(Realm.Id, user.Id, None), user);
        Same(await Users.FindByEmailAsync(Realm.Id, "mia@example.TEST", None), user);
        Same(await Users.FindByExternalIdAsync(Realm.Id, "u-1", None), user);
        (await Users.FindForSignInAsync(Realm.Id, "MIA", memberOf: null, None))!.PasswordHash.ShouldBe("hash");

        User other = NewUser("sam@example.test");
        (await Users.CreateAsync(other with { Email = "MIA@example.test" }, null, Origin.System, None)).ShouldBe(UserWrite.EmailTaken);
        (await Users.CreateAsync(other with { Username = "mIA" }, null, Origin.System, None)).ShouldBe(UserWrite.UsernameTaken);
        (await Users.CreateAsync(other with { ExternalId = "u-1" }, null, Origin.System, None)).ShouldBe(UserWrite.ExternalIdTaken);
        (await Users.CreateAsync(other, null, Origin.System, None)).ShouldBe(UserWrite.Done);
        (await Users.UpdateAsync(other with { Email = "mia@example.test" }, null, None)).ShouldBe(UserWrite.EmailTaken);
        (await Users.FindForSignInAsync(Realm.Id, "sam@example.test", memberOf: null, None))!.PasswordHash.ShouldBeNull();

        User changed = user with { Name = null, Status = UserStatus.Disabled, UpdatedAt = Now.AddMinutes(1) };
        (await Users.UpdateAsync(changed, null, None)).ShouldBe(UserWrite.Done);
        Same(await Users.FindAsync(Realm.Id, user.Id, None), changed);
        (await Users.FindForSignInAsync(Realm.Id, "mia", memberOf: null, None))!.PasswordHash.ShouldBe("hash", "no new password, the old one stays");
        await Users.RehashPasswordAsync(Realm.Id, user.Id, "another", "newer", None);
        (await Users.FindForSignInAsync(Realm.Id, "mia", memberOf: null, None))!.PasswordHash.ShouldBe("hash");
        await Users.RehashPasswordAsync(Realm.Id, user.Id, "hash", "newer", None);
        (await Users.FindForSignInAsync(Realm.Id, "mia", memberOf: null, None))!.PasswordHash.ShouldBe("newer");
        (await Users.DeleteAsync(Realm.Id, user.Id, static _ => true, Origin.System, None)).ShouldNotBeNull();
        (await Users.FindAsync(Realm.Id, user.Id, None)).ShouldBeNull();
    }

    [Fact]
    public async Task An_address_is_a_stronger_name_than_another_persons_username_of_the_same_spelling()
    {
        await Users.CreateAsync(NewUser("first@example.test") with { Username = "mia@example.test" }, "wrong", Origin.System, None);
        User mia = await MakeUser("mia@example.test");
        await Users.CreateAsync(NewUser("last@example.test"), passwordHash: null, Origin.System, None);
        (await Users.FindForSignInAsync(Realm.Id, "mia@example.test", memberOf: null, None))!.User.Id.ShouldBe(mia.Id);
    }

    [Fact]
    public async Task At_an_organizations_sign_in_only_its_active_members_are_found()
    {
        Organization organization = await MakeOrganization("northwind");
        await MakeMembership(await MakeUser("mia@example.test"), organization);
        await MakeMembership(await MakeUser("sam@example.test"), organization, MembershipStatus.Suspended);
        await MakeMembership(await MakeUser("pat@example.test"), organization, MembershipStatus.Pending);
        await MakeUser("zoe@example.test");
        (await Find("mia@example.test")).ShouldNotBeNull();
        (await Find("sam@example.test")).ShouldBeNull();
        (await Find("pat@example.test")).ShouldBeNull();
        (await Find("zoe@example.test")).ShouldBeNull();

        Task<UserAndPassword?> Find(string email) => Users.FindForSignInAsync(Realm.Id, email, organization.Id, None);
    }

    [Fact]
    public async Task A_membership_is_made_found_changed_and_deleted()
    {
        User user = await MakeUser("mia@example.test");
        Organization organization = await MakeOrganization("northwind");
        Membership membership = NewMembership(user, organization) with { Title = "Founder", Scopes = ["owner", "billing:write"] };
        (await Memberships.CreateAsync(membership, Origin.System, None)).ShouldBe(MembershipWrite.Done);
        (await Memberships.CreateAsync(NewMembership(user, organization), Origin.System, None)).ShouldBe(MembershipWrite.MemberAlready);
        Same(await Memberships.FindAsync(Realm.Id, membership.Id, None), membership);
        Same(await Memberships.FindAsync(Realm.Id, user.Id, organization.Id, None), membership);
        (await Memberships.ListDetailsAsync(Realm.Id, user.Id, organization: null, [MembershipStatus.Active, MembershipStatus.Pending], FirstMemberships, None)).Items.Count.ShouldBe(1);
        (await Memberships.ListDetailsAsync(Realm.Id, user: null, organization.Id, [MembershipStatus.Suspended], FirstMemberships, None)).Items.ShouldBeEmpty();
        (await Memberships.ListDetailsAsync(Realm.Id, user.Id, organization.Id, [], FirstMemberships, None)).Items.ShouldBeEmpty();

        Membership changed = membership with { Scopes = [], Title = null, Status = MembershipStatus.Suspended, UpdatedAt = Now.AddMinutes(1) };
        (await Memberships.UpdateAsync(changed, None)).ShouldBeTrue();
        Same(await Memberships.FindAsync(Realm.Id, membership.Id, None), changed);
        (await Memberships.DeleteAsync(membership, Now, None)).ShouldBeTrue();
        (await Memberships.DeleteAsync(membership, Now, None)).ShouldBeFalse();
        await Organizations.UpdateAsync(organization with { Status = OrganizationStatus.Deleting }, null, None);
        (await Memberships.CreateAsync(NewMembership(user, organization), Origin.System, None)).ShouldBe(MembershipWrite.NotFound, "nobody joins what is being deleted");
    }

    [Fact]
    public async Task A_sign_in_reads_back_as_it_was_left()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Organization organization = await MakeOrganization("northwind");
        Secret handle = Secret.New();
        SecretHash browser = Secret.New().Hash();
        SignIn begun = NewSignIn(client);
        await SignIns.CreateAsync(begun, handle.Hash(), browser, password: null, None);
        StoredSignIn stored = (await SignIns.FindAsync(Realm.Id, handle.Hash(), Now, None)).ShouldNotBeNull();
        stored.Browser.ShouldBe(browser);
        Same(stored.SignIn, begun);

        SignIn further = begun with
        {
            UserId = user.Id,
            Proofs = [new Proof(AuthenticationMethod.Password, Now), new Proof(AuthenticationMethod.Totp, Now)],
            Choice = new OrganizationChoice.Chosen(organization.Id),
            FailedTries = 2,
        };
        Secret newHandle = Secret.New();
        (await SignIns.ChangeAsync(further, newHandle.Hash(), proof: null, Origin.System, None)).ShouldBeTrue();
        (await SignIns.FindAsync(Realm.Id, handle.Hash(), Now, None)).ShouldBeNull("the old handle is spent");
        Same((await SignIns.FindAsync(Realm.Id, newHandle.Hash(), Now, None))!.SignIn, further with { Version = 1 });
        (await SignIns.FindAsync(Other.Id, newHandle.Hash(), Now, None)).ShouldBeNull();
        (await SignIns.ChangeAsync(further, newHandle: null, proof: null, Origin.System, None)).ShouldBeFalse("the version is no longer that");
        await SignIns.DeleteAsync(further, None);
        (await SignIns.FindAsync(Realm.Id, newHandle.Hash(), Now, None)).ShouldBeNull();
    }

    [Fact]
    public async Task The_facts_of_a_sign_in_are_those_of_the_person_and_the_choice()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Factor factor = await MakeFactor(user);
        Organization northwind = await MakeOrganization("northwind");
        Organization contoso = await MakeOrganization("contoso");
        await MakeMembership(user, northwind);
        await MakeMembership(user, contoso, MembershipStatus.Suspended);
        Client single = client with { Settings = new ClientSettings { Tokens = new TokenSettings { Profile = TokenProfile.SingleOrg } } };
        SignIn signIn = NewSignIn(client, user);

        SignInFacts open = await SignIns.LoadFactsAsync(signIn, single, Now, None);
        Same(open.User, user);
        open.Factors.ShouldHaveSingleItem().Id.ShouldBe(factor.Id);
        open.Memberships.Select(static entry => entry.Organization.Handle).ShouldBe(["northwind", "contoso"], ignoreOrder: true);
        open.ChosenOrganization.ShouldBeNull();

        SignIn chosen = signIn with { Choice = new OrganizationChoice.Chosen(northwind.Id) };
        SignInFacts facts = await SignIns.LoadFactsAsync(chosen, client with { SharedWithAll = false }, Now, None);
        facts.ChosenOrganization!.Id.ShouldBe(northwind.Id);
        facts.Memberships.ShouldHaveSingleItem().IsEffective.ShouldBeTrue();
        facts.ChosenIsShared.ShouldBeFalse();
        await new ClientSharingStore(Database).ShareAsync(Realm.Id, client.Id, northwind.Id, Origin.System, None);
        await new ClientSharingStore(Database).ShareAsync(Realm.Id, client.Id, northwind.Id, Origin.System, None);
        (await SignIns.LoadFactsAsync(chosen, client with { SharedWithAll = false }, Now, None)).ChosenIsShared.ShouldBeTrue();
        (await Organizations.IsSharedAsync(client with { SharedWithAll = false }, northwind.Id, None)).ShouldBeTrue();
        (await Organizations.IsSharedAsync(client with { SharedWithAll = false }, contoso.Id, None)).ShouldBeFalse();

        SignInFacts unknown = await SignIns.LoadFactsAsync(NewSignIn(client), single, Now, None);
        unknown.User.ShouldBeNull();
        unknown.Memberships.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_grant_reads_back_with_everything_that_issuing_depends_on()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        Organization northwind = await MakeOrganization("northwind");
        Organization contoso = await MakeOrganization("contoso");
        Membership membership = await MakeMembership(user, northwind);
        await MakeMembership(user, contoso);
        await Roles.CreateAsync(NewRole("member", ["read"]), Origin.System, None);

        SignInCompletion one = await MakeGrant(client, user, TokenProfile.SingleOrg, new OrganizationChoice.Chosen(northwind.Id), cookie: Secret.New());
        GrantFacts facts = (await Grants.LoadAsync(Realm.Id, one.Grant.Id, None)).ShouldNotBeNull();
        Same(facts.Grant, one.Grant);
        Same(facts.Session, one.Session);
        Same(facts.Client, client);
        Same(facts.User, user with { LastSignInAt = Now });
        Same(facts.Realm, Realm);
        Same(facts.Memberships.ShouldHaveSingleItem(), Worlds.FactsOf(new MembershipInOrganization(membership, northwind)));
        facts.Roles.ShouldHaveSingleItem().Permissions.ShouldBe(["read"]);

        SignInCompletion all = await MakeGrant(client, user, TokenProfile.MultiOrg, OrganizationChoice.AllMemberships);
        (await Grants.LoadAsync(Realm.Id, all.Grant.Id, None))!.Memberships.Count.ShouldBe(2);
        SignInCompletion none = await MakeGrant(client, user, TokenProfile.SingleOrg, OrganizationChoice.NoOrganization);
        (await Grants.LoadAsync(Realm.Id, none.Grant.Id, None))!.Memberships.ShouldBeEmpty();

        (AuthorizationCode code, GrantFacts ofCode) = (await Grants.FindCodeAsync(Realm.Id, one.Code.CodeHash, None))!.Value;
        Same(code, one.Code);
        Same(ofCode.Grant, one.Grant);
        RefreshToken token = NewToken(one.Grant);
        await Redeem(one, token);
        (await Grants.FindCodeAsync(Realm.Id, one.Code.CodeHash, None))!.Value.Code.SpentAt.ShouldBe(Now);

        (RefreshToken found, GrantFacts switched) = (await Grants.FindRefreshTokenAsync(Realm.Id, token.TokenHash, contoso.Id, None))!.Value;
        Same(found, token);
        switched.Grant.Choice.Selected.ShouldBe(contoso.Id);
        switched.Memberships.ShouldHaveSingleItem().OrganizationId.ShouldBe(contoso.Id);
        await Rotate(token, one.Grant, [7], NewToken(one.Grant), switchTo: contoso.Id);
        (await Grants.LoadAsync(Realm.Id, one.Grant.Id, None))!.Grant.Choice.Selected.ShouldBe(contoso.Id);
    }

    [Fact]
    public async Task Rows_whose_first_has_nothing_in_a_column_read_as_well_as_those_that_have_something()
    {
        User user = await MakeUser("mia@example.test");
        Factor unused = await MakeFactor(user);
        Factor used = await MakeFactor(user);
        await Factors.SpendAsync(Realm.Id, new SpentProof(Factor: used.Id, Step: 42), Now, Origin.System, None);
        (await Factors.ListAsync(Realm.Id, user.Id, new PageRequest<Factor>(10, Ascending: true), None)).Items
            .Select(static factor => factor.LastUsedStep).ShouldBe([null, 42]);
        (await Factors.ListAsync(Realm.Id, user.Id, new PageRequest<Factor>(10), None)).Items
            .Select(static factor => factor.LastUsedStep).ShouldBe([42, null]);
        (await Factors.DeleteAsync(Realm.Id, user: null, unused.Id, static _ => true, Origin.System, None)).ShouldNotBeNull();

        Client client = await MakeClient();
        (SignInCompletion completion, RefreshToken token) = await MakeFamily(client, user);
        (await Grants.FindRefreshTokenAsync(Realm.Id, token.TokenHash, null, None))!.Value.Token.SealedSuccessor.ShouldBeNull();
        await Rotate(token, completion.Grant, [1, 2], NewToken(completion.Grant));
        (await Grants.FindRefreshTokenAsync(Realm.Id, token.TokenHash, null, None))!.Value.Token.SealedSuccessor.ShouldBe([1, 2]);

        await Users.CreateAsync(NewUser("a@example.test") with { Name = "Ä", ExternalId = "x", Username = "a", Picture = "p", PhoneNumber = "1", Address = new() { Country = "DK" } }, null, Origin.System, None);
        (await Users.ListAsync(Realm.Id, new UserFilter(), new PageRequest<User>(10, Ascending: true), None)).Items
            .Select(static one => (one.Name, one.PhoneNumber, one.Address?.Country)).ShouldBe([(null, null, null), ("Ä", "1", "DK")]);
        Client keyless = NewClient("keyless") with { SecretHash = null };
        await Clients.CreateAsync(keyless, Origin.System, None);
        (await Clients.FindAsync(Realm.Id, "keyless", None))!.SecretHash.ShouldBeNull();
        (await Clients.FindAsync(Realm.Id, "web", None))!.SecretHash.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_mailed_code_is_kept_counted_and_spent_once_and_makes_the_address_the_persons()
    {
        User user = NewUser("mia@example.test") with { EmailVerified = false };
        await Users.CreateAsync(user, null, Origin.System, None);
        EmailVerification first = NewVerification();
        EmailVerification last = NewVerification();
        await Factors.CreateVerificationAsync(first, letter: null, None);
        await Factors.CreateVerificationAsync(last, letter: null, None);
        Same(await Factors.FindVerificationAsync(Realm.Id, first.Id, None), first);
        (await Factors.FindLatestVerificationAsync(Realm.Id, user.Id, None))!.Id.ShouldBe(last.Id);
        bool[] counted = await AtOnce(_ => Factors.FailVerificationAsync(first, None));
        counted.Count(static one => one).ShouldBe(1, "one count for each time it was read");
        bool[] spent = await AtOnce(_ => Factors.SpendAsync(Realm.Id, new SpentProof(Verification: last.Id), Now, Origin.System, None));
        spent.Count(static one => one).ShouldBe(1);
        (await Users.FindAsync(Realm.Id, user.Id, None))!.EmailVerified.ShouldBeTrue();

        EmailVerification NewVerification() => new()
        {
            RealmId = Realm.Id,
            Id = Id<EmailVerification>.New(Clock),
            UserId = user.Id,
            Email = user.Email,
            SealedCode = [1],
            CreatedAt = Now,
            ExpiresAt = Now + EmailVerification.Lifetime,
        };
    }

    [Fact]
    public async Task Text_with_a_NUL_or_half_a_character_breaks_nothing()
    {
        await MakeClient();
        (await Clients.FindByClientIdAsync("web\0", None)).ShouldBeNull();
        (await Clients.FindByClientIdAsync("\uD800", None)).ShouldBeNull();
        (await Users.FindByEmailAsync(Realm.Id, "mia\0@example.test", None)).ShouldBeNull();
        User user = NewUser("mia@example.test") with { GivenName = "a\0b", FamilyName = "\uD83C" };
        (await Users.CreateAsync(user, passwordHash: null, Origin.System, None)).ShouldBe(UserWrite.Done);
        (await Users.FindAsync(Realm.Id, user.Id, None))!.FamilyName.ShouldBe("\uFFFD");
    }

    [Fact]
    public async Task Reopening_keeps_everything()
    {
        User user = await MakeUser("mia@example.test");
        (SignInCompletion completion, RefreshToken token) = await MakeFamily(await MakeClient(), user);
        await Reopen();
        Same(await Realms.FindByHandleAsync("acme", None), Realm);
        (await Grants.FindRefreshTokenAsync(Realm.Id, token.TokenHash, switchTo: null, None)).ShouldNotBeNull();
        (await IsLive(completion.Grant)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_refused_with_a_sentence_that_says_what_to_do()
    {
        await Database.WriteAsync(
            static connection => connection.ExecuteAsync("INSERT INTO schema_migrations (version, name) VALUES (9999, '9999_future.sql')"), None);
        await Database.DisposeAsync();
        DatabaseConfigurationException refused = await Should.ThrowAsync<DatabaseConfigurationException>(async () => await OpenDatabase());
        refused.Message.ShouldContain("9999");
        refused.Message.ShouldContain("at least as new");
    }

    /// <summary>Records hold lists, which compare by reference: equal when they say the same.</summary>
    private static void Same<T>(T? found, T expected)
        where T : class => System.Text.Json.JsonSerializer.Serialize(found, Readable).ShouldBe(System.Text.Json.JsonSerializer.Serialize(expected, Readable));

    private static readonly System.Text.Json.JsonSerializerOptions Readable = new() { WriteIndented = true };
}
