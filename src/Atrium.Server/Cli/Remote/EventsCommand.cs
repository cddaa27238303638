using System.CommandLine;
using System.Text.Json;

namespace Atrium.Server.Cli.Remote;

/// <summary><c>atrium events</c>: what happened, and what happens.</summary>
internal sealed class EventsCommand(Shell shell, Access access)
{
    private const int UsualLimit = 50;

    /// <summary>How many of the past a follower sees first, as with <c>tail</c>.</summary>
    private const int Glimpse = 10;

    /// <summary>Seconds that the server holds a question to which there is no answer yet; its own bound.</summary>
    private const int Wait = 30;

    private static readonly TimeSpan PauseAfterTrouble = TimeSpan.FromSeconds(2);

    /// <summary>What people call the thing that an event is about: the first of these that it has.</summary>
    private static readonly string[] Subjects =
    [
        "data.email", "data.email_invited", "data.domain", "data.handle", "data.client_id", "data.slug", "data.name", "data.user_id", "data.id",
        "user_id", "organization_id", "client_id",
    ];

    private static readonly Column[] Columns =
    [
        Column.Time("TIME", "created_at"), Column.Of("TYPE", "type") with { IsWhole = true }, new("ABOUT", About), new("BY", By),
    ];

    private readonly Option<string[]> types = new("--type") { Description = "Only these types, such as user.created or organization.*; may be given several times." };
    private readonly Option<string?> organization = new("--organization") { Description = $"Only what concerns this organization. {Resources.Organizations.Naming}" };
    private readonly Option<string?> user = new("--user") { Description = $"Only what concerns this user. {Resources.Users.Naming}" };
    private readonly Option<string?> client = new("--client") { Description = "Only what came through, or concerns, the client of this client_id." };
    private readonly Option<DateTimeOffset> since = Arguments.Moment("--since", "Nothing earlier.", shell.Clock, ahead: false);
    private readonly Option<bool> follow = new("--follow", "-f") { Description = "Goes on with what happens, oldest first, until it is stopped with Ctrl+C." };
    private readonly Option<int> limit = Arguments.Whole("--limit", $"How many at most. Default: {UsualLimit}");
    private readonly Option<bool> all = new("--all") { Description = "All there are, however many." };

    public Command Build()
    {
        Command events = Call.Verb(
            "events",
            "What happened, the newest first: the audit log.",
            shell,
            access.OpenRealm,
            [types, organization, user, client, since, follow, limit, all, Call.Json],
            RunAsync);
        events.Add(new ResourceVerbs(Resources.Events, shell, access.OpenRealm).Show());
        return events;
    }

    private async Task<int> RunAsync(Call call, CancellationToken cancellationToken)
    {
        string filter = await FilterAsync(call, cancellationToken);
        if (call.Parsed.GetValue(follow))
            return await FollowAsync(call, filter, cancellationToken);
        long atMost = call.Parsed.GetValue(all) ? long.MaxValue : call.Parsed.GetResult(limit) is null ? UsualLimit : call.Parsed.GetValue(limit);
        await call.ListAsync(Columns, $"/events?{filter}{Since(call)}", atMost, cancellationToken);
        return ExitCode.Done;
    }

    /// <summary>First what there is to begin with, then a question that the server answers when there is something: again and again, from where the last answer ended.</summary>
    private async Task<int> FollowAsync(Call call, string filter, CancellationToken cancellationToken)
    {
        Table table = new(shell, Columns);
        string start = Since(call);
        JsonElement[] past = start.Length > 0 ? [] : await GlimpseAsync(call, filter, cancellationToken);
        if (past.Length > 0)
            start = $"after={past[^1].GetProperty("created_at").GetInt64()}&";
        HashSet<string> shown = [.. past.Select(static item => FieldText.At(item, "id"))];
        Write(call, table, past);

        string? cursor = null;
        for (bool isTroubled = false; ;)
        {
            JsonElement page;
            try
            {
                string position = cursor is null ? start : $"cursor={Uri.EscapeDataString(cursor)}&";
                page = (await call.Api.GetAsync($"/events?{filter}{position}order=asc&wait={Wait}", cancellationToken)).Body;
                isTroubled = false;
            }
            catch (Refusal refusal) when (refusal.Status is null or >= 500)
            {
                // A server that restarts, or a network that is away for a while: nothing is missed, the cursor stands where it stood.
                if (!isTroubled)
                    await shell.Error.WriteLineAsync($"atrium: {Printable.Text(refusal.Message)} Trying again.");
                isTroubled = true;
                await Task.Delay(PauseAfterTrouble, shell.Clock, cancellationToken);
                continue;
            }

            Write(call, table, [.. page.GetProperty("data").EnumerateArray().Where(item => !shown.Contains(FieldText.At(item, "id")))]);
            cursor = page.GetProperty("next_cursor").GetString();
        }
    }

    private static async Task<JsonElement[]> GlimpseAsync(Call call, string filter, CancellationToken cancellationToken)
    {
        JsonElement page = (await call.Api.GetAsync($"/events?{filter}limit={Glimpse}", cancellationToken)).Body;
        return [.. page.GetProperty("data").EnumerateArray().Reverse()];
    }

    private static void Write(Call call, Table table, JsonElement[] items)
    {
        if (call.InJson)
            call.WriteLines(items);
        else if (items.Length > 0)
            table.Write(items);
        call.Shell.Output.Flush();
    }

    private string Since(Call call) => call.Parsed.GetResult(since) is null ? "" : $"after={call.Parsed.GetValue(since).ToUnixTimeMilliseconds()}&";

    /// <summary>The parameters of the query, each with an ampersand behind it.</summary>
    private async Task<string> FilterAsync(Call call, CancellationToken cancellationToken)
    {
        List<(string Name, string Value)> filter = [];
        if (call.Parsed.GetValue(types) is { Length: > 0 } chosen)
            filter.Add(("types", string.Join(',', chosen)));
        if (call.Parsed.GetValue(organization) is { } namedOrganization)
            filter.Add(("organization_id", await Resources.Organizations.ResolveAsync(call.Api, namedOrganization, parentId: null, cancellationToken)));
        if (call.Parsed.GetValue(user) is { } namedUser)
            filter.Add(("user_id", await Resources.Users.ResolveAsync(call.Api, namedUser, parentId: null, cancellationToken)));
        if (call.Parsed.GetValue(client) is { } namedClient)
            filter.Add(("client_id", namedClient));
        return string.Concat(filter.Select(static one => $"{one.Name}={Uri.EscapeDataString(one.Value)}&"));
    }

    private static string About(JsonElement happened) =>
        Subjects.Select(path => FieldText.At(happened, path)).FirstOrDefault(static text => text.Length > 0) ?? "";

    private static string By(JsonElement happened)
    {
        string type = FieldText.At(happened, "actor.type").Replace('_', ' ');
        string id = FieldText.At(happened, "actor.id");
        return id.Length == 0 ? type : $"{type} {id}";
    }
}
