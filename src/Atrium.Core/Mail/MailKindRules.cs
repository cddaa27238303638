using System.Collections.Frozen;
using Atrium.Core.Users;

namespace Atrium.Core.Mail;

/// <summary>What is wrong with a part of a template.</summary>
/// <param name="Field"><c>subject</c>, <c>text</c> or <c>html</c>.</param>
public sealed record TemplateProblem(string Field, string Message);

/// <summary>What a kind of mail may say and must say.</summary>
public sealed record MailKindRules
{
    public const string Content = "content";
    public const int MaxSubjectLength = 256;
    public const int MaxTextLength = 16_000;
    public const int MaxHtmlLength = 64_000;

    private static readonly FrozenDictionary<MailKind, MailKindRules> All = new Dictionary<MailKind, MailKindRules>
    {
        [MailKind.Layout] = new()
        {
            Samples = new Dictionary<string, string> { [Content] = "..." }.ToFrozenDictionary(),
            Needs = [Content],
            NeededInSubject = true,
            OfOrganizations = true,
            BuiltIn = new("{{content}}", Read("layout.txt"), Read("layout.html")),
        },
        [MailKind.Invitation] = new()
        {
            Samples = new Dictionary<string, string>
            {
                ["invitation.email"] = "sam@example.com",
                ["invitation.title"] = "Head of finance",
                ["invitation.message"] = "Welcome aboard!\nAsk me if anything is unclear.",
                ["invitation.expires_at"] = "28 November 2026, 10:00 UTC",
                ["inviter.name"] = "Mia Moreno",
                ["link"] = "https://id.example.com/t/acme/invitations/SAMPLE",
                ["token"] = "SAMPLE",
            }.ToFrozenDictionary(),
            Needs = ["link", "token"],
            OfOrganizations = true,
            BuiltIn = new(
                "{{#inviter.name}}{{inviter.name}} invites you{{/inviter.name}}{{^inviter.name}}You are invited{{/inviter.name}} to {{organization.name}}",
                Read("invitation.txt"),
                Read("invitation.html")),
        },
        [MailKind.EmailVerification] = new()
        {
            Samples = new Dictionary<string, string>
            {
                ["user.email"] = "sam@example.com",
                ["user.name"] = "Sam",
                ["code"] = "042731",
                ["minutes"] = "10",
            }.ToFrozenDictionary(),
            Needs = ["code"],
            BuiltIn = new("{{code}} is your code for {{realm.name}}", Read("email_verification.txt"), Read("email_verification.html")),
        },
        [MailKind.SignUp] = new()
        {
            Samples = new Dictionary<string, string>
            {
                ["user.email"] = "sam@example.com",
                ["client.name"] = "Acme Projects",
                ["code"] = "KWTF-9XPM",
                ["minutes"] = "10",
            }.ToFrozenDictionary(),
            Needs = ["code"],
            BuiltIn = new("{{code}} is your code for {{realm.name}}", Read("sign_up.txt"), Read("sign_up.html")),
        },
        [MailKind.SignUpExisting] = new()
        {
            Samples = new Dictionary<string, string>
            {
                ["user.email"] = "sam@example.com",
                ["user.name"] = "Sam",
                ["client.name"] = "Acme Projects",
            }.ToFrozenDictionary(),
            Needs = [],
            BuiltIn = new("You have an account at {{realm.name}}", Read("sign_up_existing.txt"), Read("sign_up_existing.html")),
        },
        [MailKind.PasswordReset] = new()
        {
            Samples = new Dictionary<string, string>
            {
                ["user.email"] = "sam@example.com",
                ["user.name"] = "Sam",
                ["client.name"] = "Acme Projects",
                ["code"] = "KWTF-9XPM",
                ["minutes"] = "10",
            }.ToFrozenDictionary(),
            Needs = ["code"],
            BuiltIn = new("{{code}} is your code for a new password", Read("password_reset.txt"), Read("password_reset.html")),
        },
        [MailKind.PasswordChanged] = new()
        {
            Samples = new Dictionary<string, string>
            {
                ["user.email"] = "sam@example.com",
                ["user.name"] = "Sam",
                ["changed_at"] = "28 November 2026, 10:00 UTC",
            }.ToFrozenDictionary(),
            Needs = [],
            BuiltIn = new("Your password for {{realm.name}} was changed", Read("password_changed.txt"), Read("password_changed.html")),
        },
        [MailKind.FactorAdded] = new()
        {
            Samples = new Dictionary<string, string>
            {
                ["user.email"] = "sam@example.com",
                ["user.name"] = "Sam",
                ["added_at"] = "28 November 2026, 10:00 UTC",
            }.ToFrozenDictionary(),
            Needs = [],
            BuiltIn = new("There is an authenticator app for your account at {{realm.name}}", Read("factor_added.txt"), Read("factor_added.html")),
        },
    }.ToFrozenDictionary();

    /// <summary>Names of what the placeholders can stand for beside the names of realm and organization, with an example of each.</summary>
    public required IReadOnlyDictionary<string, string> Samples { get; init; }

    /// <summary>One of these must show in text and HTML, or the mail is worth nothing; none where it says enough by itself.</summary>
    public required IReadOnlyList<string> Needs { get; init; }

    public bool NeededInSubject { get; init; }

    /// <summary>Whether an organization may have its own: a person's address is the realm's matter.</summary>
    public bool OfOrganizations { get; init; }

    public required MailTemplate BuiltIn { get; init; }

    public IEnumerable<string> Placeholders =>
        Samples.Keys.Append("realm.name").Concat(OfOrganizations ? ["organization.name"] : []).Order(StringComparer.Ordinal);

    public static MailKindRules Of(MailKind kind) => All[kind];

    /// <summary>What is wrong with a template, part by part; nothing when it can be used.</summary>
    public IEnumerable<TemplateProblem> Check(MailTemplate template)
    {
        if (template.Subject.Any(char.IsControl))
            yield return new("subject", "A subject is one line of plain text.");
        foreach ((string field, string text, int longest) in new[]
        {
            ("subject", template.Subject, MaxSubjectLength), ("text", template.Text, MaxTextLength), ("html", template.Html, MaxHtmlLength),
        })
        {
            if (text.Length > longest)
            {
                yield return new(field, $"At most {longest} characters.");
                continue;
            }

            if (string.IsNullOrWhiteSpace(text))
            {
                yield return new(field, "It can't be empty.");
                continue;
            }

            if (!TemplateText.TryParse(text, out TemplateText? parsed, out string? problem))
            {
                yield return new(field, problem);
                continue;
            }

            foreach (string unknown in parsed.Names.Except(Placeholders).Order(StringComparer.Ordinal))
                yield return new(field, $"There is no {{{{{unknown}}}}} here. There are {string.Join(", ", Placeholders.Select(static name => $"{{{{{name}}}}}"))}.");
            if ((field != "subject" || NeededInSubject) && Needs.Count > 0 && !parsed.Shown.Overlaps(Needs))
                yield return new(field, $"{string.Join(" or ", Needs.Select(static name => $"{{{{{name}}}}}"))} must be in it.");
        }
    }

    private static string Read(string file) => DataFile.Text($"mail.{file}");
}
