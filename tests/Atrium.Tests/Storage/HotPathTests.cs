using System.Net;
using System.Text.RegularExpressions;
using Atrium.Server.Demo;
using Atrium.Server.Hosting;
using Atrium.Tests.AppNative;
using Atrium.Tests.AuthKit;
using Atrium.Tests.Harness;
using Atrium.Tests.OAuth;
using Shouldly;
using Xunit;
using Xunit.Sdk;

namespace Atrium.Tests.Storage;

/// <summary>
/// What most requests are made of, against a PostgreSQL with 100,000 rows in every table that they touch: how often each goes to the
/// database, how often it commits there, and that the server looks nothing up by reading a table through.
/// </summary>
public sealed partial class HotPathTests(PrivatePostgres postgres) : IAsyncLifetime
{
    private readonly BigDemoServer server = new(postgres);
    private RoundTrips trips = null!;
    private bool counting;

    public async ValueTask InitializeAsync()
    {
        await server.InitializeAsync();
        await server.FillAsync();
        trips = new RoundTrips(server.Database);
    }

    public async ValueTask DisposeAsync()
    {
        trips.Dispose();
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Each_goes_to_the_database_as_often_as_it_must_and_finds_what_it_needs_by_an_index()
    {
        AuthKitCalls authKit = new(server);
        NativeApp native = new(server);
        string northwind = await authKit.OrganizationIdAsync("northwind");
        string northwindPath = await native.PathOfAsync("northwind");

        // Once around, so that clients and keys are known and connections are open; then it counts.
        foreach (bool warm in new[] { false, true })
        {
            counting = warm;
            OAuthBrowser browser = new(server);
            Arrival arrival = await browser.SignInAsync("mia@example.test");

            TokenReply tokens = await Counted(1, 1, () => browser.RedeemAsync(arrival.Code));
            tokens.Status.ShouldBe(HttpStatusCode.OK);
            TokenReply first = await Counted(1, 1, () => browser.RefreshAsync(tokens.RefreshToken));
            TokenReply second = await Counted(1, 1, () => browser.RefreshAsync(first.RefreshToken));
            second.Organizations.Length.ShouldBe(2);
            (await Counted(1, 0, () => browser.UserInfoAsync(second.AccessToken))).Status.ShouldBe(HttpStatusCode.OK);
            TokenReply forServer = await ServerTokensAsync(browser);
            (await Counted(1, 0, () => IntrospectAsync(browser, forServer.AccessToken))).Json.GetProperty("active").GetBoolean().ShouldBeTrue();
            (await Counted(1, 0, () => IntrospectAsync(browser, forServer.RefreshToken))).Json.GetProperty("active").GetBoolean().ShouldBeTrue();

            // With a proof of possession it is one more, of its own commit: the proof is spent before anything else is.
            DpopCalls holder = new(server, DpopKey.New());
            arrival = await browser.SilentlyAsync();
            DpopReply bound = (await Counted(2, 2, () => holder.RedeemAsync(arrival.Code))).ShouldBeBoundTo(holder.Jkt);
            bound = (await Counted(2, 2, () => holder.RefreshAsync(bound.RefreshToken))).ShouldBeBoundTo(holder.Jkt);
            (await Counted(2, 1, () => holder.UserInfoAsync(bound.AccessToken))).Status.ShouldBe(HttpStatusCode.OK);

            // Who it is, before the password's hash; the next step, after it; and that is stored.
            string pending = await Counted(3, 1, () => authKit.PendingTokenOfAsync("mia@example.test"));
            AuthKit.Answer chosen = await Counted(2, 1, () => authKit.SelectAsync(pending, northwind));
            chosen.ShouldBe(HttpStatusCode.OK);
            (await Counted(1, 1, () => authKit.RefreshAsync(chosen["refresh_token"]))).ShouldBe(HttpStatusCode.OK);

            AppNative.Answer begun = await Counted(2, 1, () => native.StartAtAsync(northwindPath));
            AppNative.Answer done = await Counted(4, 1, () => native.PasswordAsync(begun, "mia@example.test"));
            TokenReply redeemed = await Counted(1, 1, () => browser.TokenAtAsync(
                "/t/acme/oauth2/token",
                ("grant_type", "authorization_code"), ("client_id", "demo-native"), ("code", done.Code), ("redirect_uri", DemoRealm.NativeCallback)));
            redeemed.Status.ShouldBe(HttpStatusCode.OK);
        }

        IReadOnlyList<string> plans = server.Plans();
        plans.Count.ShouldBeGreaterThan(60, "the server explained what it ran");
        plans.Select(static plan => NeverRun().Replace(plan, "")).Where(static plan => Scan().IsMatch(plan)).ShouldBeEmpty();
    }

    private static Task<TokenReply> IntrospectAsync(OAuthBrowser browser, string token) => browser.TokenAtAsync(
        "/t/acme/introspect", ("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret), ("token", token));

    private static async Task<TokenReply> ServerTokensAsync(OAuthBrowser browser)
    {
        Arrival arrival = await browser.SilentlyAsync(("client_id", "demo-server"));
        TokenReply reply = await browser.TokenAsync(
            ("grant_type", "authorization_code"), ("client_id", "demo-server"), ("client_secret", DemoRealm.ServerSecret), ("code", arrival.Code),
            ("redirect_uri", DemoRealm.Callback), ("code_verifier", OAuthBrowser.Verifier));
        reply.Status.ShouldBe(HttpStatusCode.OK, reply.Json.ToString());
        return reply;
    }

    private async Task<T> Counted<T>(int roundTrips, int commits, Func<Task<T>> request)
    {
        trips.Take();
        T answer = await request();
        string[] sent = [.. trips.Take().Where(static text => !OfTheServerItself().IsMatch(text))];
        string all = string.Join("\n----\n", sent);
        if (counting && (sent.Length > roundTrips || Commits(sent) > commits))
            throw new XunitException($"{sent.Length} round trips with {Commits(sent)} commits instead of {roundTrips} with {commits}:\n{all}");
        sent.ShouldNotBeEmpty("it went to the database at all");
        return answer;
    }

    /// <summary>A change in a transaction of its own commits by itself.</summary>
    private static int Commits(string[] sent) => sent.Count(static text => Change().IsMatch(text) && (text.EndsWith("COMMIT", StringComparison.Ordinal) || !text.StartsWith("BEGIN", StringComparison.Ordinal)))
        + sent.Count(static text => text == "COMMIT");

    /// <summary>Tables that hold a handful of rows whatever the realm's size may be read through; and queues that are empty here, which the server looks at by itself meanwhile.</summary>
    [GeneratedRegex(@"Seq Scan on (?!realms|roles|clients|signing_keys|storage_keys|nodes|mails|mail_failures|logout_notices|webhooks|webhook_deliveries|fresh_events|event_positions)\w+", RegexOptions.ExplicitCapture)]
    private static partial Regex Scan();

    /// <summary>A scan below a condition that the planner knows to be false: it is never begun, so any would do.</summary>
    [GeneratedRegex(@"One-Time Filter: \(false\b[^\n]*\n\s*->\s+Seq Scan [^\n]*", RegexOptions.ExplicitCapture)]
    private static partial Regex NeverRun();

    /// <summary>What the server looks after by itself, whoever asks it for something meanwhile; and the question to a connection that stood idle on a slow machine.</summary>
    [GeneratedRegex(@"^SELECT 1$|\b(mails|logout_notices|webhooks|webhook_deliveries|nodes|event_positions)\b", RegexOptions.ExplicitCapture)]
    private static partial Regex OfTheServerItself();

    [GeneratedRegex(@"\b(INSERT|UPDATE|DELETE)\b(?!\s+OF)", RegexOptions.ExplicitCapture)]
    private static partial Regex Change();

    /// <summary>A demo server whose database explains every statement in the server's log.</summary>
    private sealed partial class BigDemoServer(PrivatePostgres postgres) : PostgresDemoServer(postgres)
    {
        /// <summary>
        /// Rows that belong to the demo realm and to nobody in the test. Foreign keys are not looked at while they are made: they fit, and
        /// looking would take a minute.
        /// </summary>
        private const string Rows =
            """
            SET session_replication_role = replica;
            CREATE TEMPORARY TABLE made AS
                SELECT n, r.id AS realm, c.id AS client, gen_random_uuid() AS person, gen_random_uuid() AS org, gen_random_uuid() AS session,
                    gen_random_uuid() AS grant_id, sha256(n::text::bytea) AS hash
                FROM generate_series(1, 100000) n, realms r JOIN clients c ON c.realm_id = r.id AND c.client_id = 'demo-web' WHERE r.handle = 'acme';
            INSERT INTO users (realm_id, id, email, email_key, email_verified, metadata, status, created_at, updated_at)
                SELECT realm, person, n || '@many.test', n || '@many.test', TRUE, '{}', 'Active', 0, 0 FROM made;
            INSERT INTO organizations (realm_id, id, handle, name, name_key, status, metadata, settings, created_at, updated_at)
                SELECT realm, org, 'many-' || n, 'Many ' || n, 'many ' || n, 'Active', '{}', '{}', 0, 0 FROM made;
            INSERT INTO organization_roles (realm_id, organization_id, slug, name, permissions, created_at, updated_at)
                SELECT realm, org, 'member', 'Member', '[]', 0, 0 FROM made;
            INSERT INTO client_organizations (realm_id, client_id, organization_id) SELECT realm, client, org FROM made;
            INSERT INTO memberships (realm_id, id, user_id, organization_id, scopes, status, joined_at, created_at, updated_at)
                SELECT realm, gen_random_uuid(), person, org, '["member"]', 'Active', 0, 0, 0 FROM made;
            INSERT INTO consents (realm_id, id, user_id, client_id, scopes, choice, granted_at) SELECT realm, gen_random_uuid(), person, client, '[]', 'all', 0 FROM made;
            INSERT INTO organization_choices (realm_id, user_id, client_id, choice, chosen_at) SELECT realm, person, client, 'all', 0 FROM made;
            INSERT INTO factors (realm_id, id, user_id, issuer, account, sealed_secret, confirmed, created_at, updated_at)
                SELECT realm, gen_random_uuid(), person, '', '', '', TRUE, 0, 0 FROM made;
            INSERT INTO sessions (realm_id, id, user_id, cookie_hash, proofs, authenticated_at, created_at, updated_at, expires_at)
                SELECT realm, session, person, hash, '[]', 0, 0, 0, 4102444800000 FROM made;
            INSERT INTO sign_ins (realm_id, id, handle_hash, client_id, door, request, user_id, proofs, choice, failed_tries, version, created_at, expires_at)
                SELECT realm, gen_random_uuid(), hash, client, 'OAuth', '{}', person, '[]', 'all', 0, 0, 0, 4102444800000 FROM made;
            INSERT INTO grants (realm_id, id, session_id, client_id, user_id, door, profile, scopes, choice, on_organization_path, created_at)
                SELECT realm, grant_id, session, client, person, 'OAuth', 'MultiOrg', '[]', 'all', FALSE, 0 FROM made;
            INSERT INTO authorization_codes (realm_id, code_hash, grant_id, created_at, expires_at) SELECT realm, hash, grant_id, 0, 4102444800000 FROM made;
            INSERT INTO refresh_tokens (realm_id, token_hash, grant_id, created_at, expires_at) SELECT realm, hash, grant_id, 0, 4102444800000 FROM made;
            INSERT INTO api_keys (realm_id, id, name, secret_hash, scopes, created_at) SELECT realm, gen_random_uuid(), '', hash, '[]', 0 FROM made;
            INSERT INTO dpop_proofs (realm_id, proof_hash, expires_at) SELECT realm, hash, 4102444800000 FROM made;
            INSERT INTO guesses (realm_id, target_hash, window_start, failures) SELECT realm, hash, 4102444800000, 1 FROM made;
            DROP TABLE made;
            ANALYZE;
            """;

        /// <summary>Fills the tables, and has the server explain what is run in this database from here on.</summary>
        public async Task FillAsync()
        {
            await Cluster.ExecuteAsync(Rows, Database);
            await Cluster.ExecuteAsync("ALTER SYSTEM SET auto_explain.log_min_duration = 0", Database);
            await Cluster.ExecuteAsync("SELECT pg_reload_conf()");
        }

        /// <summary>The plans of what was run on the rows, each with its statement.</summary>
        public IReadOnlyList<string> Plans() => [.. Plan().Matches(Cluster.Log).Select(static match => match.Groups["plan"].Value)];

        [GeneratedRegex(@"duration: [\d.]+ ms  plan:\s*(?<plan>(.*\n\t)+.*)", RegexOptions.ExplicitCapture)]
        private static partial Regex Plan();

        /// <summary>The round trips are those of the requests.</summary>
        protected override AtriumOptions Change(AtriumOptions options) => options with { SequencesEvents = false };

        protected override async Task<string> NewDatabaseAsync(string path)
        {
            string connectionString = await base.NewDatabaseAsync(path);
            await Cluster.ExecuteAsync($"ALTER DATABASE {Database} SET session_preload_libraries = auto_explain");
            return connectionString;
        }
    }
}
