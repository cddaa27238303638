using System.Net;
using System.Text;
using Atrium.Core.Realms;
using Atrium.Server.Passwords;
using Atrium.Server.Transfer;
using Atrium.Storage;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Transfer;

/// <summary>People sign in with the passwords that another product hashed.</summary>
public sealed class ImportedPasswordTests(DemoServer server) : IClassFixture<DemoServer>
{
    [Fact]
    public async Task The_first_sign_in_replaces_a_foreign_hash_by_one_of_today()
    {
        const string email = "imported@example.test";
        Realm realm = await new World(server).RealmAsync();
        PasswordHasher hasher = server.Get<PasswordHasher>();
        Importer importer = new(new ImportStore(server.Get<Database>()), hasher, server.Clock);
        using MemoryStream file = new(Encoding.UTF8.GetBytes(
            $$"""{"type":"user","email":"{{email}}","email_verified":true,"password_hash":"$2b$04$JVZYBWfN1HaUf5GBl5XZNOpbV6Enn.cILx.k/eWoYk6ueCxhvJ1rC"}"""));
        (await importer.AddAsync(file, realm.Id, static _ => { }, default)).Added.ShouldBe(1);

        AuthKitCalls api = new(server);
        (await api.AuthenticateAsync("password", ("email", email), ("password", "wrong horse"))).Status.ShouldNotBe(HttpStatusCode.OK);
        (await StoredAsync()).ShouldStartWith("$2b$04$");
        (await api.AuthenticateAsync("password", ("email", email), ("password", "correct horse"))).ShouldBe(HttpStatusCode.OK);
        string stored = await StoredAsync();
        stored.ShouldStartWith(hasher.UsesFallback ? "$pbkdf2-sha256$i=600000$" : "$argon2id$v=19$m=19456,t=2,p=1$");
        hasher.NeedsRehash(stored).ShouldBeFalse();
        (await api.AuthenticateAsync("password", ("email", email), ("password", "correct horse"))).ShouldBe(HttpStatusCode.OK);
        (await StoredAsync()).ShouldBe(stored);

        async Task<string> StoredAsync() =>
            (await server.Get<UserStore>().FindForSignInAsync(realm.Id, email, memberOf: null, default))!.PasswordHash!;
    }
}
