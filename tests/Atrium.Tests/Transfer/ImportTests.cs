using System.Text;
using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Passwords;
using Atrium.Server.Transfer;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Transfer;

public sealed class SqliteImportTests : ImportTests
{
    private readonly string folder = Directory.CreateTempSubdirectory("atrium-import-").FullName;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>What is wrong with a line is so on every database. The line stands behind a good user and a good organization, and before another one.</summary>
    [Theory]
    [InlineData("""{"type":"user","email":"x@example.test","nick":"x"}""", "/nick", "is not a field")]
    [InlineData("""{"type":"user","email":"x@example.test","profile":{"nick":"x"}}""", "/profile/nick", "is not a field")]
    [InlineData("""{"type":"organization","handle":"x","name":"x","settings":{"mfa":true}}""", "/settings/mfa", "is not a field")]
    [InlineData("""{"type":"organization","handle":"x","name":"x","domains":[{"domain":"x.example","state":"verified"}]}""", "/domains/0/state", "is not a field")]
    [InlineData("""{"type":"user"}""", "/email", "is missing")]
    [InlineData("""{"type":"user","email":null}""", "/email", "is missing")]
    [InlineData("""{"type":"user","email":"nobody"}""", "/email", "an e-mail address")]
    [InlineData("""{"type":"user","email":7}""", "/email", "a text")]
    [InlineData("""{"type":"user","email":"x@example.test","email_verified":"yes"}""", "/email_verified", "true or false")]
    [InlineData("""{"type":"user","email":"x@example.test","id":"7e57d004-2b97-0e7a-b45f-5387367791cd"}""", "/id", "external_id")]
    [InlineData("""{"type":"user","email":"x@example.test","id":"usr_zzzzzzzzzzzzzzzzzzzzzzzzz"}""", "/id", "external_id")]
    [InlineData("""{"type":"user","email":"x@example.test","status":"gone"}""", "/status", "active or disabled")]
    [InlineData("""{"type":"user","email":"x@example.test","created_at":"2024-01-01"}""", "/created_at", "Unix milliseconds")]
    [InlineData("""{"type":"user","email":"x@example.test","created_at":1e300}""", "/created_at", "Unix milliseconds")]
    [InlineData("""{"type":"user","email":"x@example.test","metadata":{"a":1}}""", "/metadata/a", "should be a text")]
    [InlineData("""{"type":"user","email":"x@example.test","metadata":{"ä":"x"}}""", "/metadata/ä", "in ASCII")]
    [InlineData("""{"type":"user","email":"x@example.test","profile":{"locale":"English"}, "username":"a b"}""", "/username", "without spaces")]
    [InlineData("""{"type":"user","email":"x@example.test","profile":{"name":"a\u0000b"}}""", "/profile/name", "control characters")]
    [InlineData("""{"type":"user","email":"x@example.test","profile":{"name":"\ud800"}}""", "/profile/name", "control characters")]
    [InlineData("""{"type":"user","email":"x@example.test","external_id":""}""", "/external_id", "1 to 128")]
    [InlineData("""{"type":"user","email":"x@example.test","password_hash":"5f4dcc3b5aa765d61d8327deb882cf99"}""", "/password_hash", "no form that is known")]
    [InlineData("""{"type":"user","email":"x@example.test","password_hash":"$2b$31$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC"}""", "/password_hash", "costs more")]
    [InlineData("""{"type":"user","email":"mia@EXAMPLE.test"}""", "/email", "is on line 2 already")]
    [InlineData("""{"type":"organization","handle":"northwind","name":"x"}""", "/handle", "is on line 1 already")]
    [InlineData("""{"type":"organization","handle":"North Wind","name":"x"}""", "/handle", "lower-case letters")]
    [InlineData("""{"type":"organization","handle":"x"}""", "/name", "is missing")]
    [InlineData("""{"type":"organization","handle":"x","name":"x","domains":["x.example"]}""", "/domains/0", "an object")]
    [InlineData("""{"type":"organization","handle":"x","name":"x","domains":[{"domain":"x.example"},{"domain":"X.example"}]}""", "/domains/1/domain", "is on this line already")]
    [InlineData("""{"type":"membership","user_email":"x@example.test","organization_handle":"northwind"}""", "/user_email", "names no user")]
    [InlineData("""{"type":"membership","user_email":"mia@example.test","organization_handle":"contoso"}""", "/organization_handle", "names no organization that is on a line above")]
    [InlineData("""{"type":"membership","user_email":"mia@example.test"}""", "", "exactly one of organization_id")]
    [InlineData("""{"type":"membership","user_email":"mia@example.test","user_external_id":"1","organization_handle":"northwind"}""", "", "exactly one of user_id")]
    [InlineData("""{"type":"membership","user_email":"mia@example.test","organization_handle":"northwind","scopes":["a","a"]}""", "/scopes/1", "is there twice")]
    [InlineData("""{"type":"membership","user_email":"mia@example.test","organization_handle":"northwind","scopes":[""]}""", "/scopes/0", "1 to 100")]
    [InlineData("""{"type":"role","slug":"x","permissions":[7]}""", "/permissions/0", "1 to 100")]
    [InlineData("""{"type":"client","name":"x"}""", "/type", "role, organization, user or membership")]
    [InlineData("""{"email":"x@example.test"}""", "/type", "is missing")]
    [InlineData("""["user"]""", "", "is not a JSON object")]
    [InlineData("""{"type":"user","email":"x@example.test" """, "", "is not JSON")]
    [InlineData("""{"type":"user","type":"user","email":"x@example.test"}""", "", "the same field twice")]
    [InlineData("Mia,mia@example.test", "", "is not JSON, from byte 1 on")]
    [InlineData("""{"type":"user","email":"x@example.test","\ud800":1}""", "", "is not JSON")]
    [InlineData("""{"type":"user","email":"x@example.test","metadata":{"\udfff":"x"}}""", "", "is not JSON")]
    public async Task A_line_that_is_wrong_is_named_with_its_field_and_nothing_is_changed(string line, string field, string message)
    {
        ImportReport report = await CheckAsync(Northwind, Mia, line, """{"type":"user","email":"sam@example.test"}""");
        report.Problems.ShouldHaveSingleItem();
        report.ProblemCount.ShouldBe(1);
        (report.Problems[0].Line, report.Problems[0].Field).ShouldBe((3, field));
        report.Problems[0].Message.ShouldContain(message);
        (await PeopleAsync()).ShouldBeEmpty();
    }

    protected override Task<string> NewDatabaseAsync() => Task.FromResult($"Data Source={Path.Combine(folder, "atrium.db")}");
}

public sealed class PostgresImportTests(PrivatePostgres postgres) : ImportTests
{
    private string? connectionString;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await postgres.DropAsync(connectionString!);
    }

    protected override async Task<string> NewDatabaseAsync() => connectionString = await postgres.NewDatabaseWithSchemaAsync();
}

/// <summary>What lines mean, on both databases: what is added, what is left as it is, and what is said of every line that is wrong.</summary>
public abstract class ImportTests : IAsyncLifetime
{
    private const string Bcrypt = "$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC";

    protected const string Northwind = """{"type":"organization","handle":"northwind","name":"Northwind"}""";
    protected const string Mia = """{"type":"user","email":"mia@example.test"}""";

    private readonly PasswordHasher hasher = new();
    private readonly FakeClock clock = new();
    private Database database = null!;
    private Realm realm = null!;

    public async ValueTask InitializeAsync()
    {
        database = await Database.OpenAsync(await NewDatabaseAsync(), default);
        realm = await MakeRealmAsync("acme");
    }

    public virtual async ValueTask DisposeAsync()
    {
        hasher.Dispose();
        await database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Every_field_of_a_line_is_kept()
    {
        await ImportAsync(
            """{"type":"role","slug":"admin","name":"Administrator","permissions":["orders:read","orders:write"]}""",
            """{"type":"organization","handle":"northwind","name":"Northwind Ä","status":"suspended","external_id":"nw","metadata":{"plan":"gold"},"settings":{"default_member_scopes":["member"],"mfa_required":true,"sso_only":true,"allow_profiles_outside":false},"domains":[{"domain":"Northwind.Example.","verified":true},{"domain":"nw.example"}],"created_at":1700000000000,"updated_at":1700000000001}""",
            $$"""{"type":"user","email":"Mia@Example.test","email_verified":true,"username":"mia","profile":{"given_name":"Mia","family_name":"Sørensen","name":"Mia S.","picture":"https://example.test/mia.png","locale":"da-DK"},"phone_number":"+45 70 10 11 55","phone_number_verified":true,"address":{"street_address":"Rådhuspladsen 1","locality":"København"},"external_id":"auth0|1","metadata":{"crm":"42"},"status":"disabled","password_hash":"{{Bcrypt}}","last_sign_in_at":1700000000002,"created_at":1700000000003,"updated_at":1700000000004}""",
            """{"type":"membership","user_email":"mia@example.test","organization_external_id":"nw","scopes":["admin","billing"],"title":"CFO","status":"pending","joined_at":1700000000005,"created_at":1700000000006,"updated_at":1700000000007}""");

        Organization organization = (await new OrganizationStore(database).FindByHandleAsync(realm.Id, "northwind", default))!;
        organization.Name.ShouldBe("Northwind Ä");
        organization.Status.ShouldBe(OrganizationStatus.Suspended);
        organization.ExternalId.ShouldBe("nw");
        organization.Metadata.ShouldBe(new Dictionary<string, string> { ["plan"] = "gold" });
        organization.Settings.DefaultMemberScopes.ShouldBe(["member"]);
        (organization.Settings.MfaRequired, organization.Settings.SsoOnly, organization.Settings.AllowProfilesOutside).ShouldBe((true, true, false));
        organization.UpdatedAt.ToUnixTimeMilliseconds().ShouldBe(1700000000001);
        (await new OrganizationStore(database).FindByDomainAsync(realm.Id, "northwind.example", default))!.Id.ShouldBe(organization.Id);
        (await new OrganizationStore(database).FindByDomainAsync(realm.Id, "nw.example", default)).ShouldBeNull("it is not verified");
        (await new OrganizationStore(database).ListAsync(realm.Id, new OrganizationFilter { Search = "wind ä" }, new PageRequest<Organization>(10), default)).Items.Count.ShouldBe(1);

        UserAndPassword found = (await new UserStore(database).FindForSignInAsync(realm.Id, "MIA", null, default))!;
        found.PasswordHash.ShouldBe(Bcrypt);
        User user = found.User;
        (user.Email, user.EmailVerified, user.Username, user.ExternalId, user.Status).ShouldBe(("Mia@Example.test", true, "mia", "auth0|1", UserStatus.Disabled));
        (user.GivenName, user.FamilyName, user.Name, user.Picture, user.Locale).ShouldBe(("Mia", "Sørensen", "Mia S.", "https://example.test/mia.png", "da-DK"));
        (user.PhoneNumber, user.PhoneNumberVerified).ShouldBe(("+45 70 10 11 55", true));
        user.Address.ShouldBe(new PostalAddress { StreetAddress = "Rådhuspladsen 1", Locality = "København" });
        user.Metadata.ShouldBe(new Dictionary<string, string> { ["crm"] = "42" });
        user.LastSignInAt!.Value.ToUnixTimeMilliseconds().ShouldBe(1700000000002);
        user.CreatedAt.ToUnixTimeMilliseconds().ShouldBe(1700000000003);

        Membership membership = (await new MembershipStore(database).FindAsync(realm.Id, user.Id, organization.Id, default))!;
        membership.Scopes.ShouldBe(["admin", "billing"]);
        (membership.Title, membership.Status).ShouldBe(("CFO", MembershipStatus.Pending));
        membership.JoinedAt.ToUnixTimeMilliseconds().ShouldBe(1700000000005);
        (await new RoleStore(database).NamedAsync(realm.Id, [], ["admin"], default)).Single().Permissions.ShouldBe(["orders:read", "orders:write"]);
    }

    [Fact]
    public async Task The_least_that_a_line_can_say_is_enough()
    {
        await ImportAsync(Northwind, Mia, """{"type":"membership","user_email":"MIA@example.test","organization_handle":"northwind"}""");
        User user = (await new UserStore(database).FindByEmailAsync(realm.Id, "mia@example.test", default))!;
        user.EmailVerified.ShouldBeFalse("nobody said so");
        user.CreatedAt.ShouldBe(clock.GetUtcNow());
        (await new MembershipStore(database).ListDetailsAsync(realm.Id, user.Id, null, [MembershipStatus.Active], new PageRequest<Membership>(10), default))
            .Items.Single().Membership.Scopes.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_the_realm_has_stays_as_it_is()
    {
        await ImportAsync(Northwind, Mia, """{"type":"membership","user_email":"mia@example.test","organization_handle":"northwind","scopes":["member"]}""");
        ImportReport again = await ImportAsync(
            """{"type":"organization","handle":"northwind","name":"Another name"}""",
            """{"type":"user","email":"MIA@example.test","status":"disabled"}""",
            """{"type":"user","email":"sam@example.test"}""",
            """{"type":"membership","user_email":"mia@example.test","organization_handle":"northwind","scopes":["owner"]}""",
            """{"type":"membership","user_email":"sam@example.test","organization_handle":"northwind"}""");

        (again.Added, again.Kept).ShouldBe((2, 3));
        Organization organization = (await new OrganizationStore(database).FindByHandleAsync(realm.Id, "northwind", default))!;
        organization.Name.ShouldBe("Northwind");
        User user = (await new UserStore(database).FindByEmailAsync(realm.Id, "mia@example.test", default))!;
        user.Status.ShouldBe(UserStatus.Active);
        (await new MembershipStore(database).FindAsync(realm.Id, user.Id, organization.Id, default))!.Scopes.ShouldBe(["member"]);
    }

    [Fact]
    public async Task Another_realm_has_nothing_to_do_with_it()
    {
        await ImportAsync(Northwind, """{"type":"user","email":"mia@example.test","external_id":"1"}""");
        realm = await MakeRealmAsync("globex");
        (await ImportAsync(Northwind, """{"type":"user","email":"mia@example.test","external_id":"2"}""")).Added.ShouldBe(2);
        await RefusesAsync("""{"type":"membership","user_external_id":"1","organization_handle":"northwind"}""", "/user_external_id", "names no user");
    }

    [Fact]
    public async Task All_that_is_wrong_is_told_up_to_a_hundred_and_counted_beyond()
    {
        string[] lines = [Mia, .. Enumerable.Range(0, 700).Select(static _ => Mia)];
        ImportReport report = await CheckAsync(lines);
        report.ProblemCount.ShouldBe(700);
        report.Problems.Select(static problem => problem.Line).ShouldBe(Enumerable.Range(2, Importer.ShownProblems).Select(static i => (long)i));
        report.Problems.ShouldAllBe(static problem => problem.Message == "is on line 1 already");

        ImportReport several = await CheckAsync("""{"type":"user","email":"x","status":"y","z":1}""");
        several.Problems.Select(static problem => problem.Field).ShouldBe(["/email", "/status", "/z"]);
    }

    [Fact]
    public async Task One_membership_by_three_names_of_its_ends_is_one_membership()
    {
        await ImportAsync("""{"type":"user","email":"mia@example.test","external_id":"m"}""");
        User mia = (await new UserStore(database).FindByEmailAsync(realm.Id, "mia@example.test", default))!;
        ImportReport report = await CheckAsync(
            """{"type":"organization","handle":"northwind","name":"Northwind","external_id":"n"}""",
            """{"type":"user","email":"mia@example.test","external_id":"m"}""",
            """{"type":"membership","user_email":"mia@example.test","organization_handle":"northwind"}""",
            """{"type":"membership","user_external_id":"m","organization_external_id":"n"}""",
            $$"""{"type":"membership","user_id":"{{mia.Id}}","organization_handle":"northwind"}""");
        report.Problems.Select(static problem => (problem.Line, problem.Message)).ShouldBe(
            [(4, "is the same membership as on line 3"), (5, "is the same membership as on line 3")]);
    }

    [Fact]
    public async Task A_name_that_is_somebody_elses_in_the_realm_is_a_conflict()
    {
        await ImportAsync(
            """{"type":"organization","handle":"northwind","name":"Northwind","domains":[{"domain":"northwind.example","verified":true},{"domain":"claimed.example"}]}""",
            """{"type":"user","email":"mia@example.test","username":"mia"}""");
        await RefusesAsync("""{"type":"user","email":"mia@example.test","external_id":"7"}""", "/email", "belongs to another user of the realm");
        await RefusesAsync("""{"type":"user","email":"x@example.test","username":"MIA"}""", "/username", "belongs to another user of the realm");
        await RefusesAsync(
            """{"type":"organization","handle":"contoso","name":"Contoso","domains":[{"domain":"northwind.example","verified":true}]}""",
            "/domains/0/domain",
            "belongs to another organization's domain of the realm");
    }

    [Fact]
    public async Task A_claim_stands_in_nobodys_way()
    {
        await ImportAsync("""{"type":"organization","handle":"northwind","name":"Northwind","domains":[{"domain":"claimed.example"}]}""");
        (await ImportAsync("""{"type":"organization","handle":"contoso","name":"Contoso","domains":[{"domain":"claimed.example","verified":true}]}""")).Added.ShouldBe(1);
        await RefusesAsync(
            """{"type":"organization","handle":"fabrikam","name":"Fabrikam","domains":[{"domain":"x.example"},{"domain":"X.example"}]}""", "/domains/1/domain", "is on this line already");
    }

    [Fact]
    public async Task A_line_of_organizations_is_as_long_as_anywhere_and_in_the_order_of_the_file()
    {
        string[] line = [Northwind, .. Enumerable.Range(2, 4).Select(static i => $$"""{"type":"organization","handle":"o{{i}}","name":"O","parent_handle":"{{(i == 2 ? "northwind" : $"o{i - 1}")}}"}""")];
        ImportReport deep = await CheckAsync([.. line, """{"type":"organization","handle":"o6","name":"O","parent_handle":"o5"}"""]);
        (deep.Problems.Single().Line, deep.Problems.Single().Field).ShouldBe((6, "/parent_handle"));
        (await ImportAsync(line)).Added.ShouldBe(5);
        await RefusesAsync("""{"type":"organization","handle":"o6","name":"O","parent_handle":"o5"}""", "/parent_handle", "stands too deep: at most 5 organizations stand in a line");
        await RefusesAsync("""{"type":"organization","handle":"x","name":"X","parent_handle":"x"}""", "/parent_handle", "names no organization that is on a line above or in the realm");
        await RefusesAsync("""{"type":"organization","handle":"x","name":"X","parent_handle":"northwind","parent_external_id":"n"}""", "", "should name at most one of parent_id, parent_external_id and parent_handle");
        Organization last = (await new OrganizationStore(database).FindByHandleAsync(realm.Id, "o5", default))!;
        (await new OrganizationStore(database).FindAsync(realm.Id, last.ParentId!.Value, default))!.Handle.ShouldBe("o4");
    }

    [Fact]
    public async Task An_organizations_own_role_is_another_than_the_realms_and_is_there_once()
    {
        const string own = """{"type":"role","slug":"admin","organization_handle":"northwind","permissions":["own:write"]}""";
        const string ofRealm = """{"type":"role","slug":"admin","permissions":["all:read"]}""";
        (await ImportAsync(Northwind, own, ofRealm)).Added.ShouldBe(3);
        (await ImportAsync(Northwind, own, ofRealm)).Kept.ShouldBe(3);
        (await CheckAsync(own, own)).Problems.Single().Message.ShouldBe("is on line 1 already");
        await RefusesAsync("""{"type":"role","slug":"x","organization_handle":"nowhere"}""", "/organization_handle", "names no organization that is on a line above or in the realm");
        Organization northwind = (await new OrganizationStore(database).FindByHandleAsync(realm.Id, "northwind", default))!;
        (await new RoleStore(database).NamedAsync(realm.Id, [northwind.Id], ["admin"], default)).Select(static role => role.Permissions.Single()).Order().ShouldBe(["all:read", "own:write"]);
    }

    [Theory]
    [InlineData("\"allowed_methods\":[]", "allowed_methods")]
    [InlineData("\"allowed_methods\":[\"magic\"]", "allowed_methods/0")]
    [InlineData("\"mfa_required\":true,\"allowed_methods\":[\"password\"]", "allowed_methods")]
    [InlineData("\"max_members\":0", "max_members")]
    [InlineData("\"session_max_age\":10", "session_max_age")]
    public async Task Settings_that_the_management_api_would_refuse_are_refused(string setting, string field) =>
        (await CheckAsync($$$"""{"type":"organization","handle":"x","name":"X","settings":{{{{setting}}}}}""")).Problems.Select(static problem => problem.Field).ShouldContain($"/settings/{field}");

    [Fact]
    public async Task What_changes_between_the_two_passes_stops_the_import_and_its_batch_is_not_done()
    {
        using MemoryStream file = FileOf(Northwind, """{"type":"user","email":"mia@example.test","external_id":"7"}""", """{"type":"user","email":"sam@example.test"}""");
        Importer importer = NewImporter();
        (await importer.CheckAsync(file, realm.Id, static _ => { }, default)).ProblemCount.ShouldBe(0);
        await new UserStore(database).CreateAsync(
            new User { RealmId = realm.Id, Id = Id<User>.New(clock), Email = "mia@example.test", EmailVerified = true, CreatedAt = clock.GetUtcNow(), UpdatedAt = clock.GetUtcNow() }, null, Origin.System, default);

        ImportReport report = await importer.AddAsync(file, realm.Id, static _ => { }, default);
        (report.Problems.Single().Line, report.Problems.Single().Field, report.Added).ShouldBe((2, "/email", 0));
        (await new OrganizationStore(database).FindByHandleAsync(realm.Id, "northwind", default)).ShouldBeNull("the batch is undone");
    }

    [Fact]
    public async Task Files_come_with_carriage_returns_blank_lines_a_byte_order_mark_and_no_last_line_end()
    {
        using MemoryStream file = new(Encoding.UTF8.GetBytes($"\uFEFF{Northwind}\r\n\r\n  \n{Mia}"));
        ImportReport report = await NewImporter().CheckAsync(file, realm.Id, static _ => { }, default);
        (report.Lines, report.ProblemCount, report.Added).ShouldBe((2, 0, 2));
    }

    [Fact]
    public async Task Lines_longer_than_a_megabyte_and_bytes_that_are_no_text_are_refused_with_their_numbers()
    {
        using MemoryStream file = new();
        file.Write(Encoding.UTF8.GetBytes(Mia + "\n" + new string('x', 3_000_000) + "\n"));
        file.Write([.. "{\"type\":\"user\",\"email\":\"\xff\xfe@example.test\"}\n".Select(static c => (byte)c)]);
        file.Write(Encoding.UTF8.GetBytes(new string(' ', 1_100_000)));
        ImportReport report = await NewImporter().CheckAsync(file, realm.Id, static _ => { }, default);
        report.Problems.Select(static problem => problem.Line).ShouldBe([2, 3, 4]);
        report.Problems[0].Message.ShouldBe("is longer than 1048576 bytes");
    }

    [Fact]
    public async Task The_example_in_the_docs_can_be_imported()
    {
        string[] lines = [.. (await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "docs/import.md"))).Where(static line => line.StartsWith("{\"type\"", StringComparison.Ordinal))];
        (await ImportAsync(lines)).Added.ShouldBe(3);
    }

    [Fact]
    public async Task An_empty_file_changes_nothing() => (await ImportAsync()).Lines.ShouldBe(0);

    protected abstract Task<string> NewDatabaseAsync();

    private static MemoryStream FileOf(params string[] lines) => new(Encoding.UTF8.GetBytes(string.Concat(lines.Select(static line => line + "\n"))));

    private Importer NewImporter() => new(new ImportStore(database), hasher, clock);

    protected async Task<IReadOnlyList<User>> PeopleAsync() =>
        (await new UserStore(database).ListAsync(realm.Id, new UserFilter(), new PageRequest<User>(10), default)).Items;

    protected async Task<ImportReport> CheckAsync(params string[] lines)
    {
        using MemoryStream file = FileOf(lines);
        return await NewImporter().CheckAsync(file, realm.Id, static _ => { }, default);
    }

    private async Task<ImportReport> ImportAsync(params string[] lines)
    {
        using MemoryStream file = FileOf(lines);
        Importer importer = NewImporter();
        ImportReport check = await importer.CheckAsync(file, realm.Id, static _ => { }, default);
        check.Problems.ShouldBeEmpty();
        ImportReport report = await importer.AddAsync(file, realm.Id, static _ => { }, default);
        report.Problems.ShouldBeEmpty();
        (report.Lines, report.Added, report.Kept).ShouldBe((check.Lines, check.Added, check.Kept), "the check knew it all");
        return report;
    }

    private async Task RefusesAsync(string line, string field, string message)
    {
        ImportReport report = await CheckAsync(line);
        (report.Problems.Single().Field, report.Problems.Single().Message).ShouldSatisfyAllConditions(
            found => found.Field.ShouldBe(field), found => found.Message.ShouldContain(message));
    }

    private async Task<Realm> MakeRealmAsync(string handle)
    {
        Realm made = new() { Id = Id<Realm>.New(clock), Handle = handle, Name = handle, CreatedAt = clock.GetUtcNow(), UpdatedAt = clock.GetUtcNow() };
        (await new RealmStore(database).CreateAsync(made, [], Origin.System, default)).ShouldBeTrue();
        return made;
    }
}
