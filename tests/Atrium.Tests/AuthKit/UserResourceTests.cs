using System.Text.Json;
using Atrium.Core;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Server.Passwords;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;
using static Atrium.Tests.AuthKit.ResourceCalls;

namespace Atrium.Tests.AuthKit;

public sealed class UserResourceTests(DemoServer server) : IClassFixture<DemoServer>
{
    /// <summary>Keys that the schema UserlandUser requires.</summary>
    private static readonly string[] RequiredKeys =
    [
        "object", "id", "first_name", "last_name", "profile_picture_url", "email", "email_verified", "external_id", "last_sign_in_at", "created_at", "updated_at",
    ];

    private readonly ResourceCalls api = new(server);

    [Fact]
    public async Task A_user_is_created_with_what_was_given_and_read_back_the_same()
    {
        string email = UniqueEmail();
        string externalId = Unique("ext");
        ResourceAnswer created = await api.NewUserAsync(new
        {
            email,
            first_name = "Ada",
            last_name = "Test",
            email_verified = true,
            external_id = externalId,
            metadata = new { plan = "gold" },
            locale = "en-GB",
            password = "Correct-Horse-9",
        });
        created["object"].ShouldBe("user");
        created.Id.ShouldStartWith("usr_");
        created["email"].ShouldBe(email);
        created["first_name"].ShouldBe("Ada");
        created["last_name"].ShouldBe("Test");
        created["name"].ShouldBe("Ada Test");
        created["external_id"].ShouldBe(externalId);
        created["locale"].ShouldBe("en-GB");
        created.Json.GetProperty("email_verified").GetBoolean().ShouldBeTrue();
        created.Json.GetProperty("metadata").GetProperty("plan").GetString().ShouldBe("gold");
        created["created_at"].ShouldNotBeNull().ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$");
        created.Text.ShouldNotContain("assword");
        (await api.GetAsync($"{UsersPath}/{created.Id}")).Expect(200).Text.ShouldBe(created.Text);
        (await api.GetAsync($"{UsersPath}/external_id/{externalId}")).Expect(200).Text.ShouldBe(created.Text);
    }

    [Fact]
    public async Task What_was_not_given_is_null_and_never_missing()
    {
        ResourceAnswer created = await api.NewUserAsync();
        foreach (string key in RequiredKeys)
            created.Json.TryGetProperty(key, out _).ShouldBeTrue(key);
        foreach (string key in new[] { "first_name", "last_name", "profile_picture_url", "external_id", "last_sign_in_at" })
            created.Json.GetProperty(key).ValueKind.ShouldBe(JsonValueKind.Null, key);
        created.Json.GetProperty("email_verified").GetBoolean().ShouldBeFalse();
        created.Json.GetProperty("metadata").EnumerateObject().ShouldBeEmpty();
    }

    [Fact]
    public async Task Nulls_unknown_keys_and_keys_that_are_the_servers_own_change_nothing()
    {
        string email = UniqueEmail();
        ResourceAnswer created = await api.NewUserAsync(new
        {
            email,
            first_name = (string?)null,
            password = (string?)null,
            password_hash = (string?)null,
            metadata = (object?)null,
            external_id = (string?)null,
            email_verified = (bool?)null,
            id = "usr_0000000000000000000000001",
            realm_id = "realm_0000000000000000000000001",
            status = "disabled",
            created_at = "2001-01-01T00:00:00.000Z",
            last_sign_in_at = "2001-01-01T00:00:00.000Z",
            profile_picture_url = "https://elsewhere.test/",
            anything = new[] { 1, 2 },
        });
        created.Id.ShouldNotBe("usr_0000000000000000000000001");
        created["created_at"].ShouldNotBeNull().ShouldStartWith("2026");
        created["last_sign_in_at"].ShouldBeNull();
        User stored = (await server.Get<UserStore>().FindByEmailAsync(await RealmAsync(), email, CancellationToken.None))!;
        stored.Status.ShouldBe(UserStatus.Active);

        ResourceAnswer updated = (await api.PutAsync($"{UsersPath}/{created.Id}", new { id = "usr_0000000000000000000000002", status = "disabled", email = (string?)null }))
            .Expect(200);
        updated.Id.ShouldBe(created.Id);
        updated["email"].ShouldBe(email);
    }

    [Fact]
    public async Task An_update_changes_what_it_names_and_leaves_the_rest()
    {
        ResourceAnswer created = await api.NewUserAsync(new
        {
            email = UniqueEmail(),
            first_name = "Ada",
            last_name = "Test",
            external_id = Unique("ext"),
            locale = "de",
            metadata = new { plan = "gold", color = "red" },
        });
        ResourceAnswer updated = (await api.PutAsync($"{UsersPath}/{created.Id}", new { first_name = "Eva", metadata = new { color = (string?)null, size = "L" } })).Expect(200);
        updated["first_name"].ShouldBe("Eva");
        updated["last_name"].ShouldBe("Test");
        updated["locale"].ShouldBe("de");
        updated["external_id"].ShouldBe(created["external_id"]);
        updated.Json.GetProperty("metadata").EnumerateObject().Select(static pair => $"{pair.Name}={pair.Value}").ShouldBe(["plan=gold", "size=L"], ignoreOrder: true);
        (await api.GetAsync($"{UsersPath}/{created.Id}")).Text.ShouldBe(updated.Text);

        ResourceAnswer removed = (await api.PutAsync($"{UsersPath}/{created.Id}", new { external_id = (string?)null, locale = (string?)null, metadata = (object?)null, last_name = "" })).Expect(200);
        removed["external_id"].ShouldBeNull();
        removed["locale"].ShouldBeNull();
        removed["last_name"].ShouldBeNull();
        removed.Json.GetProperty("metadata").EnumerateObject().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_new_address_is_unverified_unless_the_update_says_otherwise()
    {
        string email = UniqueEmail();
        ResourceAnswer created = await api.NewUserAsync(new { email, email_verified = true });
        string path = $"{UsersPath}/{created.Id}";
        (await api.PutAsync(path, new { email = email.ToUpperInvariant() })).Json.GetProperty("email_verified").GetBoolean().ShouldBeTrue();
        (await api.PutAsync(path, new { email = UniqueEmail() })).Json.GetProperty("email_verified").GetBoolean().ShouldBeFalse();
        (await api.PutAsync(path, new { email = UniqueEmail(), email_verified = true })).Json.GetProperty("email_verified").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task An_address_and_an_external_id_are_used_once()
    {
        string externalId = Unique("ext");
        ResourceAnswer first = await api.NewUserAsync(new { email = UniqueEmail(), external_id = externalId });
        ResourceAnswer other = await api.NewUserAsync();

        (await api.PostAsync(UsersPath, new { email = "SAM@Example.test" })).Expect(400, "user_creation_error").ErrorCodes.ShouldBe(["email_not_available"]);
        (await api.PostAsync(UsersPath, new { email = UniqueEmail(), external_id = externalId })).Expect(400, "user_creation_error").ErrorCodes.ShouldBe(["external_id_already_used"]);
        (await api.PutAsync($"{UsersPath}/{other.Id}", new { email = first["email"] })).Expect(400, "email_not_available");
        (await api.PutAsync($"{UsersPath}/{other.Id}", new { external_id = externalId })).Expect(400, "external_id_already_used");
        (await api.GetAsync($"{UsersPath}/{other.Id}")).Text.ShouldBe(other.Text);

        // The neighbour realm has addresses and external ids of its own.
        (await api.Globex.PostAsync(UsersPath, new { email = "sam@example.test", external_id = externalId })).Expect(201);
    }

    [Fact]
    public async Task Twenty_requests_for_one_address_make_one_user()
    {
        string email = UniqueEmail();
        ResourceAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => api.PostAsync(UsersPath, new { email })));
        answers.Count(static answer => answer.Status == 201).ShouldBe(1);
        answers.Where(static answer => answer.Status != 201).ShouldAllBe(static answer => answer.Status == 400 && answer.Code == "user_creation_error");
    }

    [Fact]
    public async Task Parallel_updates_of_different_keys_all_stay()
    {
        ResourceAnswer created = await api.NewUserAsync();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(number =>
            api.PutAsync($"{UsersPath}/{created.Id}", new { metadata = new Dictionary<string, string> { [$"key{number}"] = "x" } })));
        (await api.GetAsync($"{UsersPath}/{created.Id}")).Json.GetProperty("metadata").EnumerateObject().Count().ShouldBe(10);
    }

    [Theory]
    [InlineData("short", "password_too_short")]
    [InlineData("", "password_too_short")]
    [InlineData("password", "password_too_common")]
    public async Task A_weak_password_is_refused_with_the_reason(string password, string reason)
    {
        (await api.PostAsync(UsersPath, new { email = UniqueEmail(), password })).Expect(400, "password_strength_error").ErrorCodes.ShouldBe([reason]);
        ResourceAnswer existing = await api.NewUserAsync();
        (await api.PutAsync($"{UsersPath}/{existing.Id}", new { password })).Expect(400, "password_strength_error");
    }

    [Fact]
    public async Task An_argon2_hash_is_taken_over_and_its_password_works()
    {
        PasswordHasher hasher = server.Get<PasswordHasher>();
        string hash = (await hasher.HashAsync("Imported-Passw0rd", CancellationToken.None))!;
        string email = UniqueEmail();
        await api.NewUserAsync(new { email, password_hash = hash, password_hash_type = "argon2" });
        UserAndPassword stored = (await server.Get<UserStore>().FindForSignInAsync(await RealmAsync(), email, memberOf: null, CancellationToken.None))!;
        (await hasher.VerifyAsync("Imported-Passw0rd", stored.PasswordHash, CancellationToken.None)).ShouldBe(PasswordCheck.Match);
    }

    /// <summary>Their passwords are "correct horse"; where they come from is told with the tests of the hasher.</summary>
    [Theory]
    [InlineData("bcrypt", "$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC")]
    [InlineData("scrypt", "$scrypt$ln=10,r=8,p=2$MDEyMzQ1Njc4OWFiY2RlZg$I4YuHpx/6xJJ4+sk74hQU+KhW++gPE8aHzXbHijxgzg")]
    [InlineData("scrypt", "$7$7/..../....0123456789abcdef$7LC.VldeTcQDAj2Kav9oY3kEqQKnp8soVBfiGdmMbK3")]
    [InlineData("pbkdf2", "$pbkdf2-sha1$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$aUfE2vx5Q7zgbb0jx49AaNpXUQQ")]
    public async Task A_hash_of_another_kind_is_taken_over_and_its_password_works(string type, string hash)
    {
        string email = UniqueEmail();
        await api.NewUserAsync(new { email, password_hash = hash, password_hash_type = type });
        UserAndPassword stored = (await server.Get<UserStore>().FindForSignInAsync(await RealmAsync(), email, memberOf: null, CancellationToken.None))!;
        (await server.Get<PasswordHasher>().VerifyAsync("correct horse", stored.PasswordHash, CancellationToken.None)).ShouldBe(PasswordCheck.Match);
    }

    [Theory]
    [InlineData("""{"password":"Correct-Horse-9","password_hash":"x","password_hash_type":"argon2"}""", 400, "password_and_password_hash_provided")]
    [InlineData("""{"password":"Correct-Horse-9","password_hash_type":"argon2"}""", 400, "password_and_password_hash_type_provided")]
    [InlineData("""{"password_salt_position":"prefix"}""", 400, "password_salt_position_requires_password_hash")]
    [InlineData("""{"password_hash":"$2b$10$abc","password_hash_type":"bcrypt"}""", 400, "invalid_password_hash")]
    [InlineData("""{"password_hash":"$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC","password_hash_type":"scrypt"}""", 400, "invalid_password_hash")]
    [InlineData("""{"password_hash":"$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC","password_hash_type":"bcrypt","password_salt_position":"prefix"}""", 400, "invalid_password_hash")]
    [InlineData("""{"password_hash":"{SSHA}aGFzaGhhc2hoYXNoaGFzaA","password_hash_type":"ssha"}""", 400, "invalid_password_hash")]
    [InlineData("""{"password_hash":"nonsense","password_hash_type":"argon2"}""", 400, "invalid_password_hash")]
    [InlineData("""{"password_hash":"$argon2id$v=19$m=999999999,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA","password_hash_type":"argon2"}""", 400, "invalid_password_hash")]
    [InlineData("""{"password_hash":"x"}""", 422, "invalid_request_parameters")]
    [InlineData("""{"password_hash":"x","password_hash_type":"md5"}""", 422, "invalid_request_parameters")]
    [InlineData("""{"password_hash_type":"argon2"}""", 422, "invalid_request_parameters")]
    [InlineData("""{"email":"not an address"}""", 400, "user_creation_error")]
    [InlineData("""{"email":""}""", 422, "invalid_request_parameters")]
    [InlineData("""{"email":5}""", 422, "invalid_request_parameters")]
    [InlineData("""{"email":null}""", 422, "invalid_request_parameters")]
    [InlineData("""{"first_name":{}}""", 422, "invalid_request_parameters")]
    [InlineData("""{"first_name":"a\u0000b"}""", 422, "invalid_request_parameters")]
    [InlineData("""{"first_name":"\ud800"}""", 400, "invalid_json")]
    [InlineData("""{"email_verified":"yes"}""", 422, "invalid_request_parameters")]
    [InlineData("""{"external_id":""}""", 422, "invalid_request_parameters")]
    [InlineData("""{"external_id":"\u00fc"}""", 422, "invalid_request_parameters")]
    [InlineData("""{"metadata":[]}""", 422, "invalid_request_parameters")]
    [InlineData("""{"metadata":{"a":1}}""", 422, "invalid_request_parameters")]
    [InlineData("""{"metadata":{"":"x"}}""", 400, "invalid_metadata")]
    [InlineData("""{"metadata":{"\u00fc":"x"}}""", 400, "invalid_metadata")]
    [InlineData("""{"metadata":{"a23456789012345678901234567890123456789012":"x"}}""", 400, "invalid_metadata")]
    [InlineData("""{"metadata":{"a":"1","b":"1","c":"1","d":"1","e":"1","f":"1","g":"1","h":"1","i":"1","j":"1","k":"1"}}""", 400, "invalid_metadata")]
    [InlineData("""{"locale":"not a locale"}""", 400, "invalid_locale")]
    [InlineData("""[1]""", 400, "invalid_json")]
    [InlineData("""{"email":""", 400, "invalid_json")]
    [InlineData("""{"\ud800":1}""", 400, "invalid_json")]
    [InlineData("""{"metadata":{"\ud800":"1"}}""", 400, null)]
    public async Task Bad_input_is_refused_in_the_doors_envelope(string body, int status, string? code)
    {
        bool addressed = body.StartsWith('{') && !body.Contains("\"email\"", StringComparison.Ordinal);
        string sent = addressed ? $"{{\"email\":\"{UniqueEmail()}\",{body[1..]}" : body;
        ResourceAnswer answer = await api.SendAsync(HttpMethod.Post, UsersPath, sent);
        answer.Status.ShouldBe(status, answer.Text);
        if (code is not null)
            answer.Code.ShouldBe(code, answer.Text);
        answer["message"].ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task A_metadata_value_has_at_most_600_characters_and_a_merge_at_most_10_pairs()
    {
        (await api.PostAsync(UsersPath, new { email = UniqueEmail(), metadata = new { a = new string('x', 601) } })).Expect(400, "invalid_metadata");
        ResourceAnswer created = await api.NewUserAsync(new
        {
            email = UniqueEmail(),
            metadata = Enumerable.Range(0, 10).ToDictionary(static number => $"key{number}", static _ => new string('x', 600)),
        });
        (await api.PutAsync($"{UsersPath}/{created.Id}", new { metadata = new { one_more = "x" } })).Expect(400, "invalid_metadata");
        (await api.PutAsync($"{UsersPath}/{created.Id}", new { metadata = new { one_more = "x", key0 = (string?)null } })).Expect(200);
    }

    [Fact]
    public async Task A_body_of_a_megabyte_and_an_empty_body_are_answered()
    {
        (await api.SendAsync(HttpMethod.Post, UsersPath, $"{{\"email\":\"{new string('a', 1 << 20)}\"}}")).Expect(413, "request_too_large");
        ResourceAnswer created = await api.NewUserAsync();
        foreach (string? contentType in new[] { "application/json", null, "text/plain", "application/json; charset=utf-8" })
        {
            (await api.SendAsync(HttpMethod.Put, $"{UsersPath}/{created.Id}", "", contentType)).Expect(200);
            (await api.SendAsync(HttpMethod.Post, UsersPath, "", contentType)).Expect(422, "invalid_request_parameters");
        }
    }

    [Fact]
    public async Task The_list_can_be_asked_for_an_address_and_for_an_organization()
    {
        (await api.GetAsync($"{UsersPath}?email=MIA@example.test")).Expect(200).Data.Select(static user => user.GetProperty("email").GetString()).ShouldBe(["mia@example.test"]);
        (await api.GetAsync($"{UsersPath}?email=kim@example.test")).Expect(200).Data.ShouldBeEmpty();

        ResourceAnswer organization = await api.NewOrganizationAsync();
        ResourceAnswer inside = await api.NewUserAsync();
        await api.NewMembershipAsync(inside.Id, organization.Id);
        foreach (string name in new[] { "organization_id", "organization" })
            (await api.GetAsync($"{UsersPath}?{name}={organization.Id}")).Ids.ShouldBe([inside.Id]);
        foreach (string nobodys in new[] { "nonsense", "org_0000000000000000000000001", await InitechAsync() })
            (await api.GetAsync($"{UsersPath}?organization_id={nobodys}")).Expect(200).Data.ShouldBeEmpty();
    }

    [Fact]
    public async Task Pages_follow_each_other_in_every_order_while_others_are_added()
    {
        ResourceAnswer organization = await api.NewOrganizationAsync();
        List<string> expected = [];
        async Task AddAsync()
        {
            ResourceAnswer user = await api.NewUserAsync();
            await api.NewMembershipAsync(user.Id, organization.Id);
            expected.Add(user.Id);
        }

        for (int number = 0; number < 5; number++)
            await AddAsync();
        string list = $"{UsersPath}?organization_id={organization.Id}&limit=2";

        // Newest first: what is added meanwhile is in front of everything that was read, and shifts nothing.
        ResourceAnswer first = await api.GetAsync(list);
        first.Ids.ShouldBe([expected[4], expected[3]]);
        first.Before.ShouldBeNull();
        await AddAsync();
        ResourceAnswer second = await api.GetAsync($"{list}&order=desc&after={first.After}");
        second.Ids.ShouldBe([expected[2], expected[1]]);
        second.Before.ShouldBe(expected[2]);
        ResourceAnswer last = await api.GetAsync($"{list}&after={second.After}");
        last.Ids.ShouldBe([expected[0]]);
        last.After.ShouldBeNull();

        // Oldest first: what is added meanwhile comes at the end.
        ResourceAnswer oldest = await api.GetAsync($"{list}&order=asc");
        oldest.Ids.ShouldBe([expected[0], expected[1]]);
        await AddAsync();
        (await api.GetAsync($"{list}&order=asc&after={expected[4]}")).Ids.ShouldBe([expected[5], expected[6]]);
        (await api.GetAsync($"{list}&order=asc&before={expected[3]}")).Ids.ShouldBe([expected[1], expected[2]]);
        (await api.GetAsync($"{list}&before={expected[3]}")).Ids.ShouldBe([expected[5], expected[4]]);

        // In the order `normal`, "before" is older.
        (await api.GetAsync($"{list}&order=normal&before={expected[3]}")).Ids.ShouldBe([expected[2], expected[1]]);
        (await api.GetAsync($"{list}&order=normal&after={expected[3]}")).Ids.ShouldBe([expected[5], expected[4]]);
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=101")]
    [InlineData("limit=x")]
    [InlineData("limit=2&limit=3")]
    [InlineData("order=up")]
    [InlineData("after=nonsense")]
    [InlineData("before=s_0000000000000000000000001")]
    public async Task A_list_that_is_asked_for_wrongly_is_refused(string query)
    {
        (await api.GetAsync($"{UsersPath}?{query}")).Expect(422, "invalid_request_parameters");
        (await api.GetAsync($"{OrganizationsPath}?{query}")).Status.ShouldBe(422);
        (await api.GetAsync($"{MembershipsPath}?user_id=usr_0000000000000000000000001&{query}")).Status.ShouldBe(422);
    }

    [Fact]
    public async Task A_deleted_user_is_gone_with_an_empty_answer()
    {
        ResourceAnswer created = await api.NewUserAsync();
        ResourceAnswer deleted = (await api.SendAsync(HttpMethod.Delete, $"{UsersPath}/{created.Id}", "", "application/json")).Expect(200);
        deleted.Text.ShouldBeEmpty();
        (await api.DeleteAsync($"{UsersPath}/{created.Id}")).Expect(404, "entity_not_found");
        (await api.GetAsync($"{UsersPath}?email={created["email"]}")).Data.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_id_that_is_malformed_unknown_or_another_realms_is_not_found()
    {
        ResourceAnswer kim = await api.Globex.GetAsync($"{UsersPath}?email=kim@example.test");
        foreach (string id in new[] { "nonsense", "usr_0000000000000000000000001", "org_0000000000000000000000001", "usr_zzzzzzzzzzzzzzzzzzzzzzzzz", kim.Ids[0] })
        {
            ResourceAnswer answer = (await api.GetAsync($"{UsersPath}/{id}")).Expect(404, "entity_not_found");
            answer["message"].ShouldBe($"User not found: '{id}'.");
            answer["entity_id"].ShouldBe(id);
            (await api.PutAsync($"{UsersPath}/{id}", new { first_name = "Mine" })).Expect(404, "entity_not_found");
            (await api.DeleteAsync($"{UsersPath}/{id}")).Expect(404, "entity_not_found");
        }

        (await api.Globex.GetAsync($"{UsersPath}/{kim.Ids[0]}")).Expect(200)["first_name"].ShouldBe("Kim");
        await api.Globex.NewUserAsync(new { email = UniqueEmail(), external_id = "globex-only" });
        (await api.GetAsync($"{UsersPath}/external_id/globex-only")).Expect(404, "entity_not_found");
    }

    [Theory]
    [InlineData("tenant/42 %2F?x=1#y")]
    [InlineData("a+b c&d")]
    public async Task An_external_id_of_any_ascii_is_found_by_its_path(string externalId)
    {
        ResourceAnswer created = await api.NewUserAsync(new { email = UniqueEmail(), external_id = externalId });
        (await api.GetAsync($"{UsersPath}/external_id/{Uri.EscapeDataString(externalId)}?extra=1")).Expect(200).Id.ShouldBe(created.Id);
    }

    [Fact]
    public async Task A_key_may_do_what_its_scopes_name_and_nothing_else()
    {
        ResourceAnswer user = await api.NewUserAsync();
        string path = $"{UsersPath}/{user.Id}";
        ResourceCalls reader = await WithScopesAsync(server, "users:read");
        (await reader.GetAsync(path)).Expect(200);
        (await reader.PutAsync(path, new { first_name = "No" })).Expect(403, "insufficient_scope");
        (await reader.DeleteAsync(path)).Expect(403, "insufficient_scope");
        (await reader.PostAsync(UsersPath, new { email = UniqueEmail() })).Expect(403, "insufficient_scope");
        ResourceCalls other = await WithScopesAsync(server, "organizations:read", "organizations:write");
        foreach (string refused in new[] { UsersPath, path, $"{UsersPath}/external_id/x" })
            (await other.GetAsync(refused)).Expect(403, "insufficient_scope");
        foreach (string? key in new[] { null, "sk_wrong", "" })
            (await new ResourceCalls(server, key).GetAsync(path)).Expect(401).Text.ShouldBe("""{"message":"Unauthorized"}""");
    }

    private async Task<Id<Atrium.Core.Realms.Realm>> RealmAsync() => (await server.Get<RealmStore>().FindByHandleAsync(DemoRealm.Handle, CancellationToken.None))!.Id;

    private async Task<string> InitechAsync() => (await api.Globex.GetAsync(OrganizationsPath)).Ids[^1];
}
