using System.Reflection;
using System.Text.RegularExpressions;
using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Server.Keys;
using Atrium.Storage;
using Shouldly;
using Xunit;

namespace Atrium.Tests.Architecture;

public sealed partial class HouseRuleTests
{
    /// <summary>Store methods that may be called without a realm, each with its reason.</summary>
    private static readonly Dictionary<string, string> WithoutRealm = new(StringComparer.Ordinal)
    {
        ["RealmStore.FindByHandleAsync"] = "the handle is how a request names its realm",
        ["RealmStore.AnyAsync"] = "whether there is a realm at all",
        ["RealmStore.CreateAsync"] = "makes the realm",
        ["RealmStore.ListAsync"] = "lists the realms",
        ["RealmStore.ChangeAsync"] = "the realm is what is changed",
        ["RealmStore.DeleteAsync"] = "the realm is what is deleted",
        ["DeletedRealmStore.ListAsync"] = "asks which realms were deleted",
        ["OperatorKeyStore.CreateAsync"] = "operators are of no realm",
        ["OperatorKeyStore.FindAsync"] = "operators are of no realm",
        ["OperatorKeyStore.ListAsync"] = "operators are of no realm",
        ["OperatorKeyStore.DeleteAsync"] = "operators are of no realm",
        ["ApiKeyStore.FindAsync"] = "a key's hash is how a caller's realm becomes known",
        ["ClientStore.FindByClientIdAsync"] = "client ids are unique in the server, and some paths name nothing else",
        ["SessionStore.FindForSignOutAsync"] = "AuthKit's logout link names a session and nothing else",
        ["EventStore.RealmsWithFreshAsync"] = "asks in which realms something happened",
        ["MailStore.RealmsWithDueAsync"] = "asks which realms have letters to send",
        ["LogoutNoticeStore.ClientsWithDueAsync"] = "asks which clients of which realms have something to be told",
        ["CleaningStore.RealmsWithDueAsync"] = "asks which realms have something to clean",
        ["ClientStore.IsRegisteredOriginAsync"] = "a browser's preflight names no client",
        ["DeliveryStore.RealmsBehindAsync"] = "asks in which realms there is something to tell",
        ["DeliveryStore.DueAsync"] = "asks which endpoints have something due, in one realm or in all",
        ["NodeStore.SayAsync"] = "nodes serve all realms",
        ["NodeStore.LeaveAsync"] = "nodes serve all realms",
        ["NodeStore.ListAsync"] = "nodes serve all realms",
        ["NodeStore.ClockAsync"] = "the database has one clock",
        ["StorageKeyStore.FindAsync"] = "the key file is one for all realms",
        ["StorageKeyStore.RecordAsync"] = "the key file is one for all realms",
        ["StorageKeyStore.SealUnderAsync"] = "the key file is one for all realms",
        ["StorageKeyStore.ForgetAsync"] = "the key file is one for all realms",
        ["StorageKeyStore.RealmsAsync"] = "the secrets of every realm are sealed anew, one realm after the other",
    };

    /// <summary>Tables of the installation, which no realm owns; and what the databases tell of themselves.</summary>
    private static readonly string[] TablesOfNoRealm = ["realms", "schema_migrations", "storage_keys", "nodes", "operator_keys", "sqlite_schema", "pg_stat_activity", "pg_stat_replication", "clock_timestamp"];

    /// <summary>Look-ups that are allowed to find the realm instead of being told.</summary>
    private static readonly string[] SqlWithoutRealm =
    [
        "FROM clients WHERE client_id = @clientId",
        "FROM client_origins WHERE origin = @origin",
        "WHERE realm_id = realms.id AND {ending.End} < @due",
        "WHERE realm_id = realms.id AND status = 'Deleting'",
        "FROM events WHERE realm_id = p.realm_id AND position > p.position",
        "FROM webhook_deliveries d WHERE d.realm_id = w.realm_id AND d.webhook_id = w.id",
        "FROM mails WHERE realm_id = realms.id AND due_at <= @now",
        "FROM logout_notices n JOIN realms r ON r.id = n.realm_id",
        "FROM sessions WHERE id = @session\"",
        "FROM api_keys WHERE (secret_hash = @secretHash",
        "SELECT DISTINCT realm_id FROM fresh_events",
    ];

    [Fact]
    public void Time_comes_from_a_TimeProvider() =>
        SourceTree.Files("src")
            .SelectMany(static file => SystemClock().Matches(SourceTree.Read(file)).Select(match => $"{file}: {match.Value}"))
            .ShouldBeEmpty();

    [Fact]
    public void No_store_can_be_asked_without_saying_which_realm()
    {
        IEnumerable<string> offenders =
            from store in typeof(Database).Assembly.GetExportedTypes()
            where store.Name.EndsWith("Store", StringComparison.Ordinal)
            from method in store.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            where !method.IsSpecialName
                && !method.GetParameters().Any(static parameter => SaysRealm(parameter.ParameterType))
                && !WithoutRealm.ContainsKey($"{store.Name}.{method.Name}")
            select $"{store.Name}.{method.Name}";
        offenders.ShouldBeEmpty();
    }

    [Fact]
    public void Every_statement_about_something_in_a_realm_names_the_realm()
    {
        List<string> offenders = [];
        int statements = 0;
        foreach (string file in SourceTree.Files("src/Atrium.Storage"))
        {
            foreach (string sql in StatementsIn(SourceTree.Read(file)))
            {
                statements++;
                if (TablesIn(sql).Any(static table => !TablesOfNoRealm.Contains(table))
                    && !NamesRealm().IsMatch(sql)
                    && !SqlWithoutRealm.Any(allowed => sql.Contains(allowed, StringComparison.Ordinal)))
                {
                    offenders.Add($"{file}: {sql}");
                }
            }
        }

        Conditions().Matches(string.Concat(SourceTree.Files("src/Atrium.Storage").Select(SourceTree.Read)))
            .ShouldAllBe(static condition => condition.Groups["text"].Value.StartsWith("\"realm_id = @realm") || condition.Groups["text"].Value == "Visible"
                || condition.Groups["text"].Value.StartsWith("\"m."));
        statements.ShouldBeGreaterThan(50, "the scan finds the statements");
        offenders.ShouldBeEmpty();
    }

    /// <summary>Of these, nodes keep copies in memory.</summary>
    [Fact]
    public void Whoever_changes_what_nodes_remember_tells_them()
    {
        List<string> offenders = [];
        int changes = 0;
        foreach (string file in SourceTree.Files("src/Atrium.Storage"))
        {
            string source = SourceTree.Read(file);
            foreach (Match change in ChangeOfRemembered().Matches(source))
            {
                changes++;
                if (DatabaseCall().Matches(source[..change.Index]).LastOrDefault()?.Groups["method"].Value is not ("WriteAndTellAsync" or "RecordAndTellAsync"))
                    offenders.Add($"{file}: {change.Value}");
            }
        }

        changes.ShouldBeGreaterThanOrEqualTo(4, "the scan finds the changes");
        offenders.ShouldBeEmpty("a change of realms, clients or keys is written with WriteAndTellAsync");
    }

    [Fact]
    public void Every_table_of_a_realm_begins_with_the_realm_in_its_key()
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "src/Atrium.Storage/Migrations"), "*.sql"))
        {
            foreach (Match table in CreateTable().Matches(File.ReadAllText(file)))
            {
                if (!TablesOfNoRealm.Contains(table.Groups["name"].Value))
                    table.Value.ShouldContain("PRIMARY KEY (realm_id, ");
            }
        }
    }

    [Fact]
    public void Nothing_secret_shows_itself_when_it_is_printed()
    {
        const string text = "do-not-show-this";
        Secret secret = new(text);
        $"{secret}".ShouldBe("(secret)");
        $"{secret.Hash()}".ShouldBe("(hash)");
        typeof(SecretBox).GetMethod(nameof(ToString), [])!.DeclaringType.ShouldBe(typeof(object), "a box prints nothing but its name");
        $"{new KeyValuePair<string, Secret>("code", secret)}".ShouldNotContain(text);
        $"{new PrintedWithASecret(secret, secret.Hash())}".ShouldNotContain(text);
    }

    [Fact]
    public void Namespaces_equal_folders()
    {
        IEnumerable<string> offenders =
            from file in SourceTree.Files("src").Concat(SourceTree.Files("tests/Atrium.Tests"))
            let declared = Namespace().Match(SourceTree.Read(file))
            where declared.Success
            let parts = Path.GetDirectoryName(file)!.Replace('\\', '/').Split('/')[1..]
            where declared.Groups["name"].Value != string.Join('.', parts)
            select $"{file} is in {declared.Groups["name"].Value}";
        offenders.ShouldBeEmpty();
    }

    private static bool SaysRealm(Type type) =>
        type == typeof(Id<Realm>)
        || type.GetProperty("RealmId")?.PropertyType == typeof(Id<Realm>)
        || type == typeof(SignInCompletion);

    /// <summary>String literals that are SQL, with the text of constants that they are made of left as it is written.</summary>
    private static IEnumerable<string> StatementsIn(string source) =>
        RawString().Matches(source).Select(static match => match.Value)
            .Concat(PlainString().Matches(RawString().Replace(source, "")).Select(static match => match.Value))
            .Where(static text => Verb().IsMatch(text));

    private static IEnumerable<string> TablesIn(string sql) => Table().Matches(sql).Select(static match => match.Groups["name"].Value);

    private sealed record PrintedWithASecret(Secret Secret, SecretHash Hash);

    [GeneratedRegex(@"\b(DateTime|DateTimeOffset)\.(UtcNow|Now|Today)\b", RegexOptions.ExplicitCapture)]
    private static partial Regex SystemClock();

    [GeneratedRegex("\"\"\".*?\"\"\"", RegexOptions.Singleline)]
    private static partial Regex RawString();

    [GeneratedRegex("\"[^\"\\n]*\"")]
    private static partial Regex PlainString();

    [GeneratedRegex(@"\b(SELECT\b.*\bFROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Verb();

    /// <summary>In the condition, or among the values inserted; <c>Visible</c> and <c>where</c> are conditions that begin with it.</summary>
    [GeneratedRegex(@"realm_id = @(realm|RealmId)\b|INSERT INTO.*@(realm|RealmId)\b|\{(OrganizationStore\.)?Visible\}|WHERE \{where\}", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex NamesRealm();

    [GeneratedRegex(@"\b(FROM|JOIN|INTO|UPDATE)\s+(?<name>[a-z_]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Table();

    [GeneratedRegex(@"\b(INSERT INTO|UPDATE|DELETE FROM) (realms|clients|signing_keys|api_keys)\b", RegexOptions.ExplicitCapture)]
    private static partial Regex ChangeOfRemembered();

    [GeneratedRegex(@"\bdatabase\.(?<method>\w+Async)[(<]", RegexOptions.ExplicitCapture)]
    private static partial Regex DatabaseCall();

    [GeneratedRegex(@"CREATE TABLE (?<name>\w+) \(.*?\n\);", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex CreateTable();

    [GeneratedRegex(@"string (where|Visible) = (?<text>[^;]+);", RegexOptions.ExplicitCapture)]
    private static partial Regex Conditions();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Namespace();
}
