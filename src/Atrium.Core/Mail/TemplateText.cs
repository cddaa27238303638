using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.RegularExpressions;

namespace Atrium.Core.Mail;

/// <summary>
/// A text with placeholders: <c>{{organization.name}}</c> is a value, <c>{{#message}}...{{/message}}</c> shows only where that value is there,
/// <c>{{^message}}...{{/message}}</c> only where it isn't. There is nothing else to it: no expressions, no loops, nothing that runs.
/// </summary>
public sealed partial class TemplateText
{
    /// <summary>A bound on what one value, put in everywhere, can blow a mail up to.</summary>
    public const int MaxPlaceholders = 100;

    private const int MaxDepth = 8;

    private readonly IReadOnlyList<Part> parts;

    private TemplateText(IReadOnlyList<Part> parts) => this.parts = parts;

    /// <summary>The values that the text speaks of, each once.</summary>
    public IReadOnlySet<string> Names => parts.SelectMany(static part => part.Names).ToHashSet(StringComparer.Ordinal);

    /// <summary>The values that show in the text, as those do not that a passage only depends on.</summary>
    public IReadOnlySet<string> Shown => parts.SelectMany(static part => part.Shown).ToHashSet(StringComparer.Ordinal);

    /// <summary>Reads a text; false with a sentence that says what is wrong.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out TemplateText? template, [NotNullWhen(false)] out string? problem)
    {
        template = null;
        Stack<(string Name, bool WhenThere, List<Part> Before)> open = new();
        List<Part> read = [];
        int at = 0, count = 0;
        foreach (Match tag in Tag().Matches(text))
        {
            read.Add(new Words(text[at..tag.Index]));
            at = tag.Index + tag.Length;
            if (!tag.Groups["name"].Success)
            {
                problem = $"\"{Shortened(tag.Value)}\" is no placeholder: one looks like {{{{organization.name}}}}.";
                return false;
            }

            if (++count > MaxPlaceholders)
            {
                problem = $"There are more than {MaxPlaceholders} placeholders.";
                return false;
            }

            string name = tag.Groups["name"].Value;
            switch (tag.Groups["sign"].Value)
            {
                case "":
                    read.Add(new Value(name));
                    break;
                case "/" when open.TryPop(out var passage) && passage.Name == name:
                    passage.Before.Add(new Passage(name, passage.WhenThere, read));
                    read = passage.Before;
                    break;
                case "/":
                    problem = $"{{{{/{name}}}}} ends a passage that was not begun there.";
                    return false;
                case var sign when open.Count < MaxDepth:
                    open.Push((name, sign == "#", read));
                    read = [];
                    break;
                default:
                    problem = $"Passages can stand {MaxDepth} deep in each other.";
                    return false;
            }
        }

        if (open.TryPeek(out var unended))
        {
            problem = $"The passage of {unended.Name} has no end: {{{{/{unended.Name}}}}} is missing.";
            return false;
        }

        read.Add(new Words(text[at..]));
        template = new TemplateText(read);
        problem = null;
        return true;
    }

    /// <summary>The text with its values; one that is not among them is empty.</summary>
    /// <param name="escape">How a value is written where the text will be read.</param>
    public string Render(IReadOnlyDictionary<string, string> values, Func<string, string, string> escape)
    {
        StringBuilder text = new();
        foreach (Part part in parts)
            part.Write(text, values, escape);
        return text.ToString();
    }

    private static string Shortened(string text) => text.Length <= 40 ? text : $"{text[..40]}...";

    /// <summary>Whatever begins like a placeholder, so that one with a typing error is found and not mailed.</summary>
    [GeneratedRegex(@"\{\{\s*(?<sign>[#^/]?)\s*(?<name>[a-z_]+(\.[a-z_]+)*)\s*\}\}|\{\{[^{}]*(\}\})?", RegexOptions.ExplicitCapture)]
    private static partial Regex Tag();

    private abstract record Part
    {
        public virtual IEnumerable<string> Names => [];

        public virtual IEnumerable<string> Shown => [];

        public abstract void Write(StringBuilder text, IReadOnlyDictionary<string, string> values, Func<string, string, string> escape);
    }

    private sealed record Words(string Text) : Part
    {
        public override void Write(StringBuilder text, IReadOnlyDictionary<string, string> values, Func<string, string, string> escape) => text.Append(Text);
    }

    private sealed record Value(string Name) : Part
    {
        public override IEnumerable<string> Names => [Name];

        public override IEnumerable<string> Shown => [Name];

        public override void Write(StringBuilder text, IReadOnlyDictionary<string, string> values, Func<string, string, string> escape) =>
            text.Append(escape(Name, values.GetValueOrDefault(Name, "")));
    }

    private sealed record Passage(string Name, bool WhenThere, IReadOnlyList<Part> Parts) : Part
    {
        public override IEnumerable<string> Names => Parts.SelectMany(static part => part.Names).Prepend(Name);

        public override IEnumerable<string> Shown => Parts.SelectMany(static part => part.Shown);

        public override void Write(StringBuilder text, IReadOnlyDictionary<string, string> values, Func<string, string, string> escape)
        {
            if (values.GetValueOrDefault(Name, "").Length > 0 != WhenThere)
                return;
            foreach (Part part in Parts)
                part.Write(text, values, escape);
        }
    }
}
