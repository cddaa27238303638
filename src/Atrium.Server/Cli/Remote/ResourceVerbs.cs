using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote;

/// <summary>The verbs that every kind of thing has: list, show, create, update, delete.</summary>
internal sealed class ResourceVerbs(Resource resource, Shell shell, Func<ParseResult, ManagementApi> open)
{
    private const int UsualLimit = 50;

    private readonly Symbol? parent = resource.Parent is not { } owner ? null
        : resource.PathWithoutParent is null ? new Argument<string>(owner.Thing) { Description = owner.Naming }
        : new Option<string>($"--{owner.Thing}") { Description = $"Those of {owner.One}. {owner.Naming}" };

    private readonly Argument<string> named = new(resource.Thing.Replace(' ', '-')) { Description = resource.Naming };

    /// <param name="filters">Options that become parameters of the query: the option's name without its hyphens, in snake_case.</param>
    public Command List(params Option<string?>[] filters) => ListAs("list", $"Lists {resource.Thing}s, the newest first.", filters);

    public Command ListAs(string verb, string description, params Option<string?>[] filters)
    {
        Option<int> limit = Arguments.Whole("--limit", $"How many at most. Default: {UsualLimit}");
        Option<bool> all = new("--all") { Description = "All there are, however many." };
        return Verb(verb, description, [limit, all, .. filters], async (call, cancellationToken) =>
        {
            long atMost = call.Parsed.GetValue(all) ? long.MaxValue : call.Parsed.GetResult(limit) is null ? UsualLimit : call.Parsed.GetValue(limit);
            IEnumerable<string> query = filters
                .Where(filter => call.Parsed.GetValue(filter) is not null)
                .Select(filter => $"{filter.Name.TrimStart('-').Replace('-', '_')}={Uri.EscapeDataString(call.Parsed.GetValue(filter)!)}");
            string path = resource.PathOf(await ParentAsync(call, cancellationToken));
            await call.ListAsync(resource.Columns, string.Join('&', query) is { Length: > 0 } text ? $"{path}?{text}" : path, atMost, cancellationToken);
            return ExitCode.Done;
        });
    }

    public Command Show(string verb = "show") => OfOne(verb, $"Shows {resource.One}.", [], async (call, path, cancellationToken) =>
    {
        call.Show((await call.Api.GetAsync(path, cancellationToken)).Data);
        return ExitCode.Done;
    });

    public Command Create(string description, params BodyField[] fields) =>
        Verb("create", description, OptionsOf(fields), (call, cancellationToken) => CreateAsync(call, fields, cancellationToken));

    public async Task<int> CreateAsync(Call call, IEnumerable<BodyField> fields, CancellationToken cancellationToken)
    {
        call.Show((await call.Api.PostAsync(resource.PathOf(await ParentAsync(call, cancellationToken)), call.BodyOf(fields), cancellationToken)).Data);
        return ExitCode.Done;
    }

    public Command Update(params BodyField[] fields)
    {
        Command update = Change("update", $"Changes {resource.One}; what is not named stays.", [], fields);
        update.Validators.Add(result =>
        {
            if (fields.All(field => result.GetResult(field.Option) is null))
                result.AddError("Nothing to change was named.");
        });
        return update;
    }

    /// <summary>A change that has a word of its own, such as suspend.</summary>
    public Command Change(string verb, string description, JsonObject change, params BodyField[] fields) =>
        OfOne(verb, description, OptionsOf(fields), async (call, path, cancellationToken) =>
        {
            JsonObject patch = call.BodyOf(fields);
            foreach ((string name, JsonNode? value) in change)
                patch[name] = value?.DeepClone();
            call.Show((await call.Api.PatchAsync(path, patch, ifMatch: null, cancellationToken)).Data);
            return ExitCode.Done;
        });

    /// <summary>Something that a resource does when it is told to: <c>POST .../verb</c>.</summary>
    public Command Act(string verb, string description, string suffix, params BodyField[] fields) =>
        OfOne(verb, description, OptionsOf(fields), async (call, path, cancellationToken) =>
        {
            ApiAnswer answer = await call.Api.PostAsync($"{path}/{suffix}", fields.Length == 0 ? null : call.BodyOf(fields), cancellationToken);
            if (answer.Body.ValueKind == JsonValueKind.Object)
                call.Show(answer.Data);
            return ExitCode.Done;
        });

    /// <summary>Asks first on a terminal; the version that was shown is the one that is deleted.</summary>
    /// <param name="confirm">A parameter in which the server wants to read the key once more.</param>
    public Command Delete(string verb = "delete", string? confirm = null)
    {
        Option<bool> yes = new("--yes") { Description = "Doesn't ask." };
        return OfOne(verb, $"Deletes {resource.One} and everything of it.", [yes], async (call, path, cancellationToken) =>
        {
            ApiAnswer found = await call.Api.GetAsync(path, cancellationToken);
            string name = $"{resource.Thing} {resource.NameOf(found.Data)}";
            if (!call.Parsed.GetValue(yes) && (!shell.CanAsk || !shell.Confirms($"Delete the {Printable.Text(name)} ({FieldText.At(found.Data, resource.Key)})?")))
                throw new Refusal(shell.CanAsk ? "Nothing was deleted." : "There is nobody to ask: --yes deletes without.", shell.CanAsk ? ExitCode.Failed : ExitCode.Usage);
            string query = confirm is null ? "" : $"?{confirm}={Uri.EscapeDataString(FieldText.At(found.Data, resource.Key))}";
            await call.Api.DeleteAsync(path + query, found.ETag, cancellationToken);
            return call.Done($"The {name} is deleted.");
        });
    }

    /// <summary>A verb about one, whose path it is given.</summary>
    public Command OfOne(string verb, string description, IEnumerable<Symbol> symbols, Func<Call, string, CancellationToken, Task<int>> action) =>
        Verb(verb, description, [named, .. symbols], async (call, cancellationToken) =>
        {
            string? owner = await ParentAsync(call, cancellationToken);
            string id = await resource.ResolveAsync(call.Api, call.Parsed.GetRequiredValue(named), owner, cancellationToken);
            return await action(call, resource.PathOf(owner, id), cancellationToken);
        });

    public Command Verb(string verb, string description, IEnumerable<Symbol> symbols, Func<Call, CancellationToken, Task<int>> action) =>
        Call.Verb(verb, description, shell, open, parent is null ? symbols : [parent, .. symbols], action);

    private async Task<string?> ParentAsync(Call call, CancellationToken cancellationToken) =>
        parent is not null && call.Parsed.GetValue<string>(parent.Name) is { } owner ? await resource.Parent!.ResolveAsync(call.Api, owner, parentId: null, cancellationToken) : null;

    private static IEnumerable<Symbol> OptionsOf(IEnumerable<BodyField> fields) => fields.Select(static field => field.Option);
}
