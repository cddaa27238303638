using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote.Apply;

/// <summary>Compares what is declared with what is there. Changes nothing.</summary>
/// <param name="operators">The realms themselves; null when the file says nothing of its realm.</param>
internal sealed class Planner(ManagementApi api, ManagementApi? operators, OrganizationHandles handles, Shell shell)
{
    private readonly Dictionary<Declaration, string> ids = [];

    /// <param name="prune">Whether what the listed sections don't declare is deleted.</param>
    public async Task<Plan> PlanAsync(RealmFile file, bool prune, CancellationToken cancellationToken)
    {
        await LearnHandlesAsync(file, cancellationToken);
        List<Step> steps = [];
        int unchanged = 0;
        foreach ((int compared, Declaration declared) in file.Declarations.Index())
        {
            shell.Progress($"Comparing {compared + 1} of {file.Declarations.Count}");
            if (await CompareAsync(declared, cancellationToken) is { } step)
                steps.Add(step);
            else
                unchanged++;
        }

        shell.Progress("");
        if (prune)
        {
            List<Step> deletions = [];
            foreach ((Kind kind, Declaration? owner) in Listed(file))
            {
                if (owner is null || ids.ContainsKey(owner))
                    await foreach (Step deletion in SuperfluousAsync(kind, owner, file, cancellationToken))
                        deletions.Add(deletion);
            }

            // What was made later may speak of what was made before.
            deletions.Reverse();
            steps.AddRange(deletions);
        }

        return new Plan(steps, unchanged);
    }

    /// <summary>The organizations that the file declares or speaks of and that are there.</summary>
    private async Task LearnHandlesAsync(RealmFile file, CancellationToken cancellationToken)
    {
        IEnumerable<string> named = file.Declarations.SelectMany(one => handles.Unknown(one.Wanted))
            .Concat(file.Declarations.Where(static one => one.Kind == Kinds.Organizations).Select(static one => one.Key));
        foreach (string handle in named.ToHashSet(StringComparer.Ordinal))
        {
            if (await Resources.Organizations.FindAsync(api, Resources.Organizations.LookUps[0], handle, parentId: null, cancellationToken) is { } id)
                handles.Add(handle, id);
        }

        foreach (Declaration one in file.Declarations)
        {
            string? missing = handles.Unknown(one.Wanted)
                .FirstOrDefault(handle => file.Declarations.All(other => other.Kind != Kinds.Organizations || other.Key != handle));
            if (missing is not null)
                throw new Refusal($"{one.Place}: there is no organization \"{missing}\", neither in the realm nor in the file. Nothing was changed.", ExitCode.NotFound);
        }
    }

    private async Task<Step?> CompareAsync(Declaration declared, CancellationToken cancellationToken)
    {
        JsonObject wanted = (JsonObject)handles.WithIds(declared.Wanted)!;
        string? ownerId = declared.Owner is null ? null : ids.GetValueOrDefault(declared.Owner);
        bool ownerIsThere = declared.Owner is null || ownerId is not null;
        ApiAnswer? found = ownerIsThere ? await FindAsync(declared, ownerId, cancellationToken) : null;
        if (found is null && declared.Kind == Kinds.Realm)
            throw new Refusal($"There is no realm \"{declared.Key}\".", ExitCode.NotFound);
        if (found is null)
        {
            IReadOnlyList<Difference> given = [.. wanted.Where(field => field.Key != declared.Kind.KeyField).Select(static field => new Difference("/" + field.Key, null, field.Value))];
            return new Step(StepAction.Create, declared.Kind, declared.Key, declared.Title, given) { Declared = declared, OwnerId = ownerId };
        }

        string id = FieldText.At(found.Data, declared.Kind.Resource.Key);
        ids[declared] = id;
        IReadOnlyList<Difference> differences = declared.Kind.IsKeyOnly ? [] : Difference.Between(found.Data, wanted);
        if (differences.FirstOrDefault(one => declared.Kind.IsFixed(one.Field.Split('/')[1])) is { } never)
            throw new Refusal($"{declared.Place}{never.Field}: never changes; the {declared.Title} has {never.Now?.ToJsonString() ?? "nothing"}. Nothing was changed.");
        return differences.Count == 0 ? null
            : new Step(StepAction.Update, declared.Kind, declared.Key, declared.Title, differences) { Declared = declared, OwnerId = ownerId, Id = id, ETag = found.ETag };
    }

    /// <summary>The thing with its version, which only the thing itself has; what is declared by its key alone needs none.</summary>
    private async Task<ApiAnswer?> FindAsync(Declaration declared, string? ownerId, CancellationToken cancellationToken)
    {
        Resource resource = declared.Kind.Resource;
        if (declared.Kind == Kinds.Realm)
            return await operators!.FindAsync(resource.PathOf(parentId: null, declared.Key), cancellationToken);
        string key = declared.Kind.IsTie ? handles.IdOf(declared.Key) ?? declared.Key : declared.Key;
        string? id = resource.LookUps is [LookUp lookUp, ..] ? await resource.FindAsync(api, lookUp, key, ownerId, cancellationToken) : key;
        if (id is null)
            return null;
        return declared.Kind.IsKeyOnly
            ? new ApiAnswer(JsonSerializer.SerializeToElement(new JsonObject { ["data"] = new JsonObject { [resource.Key] = id } }), ETag: null)
            : await api.FindAsync(resource.PathOf(ownerId, id), cancellationToken);
    }

    private async IAsyncEnumerable<Step> SuperfluousAsync(Kind kind, Declaration? owner, RealmFile file, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? ownerId = owner is null ? null : ids[owner];
        HashSet<string> declared = [.. file.Declarations.Where(one => one.Kind == kind && one.Owner == owner && ids.ContainsKey(one)).Select(one => ids[one])];
        await foreach (JsonElement item in api.ItemsAsync(kind.Resource.PathOf(ownerId), cancellationToken))
        {
            string id = FieldText.At(item, kind.Resource.Key);
            if (declared.Contains(id))
                continue;
            string key = FieldText.At(item, kind.KeyField);
            if (kind.IsTie && handles.HandleOf(key) is null && await api.FindAsync(Resources.Organizations.PathOf(parentId: null, key), cancellationToken) is { } tied)
                handles.Add(FieldText.At(tied.Data, "handle"), key);
            string path = kind.Resource.PathOf(ownerId, id);
            string? etag = kind.IsTie ? null : (await api.FindAsync(path, cancellationToken))?.ETag;
            yield return new Step(StepAction.Delete, kind, key, Declaration.TitleOf(kind, handles.HandleOf(key) ?? key, owner), []) { OwnerId = ownerId, Id = id, ETag = etag };
        }
    }

    /// <summary>Every list that the file declares whole.</summary>
    private static IEnumerable<(Kind Kind, Declaration? Owner)> Listed(RealmFile file) =>
        Kinds.All.Where(file.Sections.Contains).Select(static kind => (kind, (Declaration?)null))
            .Concat(file.Declarations.SelectMany(static one => one.Sections.Select(kind => (kind, (Declaration?)one))));
}
