using System.Text.Json;
using System.Text.Json.Nodes;
using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Server.Doors.Management.Bodies;

namespace Atrium.Server.Cli.Remote.Apply;

/// <summary>A file that declares a realm: JSON, in which comments and trailing commas may stand.</summary>
internal sealed class RealmFile
{
    private static readonly JsonDocumentOptions Reading = new()
    {
        AllowDuplicateProperties = false, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip,
    };

    private readonly List<Declaration> declarations = [];
    private readonly List<(string Field, string Message)> problems = [];

    /// <summary>All that is declared; what others belong to or speak of comes before them.</summary>
    public IReadOnlyList<Declaration> Declarations => declarations;

    /// <summary>The kinds of the realm itself that the file lists.</summary>
    public required IReadOnlySet<Kind> Sections { get; init; }

    /// <summary>Whether it says something of the realm itself.</summary>
    public bool DeclaresRealm => declarations.Exists(static one => one.Kind == Kinds.Realm);

    /// <param name="realm">The handle or id of the realm that it is about, as the command line says it.</param>
    public static async Task<RealmFile> ReadAsync(string path, string realm, CancellationToken cancellationToken)
    {
        try
        {
            JsonNode? root = JsonNode.Parse(await File.ReadAllTextAsync(path, cancellationToken), documentOptions: Reading);
            return root is JsonObject declared ? Of(declared, path, realm) : throw new Refusal($"{path} is no JSON object.", ExitCode.Usage);
        }
        catch (JsonException e)
        {
            throw new Refusal($"{path}{(e.LineNumber is { } line ? $", line {line + 1}" : "")}: {e.Message}", ExitCode.Usage);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new Refusal(e.Message, ExitCode.Usage);
        }
    }

    private static RealmFile Of(JsonObject root, string path, string realm)
    {
        HashSet<Kind> sections = [.. Kinds.All.Where(kind => root.ContainsKey(kind.Section))];
        RealmFile file = new() { Sections = sections };
        string[] known = [Kinds.Realm.Section, .. Kinds.All.Select(static kind => kind.Section)];
        foreach ((string name, JsonNode? section) in root)
        {
            if (name == Kinds.Realm.Section)
                file.ReadRealm(section, realm);
            else if (name != "$schema" && !known.Contains(name))
                file.Complain($"/{name}", $"A file declares {string.Join(", ", known)}; there is no \"{name}\".");
        }

        foreach (Kind kind in Kinds.All.Where(sections.Contains))
            file.ReadSection(kind, root[kind.Section], owner: null, $"/{kind.Section}");
        file.SortParentsFirst();
        return file.problems.Count == 0 ? file : throw new Refusal($"{path} can't be applied. Nothing was changed.", ExitCode.Usage) { Fields = file.problems };
    }

    /// <summary>The realm's own name and settings. Which realm it is, the command line says.</summary>
    private void ReadRealm(JsonNode? node, string realm)
    {
        string place = $"/{Kinds.Realm.Section}";
        if (node is not JsonObject said)
        {
            Complain(place, "should be an object.");
            return;
        }

        JsonObject wanted = (JsonObject)said.DeepClone();
        Check(Kinds.Realm, wanted, place);
        declarations.Add(new Declaration(Kinds.Realm, realm, wanted, Owner: null, place) { Sections = new HashSet<Kind>() });
    }

    private void ReadSection(Kind kind, JsonNode? section, Declaration? owner, string place)
    {
        if (section is not JsonArray list)
        {
            Complain(place, "should be a list.");
            return;
        }

        HashSet<string> keys = new(StringComparer.Ordinal);
        for (int i = 0; i < list.Count; i++)
        {
            if (ReadOne(kind, list[i], owner, $"{place}/{i}") is { } declared && !keys.Add(declared.Key))
                Complain($"{place}/{i}", $"declares the {declared.Title} a second time.");
        }
    }

    private Declaration? ReadOne(Kind kind, JsonNode? node, Declaration? owner, string place)
    {
        JsonNode? key = kind.IsKeyOnly ? node : (node as JsonObject)?[kind.KeyField];
        if (key?.GetValueKind() != JsonValueKind.String)
        {
            Complain(place, kind.IsKeyOnly ? $"should be the text of a {kind.KeyField}." : $"should be an object with the text \"{kind.KeyField}\", which says which {kind.Resource.Thing} is meant.");
            return null;
        }

        JsonObject wanted = kind.IsKeyOnly ? new JsonObject { [kind.KeyField] = key.DeepClone() } : (JsonObject)node!.DeepClone();
        HashSet<Kind> sections = [.. kind.Inside.Where(inner => wanted.ContainsKey(inner.Section))];
        foreach (Kind inner in sections)
            wanted.Remove(inner.Section);
        Declaration declared = new(kind, key.GetValue<string>(), wanted, owner, place) { Sections = sections };
        if (!kind.IsKeyOnly)
            Check(kind, wanted, place);
        declarations.Add(declared);
        foreach (Kind inner in sections)
            ReadSection(inner, node![inner.Section], declared, $"{place}/{inner.Section}");
        return declared;
    }

    /// <summary>The words that the server itself reads a new one by; a handle counts as the id that it stands for.</summary>
    private void Check(Kind kind, JsonObject wanted, string place)
    {
        OrganizationHandles handles = new();
        foreach (string handle in handles.Unknown(wanted))
            handles.Add(handle, Id<Organization>.New(TimeProvider.System).ToString());
        List<Problem> found = [];
        kind.Creation.Read(JsonSerializer.SerializeToElement(handles.WithIds(wanted)), place, found);
        foreach (Problem problem in found)
            Complain(problem.Field, problem.Message);
    }

    /// <summary>An organization, with what is inside it, comes after the one that it names as its parent.</summary>
    private void SortParentsFirst()
    {
        List<Declaration> sorted = [];
        HashSet<Declaration> begun = [];
        foreach (Declaration one in declarations.Where(static one => one.Owner is null))
            Take(one);
        declarations.Clear();
        declarations.AddRange(sorted);

        void Take(Declaration one)
        {
            if (!begun.Add(one))
                return;
            if (one.Wanted["parent_id"] is JsonValue parent && parent.TryGetValue(out string? handle)
                && declarations.FirstOrDefault(other => other.Kind == one.Kind && other.Key == handle) is { } above)
            {
                Take(above);
            }

            sorted.Add(one);
            sorted.AddRange(declarations.Where(inner => inner.Owner == one));
        }
    }

    private void Complain(string place, string message) => problems.Add((place, message));
}
