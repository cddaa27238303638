using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.Events;
using Atrium.Core.Mail;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Tokens;
using Atrium.Core.Users;
using Atrium.Core.Webhooks;
using Atrium.Server.Hosting;
using Atrium.Storage;
using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Storage;

/// <summary>What has ended is deleted, in small batches; nothing else is.</summary>
public abstract partial class StoreContract
{
    private CleaningStore Cleaning => new(Database);

    /// <summary>SQL for 32 bytes that no other row has, in a query over numbers n.</summary>
    protected abstract string UniqueBytes { get; }

    [Fact]
    public async Task Each_thing_goes_when_its_time_has_come_and_not_before()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        await MakeSignIn(client);
        await MakePushedRequest(client);
        await MakeChallenge(await MakeFactor(user));
        await Factors.CreateVerificationAsync(
            new EmailVerification
            {
                RealmId = Realm.Id, Id = Id<EmailVerification>.New(Clock), UserId = user.Id, Email = user.Email, SealedCode = [1],
                CreatedAt = Now, ExpiresAt = Now + EmailVerification.Lifetime,
            },
            letter: null,
            None);
        (SignInCompletion completion, RefreshToken _) = await MakeFamily(client, user);
        await new GuessStore(Database).AddAsync(Realm.Id, [Secret.New().Hash()], Now, told: null, Origin.System, None);
        await new IdempotencyStore(Database).ReserveAsync(Realm.Id, Secret.New().Hash(), Secret.New().Hash(), Secret.New().Hash(), Now, Now, Now, None);
        (await new ClientAssertionStore(Database).SpendAsync(Realm.Id, client.Id, Secret.New().Hash(), Now + TimeSpan.FromMinutes(5), Now, None)).ShouldBeTrue();
        Webhook webhook = await MakeWebhook(secretEndsAt: Now.AddDays(1));
        await FanOut(NewDelivery(webhook, "usr_1"));

        await MakeEndedMailAndInvitation();
        (await new DpopProofStore(Database).SpendAsync(Realm.Id, Secret.New().Hash(), Now + DpopRules.MaxAge, None)).ShouldBeTrue();
        (await new BudgetNoticeStore(Database).TellAsync(Realm.Id, client.Id, Now, new EventDraft("client.test", "c_1", "{}"), None)).ShouldBeTrue();

        (string Table, TimeSpan Stays)[] times =
        [
            ("sign_ins", TimeSpan.FromMinutes(30) + TimeSpan.FromHours(1)),
            ("pushed_requests", PushedRequest.Lifetime + TimeSpan.FromHours(1)),
            ("authorization_codes", AuthorizationCode.Lifetime + TimeSpan.FromDays(1)),
            ("refresh_tokens", TimeSpan.FromDays(7) + TimeSpan.FromHours(1)),
            ("factor_challenges", FactorChallenge.Lifetime + TimeSpan.FromDays(1)),
            ("email_verifications", EmailVerification.Lifetime + TimeSpan.FromDays(1)),
            ("guesses", TimeSpan.FromHours(1)),
            ("idempotent_answers", TimeSpan.FromHours(25)),
            ("client_assertions", TimeSpan.FromMinutes(5)),
            ("webhook_secrets", TimeSpan.FromDays(1)),
            ("webhook_deliveries", TimeSpan.FromDays(30)),
            ("dpop_proofs", DpopRules.MaxAge + TimeSpan.FromMinutes(10)),
            ("mail_failures", TimeSpan.FromDays(7)),
            ("invitations", Invitation.DefaultLifetime + TimeSpan.FromDays(90)),
            ("organization_budget_notices", TimeSpan.FromDays(2)),
            ("sessions", TimeSpan.FromDays(30 + 7)),
        ];
        times.Select(static entry => entry.Table).ShouldBe(CleaningStore.Endings.Select(static ending => ending.Table));
        DateTimeOffset began = Now;
        foreach (IGrouping<TimeSpan, string> together in times.OrderBy(static entry => entry.Stays).GroupBy(static entry => entry.Stays, static entry => entry.Table))
        {
            Clock.Advance(began + together.Key - Now);
            await CleanAsync();
            foreach (string table in together)
                (await CountAsync(table)).ShouldBe(1, $"{table} at its last moment");
            Clock.Advance(TimeSpan.FromMilliseconds(1));
            await CleanAsync();
            foreach (string table in together)
                (await CountAsync(table)).ShouldBe(0, $"{table} after its last moment");
        }

        (await CountAsync("grants")).ShouldBe(0, "a grant goes with its session");
        (await CountAsync("factors")).ShouldBe(1);
        (await Users.FindAsync(Realm.Id, user.Id, None)).ShouldNotBeNull();
        (await Sessions.FindAsync(Realm.Id, completion.Session.Id, None)).ShouldBeNull();
    }

    private async Task MakeEndedMailAndInvitation()
    {
        Organization organization = await MakeOrganization("inviting");
        Invitation invitation = new()
        {
            RealmId = Realm.Id, Id = Id<Invitation>.New(Clock), OrganizationId = organization.Id, Email = "sam@example.test", Scopes = ["member"],
            LifetimeSeconds = (long)Invitation.DefaultLifetime.TotalSeconds, CreatedAt = Now, UpdatedAt = Now, ExpiresAt = Now + Invitation.DefaultLifetime,
        };
        QueuedMail letter = new()
        {
            RealmId = Realm.Id, Id = Id<QueuedMail>.New(Clock), OrganizationId = organization.Id, Kind = MailKind.Invitation, About = invitation.Id.ToString(),
            Recipient = invitation.Email, SealedLetter = [1], CreatedAt = Now, ExpiresAt = Now + QueuedMail.Patience,
        };
        (await new InvitationStore(Database).CreateAsync(invitation, Secret.New().Hash(), letter, Origin.System, None)).Outcome.ShouldBe(InvitationWrite.Done);
        MailStore mails = new(Database);
        await mails.GiveUpAsync((await mails.TakeAsync(Realm.Id, 1, Now, Now, None)).Single(), "refused", Now, None);
    }

    [Fact]
    public async Task A_hundred_thousand_that_are_due_go_in_batches_and_the_live_ones_stay()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        (SignInCompletion completion, RefreshToken live) = await MakeFamily(client, user);
        Clock.Advance(TimeSpan.FromDays(10));
        await InsertTokens(completion.Grant, 100_000, Now.AddDays(-1));
        await InsertTokens(completion.Grant, 1000, Now.AddDays(1));
        (await Grants.FindRefreshTokenAsync(Realm.Id, live.TokenHash, null, None)).ShouldNotBeNull();

        Ending tokens = CleaningStore.Endings.Single(static ending => ending.Table == "refresh_tokens");
        (await Cleaning.RealmsWithDueAsync(tokens, Now, None)).ShouldBe([Realm.Id]);
        (await Cleaning.DeleteAsync(Realm.Id, tokens, Now, None)).ShouldBe(CleaningStore.BatchSize);
        (await CountAsync("refresh_tokens")).ShouldBe(101_001 - CleaningStore.BatchSize, "a batch is all that one transaction deletes");
        int batch, batches = 1;
        do
        {
            batch = await Cleaning.DeleteAsync(Realm.Id, tokens, Now, None);
            batches++;
        }
        while (batch == CleaningStore.BatchSize);

        batches.ShouldBe(1 + (100_001 / CleaningStore.BatchSize), "the live token of the beginning has expired too");
        (await CountAsync("refresh_tokens")).ShouldBe(1000);
        (await Cleaning.RealmsWithDueAsync(tokens, Now, None)).ShouldBeEmpty();
        (await IsLive(completion.Grant)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_session_with_thousands_of_tokens_goes_piece_by_piece()
    {
        Client client = await MakeClient();
        User user = await MakeUser("mia@example.test");
        (SignInCompletion over, _) = await MakeFamily(client, user);
        (SignInCompletion live, _) = await MakeFamily(client, user);
        await MakeGrant(client, user, standing: over.Session);
        await InsertTokens(over.Grant, 1000, Now.AddDays(20));
        await Sessions.EndAsync(Realm.Id, over.Session.Id, SessionEnd.Revoked, Now, Origin.System, None);
        Clock.Advance(TimeSpan.FromDays(7) + TimeSpan.FromSeconds(1));

        Ending sessions = CleaningStore.Endings.Single(static ending => ending.Table == "sessions");
        long rows = await AllAsync();
        int batch;
        do
        {
            batch = await Cleaning.DeleteAsync(Realm.Id, sessions, Now, None);
            batch.ShouldBeLessThanOrEqualTo(CleaningStore.BatchSize);
            long left = await AllAsync();
            left.ShouldBe(rows - batch, "nothing goes by cascade");
            rows = left;
        }
        while (batch == CleaningStore.BatchSize);

        (await Sessions.FindAsync(Realm.Id, over.Session.Id, None)).ShouldBeNull();
        rows.ShouldBe(4, "the live session with its grant, code and token");
        (await IsLive(live.Grant)).ShouldBeTrue();

        async Task<long> AllAsync() =>
            await CountAsync("sessions") + await CountAsync("grants") + await CountAsync("authorization_codes") + await CountAsync("refresh_tokens");
    }

    [Fact]
    public async Task Cleaners_of_several_nodes_delete_everything_once()
    {
        Client client = await MakeClient();
        (SignInCompletion completion, _) = await MakeFamily(client, await MakeUser("mia@example.test"));
        await InsertTokens(completion.Grant, 5000, Now.AddDays(-1));
        long[] deleted = await AtOnce(_ => CleanAsync(), times: 4);
        deleted.Sum().ShouldBe(5000);
        (await CountAsync("refresh_tokens")).ShouldBe(1);
    }

    private async Task<long> CleanAsync()
    {
        using Cleaner cleaner = new(Cleaning, new OrganizationRemains(Database), new DeletedRealmStore(Database), Clock, NullLogger<Cleaner>.Instance);
        return await cleaner.CleanAsync(None);
    }

    private Task<long> CountAsync(string table) =>
        Database.QueryAsync(connection => connection.ExecuteScalarAsync<long>($"SELECT count(*) FROM {table} WHERE realm_id = @Id", new { Realm.Id }), None);

    private Task<int> InsertTokens(Grant grant, int count, DateTimeOffset expiresAt) =>
        Database.WriteAsync(
            connection => connection.ExecuteAsync(
                $"""
                WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < @count)
                INSERT INTO refresh_tokens (realm_id, token_hash, grant_id, created_at, expires_at)
                SELECT @RealmId, {UniqueBytes}, @Id, @Now, @expiresAt FROM numbers
                """,
                new { count, grant.RealmId, grant.Id, Now, expiresAt }),
            None);
}
