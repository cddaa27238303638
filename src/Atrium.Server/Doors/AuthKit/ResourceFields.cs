using Atrium.Core;
using Microsoft.AspNetCore.Http.Features;

namespace Atrium.Server.Doors.AuthKit;

/// <summary>What people and organizations both have: metadata, an id of the product's own, and names for humans.</summary>
internal static class ResourceFields
{
    /// <summary>
    /// The metadata after a change: a value that is null deletes its key, a null in place of the whole map deletes all, and keys that are not
    /// named stay. Null when what would be stored is more than the contract allows.
    /// </summary>
    public static IReadOnlyDictionary<string, string>? MergedMetadata(
        IReadOnlyDictionary<string, string> current, IReadOnlyDictionary<string, string?>? changes, bool clear)
    {
        if (clear)
            return new Dictionary<string, string>(StringComparer.Ordinal);
        if (changes is null)
            return current;

        Dictionary<string, string> merged = new(current, StringComparer.Ordinal);
        foreach ((string key, string? value) in changes)
        {
            if (value is null)
            {
                merged.Remove(key);
                continue;
            }

            if (!TextRules.IsMetadata(key, value))
                return null;
            merged[key] = value;
        }

        return merged.Count <= TextRules.MaxMetadataPairs ? merged : null;
    }

    public static AuthKitError InvalidMetadata { get; } = AuthKitError.Plain(
        "invalid_metadata",
        $"Metadata holds at most {TextRules.MaxMetadataPairs} pairs, with ASCII keys of 1 to {TextRules.MaxMetadataKeyLength} characters and values of at most {TextRules.MaxMetadataValueLength}.");

    public static AuthKitError ExternalIdTaken { get; } =
        AuthKitError.Plain("external_id_already_used", "This external id is already used by another one.");

    /// <summary>The product's own id of a thing; what is wrong with it is noted.</summary>
    public static string? ExternalId(this Fields fields)
    {
        string? id = fields.Text("external_id");
        if (id is null || TextRules.IsExternalId(id))
            return id;
        fields.Refuse("external_id", "external_id_invalid", $"external_id should have 1 to {TextRules.MaxExternalIdLength} ASCII characters.");
        return null;
    }

    /// <summary>Text that shows on one line; what is wrong with it is noted.</summary>
    public static string? Line(this Fields fields, string name)
    {
        string? text = fields.Text(name)?.Trim();
        if (text is null || TextRules.IsName(text))
            return text;
        fields.Refuse(name, $"{name}_invalid", $"{name} should have at most {TextRules.MaxNameLength} characters, and no control characters.");
        return null;
    }

    /// <summary>
    /// The external id that the path ends in. It may hold an encoded slash, which routing hands on still encoded, so it is read from the
    /// request's own text.
    /// </summary>
    public static string ExternalIdInPath(HttpContext context)
    {
        string target = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        string path = target.Split('?')[0].TrimEnd('/');
        return Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]);
    }

    /// <summary>A parameter of the query; null when it is missing or empty, as SDKs send it where nothing was set.</summary>
    public static string? QueryText(HttpContext context, string name) =>
        context.Request.Query[name] is [{ Length: > 0 } value, ..] ? value : null;
}
