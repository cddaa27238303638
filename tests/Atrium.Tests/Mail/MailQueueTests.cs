using System.Collections.Concurrent;
using System.Net;
using System.Net.Mail;
using System.Text;
using Atrium.Core;
using Atrium.Core.Mail;
using Atrium.Core.Realms;
using Atrium.Core.Users;
using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Server.Mail;
using Atrium.Storage;
using Atrium.Testing;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Mail;

/// <summary>Letters between the change that wants them and the mailbox.</summary>
public abstract class MailQueueTests(DemoServer server)
{
    private static int counter;

    private readonly AuthKitCalls door = new(server);

    private Database Database => server.Get<Database>();

    private MailStore Store => server.Get<MailStore>();

    [Fact]
    public async Task A_code_is_mailed_with_the_transaction_that_makes_it_and_the_mailed_one_signs_in()
    {
        User user = await door.NewUserAsync(emailVerified: false, "northwind");
        Answer asked = (await door.PasswordAsync(user.Email)).ShouldBe(HttpStatusCode.Forbidden, "email_verification_required");
        EmlFile letter = await new Mailbox(server).NewestAsync(user.Email);
        string code = letter.Subject[..6];
        letter.Subject.ShouldBe($"{code} is your code for Acme");
        letter.Text.ShouldContain($"\r\n\r\n{code}\r\n\r\n".ReplaceLineEndings());
        letter.Html.ShouldContain($"<p class=\"code\">{code}</p>");

        // The same open code is not mailed twice.
        await door.PasswordAsync(user.Email);
        (await WaitingAsync(user.Email)).ShouldBe(0);
        (await door.AuthenticateAsync(AuthKitCalls.EmailGrant, ("pending_authentication_token", asked["pending_authentication_token"]!), ("code", code)))
            .ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task What_waits_is_sealed_and_what_was_sent_is_gone()
    {
        QueuedMail mail = await QueueAsync("the secret link");
        Encoding.UTF8.GetString(mail.SealedLetter).ShouldNotContain("secret");
        Collector sent = new();
        await Dispatcher(sent).DeliverAsync(default);
        sent.Letters[mail.Recipient].ShouldBe(["the secret link"]);
        (await WaitingAsync(mail.Recipient)).ShouldBe(0);
    }

    [Fact]
    public async Task A_letter_is_taken_by_one_however_many_send()
    {
        List<QueuedMail> mails = [];
        for (int i = 0; i < 12; i++)
            mails.Add(await QueueAsync($"letter {i}"));
        Collector sent = new();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Dispatcher(sent).DeliverAsync(default)));
        foreach (QueuedMail mail in mails)
            sent.Letters[mail.Recipient].Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_letter_whose_sender_died_is_sent_by_another_when_its_time_is_over()
    {
        QueuedMail mail = await QueueAsync("left behind");
        DateTimeOffset now = server.Clock.GetUtcNow();
        (await Store.TakeAsync(mail.RealmId, 100, now, now.AddMinutes(5), default)).ShouldContain(taken => taken.Id == mail.Id);
        Collector sent = new();
        await Dispatcher(sent).DeliverAsync(default);
        sent.Letters.ShouldNotContainKey(mail.Recipient);
        server.Clock.Advance(TimeSpan.FromMinutes(5));
        await Dispatcher(sent).DeliverAsync(default);
        sent.Letters[mail.Recipient].ShouldBe(["left behind"]);
    }

    [Fact]
    public async Task Whoever_took_too_long_no_longer_decides_about_a_letter()
    {
        QueuedMail mail = await QueueAsync("slow");
        DateTimeOffset now = server.Clock.GetUtcNow();
        QueuedMail first = (await Store.TakeAsync(mail.RealmId, 100, now, now.AddMinutes(1), default)).Single(taken => taken.Id == mail.Id);
        server.Clock.Advance(TimeSpan.FromMinutes(1));
        now = server.Clock.GetUtcNow();
        QueuedMail second = (await Store.TakeAsync(mail.RealmId, 100, now, now.AddMinutes(1), default)).Single(taken => taken.Id == mail.Id);
        (first.Attempts, second.Attempts).ShouldBe((1, 2));
        await Store.GiveUpAsync(first, "late", now, default);
        await Store.SentAsync(first, default);
        await Store.RetryAsync(first, "late", now, default);
        (await WaitingAsync(mail.Recipient)).ShouldBe(1);
        (await FailuresAsync(mail.Recipient)).ShouldBeEmpty();
        await Store.SentAsync(second, default);
        (await WaitingAsync(mail.Recipient)).ShouldBe(0);
    }

    [Fact]
    public async Task A_server_that_is_away_gets_the_letter_when_it_is_back()
    {
        int port = FreePort.Find();
        using MailDispatcher dispatcher = Dispatcher(new SmtpMail(
            new SmtpServer("127.0.0.1", port, null, null, Tls: false, TimeSpan.FromSeconds(10)), new MailAddress("no-reply@example.test")));
        QueuedMail mail = await QueueAsync("patience");
        await dispatcher.DeliverAsync(default);
        MailState state = await Store.StateAsync(mail.RealmId, default);
        state.Waiting.ShouldBeGreaterThan(0);
        state.WaitingError.ShouldNotBeNull().ShouldContain("refused");

        await using SmtpServerDouble back = new(port);
        await dispatcher.DeliverAsync(default);
        back.Letters.ShouldBeEmpty("the next try is not due yet");
        server.Clock.Advance(TimeSpan.FromSeconds(12));
        await dispatcher.DeliverAsync(default);
        back.Letters.ShouldContain(static letter => letter.Contains("patience", StringComparison.Ordinal));
        (await WaitingAsync(mail.Recipient)).ShouldBe(0);
    }

    [Fact]
    public async Task A_refused_recipient_is_given_up_at_once_and_the_operator_sees_it()
    {
        await using SmtpServerDouble smtp = new() { ToRecipient = static _ => "550 No such mailbox" };
        QueuedMail mail = await QueueAsync("nobody home");
        await Dispatcher(Smtp(smtp)).DeliverAsync(default);
        (await WaitingAsync(mail.Recipient)).ShouldBe(0);
        (await FailuresAsync(mail.Recipient)).ShouldHaveSingleItem().ShouldContain("No such mailbox");
        (await Store.StateAsync(mail.RealmId, default)).GivenUp.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_letter_is_given_up_after_a_day_or_when_it_is_worth_nothing_any_more()
    {
        Collector broken = new() { Error = "greylisted" };
        QueuedMail day = await QueueAsync("a day");
        QueuedMail hour = await QueueAsync("an hour", TimeSpan.FromHours(1));
        int tries = 0;
        DateTimeOffset began = server.Clock.GetUtcNow();
        while (await WaitingAsync(day.Recipient) > 0)
        {
            await Dispatcher(broken).DeliverAsync(default);
            server.Clock.Advance(TimeSpan.FromMinutes(10));
            (++tries).ShouldBeLessThan(200);
            if (server.Clock.GetUtcNow() - began > TimeSpan.FromHours(1))
                (await WaitingAsync(hour.Recipient)).ShouldBe(0);
        }

        (server.Clock.GetUtcNow() - began).ShouldBeInRange(TimeSpan.FromHours(19), TimeSpan.FromHours(25));
        (await FailuresAsync(day.Recipient)).ShouldBe(["greylisted"]);
        (await FailuresAsync(hour.Recipient)).ShouldBe(["greylisted"]);
    }

    [Fact]
    public async Task Letters_that_failed_together_are_tried_again_apart()
    {
        QueuedMail mail = await QueueAsync("jitter");
        DateTimeOffset now = server.Clock.GetUtcNow();
        QueuedMail tried = mail with { Attempts = 3 };
        tried.NextTry(now, 0).ShouldBe(now + TimeSpan.FromMinutes(4.5));
        tried.NextTry(now, 1).ShouldBe(now + TimeSpan.FromMinutes(5.5));
        (tried with { Attempts = 100 }).NextTry(now, 0.5).ShouldBe(now + TimeSpan.FromHours(4));
        tried.NextTry(now.AddHours(24), 0).ShouldBeNull();
        await Store.SentAsync(mail, default);
    }

    private static SmtpMail Smtp(SmtpServerDouble smtp) => new(
        new SmtpServer("127.0.0.1", smtp.Port, null, null, Tls: false, TimeSpan.FromSeconds(10)), new MailAddress("no-reply@example.test"));

    private MailDispatcher Dispatcher(IMailTransport transport) =>
        new(Store, transport, server.Get<SecretBox>(), server.Clock, NullLogger<MailDispatcher>.Instance);

    private async Task<QueuedMail> QueueAsync(string text, TimeSpan? worth = null)
    {
        Realm realm = await new World(server).RealmAsync(DemoRealm.NeighbourHandle);
        Id<QueuedMail> id = Id<QueuedMail>.New(server.Clock);
        string recipient = $"queue-{Interlocked.Increment(ref counter)}@example.test";
        byte[] letter = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new Letter(recipient, "Globex", text, text, text));
        DateTimeOffset now = server.Clock.GetUtcNow();
        QueuedMail mail = new()
        {
            RealmId = realm.Id, Id = id, Kind = MailKind.Invitation, About = "inv_test", Recipient = recipient,
            SealedLetter = server.Get<SecretBox>().Seal(letter, SecretPlaces.Of(realm.Id, id)), CreatedAt = now, ExpiresAt = now + (worth ?? QueuedMail.Patience),
        };
        await Database.WriteAsync(
            async connection =>
            {
                await MailStore.QueueAsync(connection, mail);
                return true;
            },
            default);
        return mail;
    }

    private Task<long> WaitingAsync(string recipient) => Database.QueryAsync(
        connection => connection.ExecuteScalarAsync<long>("SELECT count(*) FROM mails WHERE recipient = @recipient", new { recipient }), default);

    private async Task<string[]> FailuresAsync(string recipient) => await Database.QueryAsync(
        async connection => (await connection.QueryAsync<string>("SELECT error FROM mail_failures WHERE recipient = @recipient", new { recipient })).ToArray(), default);

    /// <summary>Keeps what it is given, or takes nothing.</summary>
    private sealed class Collector : IMailTransport
    {
        public string? Error { get; init; }

        public ConcurrentDictionary<string, List<string>> Letters { get; } = new();

        public bool Sends => true;

        public Task SendAsync(Id<QueuedMail> id, Letter letter, CancellationToken cancellationToken)
        {
            if (Error is not null)
                throw new MailException(Error, isFinal: false);
            lock (Letters)
                Letters.GetOrAdd(letter.To, static _ => []).Add(letter.Text);
            return Task.CompletedTask;
        }
    }
}

/// <summary>A server that leaves its queue to the tests.</summary>
public sealed class ServerWithAQueue : DemoServer
{
    protected override AtriumOptions Change(AtriumOptions options) => options with { SendsMail = false };
}

public sealed class PostgresServerWithAQueue(PrivatePostgres postgres) : PostgresDemoServer(postgres)
{
    protected override AtriumOptions Change(AtriumOptions options) => options with { SendsMail = false };
}

public sealed class SqliteMailQueueTests(ServerWithAQueue server) : MailQueueTests(server), IClassFixture<ServerWithAQueue>;

public sealed class PostgresMailQueueTests(PostgresServerWithAQueue server) : MailQueueTests(server), IClassFixture<PostgresServerWithAQueue>;
