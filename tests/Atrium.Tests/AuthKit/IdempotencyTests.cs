using System.Net;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Server.Doors;
using Atrium.Server.Doors.AuthKit;
using Atrium.Storage;
using Atrium.Tests.Harness;
using Dapper;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Atrium.Tests.AuthKit;

public sealed class IdempotencyTests(DemoServer server) : IClassFixture<DemoServer>
{
    private readonly AuthKitCalls door = new(server);

    [Fact]
    public async Task The_same_request_is_answered_from_memory_and_another_one_is_refused()
    {
        User user = await door.NewUserAsync();
        string path = $"/user_management/users/{user.Id}/auth_factors";
        Answer first = (await SendAsync("k1", path, """{"type":"totp"}""")).ShouldBe(HttpStatusCode.Created);
        Answer again = (await SendAsync("k1", path, """{"type":"totp"}""")).ShouldBe(HttpStatusCode.Created);

        again.Text.ShouldBe(first.Text);
        again.Message.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        again.Message.Headers.GetValues("Idempotent-Replayed").ShouldBe(["true"]);
        first.Message.Headers.Contains("Idempotent-Replayed").ShouldBeFalse();
        again.Message.Headers.GetValues("X-Request-ID").ShouldNotBe(first.Message.Headers.GetValues("X-Request-ID"));

        const string Refusal =
            """{"message":"Another idempotency key (k1) with different request parameters was found. Please use a different idempotency key."}""";
        (await SendAsync("k1", path, """{"type":"totp","totp_user":"x"}""")).ShouldBe(HttpStatusCode.BadRequest).Text.ShouldBe(Refusal);
        (await SendAsync("k1", "/user_management/sessions/revoke", """{"type":"totp"}""")).ShouldBe(HttpStatusCode.BadRequest).Text.ShouldBe(Refusal);
        (await SendAsync("k2", path, """{"type":"totp"}""")).ShouldBe(HttpStatusCode.Created).Text.ShouldNotBe(first.Text);
    }

    [Fact]
    public async Task A_key_belongs_to_the_caller_who_used_it()
    {
        User user = await door.NewUserAsync();
        string path = $"/user_management/users/{user.Id}/auth_factors";
        string other = await door.NewKeyAsync(null, "*:**");
        Answer first = (await SendAsync("mine", path, """{"type":"totp"}""")).ShouldBe(HttpStatusCode.Created);

        (await SendAsync("mine", path, """{"type":"totp"}""", other)).ShouldBe(HttpStatusCode.Created).Text.ShouldNotBe(first.Text);
        (await SendAsync("mine", path, """{"type":"totp"}""", DemoRealm.NeighbourApiKey)).ShouldBe(HttpStatusCode.NotFound);
        (await SendAsync("mine", path, """{"type":"totp"}""", "sk_wrong")).ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task A_refusal_is_not_kept()
    {
        User user = await door.NewUserAsync(true, "northwind", "contoso");
        string body = $$"""{"client_id":"demo-authkit","client_secret":"sk_demo_atrium","grant_type":"password","email":"{{user.Email}}","password":"Demo-Passw0rd!"}""";
        Answer first = (await SendAsync("again", AuthKitCalls.AuthenticatePath, body)).ShouldBe(HttpStatusCode.Forbidden, "organization_selection_required");
        Answer second = (await SendAsync("again", AuthKitCalls.AuthenticatePath, body)).ShouldBe(HttpStatusCode.Forbidden, "organization_selection_required");

        second["pending_authentication_token"].ShouldNotBe(first["pending_authentication_token"]);
    }

    [Fact]
    public async Task A_refresh_of_a_public_client_is_repeated_safely_even_after_the_grace()
    {
        Answer signedIn = await door.PasswordAsync("sam@example.test");
        string body = $$"""{"client_id":"demo-authkit","grant_type":"refresh_token","refresh_token":"{{signedIn["refresh_token"]}}"}""";
        Answer first = (await SendAsync("r1", AuthKitCalls.AuthenticatePath, body, key: null)).ShouldBe(HttpStatusCode.OK);
        server.Clock.Advance(TimeSpan.FromMinutes(2));
        (await SendAsync("r1", AuthKitCalls.AuthenticatePath, body, key: null)).ShouldBe(HttpStatusCode.OK).Text.ShouldBe(first.Text);
        (await door.RefreshAsync(first["refresh_token"])).ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Of_requests_sent_at_once_one_works_and_all_get_its_answer()
    {
        User user = await door.NewUserAsync();
        string path = $"/user_management/users/{user.Id}/auth_factors";
        Answer[] answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SendAsync("at-once", path, """{"type":"totp"}""")));

        answers.Select(static answer => answer.ShouldBe(HttpStatusCode.Created).Text).Distinct().Count().ShouldBe(1);
        (await door.GetAsync(path)).Json.GetProperty("data").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task What_a_caller_who_leaves_has_begun_is_done_once_and_told_when_they_come_back()
    {
        Idempotency idempotency = server.Get<Idempotency>();
        Realm realm = await door.RealmAsync();
        int done = 0;

        using CancellationTokenSource leaves = new();
        DefaultHttpContext first = RequestWithKey("leaves", leaves.Token);
        await idempotency.RunAsync(first, realm.Id, "credential", [], isRepeatable: false, Callers.IdempotencyRefusals, WorkAsync, leaves.Token);
        first.RequestAborted.ShouldBe(leaves.Token);
        DefaultHttpContext second = RequestWithKey("leaves", default);
        await (await idempotency.RunAsync(second, realm.Id, "credential", [], isRepeatable: false, Callers.IdempotencyRefusals, WorkAsync, default)).ExecuteAsync(second);

        done.ShouldBe(1);
        second.Response.StatusCode.ShouldBe(201);
        second.Response.Headers["Idempotent-Replayed"].ToString().ShouldBe("true");

        async Task<IResult> WorkAsync(CancellationToken cancellationToken)
        {
            await leaves.CancelAsync();
            cancellationToken.IsCancellationRequested.ShouldBeFalse();
            done++;
            return AuthKitError.MessageOnly("made", 201);
        }
    }

    [Theory]
    [InlineData(true, false, 2)]
    [InlineData(true, true, 2)]
    [InlineData(false, false, 2)]
    [InlineData(false, true, 1)]
    public async Task What_may_have_been_done_is_done_again_only_where_that_does_no_harm(bool isRepeatable, bool mayHaveBeenDone, int times)
    {
        Idempotency idempotency = server.Get<Idempotency>();
        Realm realm = await door.RealmAsync();
        string key = $"in-doubt-{isRepeatable}-{mayHaveBeenDone}";
        int done = 0;

        await Should.ThrowAsync<DatabaseUnavailableException>(AskAsync());
        if (times == 2)
            await Should.ThrowAsync<DatabaseUnavailableException>(AskAsync());
        else
            (await AskAsync()).ShouldBeOfType<AuthKitError>().Body.Code.ShouldBe("idempotency_key_in_use");
        done.ShouldBe(times);

        Task<IResult> AskAsync() =>
            idempotency.RunAsync(RequestWithKey(key, default), realm.Id, "credential", [], isRepeatable, Callers.IdempotencyRefusals, WorkAsync, default);

        Task<IResult> WorkAsync(CancellationToken cancellationToken)
        {
            done++;
            throw new DatabaseUnavailableException(DatabaseTrouble.Unreachable, "gone") { MayHaveBeenDone = mayHaveBeenDone };
        }
    }

    [Fact]
    public async Task What_is_done_is_done_together_with_its_answer_or_not_at_all()
    {
        User user = await door.NewUserAsync();
        string path = $"/user_management/users/{user.Id}/auth_factors";
        Database database = server.Get<Database>();
        await database.WriteAsync(
            static connection => connection.ExecuteAsync(
                "CREATE TRIGGER nothing_is_kept BEFORE UPDATE ON idempotent_answers BEGIN SELECT RAISE(ABORT, 'nothing is kept'); END"),
            default);
        try
        {
            (await SendAsync("together", path, """{"type":"totp"}""")).ShouldBe(HttpStatusCode.InternalServerError);
        }
        finally
        {
            await database.WriteAsync(static connection => connection.ExecuteAsync("DROP TRIGGER nothing_is_kept"), default);
        }

        (await door.GetAsync(path)).Json.GetProperty("data").GetArrayLength().ShouldBe(0);
        Answer made = (await SendAsync("together", path, """{"type":"totp"}""")).ShouldBe(HttpStatusCode.Created);
        (await door.GetAsync(path)).Json.GetProperty("data").GetArrayLength().ShouldBe(1);
        string challenge = made.Json.GetProperty("authentication_challenge").GetProperty("id").GetString()!;
        (await SendAsync("first challenge", $"/auth/challenges/{challenge}/verify", """{"code":"x"}""")).ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task After_a_day_the_key_is_forgotten()
    {
        User user = await door.NewUserAsync();
        string path = $"/user_management/users/{user.Id}/auth_factors";
        Answer first = await SendAsync("day", path, """{"type":"totp"}""");
        server.Clock.Advance(TimeSpan.FromHours(23));
        (await SendAsync("day", path, """{"type":"totp"}""")).Text.ShouldBe(first.Text);
        server.Clock.Advance(TimeSpan.FromHours(2));
        (await SendAsync("day", path, """{"type":"totp"}""")).ShouldBe(HttpStatusCode.Created).Text.ShouldNotBe(first.Text);
    }

    [Fact]
    public async Task What_is_kept_cannot_be_read_from_the_database()
    {
        const string Marker = "find-me-in-the-database";
        User user = await door.NewUserAsync();
        Answer answer = await SendAsync(Marker, $"/user_management/users/{user.Id}/auth_factors", $$"""{"type":"totp","totp_user":"{{Marker}}"}""");
        answer.ShouldBe(HttpStatusCode.Created);

        IEnumerable<byte[]> kept = await server.Get<Database>().ReadAsync(
            static connection => connection.QueryAsync<byte[]>("SELECT sealed_body FROM idempotent_answers WHERE sealed_body IS NOT NULL"), default);
        kept.ShouldNotBeEmpty();
        foreach (byte[] body in kept)
            System.Text.Encoding.UTF8.GetString(body).ShouldNotContain(Marker);
    }

    [Theory]
    [InlineData("")]
    [InlineData("long")]
    public async Task A_key_has_one_to_255_characters(string key) =>
        (await SendAsync(key == "long" ? new string('k', 256) : key, "/user_management/sessions/revoke", "{}"))
            .ShouldBe(HttpStatusCode.BadRequest, "invalid_idempotency_key");

    private Task<Answer> SendAsync(string idempotencyKey, string path, string body, string? key = DemoRealm.ApiKey) => door.SendAsync(
        HttpMethod.Post, path, body, key, request => request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey));

    private static DefaultHttpContext RequestWithKey(string key, CancellationToken aborted)
    {
        DefaultHttpContext context = new() { RequestAborted = aborted };
        context.Request.Method = "POST";
        context.Request.Headers[Idempotency.Header] = key;
        return context;
    }
}
