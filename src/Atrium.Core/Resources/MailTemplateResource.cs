using System.ComponentModel;
using Atrium.Core.Mail;

namespace Atrium.Core.Resources;

/// <summary>The texts that mail of one kind is written with.</summary>
public sealed record MailTemplateResource
{
    [Description("What the mail is about; `layout` stands around every other one.")]
    public required MailKind Kind { get; init; }

    [Description("One line.")]
    public required string Subject { get; init; }

    public required string Text { get; init; }

    [Description("Values come into it escaped.")]
    public required string Html { get; init; }

    [Description("Whether it was written here, in place of the one that is in force otherwise.")]
    public required bool Overridden { get; init; }

    [Description("Whose it is.")]
    public required MailTemplateSource Source { get; init; }

    [Description("What can stand in it, as `{{name}}`.")]
    public required IReadOnlyList<string> Placeholders { get; init; }

    [Description("Unix milliseconds; null for a built-in one.")]
    public required long? UpdatedAt { get; init; }

    /// <param name="owner">Where it is shown: a realm, or an organization.</param>
    public static MailTemplateResource Of(EffectiveTemplate template, MailTemplateSource owner) => new()
    {
        Kind = template.Kind,
        Subject = template.Template.Subject,
        Text = template.Template.Text,
        Html = template.Template.Html,
        Overridden = template.Source == owner,
        Source = template.Source,
        Placeholders = [.. MailKindRules.Of(template.Kind).Placeholders],
        UpdatedAt = template.UpdatedAt?.ToUnixTimeMilliseconds(),
    };
}

/// <summary>A letter as it would go out, with made-up names in it.</summary>
public sealed record MailPreviewResource(string Subject, string Text, string Html);
