using System.Text.Json.Nodes;

namespace Atrium.Server.Cli.Remote.Apply;

/// <summary>One thing as a file declares it.</summary>
/// <param name="Place">Where in the file, as a JSON pointer.</param>
internal sealed record Declaration(Kind Kind, string Key, JsonObject Wanted, Declaration? Owner, string Place)
{
    /// <summary>The sections that it has of its own: what is in them is declared whole, so what is not can be pruned.</summary>
    public required IReadOnlySet<Kind> Sections { get; init; }

    public string Title => TitleOf(Kind, Key, Owner);

    public static string TitleOf(Kind kind, string key, Declaration? owner) =>
        kind.IsTie ? $"{owner!.Kind.Resource.Thing} {owner.Key} for organization {key}"
        : owner is null ? $"{kind.Resource.Thing} {key}"
        : $"{kind.Resource.Thing} {key} of {owner.Kind.Resource.Thing} {owner.Key}";
}
