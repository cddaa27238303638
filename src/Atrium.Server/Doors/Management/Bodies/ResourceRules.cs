using Atrium.Core;
using Atrium.Core.Organizations;

namespace Atrium.Server.Doors.Management.Bodies;

/// <summary>Fields that several resources have, with the house's rules for them.</summary>
internal static class ResourceRules
{
    public static readonly Field<IReadOnlyDictionary<string, string>> Metadata = Field
        .Map("metadata", TextRules.MaxMetadataPairs, TextRules.MaxMetadataKeyLength, TextRules.MaxMetadataValueLength)
        .Check(static map => map.All(static pair => TextRules.IsMetadata(pair.Key, pair.Value))
            ? null
            : "Keys of metadata have ASCII characters only, and no text has a null character.");

    /// <summary>Text that shows on one line.</summary>
    public static Field<string> Line(string name) => Field.Text(name, TextRules.MaxNameLength)
        .Check(text => TextRules.IsName(text) && !string.IsNullOrWhiteSpace(text) ? null : $"{name} stands on one line, and is more than blanks.");

    /// <summary>Different scopes or permissions.</summary>
    public static Field<IReadOnlyList<string>> Scopes(string name, int most) => Field
        .List(name, Field.Text("scope", ScopeRules.MaxLength).Check(static scope => ScopeRules.IsScope(scope) ? null : "A scope has no control characters."), most)
        .Check(scopes => scopes.Distinct(StringComparer.Ordinal).Count() == scopes.Count ? null : $"{name} names something twice.");

    public static string? NoNull(string text) => text.Contains('\0', StringComparison.Ordinal) ? "Text has no null character." : null;
}
