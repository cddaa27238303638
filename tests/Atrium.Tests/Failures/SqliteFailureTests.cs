using System.Data.Common;
using System.Diagnostics;
using System.Net;
using Atrium.Storage;
using Dapper;
using Microsoft.Data.Sqlite;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Failures;

/// <summary>What can happen to the file of a server that runs: each time it is told, and each time it is over without a restart.</summary>
public sealed class SqliteFailureTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly FailingServer server;
    private readonly Visitors visitors;
    private string connectionString = "";

    public SqliteFailureTests()
    {
        server = new(path => Task.FromResult(connectionString = $"Data Source={path}"));
        visitors = new(server);
    }

    public async ValueTask InitializeAsync()
    {
        await server.InitializeAsync();
        await visitors.ArriveAsync();
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task A_file_that_another_process_holds_is_waited_for_once_by_all()
    {
        await using SqliteConnection holder = new($"{connectionString};Pooling=false");
        await holder.OpenAsync();
        await holder.ExecuteAsync("BEGIN IMMEDIATE");
        Stopwatch waited = Stopwatch.StartNew();
        Task<HttpResponseMessage> submitted = visitors.SubmitOpenFormAsync();
        await visitors.ShouldAllBeToldToComeAgainAsync("ATR9104");
        waited.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15), "5 seconds, with room for a busy machine; one after another would be 25");
        (await submitted).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        await visitors.ShouldBeUnreadyAsync("database_locked");
        await holder.ExecuteAsync("ROLLBACK");
        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
        using HttpResponseMessage again = await visitors.SubmitOpenFormAsync();
        again.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
    }

    [Fact]
    public async Task A_full_disk_is_said_so_and_forgotten_when_there_is_room()
    {
        await OnWriterAsync("UPDATE realms SET name = name; PRAGMA max_page_count = 1");
        await FillAsync();
        await visitors.ShouldBeUnreadyAsync("database_full");
        using (HttpResponseMessage page = await server.Http.GetAsync("/t/acme/.well-known/openid-configuration"))
            page.StatusCode.ShouldBe(HttpStatusCode.OK, "what only reads is served");
        await OnWriterAsync("PRAGMA max_page_count = 1000000");
        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
    }

    [Fact]
    public async Task A_file_that_takes_no_changes_is_said_so_by_every_door_and_takes_them_again()
    {
        DbConnection writer = await server.Get<Database>().WriteAsync(
            static async connection =>
            {
                await connection.ExecuteAsync("PRAGMA query_only = on");
                return connection;
            },
            None);
        await visitors.ShouldAllBeToldToComeAgainAsync("ATR9105");
        await visitors.ShouldBeUnreadyAsync("database_read_only");
        await writer.ExecuteAsync("PRAGMA query_only = off");
        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
    }

    [Fact]
    public async Task A_crowd_before_the_writer_is_turned_away_and_those_who_wait_are_served()
    {
        Database database = server.Get<Database>();
        TaskCompletionSource held = new();
        TaskCompletionSource gate = new();
        Task<int> holding = database.WriteAsync(
            async _ =>
            {
                held.SetResult();
                await gate.Task;
                return 1;
            },
            None);
        await held.Task;
        List<Task<int>> waiting = [];
        while (waiting is [] or [.., { IsCompleted: false }])
            waiting.Add(database.WriteAsync(static connection => connection.ExecuteScalarAsync<int>("SELECT 1"), None));
        (await Should.ThrowAsync<DatabaseUnavailableException>(waiting[^1])).Trouble.ShouldBe(DatabaseTrouble.Overloaded);
        waiting.RemoveAt(waiting.Count - 1);
        await visitors.ShouldAllBeToldToComeAgainAsync("ATR9102");
        await visitors.ShouldBeUnreadyAsync("database_overloaded");
        gate.SetResult();
        (await Task.WhenAll(waiting)).ShouldAllBe(static one => one == 1);
        await holding;
        await visitors.ShouldBecomeReadyAsync();
        await visitors.ShouldBeServedAsync();
    }

    /// <summary>Changes the connection that writes, as long as it lives.</summary>
    private Task<int> OnWriterAsync(string sql) => server.Get<Database>().WriteAsync(connection => connection.ExecuteAsync(sql), None);

    /// <summary>New people, until no room is left for one.</summary>
    private async Task FillAsync()
    {
        for (int i = 0; ; i++)
        {
            using HttpRequestMessage request = new(HttpMethod.Post, "/user_management/users")
            {
                Content = new StringContent($$"""{"email":"filler-{{i}}@example.test","first_name":"{{new string('x', 200)}}"}"""),
            };
            request.Content.Headers.ContentType = new("application/json");
            request.Headers.Authorization = new("Bearer", Server.Demo.DemoRealm.ApiKey);
            using HttpResponseMessage answer = await server.Http.SendAsync(request);
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                (await answer.Content.ReadAsStringAsync()).ShouldContain("ATR9106");
                answer.Headers.RetryAfter.ShouldNotBeNull();
                return;
            }

            answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        }
    }
}
