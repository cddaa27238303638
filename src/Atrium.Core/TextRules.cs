using System.Text;

namespace Atrium.Core;

/// <summary>What people and organizations both have: names for humans, an id of the product's own, and metadata.</summary>
public static class TextRules
{
    public const int MaxNameLength = 256;
    public const int MaxExternalIdLength = 128;
    public const int MaxMetadataPairs = 10;
    public const int MaxMetadataKeyLength = 40;
    public const int MaxMetadataValueLength = 600;

    /// <summary>Text that shows on one line.</summary>
    public static bool IsName(string text) => text.Length <= MaxNameLength && IsPlain(text);

    public static bool IsExternalId(string text) => text.Length is > 0 and <= MaxExternalIdLength && Ascii.IsValid(text) && IsPlain(text);

    public static bool IsMetadata(string key, string value) =>
        key.Length is > 0 and <= MaxMetadataKeyLength && IsPlain(key) && Ascii.IsValid(key)
        && value.Length <= MaxMetadataValueLength && !value.Contains('\0', StringComparison.Ordinal);

    public static bool IsPlain(string text) => !text.Any(char.IsControl);
}
