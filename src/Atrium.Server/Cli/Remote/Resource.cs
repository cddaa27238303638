using System.Text.Json;

namespace Atrium.Server.Cli.Remote;

/// <summary>One kind of thing that the management API has, as far as verbs are the same for all kinds.</summary>
/// <param name="Thing">The word for one, in sentences.</param>
/// <param name="Path">Where its list is; <c>{0}</c> is the id of what they belong to.</param>
internal sealed record Resource(string Thing, string Path)
{
    /// <summary>How its ids begin, with the underscore; null when a path names it otherwise.</summary>
    public string? IdPrefix { get; init; }

    /// <summary>The field that names it in a path.</summary>
    public string Key { get; init; } = "id";

    /// <summary>What people call it.</summary>
    public IReadOnlyList<LookUp> LookUps { get; init; } = [];

    public IReadOnlyList<Column> Columns { get; init; } = [];

    /// <summary>What these belong to, named before them.</summary>
    public Resource? Parent { get; init; }

    /// <summary>Where those are that belong to the realm itself; then the parent is an option. Null when each has a parent.</summary>
    public string? PathWithoutParent { get; init; }

    /// <summary>Whose ids and names name it, where it has none of its own.</summary>
    public Resource? NamedAs { get; init; }

    /// <summary>What people call it: the first of these fields that it has.</summary>
    public IReadOnlyList<string> Names { get; init; } = ["name"];

    /// <summary>How to name one on the command line.</summary>
    public string Naming => NamedAs?.Naming ?? OwnNaming;

    private string OwnNaming => string.Join(", ", new[] { IdPrefix is null ? null : "id" }.OfType<string>().Concat(LookUps.Select(static one => one.Words))) is { Length: > 0 } ways
        ? $"Its {ways}."
        : $"Its {Key}.";

    /// <summary>The word with its article.</summary>
    public string One => $"{("aeio".Contains(Thing[0], StringComparison.Ordinal) ? "an" : "a")} {Thing}";

    public string PathOf(string? parentId, string? id = null) =>
        (parentId is null ? PathWithoutParent ?? Path : string.Format(null, Path, Uri.EscapeDataString(parentId))) + (id is null ? "" : $"/{Uri.EscapeDataString(id)}");

    public string NameOf(JsonElement item) =>
        Names.Select(name => FieldText.At(item, name)).FirstOrDefault(static text => text.Length > 0) ?? FieldText.At(item, Key);

    /// <summary>The id of what a person names by its id or in their own words; a <see cref="Refusal"/> when that is nothing, or not only one thing.</summary>
    public async Task<string> ResolveAsync(ManagementApi api, string named, string? parentId, CancellationToken cancellationToken)
    {
        if (NamedAs is not null)
            return await NamedAs.ResolveAsync(api, named, parentId: null, cancellationToken);
        if (LookUps.Count == 0 || (IdPrefix is not null && named.StartsWith(IdPrefix, StringComparison.Ordinal)))
            return named;
        foreach (LookUp lookUp in LookUps.Where(one => one.Fits(named)))
        {
            if (await FindAsync(api, lookUp, named, parentId, cancellationToken) is { } found)
                return found;
        }

        throw new Refusal($"There is no {Thing} \"{named}\".", ExitCode.NotFound);
    }

    /// <summary>The id of the one that is called so; null when there is none.</summary>
    public async Task<string?> FindAsync(ManagementApi api, LookUp lookUp, string named, string? parentId, CancellationToken cancellationToken)
    {
        string path = PathOf(parentId) + (lookUp.IsFilter ? $"?{lookUp.Field}={Uri.EscapeDataString(named)}" : "");
        string? found = null;
        await foreach (JsonElement item in api.ItemsAsync(path, cancellationToken))
        {
            if (!lookUp.IsFilter && FieldText.At(item, lookUp.Field) != named)
                continue;
            if (found is not null)
                throw new Refusal($"More than one {Thing} has the {lookUp.Words} \"{named}\". Name it by its id.");
            found = FieldText.At(item, Key);
        }

        return found;
    }
}

/// <summary>A field by which people name a thing.</summary>
internal sealed record LookUp(string Field)
{
    /// <summary>Whether the API's list has a filter for it; a short list is gone through otherwise.</summary>
    public bool IsFilter { get; private init; }

    /// <summary>Whether a text can be meant so at all.</summary>
    public Func<string, bool> Fits { get; init; } = static _ => true;

    public string Words => Field.Replace('_', ' ');

    public static LookUp ByFilter(string filter) => new(filter) { IsFilter = true };

    public static LookUp InList(string field) => new(field);
}
