using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote;

/// <summary>One run of a verb over the API: what was asked for, and how its answer is shown.</summary>
internal sealed class Call(ParseResult parsed, Shell shell, ManagementApi api)
{
    /// <summary>Shown once, and set apart from what can be looked up again.</summary>
    private static readonly string[] Secrets = ["client_secret", "secret", "signing_secret"];

    public static Option<bool> Json { get; } = new("--json") { Description = "What the API answers, one object a line.", Recursive = true };

    public ParseResult Parsed => parsed;

    public Shell Shell => shell;

    public ManagementApi Api => api;

    public bool InJson => parsed.GetValue(Json);

    /// <summary>A verb that runs over the API.</summary>
    public static Command Verb(
        string name, string description, Shell shell, Func<ParseResult, ManagementApi> open, IEnumerable<Symbol> symbols, Func<Call, CancellationToken, Task<int>> action)
    {
        Command command = new(name, description);
        foreach (Symbol symbol in symbols)
        {
            if (symbol is Argument argument)
                command.Add(argument);
            else
                command.Add((Option)symbol);
        }

        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, shell, open, action, cancellationToken));
        return command;
    }

    public static async Task<int> RunAsync(
        ParseResult parsed, Shell shell, Func<ParseResult, ManagementApi> open, Func<Call, CancellationToken, Task<int>> action, CancellationToken cancellationToken)
    {
        try
        {
            using ManagementApi api = open(parsed);
            return await action(new Call(parsed, shell, api), cancellationToken);
        }
        catch (Refusal refusal)
        {
            return refusal.TellOn(shell.Error);
        }
    }

    /// <summary>The body that the options given make.</summary>
    public JsonObject BodyOf(IEnumerable<BodyField> fields)
    {
        JsonObject body = [];
        foreach (BodyField field in fields)
            field.Write(parsed, body);
        return body;
    }

    /// <summary>One object as the API answered it: in JSON for a script, a line a field for a person.</summary>
    public void Show(JsonElement item)
    {
        if (InJson)
        {
            shell.Output.WriteLine(item.GetRawText());
            return;
        }

        (string Name, string Text)[] lines = [.. FieldText.Lines(item)];
        int width = lines.Max(static line => line.Name.Length) + 2;
        foreach ((string name, string text) in lines.Where(static line => !Secrets.Contains(line.Name)))
            shell.Output.WriteLine($"{shell.Paint(name.PadRight(width), Colour.Quiet)}{Printable.Text(text)}".TrimEnd());
        foreach ((string name, string text) in lines.Where(static line => Secrets.Contains(line.Name) && line.Text.Length > 0))
            shell.Output.WriteLine($"\n{shell.Paint($"The {name.Replace('_', ' ')}, shown this once:", Colour.Heading)}\n{Printable.Text(text)}");
    }

    /// <summary>Makes one, and shows it.</summary>
    public async Task<int> PostAsync(Resource resource, JsonObject body, CancellationToken cancellationToken)
    {
        Show((await api.PostAsync(resource.Path, body, cancellationToken)).Data);
        return ExitCode.Done;
    }

    /// <summary>Says in a sentence what was done; a script has the exit code.</summary>
    public int Done(string sentence)
    {
        if (!InJson)
            shell.Output.WriteLine(Printable.Text(sentence));
        return ExitCode.Done;
    }

    /// <summary>Pages of a list as they come.</summary>
    public async Task ListAsync(IReadOnlyList<Column> columns, string path, long atMost, CancellationToken cancellationToken)
    {
        Table table = new(shell, columns);
        bool hasMore = false;
        int count = 0;
        await foreach (ApiPage page in api.PagesAsync(path, atMost, cancellationToken))
        {
            hasMore = page.HasMore;
            count += page.Items.Count;
            Write(table, page.Items);
        }

        if (count == 0 && !InJson)
            await shell.Error.WriteLineAsync("There are none.");

        if (hasMore)
            await shell.Error.WriteLineAsync($"There are more than these {count}: --limit shows so many, --all shows all.");
    }

    /// <summary>A list that came whole.</summary>
    public void Show(IReadOnlyList<Column> columns, JsonElement items) => Write(new Table(shell, columns), [.. items.EnumerateArray()]);

    private void Write(Table table, IReadOnlyList<JsonElement> items)
    {
        if (InJson)
            WriteLines(items);
        else if (items.Count > 0)
            table.Write(items);
    }

    public void WriteLines(IEnumerable<JsonElement> items)
    {
        foreach (JsonElement item in items)
            shell.Output.WriteLine(item.GetRawText());
    }
}
