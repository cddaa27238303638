namespace Atrium.Core.Users;

/// <summary>Where a person gets letters, in the parts that OpenID Connect Core section 5.1.1 knows; any of them may be missing.</summary>
public sealed record PostalAddress
{
    public const int MaxLinesLength = 512;

    /// <summary>The whole of it as it stands on an envelope; it may have several lines.</summary>
    public string? Formatted { get; init; }

    /// <summary>Street and house, or a post box; it may have several lines.</summary>
    public string? StreetAddress { get; init; }

    public string? Locality { get; init; }

    public string? Region { get; init; }

    public string? PostalCode { get; init; }

    public string? Country { get; init; }

    /// <summary>The address, or null where nothing is known of it.</summary>
    public PostalAddress? OrNothing() => this == new PostalAddress() ? null : this;

    /// <summary>Text of one or more lines.</summary>
    public static bool IsLines(string text) => text.Length is > 0 and <= MaxLinesLength && text.All(static letter => letter is '\r' or '\n' || !char.IsControl(letter));
}
