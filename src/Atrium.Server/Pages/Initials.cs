using System.Globalization;

namespace Atrium.Server.Pages;

/// <summary>The letter that stands for a name.</summary>
internal static class Initials
{
    /// <summary>A whole text element, so that no surrogate pair or accent is cut in two.</summary>
    public static string Of(string name) => StringInfo.GetNextTextElement(name.Trim()).ToUpperInvariant();
}
