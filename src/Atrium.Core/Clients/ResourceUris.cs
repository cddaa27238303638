namespace Atrium.Core.Clients;

/// <summary>What may name a resource, and so be the audience of a token (RFC 8707 section 2).</summary>
public static class ResourceUris
{
    public const int MaxLength = 1024;
    public const int MaxOfClient = 100;

    /// <summary>An absolute URI without a fragment. It is kept as it was written: audiences are compared as strings.</summary>
    public static bool IsResource(string text) =>
        text.Length is > 0 and <= MaxLength
        && text.All(static c => char.IsAscii(c) && !char.IsControl(c) && c != ' ')
        && !text.Contains('#', StringComparison.Ordinal)
        && text[0] != '/'
        && Uri.TryCreate(text, UriKind.Absolute, out _);
}
